"""How often somebody may try to sign in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payroll_api.access.attempts import FOR_ADDRESS, FOR_LOGIN, FOR_LOGIN_FROM_ADDRESS, WINDOW, Attempts, TooManyAttemptsError

NOON = datetime(2026, 11, 30, 5, 0, tzinfo=UTC)
SOKHA, DARA = b"sokha", b"dara"


def fail(attempts: Attempts, times: int, login: bytes = SOKHA, address: str = "10.0.0.1") -> None:
    for _ in range(times):
        attempts.check_and_count(login, address, NOON)


def test_the_eleventh_failure_waits_out_the_quarter_of_an_hour() -> None:
    attempts = Attempts()
    fail(attempts, FOR_LOGIN_FROM_ADDRESS)
    with pytest.raises(TooManyAttemptsError) as refusal:
        attempts.check_and_count(SOKHA, "10.0.0.1", NOON + timedelta(minutes=5))
    assert refusal.value.retry_after == 600
    assert refusal.value.status == 429
    attempts.check_and_count(SOKHA, "10.0.0.1", NOON + WINDOW)


def test_an_outsider_who_fails_does_not_lock_the_owner_out() -> None:
    attempts = Attempts()
    fail(attempts, FOR_LOGIN_FROM_ADDRESS, address="203.0.113.7")
    attempts.check_and_count(SOKHA, "10.0.0.1", NOON)


def test_one_address_cannot_try_many_logins() -> None:
    attempts = Attempts()
    for number in range(FOR_ADDRESS):
        attempts.check_and_count(b"login %d" % number, "203.0.113.7", NOON)
    with pytest.raises(TooManyAttemptsError):
        attempts.check_and_count(DARA, "203.0.113.7", NOON)


def test_many_addresses_cannot_share_one_login_but_a_known_address_still_gets_in() -> None:
    attempts = Attempts()
    attempts.check_and_count(SOKHA, "10.0.0.1", NOON)
    attempts.succeeded(SOKHA, "10.0.0.1")
    for number in range(FOR_LOGIN):
        attempts.check_and_count(SOKHA, f"198.51.100.{number}", NOON)
    with pytest.raises(TooManyAttemptsError):
        attempts.check_and_count(SOKHA, "192.0.2.200", NOON)
    attempts.check_and_count(SOKHA, "10.0.0.1", NOON)


def test_whoever_gets_in_begins_anew() -> None:
    attempts = Attempts()
    fail(attempts, FOR_LOGIN_FROM_ADDRESS - 1)
    attempts.check_and_count(SOKHA, "10.0.0.1", NOON)
    attempts.succeeded(SOKHA, "10.0.0.1")
    fail(attempts, FOR_LOGIN_FROM_ADDRESS)


def test_signing_in_all_day_is_no_failure() -> None:
    attempts = Attempts()
    for _ in range(2 * FOR_LOGIN):
        attempts.check_and_count(SOKHA, "10.0.0.1", NOON)
        attempts.succeeded(SOKHA, "10.0.0.1")


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.sampled_from(["x", "y", "z"]), st.booleans()), max_size=200))
def test_no_pair_ever_gets_more_failures_than_it_may(tries: list[tuple[bytes, str, bool]]) -> None:
    attempts = Attempts()
    failures: dict[tuple[bytes, str], int] = {}
    for login, address, is_right in tries:
        try:
            attempts.check_and_count(login, address, NOON)
        except TooManyAttemptsError:
            continue
        if is_right:
            attempts.succeeded(login, address)
            failures[login, address] = 0
        else:
            failures[login, address] = failures.get((login, address), 0) + 1
        assert failures[login, address] <= FOR_LOGIN_FROM_ADDRESS
