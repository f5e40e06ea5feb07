"""A child process with limits, for every parser that meets an uploaded file. If it dies, only it dies."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
from pathlib import Path

from importers.guard import RefusedFileError


def limit_this_process(*, memory: int, cpu_seconds: int) -> None:
    """Bound this process's memory (bytes) and processor time. macOS does not enforce RLIMIT_AS; there the wall clock remains."""
    for what, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, cpu_seconds), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def run_limited(module: str, data: bytes, *, wall_seconds: float) -> bytes:
    """What `python -m module` answers to `data` on its stdin. Raises RefusedFileError when it dies or takes too long."""
    # Only the import path is handed down: the child needs none of the service's settings or secrets. Without `site` it starts
    # in half the time, so the place of this package is named too.
    places = [str(Path(__file__).resolve().parent.parent), *(path for path in sys.path if path)]
    environment = {"PYTHONPATH": os.pathsep.join(places), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(  # noqa: S603  our own module, no shell
            [sys.executable, "-S", "-m", module], input=data, capture_output=True, timeout=wall_seconds, check=False, env=environment
        )
    except subprocess.TimeoutExpired as error:
        raise RefusedFileError("takes_too_long") from error
    if done.returncode != 0:
        # negative: killed by a limit or aborted inside the parser; either way the file asked for more than it may have
        raise RefusedFileError("unpacks_too_large" if done.returncode < 0 else "damaged_file")
    return done.stdout
