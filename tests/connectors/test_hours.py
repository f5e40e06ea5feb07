"""A provider's last hour of the day, and the days on which it does not work."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.payouts.hours import Hours, HoursError, HoursSettings

BANK = Hours(cut_off=time(15, 30), holidays=frozenset({date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25)}))
FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("handed_in", "asked_for", "executed_on"),
    [
        (datetime(2026, 11, 20, 8, 30, tzinfo=UTC), FRIDAY, FRIDAY),  # 15:30 in Phnom Penh: the last moment
        # A minute later it is the next working day: after the weekend and the three days of the water festival.
        (datetime(2026, 11, 20, 8, 31, tzinfo=UTC), FRIDAY, date(2026, 11, 26)),
        (datetime(2026, 11, 18, 3, 0, tzinfo=UTC), FRIDAY, FRIDAY),  # never before the day that was asked for
        (datetime(2026, 11, 20, 17, 30, tzinfo=UTC), FRIDAY, date(2026, 11, 26)),  # past midnight in Phnom Penh already
        (datetime(2026, 11, 19, 3, 0, tzinfo=UTC), date(2026, 11, 22), date(2026, 11, 26)),  # asked for on a Sunday
    ],
)
def test_an_order_is_executed_on_the_banks_day(handed_in: datetime, asked_for: date, executed_on: date) -> None:
    assert BANK.executes_on(handed_in, asked_for) == executed_on


def test_wages_for_a_day_must_be_handed_in_before_its_cut_off() -> None:
    assert BANK.last_moment(FRIDAY).astimezone(UTC) == datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)), st.integers(0, 30))  # noqa: DTZ001 the zone is beside it
def test_whenever_it_is_handed_in_it_is_executed_on_a_working_day_and_not_too_early(moment: datetime, ahead: int) -> None:
    asked = moment.date() + timedelta(days=ahead)
    day = BANK.executes_on(moment, asked)
    assert day >= asked
    assert BANK.is_open(day)
    assert moment <= BANK.last_moment(day)
    before = BANK.open_before(asked)
    assert before <= asked
    assert BANK.is_open(before)
    assert not any(BANK.is_open(before + timedelta(days=n)) for n in range(1, (asked - before).days + 1))


def test_hours_that_cannot_be_meant_are_refused_with_what_to_write() -> None:
    with pytest.raises(HoursError, match="Asia/Phnom_Penh"):
        Hours(cut_off=time(15), zone="Phnom Penh")
    with pytest.raises(HoursError, match="0 \\(Monday\\)"):
        Hours(cut_off=time(15), closed_weekdays=frozenset(range(7)))
    with pytest.raises(HoursError, match="leave the offset out"):
        Hours(cut_off=time(15, tzinfo=UTC))
    with pytest.raises(HoursError, match="list of holidays"):
        Hours(cut_off=time(15), holidays=frozenset(FRIDAY + timedelta(days=n) for n in range(60)))
    with pytest.raises(ValidationError):
        HoursSettings.model_validate({"cut_off": "half past three"})
    with pytest.raises(ValidationError, match="Asia/Phnom_Penh"):  # when it is configured, not on the payday
        HoursSettings.model_validate({"cut_off": "15:30", "zone": "Phnom Penh"})
    settings = HoursSettings.model_validate({"cut_off": "15:30", "holidays": ["2026-11-23", "2026-11-24", "2026-11-25"]})
    assert settings.hours() == BANK
