"""Time comes from here and nowhere else, so that a test can hand in another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

PHNOM_PENH = ZoneInfo("Asia/Phnom_Penh")

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


def pay_day(moment: datetime) -> date:
    """The Phnom Penh calendar day of a moment: pay dates are days there, wherever the server stands."""
    return moment.astimezone(PHNOM_PENH).date()
