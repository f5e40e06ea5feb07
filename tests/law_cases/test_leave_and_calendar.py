"""Leave as it is earned, what the fund pays beside the employer, and the calendars of holidays: the published figures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from importers.period import PayPeriod
from reconciliation.law.book import load_cambodia
from reconciliation.law.cambodia.calendar import holidays_of_month, public_holidays
from reconciliation.law.cambodia.leave import leave_of_month, leave_of_year
from reconciliation.law.cambodia.payday import payday
from reconciliation.law.parameter import LawUnknownError

BOOK, DAY = load_cambodia(), date(2026, 11, 30)


@pytest.mark.parametrize(("hours", "days"), [(48, 18), (40, 15), (24, 9), (60, 18)])
def test_l1_leave_of_a_year_by_the_hours_of_a_week(hours: int, days: int) -> None:
    assert leave_of_year(BOOK, DAY, hours_a_week=hours) == days


# cambodianlaw.wordpress.com, January 2012: new leave by completed years of service
@pytest.mark.parametrize(("years", "days"), [(0, 18), (2, 18), (3, 19), (5, 19), (6, 20), (9, 21), (12, 22), (15, 23), (18, 24), (20, 24)])
def test_a_day_more_for_every_three_years(years: int, days: int) -> None:
    assert leave_of_year(BOOK, DAY, completed_years=years) == days


@pytest.mark.parametrize(
    ("worked", "leave"), [("0", "0"), ("14.5", "0"), ("15", "1"), ("20", "1"), ("21", "1.5"), ("22", "1.5"), ("26", "1.5")]
)
def test_l2_leave_of_a_month_by_the_days_worked(worked: str, leave: str) -> None:
    assert leave_of_month(BOOK, DAY, Decimal(worked)) == Decimal(leave)


def test_m1_maternity_brings_120_per_cent_in_all() -> None:
    assert BOOK.number("maternity_pay", DAY) + BOOK.number("nssf_daily_allowance", DAY) == Decimal("1.2")


def test_the_published_calendars_have_their_days() -> None:
    assert len(public_holidays(BOOK, 2024)) == 22
    assert list(holidays_of_month(BOOK, PayPeriod(2024, 4))) == [date(2024, 4, day) for day in (13, 14, 15, 16)]
    assert len(public_holidays(BOOK, 2022)) == 19
    assert holidays_of_month(BOOK, PayPeriod(2024, 7)) == {}


@pytest.mark.parametrize("year", [2018, 2021, 2023, 2025, 2026, 2027])
def test_a_year_without_a_list_is_refused_and_not_taken_for_one_without_holidays(year: int) -> None:
    with pytest.raises(LawUnknownError, match=f"not known for {year}.*signed off by the head of payroll"):
        public_holidays(BOOK, year)


def test_payday_moves_before_the_water_festival_and_a_sunday() -> None:
    holidays = public_holidays(BOOK, 2024)
    # 14 to 16 November 2024 are the Water Festival, Thursday to Saturday; 17 November is a Sunday
    assert payday(date(2024, 11, 14), holidays) == date(2024, 11, 13)
    assert payday(date(2024, 11, 17), holidays) == date(2024, 11, 13)
    assert payday(date(2024, 11, 18), holidays) == date(2024, 11, 18)
