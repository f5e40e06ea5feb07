"""Piece work: what the pieces bring, topped up to the minimum of the days that they took, and the wage lost by public holidays (art. 163).

A wage by the month holds its public holidays (art. 162). Who is paid by the piece makes none on such a day, and the employer owes her what
the day would have brought; which day that is, the law leaves open and the factory's policy says.
"""

from __future__ import annotations

from fractions import Fraction

from importers.contract import WorkerStatus
from importers.money import Money
from reconciliation.contract import EntitlementLine, Line, Side, WorkMonth
from reconciliation.law.cambodia.month import Month, dollars, half_up, percent, usd
from reconciliation.law.cambodia.wages import Days, Exact, Wage, Wages, shown
from reconciliation.policy import PieceHoliday


class PieceWork:
    """The rules of pay by the piece in force."""

    def __init__(self, month: Month, wages: Wages) -> None:
        self._month, self._wages = month, wages
        self._divisor = month.policy.monthly_days
        self._lost, self._lost_cite = month.figures.number("holiday_wage"), month.figures.cite("holiday_wage")
        self._by_year = month.policy.piece_holiday is PieceHoliday.TWELVE_MONTHS

    def lines(self, facts: WorkMonth, value: Money, wage: Wage, days: Days) -> tuple[list[EntitlementLine], Wage]:
        """The pieces, what is missing to the minimum, the public holidays; and the wage that counts for an hour of overtime."""
        least, citations = self._wages.minimum[facts.status is WorkerStatus.PROBATION]
        earned, holidays = self._month.cents(value), min(facts.days_holiday, days.paid)
        at_work: Exact = Fraction(days.paid) - Fraction(holidays) if holidays else days.paid
        full = days.full and not holidays
        guaranteed = least if full else self._wages.part(least, at_work)
        found = [usd(Line.BASIC_PAY, Side.EARNING, earned, f"piece work {dollars(earned)} USD", citations)]
        if earned < guaranteed:
            share = "" if full else f" x {shown(at_work)} / {self._divisor} days"
            text = f"minimum wage {dollars(least)} USD{share} - piece work {dollars(earned)} USD"
            found.append(usd(Line.PIECE_TOP_UP, Side.EARNING, guaranteed - earned, text, citations))
        brought = max(earned, guaranteed)
        if holidays:
            found.append(self._holidays(facts, holidays, brought, least, days))
        return found, self._wages.hourly(brought, "", citations, at_work) if at_work else wage

    def _holidays(self, facts: WorkMonth, holidays: Exact, brought: int, least: int, days: Days) -> EntitlementLine:
        """So many days of the basis that the factory chose, and at least of the minimum wage."""
        lost, basis = Fraction(least, self._divisor), f"{dollars(least)} USD minimum wage / {self._divisor}"
        took = Fraction(days.present) - Fraction(holidays) if facts.piece_days is None else Fraction(facts.piece_days)
        if self._by_year and facts.average_wage is not None:
            average = self._month.cents(facts.average_wage)
            own, text = Fraction(average, self._divisor), f"{dollars(average)} USD average of twelve months / {self._divisor}"
        elif took > 0:
            own, text = brought / took, f"{dollars(brought)} USD / {shown(took)}"
        else:
            own, text = lost, basis
        if own >= lost:
            lost, basis = own, text
        exact = lost * Fraction(holidays) * Fraction(self._lost)
        share = "" if self._lost == 1 else f" x {percent(self._lost)}"
        text = f"{basis} x {shown(holidays)} public holidays not worked{share}"
        return usd(Line.HOLIDAY_WAGE, Side.EARNING, half_up(exact.numerator, exact.denominator), text, self._lost_cite)
