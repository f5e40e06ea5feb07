"""What the demo shows while it works: a bar for each stage on a terminal, a line for each elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


@dataclass(slots=True)
class Stage:
    """One stage under way."""

    title: str
    _progress: Progress
    _task: TaskID
    seen: tuple[int, int] = (0, 0)

    def done(self, done: int, total: int) -> None:
        """Show how far it is."""
        self.seen = (done, total)
        self._progress.update(self._task, completed=done, total=total or None)


@dataclass(slots=True)
class Stages:
    """The stages of one payday, with the seconds each took."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)
    _progress: Progress | None = None

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Show bars as long as this lasts."""
        columns = (
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as self._progress:
            yield

    @contextlib.contextmanager
    def stage(self, title: str) -> Iterator[Stage]:
        """One stage; a title that comes again goes on counting."""
        if self._progress is None:
            raise RuntimeError("stages are shown within shown()")
        task = self._progress.add_task(title, total=None)
        stage = Stage(title, self._progress, task)
        began = time.monotonic()
        yield stage
        done, total = stage.seen
        self._progress.update(task, completed=done, total=done or 1) if done != total else None
        if not total:
            self._progress.update(task, completed=1, total=1)
        self.seconds[title] = self.seconds.get(title, 0) + time.monotonic() - began
        if not self.console.is_terminal:
            self.console.print(f"{title}: {done} of {total}, {self.seconds[title]:.1f} s", highlight=False)
