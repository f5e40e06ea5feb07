"""What the sector pays beside the wage: attendance, transport or accommodation, seniority by year, the overtime meal."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from importers.contract import Meaning
from importers.money import KHR, Money
from reconciliation.contract import EntitlementLine, Line, Side, WorkMonth
from reconciliation.law.cambodia.month import Month, completed_years, dollars, half_up, plain, remember, usd, working_days
from reconciliation.law.cambodia.wages import Days, shown
from reconciliation.policy import AttendanceLoss, ServiceOn, Transport


class Benefits:
    """The sector's benefits in force."""

    def __init__(self, month: Month) -> None:
        figures, self._month = month.figures, month
        self._attendance = int(figures.number("attendance_bonus") * 100)
        self._attendance_cite = figures.cite("attendance_bonus")
        self._attendance_full = self._attendance_line("")
        self._transport = int(figures.number("transport_allowance") * 100)
        self._transport_cite = figures.cite("transport_allowance")
        self._transport_full = self._transport_line(self._transport, "for the month")
        self._steps = [
            (int(str(row["completed_years"])), int(Decimal(str(row["amount"])) * 100)) for row in figures.rows("seniority_bonus")
        ]
        self._seniority_cite = figures.cite("seniority_bonus")
        self._service_on = month.period.last_day if month.policy.service_on is ServiceOn.LAST_DAY else month.period.first_day
        self._seniority: dict[int, EntitlementLine | None] = {}
        self._meal = figures.number("overtime_meal")
        self._meal_cite = figures.cite("overtime_meal")
        self._most_overtime = figures.number("overtime_hours_a_day")
        self._meals: dict[tuple[Decimal, str], EntitlementLine] = {}
        self._workdays = working_days(month.period.first_day, month.period.last_day)

    def lines(self, facts: WorkMonth, days: Days) -> list[EntitlementLine]:
        """The benefits that are due. A lost attendance bonus stays as a line of nothing that says why."""
        found = self.fixed(facts, days)
        if Line.MEAL_ALLOWANCE not in facts.provided:
            meal = self.meal(facts)
            if meal is not None:
                found.append(meal)
        return found

    def fixed(self, facts: WorkMonth, days: Days) -> list[EntitlementLine]:
        """Attendance, transport and seniority: for a month of which at least a part is worked or paid leave."""
        if not days.full and not days.paid and not facts.days_leave:
            return [self._attendance_line("no day worked")]
        found = [self.attendance(facts, days)]
        if Line.TRANSPORT_ALLOWANCE not in facts.provided:
            found.append(self.transport(facts, days))
        seniority = self.seniority(facts)
        return found if seniority is None else [*found, seniority]

    def attendance(self, facts: WorkMonth, days: Days) -> EntitlementLine:
        """The whole bonus, or none if a day was missed that the factory's policy names."""
        if days.full and not facts.days_leave:
            return self._attendance_full
        lost = self._month.policy.attendance_lost_by
        reasons = (
            (AttendanceLoss.ABSENCE, facts.days_absent, "absent without pay"),
            (AttendanceLoss.SICK, facts.days_sick, "sick"),
            (AttendanceLoss.MATERNITY, facts.days_maternity, "on maternity leave"),
            (AttendanceLoss.LEAVE, facts.days_leave, "on leave"),
        )
        for cause, count, text in reasons:
            if count and cause in lost:
                return self._attendance_line(f"{plain(count)} days {text}")
        if days.note and AttendanceLoss.PART_MONTH in lost:
            return self._attendance_line(days.note.removeprefix(", "))
        return self._attendance_full

    def _attendance_line(self, lost: str) -> EntitlementLine:
        text = f"{dollars(self._attendance)} USD for every working day of the month" if not lost else f"lost: {lost}"
        return usd(Line.ATTENDANCE_BONUS, Side.EARNING, 0 if lost else self._attendance, text, self._attendance_cite)

    def transport(self, facts: WorkMonth, days: Days) -> EntitlementLine:
        """Transport or accommodation, whole or by paid days as the factory's policy says; leave is paid, on whichever line."""
        if days.full or self._month.policy.transport is Transport.FULL:
            return self._transport_full
        divisor = self._month.policy.monthly_days
        paid = days.with_leave(facts)
        cents = half_up(self._transport * paid.numerator, paid.denominator * divisor)
        return self._transport_line(cents, f"x {shown(paid)} / {divisor} days")

    def _transport_line(self, cents: int, how: str) -> EntitlementLine:
        return usd(Line.TRANSPORT_ALLOWANCE, Side.EARNING, cents, f"{dollars(self._transport)} USD {how}", self._transport_cite)

    def seniority(self, facts: WorkMonth) -> EntitlementLine | None:
        """The bonus of her completed years; none before the first, or where the joining date is not known."""
        joined = facts.joined_on
        if joined is None:
            return None
        years = completed_years(joined, self._service_on)
        if years in self._seniority:
            return self._seniority[years]
        cents = max((amount for least, amount in self._steps if years >= least), default=0)
        text = f"{years} completed years of service"
        line = usd(Line.SENIORITY_BONUS, Side.EARNING, cents, text, self._seniority_cite) if cents else None
        return remember(self._seniority, years, line)

    def meal(self, facts: WorkMonth) -> EntitlementLine | None:
        """The meal of each day with overtime. Where the days are not known: the fewest that the hours need."""
        days, how = facts.overtime_days, "days with overtime"
        if days is None:
            hours = facts.hours.get(Meaning.OVERTIME_HOURS, Decimal(0)) + facts.hours.get(Meaning.NIGHT_OVERTIME_HOURS, Decimal(0))
            days = (hours / self._most_overtime).to_integral_value(ROUND_CEILING)
            days, how = min(days, Decimal(self._workdays)), f"days at least, at {plain(self._most_overtime)} h a day"
        if not days:
            return None
        known = self._meals.get((days, how))
        if known is not None:
            return known
        riel = Money.rounded(self._meal * days, KHR)
        rate = plain(self._month.rates.tax)
        text = f"{plain(days)} {how} x {plain(self._meal)} KHR / {rate} KHR per USD"
        line = usd(Line.MEAL_ALLOWANCE, Side.EARNING, self._month.cents(riel), text, self._meal_cite, riel)
        return remember(self._meals, (days, how), line)
