"""Passwords: which are taken, and how they are kept (argon2id, RFC 9106).

The rules are those of OWASP ASVS 5.0 V6.2: at least 12 characters, long ones welcome, no rule about kinds of characters, and
none that everybody would try first.
"""

from __future__ import annotations

import asyncio
import re
import tomllib
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib import resources

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from payroll_api.errors import InvalidError

SHORTEST = 12
LONGEST = 128
_FEWEST_DIFFERENT = 5
_SHORTEST_CONTEXT = 4
# Each hashing takes 64 MiB: only so many at a time, so that a flood of sign-ins waits instead of taking all memory.
_AT_ONCE = 4

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_NOT_A_LETTER = re.compile(r"[\W\d_]+")
_AT_THE_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_REPEATED = re.compile(r"^(.+?)\1+$")
_AS_LETTERS = str.maketrans("013457@$!", "oieastasi")


@cache
def _refused() -> frozenset[str]:
    lists = tomllib.loads(resources.files(__package__).joinpath("refused_passwords.toml").read_text("utf-8"))
    return frozenset(word for words in lists.values() for word in words)


@cache
def _turnstile(loop: asyncio.AbstractEventLoop) -> asyncio.Semaphore:
    del loop  # one for each event loop
    return asyncio.Semaphore(_AT_ONCE)


def normal(password: str) -> str:
    """The password as it is hashed: NFC, so that Khmer typed on two keyboards is the same password."""
    return unicodedata.normalize("NFC", password)


def _guessable(password: str, context: Iterable[str]) -> bool:
    text = unicodedata.normalize("NFKC", password).casefold()
    if len(set(text)) < _FEWEST_DIFFERENT or _REPEATED.match(text):
        return True
    words = _refused()
    for variant in (text, text.translate(_AS_LETTERS), _AT_THE_ENDS.sub("", text).translate(_AS_LETTERS)):
        core = _NOT_A_LETTER.sub("", variant)
        repeated = _REPEATED.match(core)
        # Less than four letters is a row of digits and signs: 123456789012 and the like.
        if len(core) < _SHORTEST_CONTEXT or core in words or (repeated is not None and repeated[1] in words):
            return True
        if any(core == first + second for first, second in _splits(core) if first in words and second in words):
            return True
    # Names that go with this person: her login, the parts of its address, the factory.
    own = {part for word in context for part in (word.casefold(), *re.split(r"[\W_]+", word.casefold())) if len(part) >= _SHORTEST_CONTEXT}
    return any(part in text and len(text) - len(part) < SHORTEST - _SHORTEST_CONTEXT for part in own)


def _splits(word: str) -> Iterable[tuple[str, str]]:
    return ((word[:at], word[at:]) for at in range(1, len(word)))


def check_new(password: str, *, context: Iterable[str] = ()) -> None:
    """Refuse a password that is too short, too long or easily guessed. `context` holds words that go with the person.

    Raises InvalidError (`password_refused`) with the reason and never with the password.
    """
    length = len(normal(password))
    if length < SHORTEST:
        raise _refusal(f"The password has {length} characters; take at least {SHORTEST}. A sentence of a few words is easy to remember.")
    if length > LONGEST:
        raise _refusal(f"The password has {length} characters; take at most {LONGEST}.")
    if _guessable(normal(password), context):
        raise _refusal("This password would be among the first that anybody tries. Take a few words that do not belong together.")


def _refusal(reason: str) -> InvalidError:
    return InvalidError(reason, code="password_refused", fields=[{"field": "password", "problem": reason}])


async def hash_new(password: str) -> str:
    """The argon2id hash of a password, with its parameters and salt. About 50 ms of another thread."""
    async with _turnstile(asyncio.get_running_loop()):
        return await asyncio.to_thread(_hasher.hash, normal(password))


async def fits(password: str, hashed: str | None) -> bool:
    """Whether the password is the hashed one. `None` (nobody has this login) takes as long and never fits."""
    async with _turnstile(asyncio.get_running_loop()):
        return await asyncio.to_thread(_verify, normal(password), hashed)


def outdated(hashed: str) -> bool:
    """Whether the hash was made with other parameters than today's, and is to be made anew at the next sign-in."""
    return _hasher.check_needs_rehash(hashed)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("the hash that is compared with when nobody has the login")


def _verify(password: str, hashed: str | None) -> bool:
    if len(password) > LONGEST:
        return False
    try:
        _hasher.verify(hashed or _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None
