"""The wage of the month: the agreed wage or the minimum, less unpaid days; piece work topped up; sick, maternity and leave days.

Minimum wage by status: the yearly Prakas. Daily wage: the monthly wage over the factory's divisor (26).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from importers.contract import WorkerStatus
from importers.money import Money
from reconciliation.contract import Citation, EntitlementLine, Line, Side, WorkMonth
from reconciliation.law.cambodia.month import Month, dollars, half_up, percent, plain, remember, usd, working_days
from reconciliation.policy import PartMonth, SickPay

_NONE = Decimal(0)


@dataclass(frozen=True, slots=True, eq=False)
class Wage:
    """What a worker earns for a full month, and so for a day and an hour, with its source. `numerator / denominator` are cents an hour."""

    cents: int
    why: str
    citations: tuple[Citation, ...]
    numerator: int
    denominator: int
    hourly: str  # "1.0096 USD"


@dataclass(frozen=True, slots=True)
class Days:
    """How the month's days are paid, in working days of the divisor."""

    paid: Decimal  # of the base, after all that is not paid as basic pay
    full: bool
    note: str  # why it is not full


class Wages:
    """The rules of the monthly wage in force."""

    def __init__(self, month: Month) -> None:
        figures = month.figures
        self._month = month
        self._divisor = month.policy.monthly_days
        self._hours = figures.number("daily_hours")
        self._minimum: dict[bool, tuple[int, tuple[Citation, ...]]] = {}
        for probation, name in ((False, "minimum_wage_regular"), (True, "minimum_wage_probation")):
            self._minimum[probation] = int(figures.number(name) * 100), figures.cite(name)
        self._sick = [(int(str(row["month"])), Decimal(str(row["share"]))) for row in figures.rows("sick_pay")]
        self._sick_cite = figures.cite("sick_pay")
        self._maternity, self._maternity_cite = figures.number("maternity_pay"), figures.cite("maternity_pay")
        self._leave_cite = figures.cite("annual_leave_days")
        first, last = month.period.first_day, month.period.last_day
        self._workdays = working_days(first, last)
        self._whole = Days(Decimal(self._divisor), full=True, note="")
        self._wages: dict[tuple[bool, int, str], Wage] = {}
        self._basic: dict[tuple[Wage, Decimal, str], EntitlementLine] = {}

    def wage(self, facts: WorkMonth) -> Wage:
        """The full monthly wage: what was agreed, but never less than the minimum of her status."""
        agreed, probation = facts.basic_wage, facts.status is WorkerStatus.PROBATION
        key = (probation, 0, "") if agreed is None else (probation, agreed.minor, agreed.currency.code)
        known = self._wages.get(key)
        return remember(self._wages, key, self._wage(probation, agreed)) if known is None else known

    def _wage(self, probation: bool, agreed: Money | None) -> Wage:
        least, citations = self._minimum[probation]
        cents = least if agreed is None else self._month.cents(agreed)
        why = "" if agreed is not None and cents >= least else " minimum wage"
        if cents < least:
            why, cents = f" minimum wage (agreed: {dollars(cents)})", least
        return self._hourly(cents, why, citations, Decimal(self._divisor))

    def _hourly(self, cents: int, why: str, citations: tuple[Citation, ...], days: Decimal) -> Wage:
        numerator, denominator = (days * self._hours).as_integer_ratio()
        by_hour = Decimal(cents) / (days * self._hours * 100)
        return Wage(cents, why, citations, cents * denominator, numerator, f"{by_hour:.4f} USD")

    def days(self, facts: WorkMonth) -> Days:
        """How many of the month's days are paid as basic pay."""
        off = facts.days_absent + facts.days_sick + facts.days_maternity + (facts.days_leave if facts.leave_apart else _NONE)
        first, last = self._month.period.first_day, self._month.period.last_day
        joined, left = facts.joined_on, facts.left_on
        employed = self._workdays
        if (joined is not None and joined > first) or (left is not None and left < last):
            employed = working_days(max(joined or first, first), min(left or last, last))
        if not off and employed >= self._workdays:
            return self._whole
        base, note = Decimal(self._divisor), ""
        if employed < self._workdays:
            note = f", employed {employed} of {self._workdays} working days"
            if self._month.policy.part_month is PartMonth.WORKING_DAYS:
                base = Decimal(min(employed, self._divisor))
            else:
                base = base * employed / self._workdays
        return Days(max(base - off, _NONE), full=False, note=note)

    def basic(self, wage: Wage, days: Days) -> EntitlementLine:
        """The basic pay of a worker paid by the month."""
        key = (wage, days.paid, days.note)
        known = self._basic.get(key)
        if known is not None:
            return known
        text, cents = f"{dollars(wage.cents)} USD{wage.why}", wage.cents
        if not days.full:
            cents = self._part(wage.cents, days.paid)
            text = f"{text} x {_days(days.paid)} / {self._divisor} days{days.note}"
        return remember(self._basic, key, usd(Line.BASIC_PAY, Side.EARNING, cents, text, wage.citations))

    def piece(self, facts: WorkMonth, value: Money, wage: Wage, days: Days) -> tuple[tuple[EntitlementLine, ...], Wage]:
        """Piece work, topped up to the minimum of the days worked; and the wage that counts for an hour of overtime."""
        least, citations = self._minimum[facts.status is WorkerStatus.PROBATION]
        earned = self._month.cents(value)
        guaranteed = least if days.full else self._part(least, days.paid)
        lines = [usd(Line.BASIC_PAY, Side.EARNING, earned, f"piece work {dollars(earned)} USD", citations)]
        if earned < guaranteed:
            share = "" if days.full else f" x {_days(days.paid)} / {self._divisor} days"
            text = f"minimum wage {dollars(least)} USD{share} - piece work {dollars(earned)} USD"
            lines.append(usd(Line.PIECE_TOP_UP, Side.EARNING, guaranteed - earned, text, citations))
        total = max(earned, guaranteed)
        return tuple(lines), self._hourly(total, "", citations, days.paid) if days.paid else wage

    def other_days(self, facts: WorkMonth, wage: Wage) -> list[EntitlementLine]:
        """Sick, maternity and separately shown leave days."""
        lines = []
        if facts.days_sick:
            share = self._sick_share(facts.sick_month)
            lines.append(self._off(Line.SICK_PAY, facts.days_sick, share, wage, self._sick_cite))
        if facts.days_maternity:
            lines.append(self._off(Line.MATERNITY_PAY, facts.days_maternity, self._maternity, wage, self._maternity_cite))
        if facts.leave_apart and facts.days_leave:
            lines.append(self._off(Line.LEAVE_PAY, facts.days_leave, Decimal(1), wage, self._leave_cite))
        return lines

    def _sick_share(self, sick_month: int) -> Decimal:
        if self._month.policy.sick_pay is SickPay.UNPAID:
            return _NONE
        return next((share for number, share in self._sick if number == sick_month), _NONE)

    def _off(self, line: Line, days: Decimal, share: Decimal, wage: Wage, citations: tuple[Citation, ...]) -> EntitlementLine:
        cents = self._part(wage.cents, days * share)
        text = f"{dollars(wage.cents)} USD / {self._divisor} x {_days(days)} days" + ("" if share == 1 else f" x {percent(share)}")
        return usd(line, Side.EARNING, cents, text, citations)

    def unused_leave(self, facts: WorkMonth, wage: Wage) -> EntitlementLine:
        """Leave that was earned and not taken, at the higher of the average and the present wage."""
        average = 0 if facts.average_wage is None else self._month.cents(facts.average_wage)
        best = max(average, wage.cents)
        cents = self._part(best, facts.unused_leave_days)
        text = f"{dollars(best)} USD / {self._divisor} x {_days(facts.unused_leave_days)} unused days of leave"
        return usd(Line.LEAVE_PAY, Side.EARNING, cents, text, self._leave_cite)

    def _part(self, cents: int, days: Decimal) -> int:
        numerator, denominator = days.as_integer_ratio()
        return half_up(cents * numerator, denominator * self._divisor)


def _days(days: Decimal) -> str:
    return plain(days) if days == days.quantize(Decimal("0.01")) else f"{days:.4f}"
