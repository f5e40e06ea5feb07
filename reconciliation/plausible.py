"""Facts of a row that cannot be, or that the law does not allow: hours, days, status, wage, deductions."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from importers.contract import Meaning, PayrollRow, WorkerStatus
from importers.money import KHR, USD, Money
from importers.period import PayPeriod, RunKind
from reconciliation.contract import Discrepancy, Entitlement, ExchangeRates, KnownWorker, Line, WorkMonth
from reconciliation.discrepancies import tell
from reconciliation.facts import HOURS
from reconciliation.law.cambodia.calendar import holidays_of_month
from reconciliation.law.cambodia.month import completed_months, plain, working_days
from reconciliation.law.figures import Figures
from reconciliation.law.parameter import LawUnknownError
from reconciliation.policy import FactoryPolicy

_DAYS = (Meaning.DAYS_WORKED, Meaning.DAYS_ABSENT, Meaning.DAYS_LEAVE, Meaning.DAYS_SICK, Meaning.DAYS_HOLIDAY)
_LOANS = (Line.ADVANCE, Line.LOAN, Line.OTHER_DEDUCTION)
_SUNDAY = 6
_DAY = 16  # nobody works longer on every day of a month


def _weeks(period: PayPeriod) -> int:
    """Weeks, Monday to Sunday, of which a working day lies in the month."""
    last = period.last_day
    return len({day.isocalendar()[:2] for n in range(last.day) if (day := period.first_day.replace(day=n + 1)).weekday() != _SUNDAY})


class Plausible:
    """The limits of one period."""

    def __init__(self, figures: Figures, period: PayPeriod, rates: ExchangeRates, policy: FactoryPolicy) -> None:
        self._period, self._rates, self._policy = period, rates, policy
        self._month_days = period.last_day.day
        self._workdays = working_days(period.first_day, period.last_day)
        self._daily, self._overtime = figures.number("daily_hours"), figures.number("overtime_hours_a_day")
        self._overtime_cite = figures.cite("overtime_hours_a_day")
        self._most_overtime, self._month_cite = self._overtime * self._workdays, self._overtime_cite
        by_week = figures.number("overtime_hours_a_week") * _weeks(period)
        if by_week < self._most_overtime:
            self._most_overtime, self._month_cite = by_week, figures.cite("overtime_hours_a_week")
        self._probation, self._probation_cite = figures.number("probation_months"), figures.cite("probation_months")
        self._minimum = {
            probation: (Money(int(figures.number(name) * 100), USD), figures.cite(name))
            for probation, name in ((False, "minimum_wage_regular"), (True, "minimum_wage_probation"))
        }
        self._deductions_cite = figures.cite("deductions_allowed")
        try:
            self._rest_limit: Decimal | None = figures.number("rest_days_worked")
            self._rest_cite = figures.cite("rest_days_worked")
        except LawUnknownError:  # before May 2025 no text that was read counts them
            self._rest_limit, self._rest_cite = None, ()
        try:
            self._holidays: int | None = len(holidays_of_month(figures.book, period))
        except LawUnknownError:
            self._holidays = None  # told once for the whole file, where the sheet has such hours

    def too_long_on_probation(self, facts: WorkMonth) -> bool:
        """Whether probation had run out before the month began."""
        joined = facts.joined_on
        return (
            facts.status is WorkerStatus.PROBATION
            and joined is not None
            and completed_months(joined, self._period.first_day) > self._probation
        )

    def differences(self, row: PayrollRow, facts: WorkMonth, owed: Entitlement, known: KnownWorker | None) -> Iterator[Discrepancy]:
        """What cannot be or is not allowed in one row."""
        if row.time:
            yield from self._hours(row, facts)
            yield from self._days(row)
        yield from self._wage(row, facts)
        yield from self._service(row, facts, known)
        if row.status is WorkerStatus.PROBATION and facts.status is not WorkerStatus.PROBATION:
            since = str(facts.joined_on)
            yield tell("probation_too_long", row, "status", basis=since, citations=self._probation_cite)
        if known is not None and known.joined_on and row.joined_on and known.joined_on != row.joined_on and known.left_on is None:
            dates = f"{row.joined_on}, {known.joined_on}"
            yield tell("joining_date_differs", row, "joined_on", basis=dates)
        yield from self._taken(row, facts, owed)
        if row.net.minor <= 0:
            yield tell("net_not_positive", row, "net", stated=row.net, lawful=owed.net)

    def _service(self, row: PayrollRow, facts: WorkMonth, known: KnownWorker | None) -> Iterator[Discrepancy]:
        """A month before the first day of work or after the last: nothing is owed. The register sees to leavers it knows."""
        if facts.kind is RunKind.CORRECTION:
            return
        joined, left = facts.joined_on, facts.left_on
        if joined is not None and joined > self._period.last_day:
            yield tell("paid_before_joining", row, "joined_on", basis=str(joined))
        if known is None and left is not None and left < self._period.first_day and facts.kind is not RunKind.FINAL_PAY:
            yield tell("paid_after_leaving", row, "register", basis=str(left))

    def _hours(self, row: PayrollRow, facts: WorkMonth) -> Iterator[Discrepancy]:
        hours = {meaning: row.time.get(meaning, Decimal(0)) for meaning in HOURS}
        extra = sum(hours.values()) - hours[Meaning.NIGHT_HOURS]
        rest_days = self._month_days - self._workdays
        free = self._workdays * (_DAY - self._daily)
        overtime = hours[Meaning.OVERTIME_HOURS] + hours[Meaning.NIGHT_OVERTIME_HOURS]
        if min(hours.values()) < 0:
            yield tell("impossible_hours", row, "hours", basis="hours below zero", basis_km="ម៉ោងតិចជាងសូន្យ")
        elif overtime > free or hours[Meaning.REST_DAY_HOURS] > rest_days * _DAY or extra > self._month_days * _DAY:
            least = f"{plain(extra)} hours beyond the ordinary day in a month of {self._month_days} days"
            khmer = f"{plain(extra)} ម៉ោងបន្ថែម ក្នុងខែដែលមាន {self._month_days} ថ្ងៃ"
            yield tell("impossible_hours", row, "hours", basis=least, basis_km=khmer)
        elif self._holidays is not None and hours[Meaning.HOLIDAY_HOURS] > self._holidays * _DAY:
            worked = plain(hours[Meaning.HOLIDAY_HOURS])
            basis = f"{worked} h on public holidays, of which the month has {self._holidays}"
            yield tell("no_holiday", row, "hours", basis=basis, basis_km=f"{worked} ម៉ោងថ្ងៃបុណ្យ ខែនេះមានបុណ្យ {self._holidays} ថ្ងៃ")
        elif overtime > self._most_overtime:
            limit = self._most_overtime
            basis = f"{plain(overtime)} h of overtime, at most {plain(limit)} h in {self._workdays} working days"
            khmer = f"ថែមម៉ោង {plain(overtime)} ម៉ោង កម្រិតច្បាប់ {plain(limit)} ម៉ោង"
            yield tell("overtime_over_limit", row, "hours", basis=basis, basis_km=khmer, citations=self._month_cite)
        elif overtime and facts.overtime_days is not None and overtime > facts.overtime_days * (_DAY - self._daily):
            basis = f"{plain(overtime)} h of overtime on {plain(facts.overtime_days)} days"
            khmer = f"ថែមម៉ោង {plain(overtime)} ម៉ោង ក្នុង {plain(facts.overtime_days)} ថ្ងៃ"
            yield tell("impossible_hours", row, "hours", basis=basis, basis_km=khmer)
        elif overtime and facts.overtime_days and overtime > facts.overtime_days * self._overtime:
            days, most = plain(facts.overtime_days), plain(facts.overtime_days * self._overtime)
            basis = f"{plain(overtime)} h of overtime on {days} days, at most {most} h"
            khmer = f"ថែមម៉ោង {plain(overtime)} ម៉ោង ក្នុង {days} ថ្ងៃ កម្រិតច្បាប់ {most} ម៉ោង"
            yield tell("overtime_over_limit", row, "hours", basis=basis, basis_km=khmer, citations=self._overtime_cite)
        yield from self._rest_days(row, hours[Meaning.REST_DAY_HOURS], rest_days)

    def _rest_days(self, row: PayrollRow, worked: Decimal, rest_days: int) -> Iterator[Discrepancy]:
        """More hours on weekly days off than the days hold on which the law lets them be worked, each with its overtime."""
        if self._rest_limit is None or not worked or worked > rest_days * _DAY:
            return
        most = self._rest_limit * (self._daily + self._overtime)
        if worked > most:
            basis = (
                f"{plain(worked)} h on weekly days off, of which {plain(self._rest_limit)} a month may be worked, at most {plain(most)} h"
            )
            khmer = f"ធ្វើការ {plain(worked)} ម៉ោង ថ្ងៃឈប់សម្រាកប្រចាំសប្តាហ៍ កម្រិតច្បាប់ {plain(self._rest_limit)} ថ្ងៃក្នុងមួយខែ {plain(most)} ម៉ោង"
            yield tell("rest_days_over_limit", row, "hours", basis=basis, basis_km=khmer, citations=self._rest_cite)

    def _days(self, row: PayrollRow) -> Iterator[Discrepancy]:
        days = [row.time.get(meaning, Decimal(0)) for meaning in _DAYS]
        overtime = row.time.get(Meaning.OVERTIME_DAYS, Decimal(0))
        if min(*days, overtime) < 0 or sum(days) > self._month_days or overtime > self._month_days:
            total = plain(Decimal(sum(days)))
            kinds = "worked, absent, on leave, sick and on holiday"
            basis = f"{total} days {kinds}, {plain(overtime)} with overtime, in a month of {self._month_days}"
            khmer = f"សរុប {total} ថ្ងៃ ថែមម៉ោង {plain(overtime)} ថ្ងៃ ក្នុងខែដែលមាន {self._month_days} ថ្ងៃ"
            yield tell("impossible_days", row, "days", basis=basis, basis_km=khmer)
        elif self._holidays is not None and (off := row.time.get(Meaning.DAYS_HOLIDAY, Decimal(0))) > self._holidays:
            basis = f"{plain(off)} public holidays not worked, of which the month has {self._holidays}"
            khmer = f"ថ្ងៃបុណ្យមិនធ្វើការ {plain(off)} ថ្ងៃ ខែនេះមានបុណ្យ {self._holidays} ថ្ងៃ"
            yield tell("no_holiday", row, "days", basis=basis, basis_km=khmer)

    def _wage(self, row: PayrollRow, facts: WorkMonth) -> Iterator[Discrepancy]:
        stated = row.amounts.get(Meaning.BASIC_WAGE)
        if not stated or facts.piece_value is not None:
            return
        least, citations = self._minimum[facts.status is WorkerStatus.PROBATION]
        if stated.currency == KHR:
            least = least.convert(KHR, self._rates.tax)
        tolerance = self._policy.tolerance_riel if stated.currency == KHR else 0
        if stated.minor < least.minor - tolerance:
            yield tell("wage_below_minimum", row, "basic_wage", stated=stated, lawful=least, difference=stated - least, citations=citations)

    def _taken(self, row: PayrollRow, facts: WorkMonth, owed: Entitlement) -> Iterator[Discrepancy]:
        other = facts.given.get(Line.OTHER_DEDUCTION)
        if other:
            yield tell("deduction_not_allowed", row, "other_deduction", stated=other, citations=self._deductions_cite)
        taken = sum(line.amount.minor for line in owed.lines if line.line in _LOANS) if facts.given else 0
        if taken and taken > owed.gross.minor * self._policy.most_deducted:
            stated = Money(taken, owed.gross.currency)
            yield tell("deductions_too_large", row, "total_deductions", stated=stated, lawful=owed.gross, citations=self._deductions_cite)
