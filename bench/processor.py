"""Whose processor time a stretch of a bench took: what a busy machine does not change much, and what says what more cores would bring."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How long some payments took, and the seconds of processor time that each party used for them."""

    payments: int
    seconds: float
    used: Mapping[str, float]

    @property
    def per_second(self) -> float:
        """Payments a second."""
        return self.payments / self.seconds

    @property
    def cores_busy(self) -> float:
        """How many cores the parties kept busy between them."""
        return sum(self.used.values()) / self.seconds

    @property
    def microseconds_each(self) -> dict[str, int]:
        """Processor time for one payment, by party."""
        return {party: round(1e6 * seconds / self.payments) for party, seconds in self.used.items()}

    @property
    def cores_allow(self) -> float:
        """How many times faster this machine could be at the very most, were all its cores busy."""
        return (os.cpu_count() or 1) / self.cores_busy


def server_of(data: Path) -> int:
    """The process id of the PostgreSQL server whose data lies there."""
    return int((data / "postmaster.pid").read_text().splitlines()[0])


def seconds_of(pids: Iterable[int]) -> float:
    """Processor time of processes so far, with that of all their children, those that have ended included."""
    total = 0.0
    for pid in pids:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):  # it ended meanwhile: its parent's figures have it
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total
