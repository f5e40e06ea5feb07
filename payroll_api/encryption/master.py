"""The master key, which lies outside the database and wraps each factory's data keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from payroll_api.errors import ConfigurationError

_NONCE = 12


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A key-encryption key: 256 bits and the name under which wrapped keys remember it."""

    name: str
    secret: bytes = field(repr=False)

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """`key` encrypted under this one, bound to `context`."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self.secret).encrypt(nonce, key, context)

    def derive(self, purpose: bytes) -> bytes:
        """A 256-bit secret for one purpose, which does not tell the master key."""
        return hmac.digest(self.secret, b"derive|" + purpose, hashlib.sha256)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The key that was wrapped. Raises ConfigurationError when this is not the key it was wrapped with."""
        try:
            return AESGCM(self.secret).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], context)
        except InvalidTag:
            raise ConfigurationError(
                f"The master key {self.name} does not open this database's keys. Restore the key file that belongs to it"
                " (PAYROLL_KEY_FILE); without it personal data cannot be read."
            ) from None


def load(path: Path, *, create: bool) -> MasterKey:
    """The master key in `path`; with `create`, a new one when the file is absent. Raises ConfigurationError."""
    try:
        content = json.loads(path.read_text())
        return MasterKey(name=content["name"], secret=base64.b64decode(content["secret"], validate=True))
    except FileNotFoundError:
        if not create:
            raise ConfigurationError(f"There is no master key at {path}. Set PAYROLL_KEY_FILE, or run `payroll migrate`.") from None
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(f"{path} is not a master key file. Restore it from your backup of keys.") from None
    key = MasterKey(name=f"master-{secrets.token_hex(4)}", secret=secrets.token_bytes(32))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"name": key.name, "secret": base64.b64encode(key.secret).decode()}, file)
    return key
