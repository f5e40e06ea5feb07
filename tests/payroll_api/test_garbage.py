"""The search for cycles is put off for as long as somebody needs that, and comes back whatever happens."""

from __future__ import annotations

import gc

import pytest

from payroll_api.garbage import NEW_OBJECTS_BEFORE_A_SEARCH, search_put_off, search_seldom


def test_the_search_comes_back_when_the_last_job_ends_also_by_an_error() -> None:
    with search_put_off():
        with pytest.raises(ZeroDivisionError), search_put_off():
            raise ZeroDivisionError
        assert not gc.isenabled()  # the outer job is still at it
    assert gc.isenabled()


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
