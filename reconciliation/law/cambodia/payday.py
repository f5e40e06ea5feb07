"""When wages are due: not on a day off but before it (Labour Law art. 115), at least twice a month and at once at the end (art. 116)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise

from reconciliation.law.book import LawBook
from reconciliation.policy import PolicyError

_SUNDAY = 6
_MOST_DAYS_OFF = 31


def payday(day: date, holidays: Collection[date] = ()) -> date:
    """`day`, or the last working day before it where it falls on a Sunday or on one of `holidays`."""
    for back in range(_MOST_DAYS_OFF):
        earlier = day - timedelta(days=back)
        if earlier.weekday() != _SUNDAY and earlier not in holidays:
            return earlier
    raise PolicyError(f"no working day in the month before {day}: correct the list of public holidays")


def too_far_apart(paydays: Sequence[date], book: LawBook) -> list[tuple[date, date]]:
    """Neighbouring paydays with more days between them than art. 116 allows. Raises LawUnknownError."""
    ordered = sorted(paydays)
    return [(one, next_one) for one, next_one in pairwise(ordered) if (next_one - one).days > book.number("payday_gap_days", next_one)]


def final_pay_due(ended: datetime, book: LawBook) -> datetime:
    """The latest moment of the final pay after a contract that `ended`. Raises LawUnknownError."""
    return ended + timedelta(hours=int(book.number("final_pay_hours", ended.date())))
