"""Python's search for cycles: seldom in a process that serves for long.

Measured: of a statement of 50,000 lines the usual search took half of Python's time, and of the law's lines a quarter, looking again and
again through objects in which nothing is circular. They are freed by their counts; of cycles (an exception's frames) there are few.
"""

from __future__ import annotations

import gc

NEW_OBJECTS_BEFORE_A_SEARCH = 50_000  # Python's own 700 would set off a search in every chunk


def search_seldom() -> None:
    """For a process that stays, called once all is imported: what is there by then is never searched again, and the rest seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS_BEFORE_A_SEARCH, 20, 20)
