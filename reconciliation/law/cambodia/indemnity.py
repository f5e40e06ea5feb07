"""Money for service: the seniority indemnity of June and December (Prakas 443) and the severance of a fixed-duration contract."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from reconciliation.contract import EntitlementLine, Leaving, Line, Side, WorkMonth
from reconciliation.law.cambodia.month import Month, completed_months, dollars, half_up, percent, plain, remember, usd
from reconciliation.law.cambodia.wages import Wage

_JUNE, _DECEMBER = 6, 12


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
        self._known: dict[tuple[int, Decimal], EntitlementLine] = {}

    @property
    def is_month(self) -> bool:
        """Whether the indemnity is paid in this month."""
        return self._month.period.month in (_JUNE, _DECEMBER)

    def half_yearly(self, facts: WorkMonth, wage: Wage) -> EntitlementLine | None:
        """7.5 days for who is still employed on an undetermined contract after at least a month of the half-year."""
        leaves = facts.left_on is not None and facts.left_on < self._month.period.last_day
        if not self._days or not facts.undetermined_contract or leaves or not self._served(facts, self._month.period.last_day):
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
        average = wage.cents if facts.average_wage is None else max(self._month.cents(facts.average_wage), 0)
        known = self._known.get((average, days))
        if known is not None:
            return known
        divisor = self._month.policy.monthly_days
        numerator, denominator = days.as_integer_ratio()
        cents = half_up(average * numerator, denominator * divisor)
        text = f"{plain(days)} days x {dollars(average)} USD / {divisor}"
        citations = self._days_cite if days == self._days else self._dismissed_cite
        return remember(self._known, (average, days), usd(Line.SENIORITY_INDEMNITY, Side.EARNING, cents, text, citations))

    def _severance_line(self, facts: WorkMonth) -> EntitlementLine | None:
        if facts.contract_wages is None or facts.leaving is Leaving.MISCONDUCT:
            return None
        wages = self._month.cents(facts.contract_wages)
        numerator, denominator = self._severance.as_integer_ratio()
        text = f"{dollars(wages)} USD of the whole contract x {percent(self._severance)}"
        return usd(Line.SEVERANCE, Side.EARNING, half_up(wages * numerator, denominator), text, self._severance_cite)
