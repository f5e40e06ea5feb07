"""Lines that only the factory knows: advances, loans, dues, the half already paid, other allowances. Labour Law arts. 116, 126-129."""

from __future__ import annotations

from importers.money import KHR, Money
from reconciliation.contract import EntitlementLine, Line, Side, WorkMonth
from reconciliation.law.cambodia.month import Month, plain, remember, usd

DEDUCTIONS = (
    Line.FIRST_HALF_PAID,
    Line.ADVANCE,
    Line.LOAN,
    Line.UNION_DUES,
    Line.OTHER_DEDUCTION,
    Line.PENSION,  # only a correction states these two itself
    Line.SALARY_TAX,
)


class Stated:
    """Amounts taken from the factory's word."""

    def __init__(self, month: Month) -> None:
        self._month = month
        self._deduction = month.figures.cite("deductions_allowed")
        self._first_half = month.figures.cite("first_half_share")
        self._wage = month.figures.cite("paid_to_the_worker")
        self._known: dict[tuple[Line, int, str], EntitlementLine] = {}

    def lines(self, facts: WorkMonth) -> list[EntitlementLine]:
        """A line for each amount that is not nothing."""
        found = []
        for line, amount in facts.given.items():
            if amount.minor:
                key = (line, amount.minor, amount.currency.code)
                known = self._known.get(key)
                found.append(remember(self._known, key, self._line(line, amount)) if known is None else known)
        return found

    def _line(self, line: Line, amount: Money) -> EntitlementLine:
        side = Side.DEDUCTION if line in DEDUCTIONS else Side.EARNING
        cites = self._first_half if line is Line.FIRST_HALF_PAID else self._deduction if side is Side.DEDUCTION else self._wage
        in_riel = amount.currency == KHR
        text = (
            f"{amount.minor:,} KHR / {plain(self._month.rates.tax)} KHR per USD, as the factory states"
            if in_riel
            else "as the factory states"
        )
        return usd(line, side, self._month.cents(amount), text, cites, amount if in_riel else None)
