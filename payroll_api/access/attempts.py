"""How often somebody may try to sign in.

Counted in this process's memory, not in a table: somebody who guesses must not be able to make the database write, and a count
need not survive a restart. Several processes count each for itself, so n of them allow n times as many tries: still far too
few for guessing. What is counted by login is counted for each address apart, so that an outsider cannot lock anybody out.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from payroll_api.errors import ProblemError

WINDOW = timedelta(minutes=15)
FOR_LOGIN_FROM_ADDRESS = 10
FOR_ADDRESS = 100
# Against many addresses that share one login's guesses. Addresses from which this login has signed in before are not counted.
FOR_LOGIN = 300
_REMEMBERED = 50_000


class TooManyAttemptsError(ProblemError):
    """Too many failures from here: wait. `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "too_many_attempts",
            f"Too many failed attempts to sign in. Wait {-(-retry_after // 60)} minutes, then try again.",
            status=429,
            extra={"retry_after": retry_after},
        )
        self.retry_after = retry_after


@dataclass(slots=True)
class _Count:
    began: datetime
    failures: int


class Attempts:
    """The failures of the last quarter of an hour, and the addresses that each login is known from. Bounded in memory."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._counts: OrderedDict[tuple[bytes, str], _Count] = OrderedDict()
        self._known: OrderedDict[tuple[bytes, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def _limits(self, login: bytes, address: str) -> dict[tuple[bytes, str], int]:
        limits = {(login, address): FOR_LOGIN_FROM_ADDRESS, (b"", address): FOR_ADDRESS}
        if (login, address) not in self._known:
            limits[(login, "")] = FOR_LOGIN
        return limits

    def check_and_count(self, login: bytes, address: str, now: datetime) -> None:
        """Count one try as a failure until `succeeded` says otherwise. Raises TooManyAttemptsError.

        Counted before the password is compared: a hundred tries at the same moment are a hundred tries.
        """
        with self._lock:
            limits = self._limits(login, address)
            for key, limit in limits.items():
                count = self._counts.get(key)
                if count is not None and now - count.began >= WINDOW:
                    del self._counts[key]
                elif count is not None and count.failures >= limit:
                    raise TooManyAttemptsError(max(1, int((count.began + WINDOW - now).total_seconds())))
            for key in limits:
                count = self._counts.setdefault(key, _Count(now, 0))
                count.failures += 1
                self._counts.move_to_end(key)
            while len(self._counts) > self._remembered:
                self._counts.popitem(last=False)

    def succeeded(self, login: bytes, address: str) -> None:
        """The try was right: it does not count, and the login's failures from this address are forgotten."""
        with self._lock:
            for key in self._limits(login, address):
                count = self._counts.get(key)
                if count is not None:
                    count.failures -= 1
            self._counts.pop((login, address), None)
            self._known[(login, address)] = None
            self._known.move_to_end((login, address))
            while len(self._known) > self._remembered:
                self._known.popitem(last=False)
