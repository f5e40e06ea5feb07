"""Retry-After: a provider that asked not to be called again before some moment is not called again before it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(minutes=15)  # a header that asks for more must not stop a payday: people see the refusals long before
_ASKING = frozenset({429, 503})


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """How long the header asks to wait: seconds or a date, by RFC 9110. None where it asks nothing that can be read; at most LONGEST."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta(0)), LONGEST)


class Patience:
    """One provider's wish, kept between calls."""

    def __init__(self) -> None:
        self._until: datetime | None = None

    def note(self, status: int, headers: Mapping[str, str], now: datetime) -> timedelta | None:
        """Remember what an answer asks for; what it asked, or None."""
        asked = retry_after(headers.get("retry-after"), now) if status in _ASKING else None
        if asked is not None:
            self._until = max(self._until or now, now + asked)
        return asked

    def left(self, now: datetime) -> timedelta | None:
        """How long to wait still; None where the provider may be called."""
        return self._until - now if self._until is not None and now < self._until else None
