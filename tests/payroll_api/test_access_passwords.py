"""Which passwords are taken, and how they are kept."""

from __future__ import annotations

import asyncio

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from payroll_api.access import passwords
from payroll_api.errors import InvalidError


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "eleven char",
        "passwordpassword",
        "Password1234567!",
        "P@ssw0rd2026!!",
        "qwertyuiop1234",
        "123456789012",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "garmentwages2026",
        "PhnomPenh2026!!",
        "angkor-payroll-1",
        "x" * 129,
    ],
)
def test_what_everybody_tries_first_is_refused(password: str) -> None:
    with pytest.raises(InvalidError) as refusal:
        passwords.check_new(password)
    assert refusal.value.code == "password_refused"
    assert password not in refusal.value.detail


@pytest.mark.parametrize(
    "password", ["four words that rhyme not", "ទឹកភ្លៀងធ្លាក់លើដំបូល", "seven lotus ponds at dawn", "mN7#qQ2z!vT4", "x y z " * 12]
)
def test_long_ones_of_any_script_are_taken_without_rules_on_characters(password: str) -> None:
    if password.startswith("x y z"):
        password = password[:64].strip() + "and a tail that differs"
    passwords.check_new(password)


def test_a_password_with_ones_own_login_is_refused() -> None:
    with pytest.raises(InvalidError):
        passwords.check_new("sokha.chan2026", context=["sokha.chan"])
    passwords.check_new("sokha.chan buys seven mangoes", context=["sokha.chan"])


@given(st.text(max_size=11))
def test_nothing_shorter_than_twelve_is_taken(password: str) -> None:
    with pytest.raises(InvalidError):
        passwords.check_new(password)


TOLD_TO_ANYONE = "password_refused: The password has characters; take at least A sentence of a few words is easy to remember."


@given(st.text(min_size=0, max_size=300))
def test_a_refusal_never_repeats_the_password(password: str) -> None:
    try:
        passwords.check_new(password)
    except InvalidError as error:
        assert len(password) < 4 or password in TOLD_TO_ANYONE or password not in str(error)  # noqa: PT017 a refusal is one of two right ends


async def test_a_hash_is_argon2id_salted_and_fits_only_its_password() -> None:
    first, second = await asyncio.gather(passwords.hash_new("seven lotus ponds"), passwords.hash_new("seven lotus ponds"))
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert first != second
    assert await passwords.fits("seven lotus ponds", first)
    assert not await passwords.fits("seven lotus pond", first)
    assert not await passwords.fits("seven lotus ponds", None)
    assert not await passwords.fits("seven lotus ponds", "not a hash")


async def test_the_same_khmer_word_typed_on_two_keyboards_is_the_same_password() -> None:
    hashed = await passwords.hash_new("café au lait déjà vu")
    assert await passwords.fits("café au lait déjà vu", hashed)


def test_a_hash_of_weaker_times_is_made_anew() -> None:
    assert passwords.outdated(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("seven lotus ponds"))
