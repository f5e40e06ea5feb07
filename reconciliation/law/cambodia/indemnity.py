"""Money for service: the seniority indemnity of June and December (Prakas 443) and the severance of a fixed-duration contract."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from reconciliation.contract import EntitlementLine, Leaving, Line, Side, WorkMonth
from reconciliation.law.cambodia.month import Month, completed_months, dollars, half_up, percent, plain, remember, usd
from reconciliation.law.cambodia.wages import Exact, Wage, shown

_JUNE, _DECEMBER = 6, 12
_FORFEITS = (Leaving.RESIGNED, Leaving.MISCONDUCT)


class Indemnity:
    """The rules of indemnity and severance in force."""

    def __init__(self, month: Month) -> None:
        figures, self._month = month.figures, month
        self._days = figures.number("indemnity_days")
        self._days_cite = figures.cite("indemnity_days")
        self._dismissed = figures.number("indemnity_days_dismissed")
        self._dismissed_cite = figures.cite("indemnity_days_dismissed")
        self._severance, self._severance_cite = figures.number("severance_share"), figures.cite("severance_share")
        year = month.period.year
        self._half_year = date(year, 1, 1) if month.period.month <= _JUNE else date(year, 7, 1)
        self._known: dict[tuple[int, Exact, Decimal], EntitlementLine] = {}

    @property
    def is_month(self) -> bool:
        """Whether the indemnity is paid in this month."""
        return self._month.period.month in (_JUNE, _DECEMBER)

    def half_yearly(self, facts: WorkMonth, wage: Wage) -> EntitlementLine | None:
        """7.5 days for who is still employed on an undetermined contract after at least a month of the half-year."""
        last = self._month.period.last_day
        leaves = facts.left_on is not None and (facts.left_on < last or (facts.left_on == last and facts.leaving in _FORFEITS))
        if not self.is_month or not self._days or not facts.undetermined_contract or leaves or not self._served(facts, last):
            return None
        return self._line(facts, wage, self._days)

    def at_the_end(self, facts: WorkMonth, wage: Wage) -> EntitlementLine | None:
        """What the end of the contract brings: indemnity of the dismissed, severance of a fixed duration."""
        if not facts.undetermined_contract:
            return self._severance_line(facts)
        left = facts.left_on or self._month.period.last_day
        if facts.leaving is not Leaving.DISMISSED or not self._dismissed or not self._served(facts, left):
            return None
        whole = self.is_month and left == self._month.period.last_day
        return self._line(facts, wage, self._days if whole else self._dismissed)

    def _served(self, facts: WorkMonth, until: date) -> bool:
        start = max(self._half_year, facts.joined_on or self._half_year)
        return completed_months(start, until) >= 1

    def _line(self, facts: WorkMonth, wage: Wage, days: Decimal) -> EntitlementLine:
        average, divisor = wage.cents, wage.days
        if facts.average_wage is not None:
            average, divisor = self._month.cents(facts.average_wage), Decimal(self._month.policy.monthly_days)
        known = self._known.get((average, divisor, days))
        if known is not None:
            return known
        (numerator, denominator), (days_of, part) = days.as_integer_ratio(), divisor.as_integer_ratio()
        cents = half_up(average * numerator * part, denominator * days_of)
        text = f"{plain(days)} days x {dollars(average)} USD / {shown(divisor)}"
        citations = self._days_cite if days == self._days else self._dismissed_cite
        return remember(self._known, (average, divisor, days), usd(Line.SENIORITY_INDEMNITY, Side.EARNING, cents, text, citations))

    def _severance_line(self, facts: WorkMonth) -> EntitlementLine | None:
        if facts.contract_wages is None or facts.leaving is Leaving.MISCONDUCT:
            return None
        wages = self._month.cents(facts.contract_wages)
        numerator, denominator = self._severance.as_integer_ratio()
        text = f"{dollars(wages)} USD of the whole contract x {percent(self._severance)}"
        return usd(Line.SEVERANCE, Side.EARNING, half_up(wages * numerator, denominator), text, self._severance_cite)
