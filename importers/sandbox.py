"""A child process with limits, for every parser that meets an uploaded file. If it dies, only it dies."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import IO, Self

from importers.guard import RefusedFileError

_LONGEST_LINE = 2_000


def limit_this_process(*, memory: int, cpu_seconds: int) -> None:
    """Bound this process's memory (bytes) and processor time. macOS does not enforce RLIMIT_AS; there the wall clock remains.

    Processor time is what a file may cost, however busy the machine is; the wall clock of whoever waits is wide, for a process that hangs.
    """
    for what, soft, hard in (
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1),  # the first ends it by a signal of its own, which says why
        (resource.RLIMIT_CORE, 0, 0),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (soft, hard))


class LimitedChild:
    """`python -m module` with `data` on its stdin, for at most so many seconds. Leaving the block ends it.

    It may close its stdout and work on: its answer is then there while it goes on, and what it still says comes by `told`, which
    gets each line of its stderr from another thread.
    """

    def __init__(self, module: str, data: bytes, *, wall_seconds: float, told: Callable[[str], None] | None = None) -> None:
        # Only the import path is handed down: the child needs none of the service's settings or secrets. Without `site` it starts
        # in half the time, so the place of this package is named too. One arena: a thread's own would count against its memory.
        places = [str(Path(__file__).resolve().parent.parent), *(path for path in sys.path if path)]
        environment = {"PYTHONPATH": os.pathsep.join(places), "PYTHONDONTWRITEBYTECODE": "1", "MALLOC_ARENA_MAX": "1"}
        self._until = time.monotonic() + wall_seconds
        self._answer = b""
        self._process = subprocess.Popen(  # noqa: S603  our own module, no shell
            [sys.executable, "-S", "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        )
        work = ((_feed, self._process.stdin, data), (self._read, self._process.stdout), (_listen, self._process.stderr, told))
        self._feeder, self._reader, self._listener = [Thread(target=do, args=arguments, daemon=True) for do, *arguments in work]
        for thread in (self._feeder, self._reader, self._listener):
            thread.start()

    def answer(self) -> bytes:
        """What it wrote to its stdout until it closed it. Raises RefusedFileError when that takes too long."""
        self._reader.join(max(self._until - time.monotonic(), 0))
        if self._reader.is_alive():
            raise RefusedFileError("takes_too_long")
        return self._answer

    def finish(self) -> None:
        """Wait for its end and for everything it said. Raises RefusedFileError when it dies or takes too long."""
        try:
            code = self._process.wait(max(self._until - time.monotonic(), 0))
        except subprocess.TimeoutExpired as error:
            raise RefusedFileError("takes_too_long") from error
        self._listener.join(1)
        if code == -signal.SIGXCPU:
            raise RefusedFileError("takes_too_long")
        if code != 0:
            # negative: killed by a limit or aborted inside the parser; either way the file asked for more than it may have
            raise RefusedFileError("unpacks_too_large" if code < 0 else "damaged_file")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for thread in (self._feeder, self._reader, self._listener):
            thread.join(1)

    def _read(self, answer: IO[bytes]) -> None:
        with answer:
            self._answer = answer.read()


def run_limited(module: str, data: bytes, *, wall_seconds: float) -> bytes:
    """What `python -m module` answers to `data` on its stdin. Raises RefusedFileError when it dies or takes too long."""
    with LimitedChild(module, data, wall_seconds=wall_seconds) as child:
        answer = child.answer()
        child.finish()
        return answer


def _feed(where: IO[bytes], data: bytes) -> None:
    with contextlib.suppress(OSError), where:  # a child that has died reads no more
        where.write(data)


def _listen(lines: IO[bytes], told: Callable[[str], None] | None) -> None:
    """Read to the end, so that a talkative child never waits; what a dying parser says there is nobody's to read."""
    with lines:
        for line in lines:
            if told is not None:
                told(line[:_LONGEST_LINE].decode("ascii", "replace").strip())
