"""Time comes from here and nowhere else, so that a test can hand in another."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

PHNOM_PENH = ZoneInfo("Asia/Phnom_Penh")

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


def uptime() -> timedelta:
    """How long this machine has run, its sleep counted: what nobody can set, where the time of day can be put back."""
    return timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic())


def pay_day(moment: datetime) -> date:
    """The Phnom Penh calendar day of a moment: pay dates are days there, wherever the server stands."""
    return moment.astimezone(PHNOM_PENH).date()
