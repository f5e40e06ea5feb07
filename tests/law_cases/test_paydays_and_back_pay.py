"""When wages are due, and what years before 2019 bring."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from importers.money import KHR, USD, Money, MoneyError
from reconciliation.law.book import load_cambodia
from reconciliation.law.cambodia.back_pay import back_pay
from reconciliation.law.cambodia.payday import final_pay_due, payday, too_far_apart
from reconciliation.policy import PolicyError

BOOK = load_cambodia()


def test_a_payday_on_a_working_day_stays() -> None:
    assert payday(date(2026, 11, 30)) == date(2026, 11, 30)  # a Monday


def test_a_payday_on_a_sunday_is_the_saturday_before() -> None:
    assert payday(date(2026, 11, 15)) == date(2026, 11, 14)


def test_a_payday_in_a_row_of_holidays_goes_before_all_of_them() -> None:
    off = {date(2026, 4, 14), date(2026, 4, 15), date(2026, 4, 16), date(2026, 4, 13)}
    assert payday(date(2026, 4, 15), off) == date(2026, 4, 11)  # 12 April is a Sunday


def test_a_calendar_of_holidays_only_is_refused() -> None:
    with pytest.raises(PolicyError, match="list of public holidays"):
        payday(date(2026, 4, 30), {date(2026, 4, 30) - timedelta(days=n) for n in range(40)})


def test_paydays_are_at_most_sixteen_days_apart() -> None:
    assert not too_far_apart([date(2026, 11, 30), date(2026, 11, 14)], BOOK)
    assert too_far_apart([date(2026, 11, 13), date(2026, 11, 30)], BOOK) == [(date(2026, 11, 13), date(2026, 11, 30))]


def test_the_final_pay_is_due_in_forty_eight_hours() -> None:
    ended = datetime(2026, 11, 20, 17, tzinfo=UTC)
    assert final_pay_due(ended, BOOK) == datetime(2026, 11, 22, 17, tzinfo=UTC)


def test_two_years_before_2019_bring_thirty_days_each_at_their_own_wage() -> None:
    # 30 x 208 / 26 = 240.00; 30 x 195 / 26 = 225.00; 2019 belongs to the indemnity, not to back pay
    owed = back_pay({2018: Money(20_800, USD), 2017: Money(19_500, USD), 2019: Money(21_000, USD)}, BOOK)
    assert [(one.year, one.amount) for one in owed] == [(2017, Money(22_500, USD)), (2018, Money(24_000, USD))]


def test_s1_six_months_of_26_days_are_the_most() -> None:
    owed = back_pay({year: Money(26_000, USD) for year in range(2010, 2019)}, BOOK)
    assert [one.days for one in owed] == [Decimal(30)] * 5 + [Decimal(6)]
    assert sum(one.days for one in owed) == 156
    assert sum(one.amount.minor for one in owed) == 156 * 1_000


def test_a_wage_in_riel_is_not_guessed_into_dollars() -> None:
    with pytest.raises(MoneyError, match="that year's rate"):
        back_pay({2018: Money(800_000, KHR)}, BOOK)
