"""The law of a month computed a second time, in another way, by someone who had not seen the first computation.

It was written from the collected facts alone (their sections 1 to 3: wages, NSSF, tax) and keeps its own tables, its own calendar and
its own arithmetic; it shares with the first only the shapes of the question (`WorkMonth`, the factory's policy) and the words of lines.
Amounts are whole minor units of the wage's currency. Where the two disagree, `docs/decisions/0015-law-second-opinion.md` says who was
right. Nothing here is used to pay anyone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from importers.contract import Meaning, WorkerStatus
from importers.money import KHR, USD, Currency, Money
from importers.period import RunKind
from reconciliation.contract import ExchangeRates, Leaving, Line, WorkMonth
from reconciliation.policy import (
    AttendanceLoss,
    FactoryPolicy,
    FirstHalf,
    IndemnityRun,
    NightPay,
    NssfBase,
    PartMonth,
    RielRate,
    ServiceOn,
    SickPay,
    Transport,
)

# year: (regular, probation), US dollars
MINIMUM = {
    2018: (170, 165),
    2019: (182, 177),
    2020: (190, 185),
    2021: (192, 187),
    2022: (194, 192),
    2023: (200, 198),
    2024: (204, 202),
    2025: (208, 206),
    2026: (210, 208),
}
# first year of the table: (riel above which a rate begins, that rate in per cent)
TAX_TABLES = {
    2018: ((0, 0), (1_200_000, 5), (2_000_000, 10), (8_500_000, 15), (12_500_000, 20)),
    2020: ((0, 0), (1_300_000, 5), (2_000_000, 10), (8_500_000, 15), (12_500_000, 20)),
    2023: ((0, 0), (1_500_000, 5), (2_000_000, 10), (8_500_000, 15), (12_500_000, 20)),
}
HOUR_FACTORS = {  # what an hour is worth beside the monthly wage, in hundredths
    Meaning.OVERTIME_HOURS: (Line.OVERTIME_PAY, 150),
    Meaning.NIGHT_OVERTIME_HOURS: (Line.NIGHT_OVERTIME_PAY, 200),
    Meaning.REST_DAY_HOURS: (Line.REST_DAY_PAY, 200),
    Meaning.HOLIDAY_HOURS: (Line.HOLIDAY_PAY, 100),
}
FREE_OF_TAX = {Line.TRANSPORT_ALLOWANCE, Line.MEAL_ALLOWANCE, Line.SEVERANCE}
DEDUCTIONS = (Line.FIRST_HALF_PAID, Line.ADVANCE, Line.LOAN, Line.UNION_DUES, Line.OTHER_DEDUCTION)
EARNED_BY_STATEMENT = (Line.OTHER_ALLOWANCE, Line.BACK_PAY)


class RefusedError(Exception):
    """No figure for this month was published."""


def half_up(value: Fraction) -> int:
    """The nearest whole number; a half goes up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


@dataclass(kw_only=True)
class Opinion:
    """What the second computation says, in minor units of the wage's currency; the taxable base in riel."""

    lines: dict[Line, int] = field(default_factory=dict)
    gross: int = 0
    net: int = 0
    taxable_base: int = 0


class SecondOpinion:
    """One month of one worker, step by step."""

    def __init__(self, month: WorkMonth, rates: ExchangeRates, policy: FactoryPolicy) -> None:
        self.month, self.policy = month, policy
        self.tax_rate, self.nssf_rate = Fraction(rates.tax), Fraction(rates.nssf)
        self.currency: Currency = month.basic_wage.currency if month.basic_wage else USD
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
        """Whether she joined or left inside the month."""
        return self.first > self.month.period.first_day or self.last < self.month.period.last_day

    # wage -------------------------------------------------------------------------------------------------------------
    def wage(self) -> Fraction:
        """The monthly wage: the agreed one, but at least the minimum of her status."""
        try:
            regular, probation = MINIMUM[self.month.period.year]
        except KeyError:
            raise RefusedError(f"no minimum wage for {self.month.period.year}") from None
        least = self.from_usd(probation if self.month.status is WorkerStatus.PROBATION else regular)
        return max(least, self.own(self.month.basic_wage)) if self.month.basic_wage else least

    def pieces(self) -> Fraction | None:
        """The value of the pieces made, for one who is paid by the piece."""
        return None if self.month.piece_value is None else self.own(self.month.piece_value)

    def hour_base(self) -> Fraction:
        """The monthly figure behind an hour: the wage, or all that piece work brought if that is more."""
        return max(self.wage(), self.pieces() or Fraction(0))

    def day(self) -> Fraction:
        """A day's wage."""
        return self.wage() / self.policy.monthly_days

    def time_wage(self) -> Fraction:
        """The wage of the days of the month that are paid as worked."""
        month = self.month
        wage = self.wage()
        employed = self.working_days(self.first, self.last)
        whole = self.working_days(month.period.first_day, month.period.last_day)
        if self.part:
            by_days = employed * self.day()
            wage = min(wage, by_days) if self.policy.part_month is PartMonth.WORKING_DAYS else wage * Fraction(employed, whole)
        away = Fraction(month.days_absent + month.days_sick + month.days_maternity)
        away += Fraction(month.days_leave) if month.leave_apart else 0
        return Fraction(0) if away >= employed else max(Fraction(0), wage - away * self.day())

    def basic(self) -> None:
        """Basic pay, or the pieces and what is missing to the wage; then leave, sickness, maternity."""
        month, due, pieces = self.month, self.time_wage(), self.pieces()
        if pieces is None:
            self.pay(Line.BASIC_PAY, due)
        else:
            self.pay(Line.BASIC_PAY, pieces)
            self.pay(Line.PIECE_TOP_UP, max(Fraction(0), due - pieces))
        average = self.own(month.average_wage) if month.average_wage else Fraction(0)
        normal = self.wage()
        leave = Fraction(month.days_leave) * ((max(average, normal) if month.leave_apart else max(average - normal, Fraction(0))))
        if month.left_on and month.left_on <= month.period.last_day:
            leave += Fraction(month.unused_leave_days) * max(average, normal)
        self.pay(Line.LEAVE_PAY, leave / self.policy.monthly_days)
        if self.policy.sick_pay is SickPay.MINISTRY and month.sick_month <= 3:
            share = 100 if month.sick_month == 1 else 60
            self.pay(Line.SICK_PAY, Fraction(month.days_sick) * self.day() * share / 100)
        self.pay(Line.MATERNITY_PAY, Fraction(month.days_maternity) * self.day() / 2)

    def hours(self) -> None:
        """Overtime and the other hours that cost more."""
        hour = self.hour_base() / self.policy.monthly_days / 8
        for meaning, (line, hundredths) in HOUR_FACTORS.items():
            self.pay(line, Fraction(self.month.hours.get(meaning, 0)) * hour * hundredths / 100)
        night = 130 if self.policy.night_pay is NightPay.WHOLE else 30
        self.pay(Line.NIGHT_PAY, Fraction(self.month.hours.get(Meaning.NIGHT_HOURS, 0)) * hour * night / 100)

    # benefits ---------------------------------------------------------------------------------------------------------
    def attendance(self) -> int:
        """Ten dollars, or nothing."""
        month = self.month
        happened = {
            AttendanceLoss.ABSENCE: month.days_absent > 0,
            AttendanceLoss.SICK: month.days_sick > 0,
            AttendanceLoss.MATERNITY: month.days_maternity > 0,
            AttendanceLoss.LEAVE: month.days_leave > 0,
            AttendanceLoss.PART_MONTH: self.part,
        }
        return 0 if any(happened[loss] for loss in self.policy.attendance_lost_by) else 10

    def years(self) -> int:
        """Completed years of service on the day that the factory counts on."""
        if self.month.joined_on is None:
            return 0
        on = self.month.period.last_day if self.policy.service_on is ServiceOn.LAST_DAY else self.month.period.first_day
        joined = self.month.joined_on
        return max(0, on.year - joined.year - ((on.month, on.day) < (joined.month, joined.day)))

    def transport(self) -> Fraction:
        """Seven dollars, or their part by days that are paid."""
        if Line.TRANSPORT_ALLOWANCE in self.month.provided:
            return Fraction(0)
        if self.policy.transport is Transport.FULL:
            return Fraction(7)
        away = Fraction(self.month.days_absent + self.month.days_sick + self.month.days_maternity)
        present = max(Fraction(0), self.working_days(self.first, self.last) - away)
        return 7 * present / self.working_days(self.month.period.first_day, self.month.period.last_day)

    def benefits(self) -> None:
        """Attendance, transport, seniority, the meal."""
        self.pay(Line.ATTENDANCE_BONUS, self.from_usd(self.attendance()))
        self.pay(Line.TRANSPORT_ALLOWANCE, self.from_usd(self.transport()))
        years = self.years()
        self.pay(Line.SENIORITY_BONUS, self.from_usd(min(years + 1, 11) if years >= 1 else 0))
        if Line.MEAL_ALLOWANCE not in self.month.provided:
            overtime = self.month.hours.get(Meaning.OVERTIME_HOURS, 0) + self.month.hours.get(Meaning.NIGHT_OVERTIME_HOURS, 0)
            at_least = -(-Fraction(overtime) // 2)  # nobody may work more than two hours over on a day
            days = at_least if self.month.overtime_days is None else Fraction(self.month.overtime_days)
            self.pay(Line.MEAL_ALLOWANCE, self.from_riel(2000 * Fraction(days), self.tax_rate))

    def indemnity(self) -> None:
        """The seniority indemnity of June and December, or the seven days of one who is dismissed in between; and severance."""
        month, period = self.month, self.month.period
        leaves = month.left_on is not None and month.left_on <= period.last_day
        if not month.undetermined_contract:
            if leaves and month.leaving is Leaving.CONTRACT_ENDED and month.contract_wages is not None:
                self.pay(Line.SEVERANCE, self.own(month.contract_wages) / 20)
            return
        semester = date(period.year, 1 if period.month <= 6 else 7, 1)
        since = max(semester, month.joined_on) if month.joined_on else semester
        worked_months = self.months_between(since, self.last)
        days = Fraction(0)
        if period.year >= 2019 and worked_months >= 1:
            if leaves and month.leaving is Leaving.DISMISSED:
                days = Fraction(15, 2) if worked_months >= 6 else Fraction(7)
            elif not leaves and period.month in (6, 12):
                days = Fraction(15, 2)
        average = self.own(month.average_wage) if month.average_wage else self.hour_base()
        self.pay(Line.SENIORITY_INDEMNITY, days * average / self.policy.monthly_days)

    @staticmethod
    def months_between(first: date, last: date) -> int:
        """Whole months from the morning of `first` to the evening of `last`."""
        end = last + timedelta(days=1)
        return (end.year - first.year) * 12 + end.month - first.month - (end.day < first.day)

    # what is taken ----------------------------------------------------------------------------------------------------
    def nssf(self) -> int:
        """Enter the contributions; the worker's pension in riel."""
        left_out = {Line.SEVERANCE} if self.policy.indemnity_in_nssf else {Line.SENIORITY_INDEMNITY, Line.SEVERANCE}
        wage = self.in_riel(sum(amount for line, amount in self.earned.items() if line not in left_out), self.nssf_rate)
        if wage <= 0:
            return 0
        clamped = min(max(wage, Fraction(400_000)), Fraction(1_200_000))
        pension_starts = (self.month.period.year, self.month.period.month) >= (2022, 10)
        by_band = self.policy.nssf_base is NssfBase.BANDED or (self.policy.nssf_base is NssfBase.BY_LAW_BOOK and not pension_starts)
        insured = self.band(wage) if by_band else clamped
        self.employ(Line.EMPLOYER_RISK, half_up(insured * 8 / 1000), self.nssf_rate)
        self.employ(Line.EMPLOYER_HEALTH, half_up(insured * 26 / 1000), self.nssf_rate)
        if not pension_starts:
            return 0
        step = self.policy.pension_rounding_riel
        pension = half_up(clamped * 2 / 100 / step) * step
        rate = self.tax_rate if self.policy.pension_rate is RielRate.TAX else self.nssf_rate
        self.taken[Line.PENSION] = self.minor(self.from_riel(pension, rate))
        self.employ(Line.EMPLOYER_PENSION, half_up(clamped * 2 / 100), rate)
        return pension

    def employ(self, line: Line, riel: int, rate: Fraction) -> None:
        """Enter what the employer pays beside the wage."""
        self.employer[line] = self.minor(self.from_riel(riel, rate))

    @staticmethod
    def band(wage: Fraction) -> Fraction:
        """The middle of the 50,000-riel band that holds the wage, from 200,000 to 1,200,000."""
        if wage <= 200_000:
            return Fraction(200_000)
        if wage > 1_200_000:
            return Fraction(1_200_000)
        return Fraction(-(-wage // 50_000) * 50_000 - 25_000)

    def tax(self, pension: int) -> None:
        """Tax on salary, in riel, taken in the wage's currency."""
        year = self.month.period.year
        taxable = sum((self.in_riel(a, self.tax_rate) for line, a in self.earned.items() if line not in FREE_OF_TAX), Fraction(0))
        indemnity = self.in_riel(self.earned.get(Line.SENIORITY_INDEMNITY, 0), self.tax_rate)
        taxable -= indemnity if year <= 2019 else min(indemnity, Fraction(2_000_000))
        taxable -= pension if self.policy.pension_before_tax else 0
        if self.month.resident:
            taxable -= 150_000 * (self.month.spouse + self.month.children)
            taxable = max(Fraction(0), taxable)
            bands = TAX_TABLES[max(first for first in TAX_TABLES if first <= year)]
            tops = [start for start, _ in bands[1:]] + [None]
            due = Fraction(0)
            for (start, rate), top in zip(bands, tops, strict=True):
                inside = max(Fraction(0), (taxable if top is None else min(taxable, Fraction(top))) - start)
                due += inside * rate / 100
        else:
            taxable = max(Fraction(0), taxable)
            due = taxable / 5
        self.base = half_up(taxable)
        if half_up(due):
            self.taken[Line.SALARY_TAX] = self.minor(self.from_riel(half_up(due), self.tax_rate))

    # the month --------------------------------------------------------------------------------------------------------
    def first_half(self) -> None:
        """Half of the wage in the second week of the month."""
        full = self.wage()
        if self.policy.first_half is FirstHalf.WITH_FIXED_BENEFITS:
            years = self.years()
            full += self.from_usd(self.attendance() + self.transport() + (min(years + 1, 11) if years >= 1 else 0))
        self.pay(Line.BASIC_PAY, full / 2)

    def opinion(self) -> Opinion:
        """The whole month."""
        month = self.month
        self.wage()
        pension = 0
        if month.kind is RunKind.FIRST_HALF:
            self.first_half()
        elif self.first > self.last:
            pass
        elif month.kind is RunKind.INDEMNITY:
            self.indemnity()
            self.tax(0)
        else:
            self.basic()
            self.hours()
            self.benefits()
            if self.policy.indemnity_run is IndemnityRun.WITH_BALANCE or month.kind is RunKind.FINAL_PAY:
                self.indemnity()
            for line in EARNED_BY_STATEMENT:
                if line in month.given:
                    self.pay(line, self.own(month.given[line]))
            pension = self.nssf()
            self.tax(pension)
        for line in DEDUCTIONS:
            if line in month.given and month.given[line]:
                self.taken[line] = self.minor(self.own(month.given[line]))
        gross = sum(self.earned.values())
        lines = {line: amount for line, amount in {**self.earned, **self.taken, **self.employer}.items() if amount}
        return Opinion(lines=lines, gross=gross, net=gross - sum(self.taken.values()), taxable_base=self.base)


def second_opinion(month: WorkMonth, *, rates: ExchangeRates, policy: FactoryPolicy) -> Opinion:
    """What the law owes for this month, by the second computation. Raises RefusedError for a year without a minimum wage."""
    return SecondOpinion(month, rates, policy).opinion()
