"""Keyed hashes of personal values, written one way before hashing so that equal things are found equal."""

from __future__ import annotations

import hashlib
import unicodedata

from payroll_api.encryption.vault import Vault


def name_key(vault: Vault, name: str) -> bytes:
    """The hash of a name; case and spaces do not matter."""
    plain = unicodedata.normalize("NFC", name).replace("\u200b", "").casefold()
    return vault.index("name", " ".join(plain.split()))


def account_key(vault: Vault, account: str) -> bytes:
    """The hash of an account or wallet number; spaces, hyphens and a leading plus do not matter, leading zeros do.

    An account is its number and its bank: compare `banks.bank_key` too. Statements name the number alone.
    """
    return vault.index("account", plain_account(account))


def plain_account(account: str) -> str:
    """An account number as it is compared: letters and digits, in capitals."""
    upper = account.upper()
    return upper if upper.isalnum() else "".join(ch for ch in upper if ch.isalnum())


def at_bank(key: bytes, place: str | None) -> bytes:
    """One hash of a number's key and its bank: the same number at two banks is two accounts."""
    return hashlib.sha256(key + (place or "").encode()).digest()


def phone_key(vault: Vault, phone: str) -> bytes:
    """The hash of a phone in E.164."""
    return vault.index("phone", phone)


def national_id_key(vault: Vault, number: str) -> bytes:
    """The hash of a national ID number."""
    return vault.index("national_id", "".join(ch for ch in number.upper() if ch.isalnum()))


def masked(value: str | None, keep: int = 3) -> str | None:
    """A value with all but its last characters hidden."""
    if value is None:
        return None
    hidden = len(value) - keep if len(value) > keep else len(value)
    return "•" * hidden + value[hidden:]
