"""The wage of the month: the agreed wage or the minimum, less unpaid days; sick, maternity and leave days.

Minimum wage by status: the yearly Prakas. Daily wage: the monthly wage over the factory's divisor (26).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from importers.contract import WorkerStatus
from importers.money import Money
from importers.period import RunKind
from reconciliation.contract import Citation, EntitlementLine, Line, Side, WorkMonth
from reconciliation.law.cambodia.month import Month, completed_years, dollars, half_up, percent, plain, remember, usd, working_days
from reconciliation.policy import PartMonth, ServiceOn, SickPay

_NONE = Decimal(0)
Exact = Decimal | Fraction


@dataclass(frozen=True, slots=True, eq=False)
class Wage:
    """What a worker earns for a full month, and so for a day and an hour, with its source. `numerator / denominator` are cents an hour.

    `cents` are the wage of `days`: of the whole month by the divisor, or of the days for which a piece worker's month is paid.
    """

    cents: int
    days: Exact
    why: str
    citations: tuple[Citation, ...]
    numerator: int
    denominator: int
    hourly: str  # "1.0096 USD"


@dataclass(frozen=True, slots=True)
class Days:
    """How the month's days are paid, in working days of the divisor."""

    paid: Exact  # of the base, after all that is not paid as basic pay
    full: bool
    note: str  # why it is not full
    present: Exact = Decimal(0)  # her working days of the calendar, less days away
    spread: tuple[Exact, Decimal] | None = None  # away on every working day: so many days of the base for so many days away

    def with_leave(self, facts: WorkMonth) -> Fraction:
        """The days that are paid in full, leave on a line of its own among them."""
        if not facts.leave_apart:
            return Fraction(self.paid)
        leave = Fraction(facts.days_leave)
        return Fraction(self.paid) + (leave if self.spread is None else leave * Fraction(self.spread[0]) / Fraction(self.spread[1]))


class Wages:
    """The rules of the monthly wage in force."""

    def __init__(self, month: Month) -> None:
        figures = month.figures
        self._month = month
        self._divisor = month.policy.monthly_days
        self._hours = figures.number("daily_hours")
        self.minimum: dict[bool, tuple[int, tuple[Citation, ...]]] = {}
        for probation, name in ((False, "minimum_wage_regular"), (True, "minimum_wage_probation")):
            self.minimum[probation] = int(figures.number(name) * 100), figures.cite(name)
        self._sick = [(int(str(row["month"])), Decimal(str(row["share"]))) for row in figures.rows("sick_pay")]
        self._sick_cite = figures.cite("sick_pay")
        self._maternity, self._maternity_cite = figures.number("maternity_pay"), figures.cite("maternity_pay")
        self._maternity_years = int(figures.number("maternity_service_years"))
        self._maternity_years_cite = figures.cite("maternity_service_years")
        self._service_on = month.period.last_day if month.policy.service_on is ServiceOn.LAST_DAY else month.period.first_day
        self._leave_cite = figures.cite("annual_leave_days")
        self._first, self._last = month.period.first_day, month.period.last_day
        self._workdays = working_days(self._first, self._last)
        self._whole = Days(Decimal(self._divisor), full=True, note="", present=Decimal(self._workdays))
        self._wages: dict[tuple[bool, int, str], Wage] = {}
        self._basic: dict[tuple[Wage, Exact, str], EntitlementLine] = {}

    def wage(self, facts: WorkMonth) -> Wage:
        """The full monthly wage: what was agreed, but never less than the minimum of her status."""
        agreed, probation = facts.basic_wage, facts.status is WorkerStatus.PROBATION
        key = (probation, 0, "") if agreed is None else (probation, agreed.minor, agreed.currency.code)
        known = self._wages.get(key)
        return remember(self._wages, key, self._wage(probation, agreed)) if known is None else known

    def _wage(self, probation: bool, agreed: Money | None) -> Wage:
        least, citations = self.minimum[probation]
        cents = least if agreed is None else self._month.cents(agreed)
        why = "" if agreed is not None and cents >= least else " minimum wage"
        if cents < least:
            why, cents = f" minimum wage (agreed: {dollars(cents)})", least
        return self.hourly(cents, why, citations, Decimal(self._divisor))

    def hourly(self, cents: int, why: str, citations: tuple[Citation, ...], days: Exact) -> Wage:
        """A wage of `cents` for so many days, and so for an hour."""
        (number, part), (hours, of_an_hour) = days.as_integer_ratio(), self._hours.as_integer_ratio()
        numerator, denominator = cents * part * of_an_hour, number * hours
        by_hour = Decimal(numerator) / (denominator * 100)
        return Wage(cents, days, why, citations, numerator, denominator, f"{by_hour:.4f} USD")

    def days(self, facts: WorkMonth) -> Days:
        """How many of the month's days are paid as basic pay."""
        off = facts.days_absent + facts.days_sick + facts.days_maternity + (facts.days_leave if facts.leave_apart else _NONE)
        first, last, joined, left = self._first, self._last, facts.joined_on, facts.left_on
        employed = self._workdays
        if (joined is not None and joined > first) or (left is not None and left < last):
            employed = working_days(max(joined or first, first), min(left or last, last))
        if not off and employed >= self._workdays:
            return self._whole
        base, note = self._base(employed)
        if off and (off >= employed or off >= base):
            # away for the whole month, by the calendar or by the divisor: the days away share out what the month is worth, and no more
            return Days(_NONE, full=False, note=note, spread=(base, off))
        paid = base - off if isinstance(base, Decimal) else base - Fraction(off)
        return Days(paid, full=False, note=note, present=employed - off)

    def _base(self, employed: int) -> tuple[Exact, str]:
        """What the employed days are worth in days of the divisor, and why that is not the whole month."""
        if employed >= self._workdays:
            return Decimal(self._divisor), ""
        note = f", employed {max(employed, 0)} of {self._workdays} working days"
        if self._month.policy.part_month is PartMonth.WORKING_DAYS:
            return Decimal(max(min(employed, self._divisor), 0)), note
        return Fraction(self._divisor * max(employed, 0), self._workdays), note

    def basic(self, wage: Wage, days: Days) -> EntitlementLine:
        """The basic pay of a worker paid by the month."""
        key = (wage, days.paid, days.note)
        known = self._basic.get(key)
        if known is not None:
            return known
        text, cents = f"{dollars(wage.cents)} USD{wage.why}", wage.cents
        if not days.full:
            cents = self.part(wage.cents, days.paid)
            text = f"{text} x {shown(days.paid)} / {self._divisor} days{days.note}"
        return remember(self._basic, key, usd(Line.BASIC_PAY, Side.EARNING, cents, text, wage.citations))

    def other_days(self, facts: WorkMonth, wage: Wage, days: Days) -> list[EntitlementLine]:
        """Sick, maternity and separately shown leave days."""
        lines = []
        if facts.days_sick:
            share = self._sick_share(facts.sick_month)
            lines.append(self._off(Line.SICK_PAY, facts.days_sick, share, wage, days, self._sick_cite))
        if facts.days_maternity:
            lines.append(self._maternity_line(facts, wage, days))
        return lines

    def _maternity_line(self, facts: WorkMonth, wage: Wage, days: Days) -> EntitlementLine:
        """Half of the wage with its benefits, by the average of twelve months where that is higher; after a year of service."""
        joined = facts.joined_on
        if joined is not None and completed_years(joined, self._service_on) < self._maternity_years:
            text = f"{shown(Fraction(facts.days_maternity))} days on maternity leave, less than a year of service"
            return usd(Line.MATERNITY_PAY, Side.EARNING, 0, text, self._maternity_years_cite)
        average = 0 if facts.average_wage is None else self._month.cents(facts.average_wage)
        if average * Fraction(wage.days) > wage.cents * self._divisor:
            wage = self.hourly(average, "", self._maternity_cite, Decimal(self._divisor))
        return self._off(Line.MATERNITY_PAY, facts.days_maternity, self._maternity, wage, days, self._maternity_cite)

    def _sick_share(self, sick_month: int) -> Decimal:
        if self._month.policy.sick_pay is SickPay.UNPAID:
            return _NONE
        return next((share for number, share in self._sick if number == sick_month), _NONE)

    def _off(self, line: Line, off: Decimal, share: Decimal, wage: Wage, days: Days, citations: tuple[Citation, ...]) -> EntitlementLine:
        counted = Fraction(off) if days.spread is None else Fraction(off) * Fraction(days.spread[0]) / Fraction(days.spread[1])
        text = f"{dollars(wage.cents)} USD / {shown(wage.days)} x {shown(counted)} days" + ("" if share == 1 else f" x {percent(share)}")
        cents = _rounded(wage.cents * counted * Fraction(share) / Fraction(wage.days))
        return usd(line, Side.EARNING, cents, text, citations)

    def leave(self, facts: WorkMonth, wage: Wage, days: Days) -> EntitlementLine | None:
        """Days of leave at the higher of the average and the present wage: whole where they are a line of their own, and otherwise
        what the average brings beyond the basic pay that holds them; at the end of the contract also the days not taken.
        """
        at_end = facts.unused_leave_days if facts.kind is RunKind.FINAL_PAY else _NONE
        if not facts.days_leave and not at_end:
            return None
        average = Fraction(0 if facts.average_wage is None else self._month.cents(facts.average_wage), self._divisor)
        own = wage.cents / Fraction(wage.days)
        best, more = max(average, own), max(average - own, Fraction(0))
        counted = Fraction(facts.days_leave)
        if facts.leave_apart and days.spread is not None:
            counted *= Fraction(days.spread[0]) / Fraction(days.spread[1])
        taken = counted * (best if facts.leave_apart else more)
        if Line.LEAVE_PAY in facts.given:  # the factory states the pay of her leave itself
            taken = Fraction(0)
        cents = _rounded(taken + Fraction(at_end) * best)
        if not cents:
            return None
        of = f"{dollars(_rounded(average * self._divisor))} USD / {self._divisor}" if average > own else _of(wage)
        parts = []
        if taken:
            less = "" if facts.leave_apart else f", less {_of(wage)} in the basic pay"
            parts.append(f"{of} x {shown(counted)} days of leave{less}")
        if at_end:
            parts.append(f"{of} x {shown(at_end)} unused days of leave")
        return usd(Line.LEAVE_PAY, Side.EARNING, cents, " + ".join(parts), self._leave_cite)

    def part(self, cents: int, days: Exact) -> int:
        """So many days' part of a monthly amount, rounded once."""
        numerator, denominator = days.as_integer_ratio()
        return half_up(cents * numerator, denominator * self._divisor)


def _rounded(exact: Fraction) -> int:
    return half_up(exact.numerator, exact.denominator)


def _of(wage: Wage) -> str:
    return f"{dollars(wage.cents)} USD / {shown(wage.days)}"


def shown(days: Exact) -> str:
    """A number of days as a formula writes it."""
    exact = Fraction(days)
    number = Decimal(exact.numerator) / exact.denominator
    return plain(number) if number == number.quantize(Decimal("0.01")) else f"{number:.4f}"
