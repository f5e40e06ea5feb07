"""The ground of the second computation: its money and its days, and what a month of them is worth."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from importers.contract import WorkerStatus
from importers.money import KHR, USD, Currency, Money
from reconciliation.contract import ExchangeRates, Line, WorkMonth
from reconciliation.policy import FactoryPolicy, PartMonth
from tests.law_cases.second_figures import MINIMUM, RefusedError, half_up


class Counting:
    """One month of one worker: her wage, her days, and how an amount is entered."""

    def __init__(self, month: WorkMonth, rates: ExchangeRates, policy: FactoryPolicy) -> None:
        self.month, self.policy = month, policy
        self.tax_rate, self.nssf_rate = Fraction(rates.tax), Fraction(rates.nssf)
        self.currency: Currency = USD  # a slip is in dollars
        self.earned: dict[Line, int] = {}
        self.taken: dict[Line, int] = {}
        self.employer: dict[Line, int] = {}
        self.base = 0

    # money ------------------------------------------------------------------------------------------------------------
    def minor(self, major: Fraction) -> int:
        """Major units of the wage's currency as whole minor units."""
        return half_up(major * 10**self.currency.exponent)

    def from_usd(self, dollars: Fraction | int) -> Fraction:
        """Dollars in the wage's currency."""
        return Fraction(dollars) if self.currency is USD else Fraction(dollars) * self.tax_rate

    def from_riel(self, riel: Fraction | int, rate: Fraction) -> Fraction:
        """Riel in the wage's currency."""
        return Fraction(riel) if self.currency is KHR else Fraction(riel) / rate

    def in_riel(self, minor: int, rate: Fraction) -> Fraction:
        """Minor units of the wage's currency in riel."""
        return Fraction(minor) if self.currency is KHR else Fraction(minor, 100) * rate

    def own(self, money: Money) -> Fraction:
        """An amount of the question in the wage's currency."""
        if money.currency == self.currency:
            return money.exact
        return self.from_usd(money.exact) if money.currency == USD else self.from_riel(money.exact, self.tax_rate)

    def pay(self, line: Line, major: Fraction) -> None:
        """Enter an earning, rounded once."""
        amount = self.minor(major)
        if amount > 0:
            self.earned[line] = self.earned.get(line, 0) + amount

    # days -------------------------------------------------------------------------------------------------------------
    def working_days(self, first: date, last: date) -> int:
        """Days that are not Sundays from `first` to `last`, both counted."""
        return sum(1 for n in range((last - first).days + 1) if (first + timedelta(days=n)).isoweekday() != 7)

    @property
    def first(self) -> date:
        """The first day of employment in the month."""
        start = self.month.period.first_day
        return max(start, self.month.joined_on) if self.month.joined_on else start

    @property
    def last(self) -> date:
        """The last day of employment in the month."""
        end = self.month.period.last_day
        return min(end, self.month.left_on) if self.month.left_on else end

    @property
    def part(self) -> bool:
        """Whether she joined or left so that a working day of the month is not hers."""
        return self.employed() < self.working_days(self.month.period.first_day, self.month.period.last_day)

    def employed(self) -> int:
        """Working days of the month in which she is employed."""
        return max(0, self.working_days(self.first, self.last))

    # wage -------------------------------------------------------------------------------------------------------------
    def wage(self) -> Fraction:
        """The monthly wage: the agreed one, but at least the minimum of her status."""
        try:
            regular, probation = MINIMUM[self.month.period.year]
        except KeyError:
            raise RefusedError(f"no minimum wage for {self.month.period.year}") from None
        least = self.from_usd(probation if self.month.status is WorkerStatus.PROBATION else regular)
        agreed = self.month.basic_wage
        # an agreed wage in riel stands on the slip in dollars and cents, and everything is reckoned from there
        return max(least, Fraction(self.minor(self.own(agreed)), 100)) if agreed else least

    def pieces(self) -> Fraction | None:
        """The value of the pieces made, for one who is paid by the piece."""
        return None if self.month.piece_value is None else self.own(self.month.piece_value)

    def least(self) -> Fraction:
        """The minimum wage of her status."""
        return self.from_usd(MINIMUM[self.month.period.year][self.month.status is WorkerStatus.PROBATION])

    def worth(self) -> Fraction:
        """What the employed part of the month is worth, in days of the divisor."""
        divisor, employed = Fraction(self.policy.monthly_days), self.employed()
        if not self.part:
            return divisor
        whole = self.working_days(self.month.period.first_day, self.month.period.last_day)
        by_days = self.policy.part_month is PartMonth.WORKING_DAYS
        return min(divisor, Fraction(employed)) if by_days else divisor * employed / whole

    def away(self) -> Fraction:
        """Days that are not paid as worked, as many as the month can hold; all of them when she never came."""
        month = self.month
        off = Fraction(month.days_absent + month.days_sick + month.days_maternity + (month.days_leave if month.leave_apart else 0))
        return self.worth() if off >= self.employed() else min(off, self.worth())

    def counted(self, days: Fraction) -> Fraction:
        """Some of the days away, when together they are more or fewer than a whole month holds."""
        month = self.month
        off = Fraction(month.days_absent + month.days_sick + month.days_maternity + (month.days_leave if month.leave_apart else 0))
        return days * self.away() / off if off else days
