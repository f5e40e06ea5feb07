"""A factory's vault: seals a value for one place, opens it there and nowhere else, and makes blind indexes.

Layout of a sealed value: key number (4 bytes), nonce (12), AES-256-GCM ciphertext and tag. The associated data is
factory|table|row|column, so an account number moved to another worker's row does not open: a control against paying the wrong
person, not only privacy.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.db.session import factory_of
from payroll_api.encryption.column import Ciphertext
from payroll_api.encryption.master import MasterKey
from payroll_api.encryption.models import DataKey
from payroll_api.failpoints import failpoint

_NUMBER = 4
_NONCE = 12


class SealBrokenError(Exception):
    """A sealed value does not open where it stands: it was changed, or moved from another row, column or factory."""


class Vault:
    """The opened keys of one factory."""

    def __init__(self, factory_id: UUID, column_keys: Mapping[int, bytes], index_key: bytes) -> None:
        self._factory = factory_id.hex
        self._ciphers = {number: AESGCM(key) for number, key in column_keys.items()}
        self._newest = max(column_keys)
        self._prefix = self._newest.to_bytes(_NUMBER)
        self._index = hmac.new(index_key, digestmod=hashlib.sha256)  # holds the key's schedule; copied for each value

    def _place(self, table: str, row: object, column: str) -> bytes:
        return f"{self._factory}|{table}|{row}|{column}".encode()

    def seal(self, value: str | bytes, table: str, row: object, column: str) -> Ciphertext:
        """`value` encrypted for this place."""
        nonce = secrets.token_bytes(_NONCE)
        plain = value.encode() if isinstance(value, str) else value
        return Ciphertext(self._prefix + nonce + self._ciphers[self._newest].encrypt(nonce, plain, self._place(table, row, column)))

    def open_bytes(self, sealed: bytes, table: str, row: object, column: str) -> bytes:
        """The value sealed for this place. Raises SealBrokenError when it was sealed for another or changed."""
        body = sealed[_NUMBER:]
        try:
            cipher = self._ciphers[int.from_bytes(sealed[:_NUMBER])]
            return cipher.decrypt(body[:_NONCE], body[_NONCE:], self._place(table, row, column))
        except (InvalidTag, ValueError, KeyError):
            raise SealBrokenError(f"{table}.{column} of row {row} does not open: changed, or moved from another place") from None

    def open(self, sealed: bytes, table: str, row: object, column: str) -> str:
        """The text sealed for this place. Raises SealBrokenError."""
        return self.open_bytes(sealed, table, row, column).decode()

    def open_or_none(self, sealed: bytes | None, table: str, row: object, column: str) -> str | None:
        """The same for a column that may be empty."""
        return None if sealed is None else self.open(sealed, table, row, column)

    def index(self, purpose: str, value: str) -> bytes:
        """A keyed hash that finds equal values of one purpose (phone, account, name) without reading them."""
        keyed = self._index.copy()
        keyed.update(f"{purpose}|{value}".encode())
        return keyed.digest()


class Keys:
    """Opens vaults. One for each process: opened keys stay in its memory."""

    def __init__(self, master: MasterKey) -> None:
        self._master = master
        self._vaults: dict[UUID, Vault] = {}

    def login_index(self, login: str) -> bytes:
        """The keyed hash under which a login name is found before its factory is known."""
        return hmac.digest(self._master.derive(b"login-directory"), login.strip().casefold().encode(), hashlib.sha256)

    def account_index(self, account: str) -> bytes:
        """The keyed hash under which factories can find out that they pay into the same account, and nothing else."""
        return hmac.digest(self._master.derive(b"account-directory"), account.encode(), hashlib.sha256)

    def seal_outside(self, content: bytes, place: str) -> bytes:
        """`content` encrypted for a place outside the database, such as a line of the journal of sendings."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self._master.derive(b"outside")).encrypt(nonce, content, place.encode())

    def open_outside(self, sealed: bytes, place: str) -> bytes:
        """What was sealed for this place. Raises SealBrokenError when it was changed, moved, or sealed under another master key."""
        try:
            return AESGCM(self._master.derive(b"outside")).decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode())
        except InvalidTag:
            raise SealBrokenError(f"{place} outside the database does not open: changed, or of another master key") from None

    async def vault(self, session: AsyncSession) -> Vault:
        """The vault of the session's factory. Raises ConfigurationError when the master key is another one."""
        await failpoint("G10")
        factory_id = factory_of(session)
        if (known := self._vaults.get(factory_id)) is not None:
            return known
        columns: dict[int, bytes] = {}
        index: bytes | None = None
        for row in await session.scalars(select(DataKey)):
            key = self._master.unwrap(row.wrapped, _context(factory_id, row.number, row.purpose))
            if row.purpose == "column":
                columns[row.number] = key
            else:
                index = key
        if index is None or not columns:
            raise LookupError("this factory has no data keys")
        return self._vaults.setdefault(factory_id, Vault(factory_id, columns, index))

    def make(self, session: AsyncSession, at: datetime) -> None:
        """Give a new factory its first keys."""
        factory_id = factory_of(session)
        for number, purpose in ((1, "column"), (2, "index")):
            wrapped = self._master.wrap(secrets.token_bytes(32), _context(factory_id, number, purpose))
            session.add(
                DataKey(
                    factory_id=factory_id, number=number, purpose=purpose, master_name=self._master.name, wrapped=wrapped, created_at=at
                )
            )


def _context(factory_id: UUID, number: int, purpose: str) -> bytes:
    return f"data-key|{factory_id.hex}|{number}|{purpose}".encode()
