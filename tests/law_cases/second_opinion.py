"""The law of a month computed a second time, in another way, by someone who had not seen the first computation.

It was written from the collected facts alone (their sections 1 to 3: wages, NSSF, tax) and keeps its own tables, its own calendar and
its own arithmetic; it shares with the first only the shapes of the question (`WorkMonth`, the factory's policy) and the words of lines.
Amounts are whole minor units of the wage's currency. Where the two disagree, `docs/decisions/0015-law-second-opinion.md` says who was
right. Nothing here is used to pay anyone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from importers.contract import Meaning
from importers.period import RunKind
from reconciliation.contract import ExchangeRates, Leaving, Line, WorkMonth
from reconciliation.policy import (
    AttendanceLoss,
    FactoryPolicy,
    FirstHalf,
    IndemnityRun,
    NightPay,
    NssfBase,
    PieceHoliday,
    RielRate,
    ServiceOn,
    SickPay,
    Transport,
)
from tests.law_cases.second_days import Counting
from tests.law_cases.second_figures import (
    DEDUCTIONS,
    EARNED_BY_STATEMENT,
    FOR_SERVICE,
    FREE_OF_TAX,
    HOUR_FACTORS,
    TAX_TABLES,
    band,
    half_up,
    months_between,
)


@dataclass(kw_only=True)
class Opinion:
    """What the second computation says, in minor units of the wage's currency; the taxable base in riel."""

    lines: dict[Line, int] = field(default_factory=dict)
    gross: int = 0
    net: int = 0
    taxable_base: int = 0


class SecondOpinion(Counting):
    """One month of one worker, step by step."""

    def celebrated(self) -> Fraction:
        """Public holidays that cost a piece worker a day's pieces (art. 163): no more than the days for which she would be paid."""
        return Fraction(0) if self.pieces() is None else min(Fraction(self.month.days_holiday), self.worth() - self.away())

    def of_pieces(self) -> Fraction:
        """What the days at the machine bring: the pieces, but never less than those days' part of the minimum wage."""
        at_work = self.worth() - self.away() - self.celebrated()
        return max(self.pieces() or Fraction(0), Fraction(self.minor(self.least() * at_work / self.policy.monthly_days), 100))

    def holidays(self) -> None:
        """Art. 163: the wage lost by each public holiday, as the factory reckons it and at least a day of the minimum wage."""
        month, floor = self.month, self.least() / self.policy.monthly_days
        away = Fraction(month.days_absent + month.days_sick + month.days_maternity + (month.days_leave if month.leave_apart else 0))
        took = self.employed() - away - self.celebrated() if month.piece_days is None else Fraction(month.piece_days)
        lost = self.of_pieces() / took if took > 0 else Fraction(0)
        if self.policy.piece_holiday is PieceHoliday.TWELVE_MONTHS and month.average_wage is not None:
            lost = self.own(month.average_wage) / self.policy.monthly_days
        self.pay(Line.HOLIDAY_WAGE, self.celebrated() * max(lost, floor))

    def hour_base(self) -> Fraction:
        """The monthly figure behind an hour: the wage; of piece work all that it brought, over the days that it took."""
        at_work = self.worth() - self.away() - self.celebrated()
        if self.pieces() is None or not at_work:
            return self.wage()
        return self.of_pieces() * self.policy.monthly_days / at_work

    def day(self) -> Fraction:
        """A day's wage."""
        return self.hour_base() / self.policy.monthly_days

    def basic(self) -> None:
        """Basic pay, or the pieces and what is missing to the minimum; then leave, sickness, maternity."""
        month, pieces = self.month, self.pieces()
        share = (self.worth() - self.away()) / self.policy.monthly_days
        if pieces is None:
            self.pay(Line.BASIC_PAY, self.wage() * share)
        else:
            self.pay(Line.BASIC_PAY, pieces)
            self.pay(Line.PIECE_TOP_UP, self.of_pieces() - pieces)
            self.holidays()
        average = self.own(month.average_wage) / self.policy.monthly_days if month.average_wage else Fraction(0)
        best = max(average, self.day())
        leave = Fraction(0)
        if Line.LEAVE_PAY in month.given:
            pass  # the factory states the pay of her leave itself
        elif month.leave_apart:
            leave += self.counted(Fraction(month.days_leave)) * best
        else:
            leave += Fraction(month.days_leave) * (best - self.day())
        if month.kind is RunKind.FINAL_PAY:
            leave += Fraction(month.unused_leave_days) * best
        self.pay(Line.LEAVE_PAY, leave)
        if self.policy.sick_pay is SickPay.MINISTRY and month.sick_month <= 3:
            share = Fraction(1 if month.sick_month == 1 else Fraction(3, 5))
            self.pay(Line.SICK_PAY, self.counted(Fraction(month.days_sick)) * self.day() * share)
        if month.joined_on is None or self.years() >= 1:  # art. 183: paid after a year of service, by the average of twelve months
            self.pay(Line.MATERNITY_PAY, self.counted(Fraction(month.days_maternity)) * max(self.day(), average) / 2)

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
        paid = self.worth() - self.away() + (self.counted(Fraction(self.month.days_leave)) if self.month.leave_apart else 0)
        return 7 * paid / self.policy.monthly_days

    def fixed(self) -> dict[Line, Fraction]:
        """What is paid beside the wage of a month in which she came or was on paid leave."""
        if self.worth() == self.away() and not self.month.days_leave:
            return {}
        years = self.years()
        return {
            Line.ATTENDANCE_BONUS: Fraction(self.attendance()),
            Line.TRANSPORT_ALLOWANCE: self.transport(),
            Line.SENIORITY_BONUS: Fraction(min(years + 1, 11) if years >= 1 else 0),
        }

    def benefits(self) -> None:
        """Attendance, transport, seniority, the meal."""
        for line, dollars in self.fixed().items():
            self.pay(line, self.from_usd(dollars))
        if Line.MEAL_ALLOWANCE not in self.month.provided:
            overtime = self.month.hours.get(Meaning.OVERTIME_HOURS, 0) + self.month.hours.get(Meaning.NIGHT_OVERTIME_HOURS, 0)
            at_least = -(-Fraction(overtime) // 2)  # nobody may work more than two hours over on a day
            at_least = min(at_least, self.working_days(self.month.period.first_day, self.month.period.last_day))
            days = at_least if self.month.overtime_days is None else Fraction(self.month.overtime_days)
            self.pay(Line.MEAL_ALLOWANCE, self.from_riel(2000 * Fraction(days), self.tax_rate))

    def indemnity(self) -> None:
        """The seniority indemnity of June and December, or the seven days of one who is dismissed in between; and severance."""
        month, period = self.month, self.month.period
        final = month.kind is RunKind.FINAL_PAY or (month.kind is RunKind.INDEMNITY and month.leaving is Leaving.DISMISSED)
        if not month.undetermined_contract:
            if final and month.leaving is not Leaving.MISCONDUCT and month.contract_wages is not None:
                self.pay(Line.SEVERANCE, self.own(month.contract_wages) / 20)
            return
        semester = date(period.year, 1 if period.month <= 6 else 7, 1)
        since = max(semester, month.joined_on) if month.joined_on else semester
        if period.year < 2019 or months_between(since, self.last) < 1:
            return
        at_half_year = period.month in (6, 12) and self.last == period.last_day
        days = Fraction(0)
        if final:
            if month.leaving is Leaving.DISMISSED:
                days = Fraction(15, 2) if at_half_year else Fraction(7)
        elif at_half_year and not (month.left_on == period.last_day and month.leaving in (Leaving.RESIGNED, Leaving.MISCONDUCT)):
            days = Fraction(15, 2)
        average = self.own(month.average_wage) if month.average_wage else self.average()
        self.pay(Line.SENIORITY_INDEMNITY, days * average / self.policy.monthly_days)

    def pays_indemnity(self) -> bool:
        """Whether this run may bring an indemnity: its own, the final pay, or the balance where the factory says so."""
        if self.month.kind is RunKind.BALANCE:
            return self.policy.indemnity_run is IndemnityRun.WITH_BALANCE
        return self.month.kind in (RunKind.FINAL_PAY, RunKind.INDEMNITY)

    def average(self) -> Fraction:
        """The wage of this month where no average is known; a run of the indemnity alone knows no pieces."""
        return self.wage() if self.month.kind is RunKind.INDEMNITY else self.hour_base()

    # what is taken ----------------------------------------------------------------------------------------------------
    def nssf(self) -> int:
        """Enter the contributions; the worker's pension in riel."""
        left_out = set() if self.policy.indemnity_in_nssf else {Line.SENIORITY_INDEMNITY, Line.BACK_PAY, Line.SEVERANCE}
        earned = sum(amount for line, amount in self.earned.items() if line not in left_out)
        if earned <= 0:
            return 0
        wage = Fraction(half_up(self.in_riel(earned, self.nssf_rate)))  # declared in whole riel
        clamped = min(max(wage, Fraction(400_000)), Fraction(1_200_000))
        pension_starts = (self.month.period.year, self.month.period.month) >= (2022, 10)
        by_band = self.policy.nssf_base is NssfBase.BANDED or (self.policy.nssf_base is NssfBase.BY_LAW_BOOK and not pension_starts)
        before = min(max(wage, Fraction(200_000)), Fraction(1_200_000))
        insured = band(wage) if by_band else clamped if pension_starts else before
        self.employ(Line.EMPLOYER_RISK, half_up(insured * 8 / 1000))
        self.employ(Line.EMPLOYER_HEALTH, half_up(insured * 26 / 1000))
        if not pension_starts:
            return 0
        step = self.policy.pension_rounding_riel
        pension = half_up(clamped * 2 / 100 / step) * step
        rate = self.tax_rate if self.policy.pension_rate is RielRate.TAX else self.nssf_rate
        self.taken[Line.PENSION] = self.minor(self.from_riel(pension, rate))
        self.employ(Line.EMPLOYER_PENSION, pension)
        return pension

    def employ(self, line: Line, riel: int) -> None:
        """Enter what the employer pays beside the wage, in riel."""
        self.employer[line] = riel

    def taxable(self, salary: int, indemnities: int, pension: int) -> int:
        """The base in whole riel, of a salary and of payments for years of service in minor units."""
        base = half_up(self.in_riel(salary, self.tax_rate))
        if self.month.period.year >= 2020:
            base += max(0, half_up(self.in_riel(indemnities, self.tax_rate)) - 2_000_000)
        base -= pension if self.policy.pension_before_tax else 0
        base -= 150_000 * (self.month.spouse + self.month.children) if self.month.resident else 0
        return max(0, base)

    def due(self, base: int) -> int:
        """The tax on a base, whole riel."""
        if not self.month.resident:
            return half_up(Fraction(base, 5))
        bands = TAX_TABLES[max(first for first in TAX_TABLES if first <= self.month.period.year)]
        tops = [start for start, _ in bands[1:]] + [base]
        inside = [(max(0, min(base, top) - start), rate) for (start, rate), top in zip(bands, tops, strict=True)]
        return half_up(Fraction(sum(part * rate for part, rate in inside), 100))

    def tax(self, pension: int) -> None:
        """Tax on salary, in riel, taken in dollars; of a run of the indemnity alone, what it adds to the tax on the month's wage."""
        indemnities = sum(self.earned.get(line, 0) for line in FOR_SERVICE)
        if self.month.kind is RunKind.INDEMNITY:
            salary = self.minor(self.wage())
            without, within = self.taxable(salary, 0, 0), self.taxable(salary, indemnities, 0)
            self.base, riel = within - without, self.due(within) - self.due(without)
        else:
            salary = sum(amount for line, amount in self.earned.items() if line not in FREE_OF_TAX | FOR_SERVICE)
            self.base = self.taxable(salary, indemnities, pension)
            riel = self.due(self.base)
        self.taken[Line.SALARY_TAX] = self.minor(self.from_riel(riel, self.tax_rate))

    # the month --------------------------------------------------------------------------------------------------------
    def first_half(self) -> None:
        """Half of what the month's days are worth, in the second week of the month."""
        base = Fraction(self.minor(self.wage() * (self.worth() - self.away()) / self.policy.monthly_days))
        if self.policy.first_half is FirstHalf.WITH_FIXED_BENEFITS:
            base += sum(self.minor(self.from_usd(dollars)) for dollars in self.fixed().values())
        self.pay(Line.BASIC_PAY, base / 200)

    def opinion(self) -> Opinion:
        """The whole month."""
        month = self.month
        self.wage()
        whole = month.kind in (RunKind.BALANCE, RunKind.FINAL_PAY)
        if month.kind is RunKind.FIRST_HALF:
            self.first_half()
        if whole:
            self.basic()
            self.hours()
            self.benefits()
        if self.pays_indemnity():
            self.indemnity()
        for line in EARNED_BY_STATEMENT:
            if line in month.given:
                self.pay(line, self.own(month.given[line]))
        if whole or month.kind is RunKind.INDEMNITY:
            self.tax(self.nssf() if whole else 0)
        for line in DEDUCTIONS:
            if month.given.get(line):
                self.taken[line] = self.minor(self.own(month.given[line]))
        gross = sum(self.earned.values())
        lines = {line: amount for line, amount in {**self.earned, **self.taken, **self.employer}.items() if amount}
        return Opinion(lines=lines, gross=gross, net=gross - sum(self.taken.values()), taxable_base=self.base)


def second_opinion(month: WorkMonth, *, rates: ExchangeRates, policy: FactoryPolicy) -> Opinion:
    """What the law owes for this month, by the second computation. Raises RefusedError for a year without a minimum wage."""
    return SecondOpinion(month, rates, policy).opinion()
