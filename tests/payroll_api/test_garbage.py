"""The search for cycles is put off for as long as somebody needs that, and comes back whatever happens."""

from __future__ import annotations

import gc

import pytest

from payroll_api.garbage import search_put_off


def test_the_search_comes_back_when_the_last_job_ends_also_by_an_error() -> None:
    with search_put_off():
        with pytest.raises(ZeroDivisionError), search_put_off():
            raise ZeroDivisionError
        assert not gc.isenabled()  # the outer job is still at it
    assert gc.isenabled()
