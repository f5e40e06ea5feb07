"""Processor seconds that each part of a demo has used, stage by stage: on a busy machine they say more than the clock."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from payroll_api.commands.demo_running import Running
from payroll_api.commands.demo_stages import Stage, Stages

DATABASE, PEOPLE = "PostgreSQL", "people"  # people: this process, which plays them


def used(running: Running) -> dict[str, float]:
    """Seconds in user and kernel so far, by the name of a process. Of PostgreSQL's connections those that have ended count, too."""
    server = next(Path(running.folder.path).rglob("postmaster.pid"))
    pid = int(server.read_text().splitlines()[0])
    children = [child.pid for child in psutil.Process(pid).children(recursive=True)]
    return {
        **{name: _seconds(one) for name, one in running.children.running()},
        DATABASE: sum(map(_seconds, [pid, *children])) + _of_the_ended(pid),
        PEOPLE: _seconds(None),
    }


def _seconds(pid: int | None) -> float:
    with contextlib.suppress(psutil.Error):
        times = psutil.Process(pid).cpu_times()
        return times.user + times.system
    return 0.0


def _of_the_ended(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.children_user + times.children_system


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
