"""The one type of an encrypted column. It holds ciphertext only: a plain string cannot be stored by mistake."""

from __future__ import annotations

from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator


class Ciphertext(bytes):
    """What a vault sealed; only the same vault opens it, at the same place."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Ciphertext({len(self)} bytes)"


class Encrypted(TypeDecorator[Ciphertext]):
    """A bytea column of ciphertext. Raises TypeError for anything that no vault has sealed."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Ciphertext | None, dialect: Dialect) -> bytes | None:
        """Let ciphertext through and nothing else."""
        del dialect
        if value is not None and not isinstance(value, Ciphertext):
            raise TypeError("an encrypted column takes what Vault.seal gives, never plain text")
        return value

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Ciphertext | None:
        """Mark what comes back as ciphertext."""
        del dialect
        return None if value is None else Ciphertext(value)
