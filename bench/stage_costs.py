"""What each stage of a demo costs in processor seconds, by process: on a busy machine it says more than the clock."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.processor import seconds_of, server_of
from payroll_api.commands.demo_running import Running
from payroll_api.commands.demo_stages import Stage, Stages

DATABASE, PEOPLE = "PostgreSQL", "people"  # people: this process, which plays them


def used(running: Running) -> dict[str, float]:
    """Seconds in user and kernel so far, by the name of a process, each with its children."""
    data = next(Path(running.folder.path).rglob("postmaster.pid")).parent
    return {
        **{name: seconds_of([pid]) for name, pid in running.children.running()},
        DATABASE: seconds_of([server_of(data)]),
        PEOPLE: time.process_time(),
    }


class CountedStages(Stages):
    """Stages that also count what each of them cost."""

    def __init__(self, inner: Stages, running: Running) -> None:
        super().__init__(inner.console, inner.seconds)
        self._inner = inner
        self._running = running
        self.cost: dict[str, Mapping[str, float]] = {}

    @contextlib.contextmanager
    def stage(self, title: str) -> Iterator[Stage]:
        """One stage, with the processor seconds that each process used meanwhile."""
        before = used(self._running)
        with self._inner.stage(title) as stage:
            yield stage
        after, so_far = used(self._running), self.cost.get(title, {})
        self.cost[title] = {name: so_far.get(name, 0.0) + seconds - before[name] for name, seconds in after.items()}
