"""Python's search for cycles: seldom in a process that serves for long, and put off while a job makes very many objects that all stay.

Measured: of a statement of 50,000 lines the search took half of Python's time, looking again and again through lines in which nothing is
circular. What is circular meanwhile (an exception's frames) waits until the last such job ends.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

# A payday's objects are freed by their counts; of cycles there are few. The usual 700 new ones would set off a search in every chunk.
NEW_OBJECTS_BEFORE_A_SEARCH = 50_000

_lock = Lock()
_jobs = 0


def search_seldom() -> None:
    """For a process that stays, called once all is imported: what is there by then is never searched again, and the rest seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS_BEFORE_A_SEARCH, 20, 20)


@contextmanager
def search_put_off() -> Iterator[None]:
    """No search for cycles inside the block, in the whole process; several jobs may be inside at once."""
    global _jobs  # noqa: PLW0603 what is put off belongs to the process
    with _lock:
        _jobs += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _jobs -= 1
            if not _jobs:
                gc.enable()
