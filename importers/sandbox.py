"""A child process with limits, for every parser that meets an uploaded file. If it dies, only it dies."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import IO

from importers.guard import RefusedFileError

_LONGEST_LINE = 200


def limit_this_process(*, memory: int, cpu_seconds: int) -> None:
    """Bound this process's memory (bytes) and processor time. macOS does not enforce RLIMIT_AS; there the wall clock remains."""
    for what, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, cpu_seconds), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def run_limited(module: str, data: bytes, *, wall_seconds: float, told: Callable[[str], None] | None = None) -> bytes:
    """What `python -m module` answers to `data` on its stdin. Raises RefusedFileError when it dies or takes too long.

    `told` gets each line that the child writes to its stderr while it works, from another thread.
    """
    # Only the import path is handed down: the child needs none of the service's settings or secrets. Without `site` it starts
    # in half the time, so the place of this package is named too.
    places = [str(Path(__file__).resolve().parent.parent), *(path for path in sys.path if path)]
    environment = {"PYTHONPATH": os.pathsep.join(places), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(  # noqa: S603  our own module, no shell
        [sys.executable, "-S", "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as child:
        stderr, child.stderr = child.stderr, None  # read here while `communicate` feeds and reads the rest
        listener = Thread(target=_listen, args=(stderr, told), daemon=True)
        listener.start()
        try:
            answer, _ = child.communicate(data, timeout=wall_seconds)
        except subprocess.TimeoutExpired as error:
            raise RefusedFileError("takes_too_long") from error
        finally:
            if child.poll() is None:
                child.kill()
            listener.join(1)
    if child.returncode != 0:
        # negative: killed by a limit or aborted inside the parser; either way the file asked for more than it may have
        raise RefusedFileError("unpacks_too_large" if child.returncode < 0 else "damaged_file")
    return answer


def _listen(lines: IO[bytes] | None, told: Callable[[str], None] | None) -> None:
    """Read to the end, so that a talkative child never waits; what a dying parser says there is nobody's to read."""
    if lines is None:
        return
    with lines:
        for line in lines:
            if told is not None:
                told(line[:_LONGEST_LINE].decode("ascii", "replace").strip())
