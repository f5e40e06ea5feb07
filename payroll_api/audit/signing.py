"""The key that signs the chain's heads, and the file outside the database that remembers them."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from payroll_api.encryption.master import MasterKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A signed head: what a factory's chain was when it had `size` events."""

    factory: str
    number: int
    size: int
    head: str  # hex
    key_id: str
    signature: str  # base64

    @property
    def note(self) -> bytes:
        """The bytes that are signed."""
        return f"garment-wages/{self.factory}\n{self.number}\n{self.size}\n{self.head}\n".encode()


class Signer:
    """Signs heads with a key derived from the master key."""

    def __init__(self, master: MasterKey) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(master.derive(b"audit-signing"))
        self.public = self._key.public_key()
        raw = self.public.public_bytes_raw()
        self.key_id = base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def sign(self, *, factory: str, number: int, size: int, head: bytes) -> Checkpoint:
        """The checkpoint of a head."""
        unsigned = Checkpoint(factory=factory, number=number, size=size, head=head.hex(), key_id=self.key_id, signature="")
        signature = base64.b64encode(self._key.sign(unsigned.note)).decode()
        return Checkpoint(factory=factory, number=number, size=size, head=head.hex(), key_id=self.key_id, signature=signature)


def signed_well(checkpoint: Checkpoint, key_id: str) -> bool:
    """Whether `checkpoint` was signed by the key named `key_id` (the pinned one, not the one the checkpoint claims)."""
    try:
        raw = base64.urlsafe_b64decode(key_id + "=" * (-len(key_id) % 4))
        Ed25519PublicKey.from_public_bytes(raw).verify(base64.b64decode(checkpoint.signature), checkpoint.note)
    except (InvalidSignature, ValueError):
        return False
    return checkpoint.key_id == key_id


def append(path: Path, checkpoint: Checkpoint) -> None:
    """Remember a checkpoint outside the database, on disk before this returns."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    line = json.dumps({name: getattr(checkpoint, name) for name in Checkpoint.__slots__}) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remembered(path: Path) -> list[Checkpoint]:
    """The checkpoints in a file; none if there is no file. A line that is not one is skipped: the chain check then misses it."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text().splitlines():
        try:
            found.append(Checkpoint(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return found
