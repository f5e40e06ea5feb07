"""Hours beyond the ordinary day: overtime, night, weekly day off, public holiday. Labour Law arts. 139, 144, 164 and Prakas 112/25."""

from __future__ import annotations

from decimal import Decimal

from importers.contract import Meaning
from reconciliation.contract import EntitlementLine, Line, Side, WorkMonth
from reconciliation.law.cambodia.month import Month, half_up, percent, plain, remember, usd
from reconciliation.law.cambodia.wages import Wage
from reconciliation.policy import NightPay

_KINDS = (
    (Meaning.OVERTIME_HOURS, Line.OVERTIME_PAY, "overtime_rate"),
    (Meaning.NIGHT_OVERTIME_HOURS, Line.NIGHT_OVERTIME_PAY, "night_overtime_rate"),
    (Meaning.REST_DAY_HOURS, Line.REST_DAY_PAY, "rest_day_rate"),
    (Meaning.HOLIDAY_HOURS, Line.HOLIDAY_PAY, "holiday_rate"),
    (Meaning.NIGHT_HOURS, Line.NIGHT_PAY, "night_rate"),
)


class Overtime:
    """The rates of the month for each kind of hour."""

    def __init__(self, month: Month) -> None:
        self._rates = {}
        for meaning, line, name in _KINDS:
            rate = month.figures.number(name)
            if line is Line.NIGHT_PAY and month.policy.night_pay is NightPay.PREMIUM:
                rate -= 1  # the monthly wage has paid the hour once
            self._rates[meaning] = line, *rate.as_integer_ratio(), percent(rate), month.figures.cite(name)
        self._known: dict[tuple[Meaning, Decimal, int, int], EntitlementLine] = {}
        self._worked: dict[Decimal, tuple[int, int, str]] = {}

    def lines(self, facts: WorkMonth, wage: Wage) -> list[EntitlementLine]:
        """A line for each kind of hour that was worked."""
        found = []
        for meaning, hours in facts.hours.items():
            if hours:
                key = (meaning, hours, wage.numerator, wage.denominator)
                known = self._known.get(key)
                found.append(remember(self._known, key, self._line(meaning, hours, wage)) if known is None else known)
        return found

    def _line(self, meaning: Meaning, hours: Decimal, wage: Wage) -> EntitlementLine:
        line, numerator, denominator, text, citations = self._rates[meaning]
        found = self._worked.get(hours)
        worked, parts, count = (
            remember(self._worked, hours, (*hours.as_integer_ratio(), f"{plain(hours)} h x ")) if found is None else found
        )
        cents = half_up(wage.numerator * worked * numerator, wage.denominator * parts * denominator)
        return usd(line, Side.EARNING, cents, f"{count}{wage.hourly} x {text}", citations)
