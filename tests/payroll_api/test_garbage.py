"""The search for cycles is seldom in a process that stays, and finds them all the same."""

from __future__ import annotations

import gc

from payroll_api.garbage import NEW_OBJECTS_BEFORE_A_SEARCH, search_seldom


def test_a_process_that_stays_searches_seldom_and_still_finds_what_is_circular() -> None:
    was = gc.get_threshold()
    try:
        search_seldom()
        assert gc.get_freeze_count()
        circle: list[object] = []
        circle.append(circle)
        del circle
        assert gc.collect() >= 1
        assert gc.get_threshold()[0] == NEW_OBJECTS_BEFORE_A_SEARCH
    finally:
        gc.unfreeze()
        gc.set_threshold(*was)
