"""The references that providers see: made from ids alone, so that the same attempt always has the same one."""

from __future__ import annotations

import hashlib
from uuid import UUID

# No I, L, O, U: a person reads a reference over the phone. Letters and digits only: every provider takes them.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for second in _ALPHABET for first in _ALPHABET]  # by ten bits, the lower five first


def _code(kind: str, *parts: object) -> str:
    digest = hashlib.sha256("|".join((kind, *map(str, parts))).encode()).digest()
    # A digit first: providers put references into free text, and a word without one is not taken for a reference there.
    number, digit = divmod(int.from_bytes(digest[:12]), 10)
    pairs = [_PAIRS[number >> bits & 0x3FF] for bits in range(0, 80, 10)]
    return f"{digit}{''.join(pairs)}{_ALPHABET[number >> 80 & 0x1F]}"


def attempt_reference(payment_id: UUID, number: int) -> str:
    """The reference of a payment's attempt, 20 characters."""
    return "GW" + _code("attempt", payment_id, number)


def dispatch_reference(dispatch_id: UUID) -> str:
    """The reference of a dispatch, 20 characters."""
    return "GB" + _code("dispatch", dispatch_id)


def payload_hash(reference: str, account_key: bytes, amount_minor: int, currency: str) -> bytes:
    """What an attempt was going to send, so that it can be proven later that it was what people approved."""
    return hashlib.sha256(f"{reference}|{account_key.hex()}|{amount_minor}|{currency}".encode()).digest()
