"""Signing and verifying messages: Standard Webhooks 1.0.0, and keyed hashes for providers with a scheme of their own.

Verification believes nothing: whatever the headers hold, the answer is a verified message or SignatureRefusedError, in constant time
over the signatures. Source: standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

TOLERANCE = timedelta(minutes=5)  # of the reference library; the specification asks for "some allowable" one
LONGEST_ID = 255
LONGEST_HEADER = 8 * 1024
MOST_SIGNATURES = 8  # rotation needs two; thousands would be an attempt to burn our time
SECRET_BYTES = range(24, 65)

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"

# No dot: the signed content joins id, timestamp and body with dots, so an id with one could stand for another message.
_ID = re.compile(rf"[!-\-/-~]{{1,{LONGEST_ID}}}", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{10}", re.ASCII)


class SecretError(ValueError):
    """A secret or key that cannot be used; the message names the fault, never the secret."""


class SignatureRefusedError(Exception):
    """The message did not prove where it came from. `reason` is a stable word for counting and is not told to the sender."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"signature refused: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedMessage:
    """A message whose signature held. `identification` is the sender's own and the key for recognising it when it comes again."""

    identification: str
    sent_at: datetime


def secret_bytes(secret: str) -> bytes:
    """The key in `whsec_` and base64 (the prefix may be missing). Raises SecretError for anything but 24 to 64 bytes."""
    return _decoded(secret, prefix="whsec_", lengths=SECRET_BYTES)


def sign(secret: str, *, identification: str, timestamp: int, body: bytes) -> str:
    """The `v1` signature of one message, as it stands in the header. Raises SecretError, or ValueError for an id that cannot be signed."""
    return f"v1,{hmac_base64(secret_bytes(secret), _content(_signable(identification), str(timestamp), body))}"


def sign_ed25519(secret: str, *, identification: str, timestamp: int, body: bytes) -> str:
    """The `v1a` signature by a `whsk_` private key of 32 bytes. Raises SecretError, or ValueError for an id that cannot be signed."""
    key = Ed25519PrivateKey.from_private_bytes(_decoded(secret, prefix="whsk_", lengths=range(32, 33)))
    return f"v1a,{base64.b64encode(key.sign(_content(_signable(identification), str(timestamp), body))).decode()}"


def signed_headers(secret: str, *, identification: str, sent_at: datetime, body: bytes) -> dict[str, str]:
    """The three headers for a message that is sent now. Raises as `sign` does."""
    timestamp = int(sent_at.timestamp())
    signature = sign(secret, identification=identification, timestamp=timestamp, body=body)
    return {ID: identification, TIMESTAMP: str(timestamp), SIGNATURE: signature}


def verify(
    headers: Mapping[str, str], body: bytes, *, secrets: Iterable[str], now: datetime, tolerance: timedelta = TOLERANCE
) -> VerifiedMessage:
    """The message, if any of `secrets` signed it within `tolerance` of `now`. Header names are lower case.

    A secret is `whsec_...` (HMAC-SHA256) or `whpk_...` (an ed25519 public key); several at once let a key be changed without a gap.
    Raises SignatureRefusedError for every fault of the message, SecretError for a fault of our own configuration.
    """
    keys = [_key(secret) for secret in secrets]
    if not keys:
        raise SecretError("no secret is configured to verify with; set at least one whsec_ or whpk_ secret")
    identification, timestamp, signatures = _read_headers(headers)
    sent_at = datetime.fromtimestamp(int(timestamp), UTC)
    content = _content(identification, timestamp, body)
    # Each key meets each signature, without stopping at the first that fits: the time taken tells nothing.
    held = [_holds(key, content, version, given) for key in keys for version, given in signatures]
    if not any(held):
        raise SignatureRefusedError("wrong_signature")
    # Only after the signature, so that a stranger learns nothing of our clock.
    if abs(now - sent_at) > tolerance:
        raise SignatureRefusedError("stale" if sent_at < now else "future")
    return VerifiedMessage(identification=identification, sent_at=sent_at)


def hmac_hex(key: bytes, content: bytes, algorithm: str = "sha256") -> str:
    """The keyed hash in lower-case hex, as most gateways write it."""
    return hmac.digest(key, content, algorithm).hex()


def hmac_base64(key: bytes, content: bytes, algorithm: str = "sha256") -> str:
    """The keyed hash in base64."""
    return base64.b64encode(hmac.digest(key, content, algorithm)).decode()


def content_hash_hex(content: bytes, algorithm: str = "sha256") -> str:
    """The hash of a body without a key, for schemes that sign the hash: it proves nothing by itself."""
    return hashlib.new(algorithm, content).hexdigest()


def same(ours: str, theirs: str) -> bool:
    """Whether two signatures are equal, in constant time and for any text at all (a header may hold what is no ASCII)."""
    return hmac.compare_digest(ours.encode("utf-8", "surrogatepass"), theirs.encode("utf-8", "surrogatepass"))


def _decoded(secret: str, *, prefix: str, lengths: range) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(prefix), validate=True)
    except (binascii.Error, ValueError):
        raise SecretError(f"the secret is not {prefix} followed by base64; copy it again from the provider") from None
    if len(key) not in lengths:
        raise SecretError(f"the {prefix} secret must hold {lengths.start} to {lengths.stop - 1} bytes, this one holds {len(key)}")
    return key


def _key(secret: str) -> bytes | Ed25519PublicKey:
    if secret.startswith("whpk_"):
        return Ed25519PublicKey.from_public_bytes(_decoded(secret, prefix="whpk_", lengths=range(32, 33)))
    return secret_bytes(secret)


def is_signable(identification: str) -> bool:
    """Whether this can be a message's id: 1 to 255 visible ASCII characters without a dot."""
    return _ID.fullmatch(identification) is not None


def _signable(identification: str) -> str:
    if not is_signable(identification):
        raise ValueError("a message id is 1 to 255 visible ASCII characters without a dot")
    return identification


def _content(identification: str, timestamp: str, body: bytes) -> bytes:
    return b"%s.%s.%s" % (identification.encode("ascii"), timestamp.encode("ascii"), body)


def _read_headers(headers: Mapping[str, str]) -> tuple[str, str, list[tuple[str, str]]]:
    """Id, timestamp and (version, signature) pairs, each in the one form that the specification allows."""
    identification, timestamp, signature = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not (identification and timestamp and signature):
        raise SignatureRefusedError("missing_header")
    if not _ID.fullmatch(identification):
        raise SignatureRefusedError("bad_id")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise SignatureRefusedError("bad_timestamp")
    if len(signature) > LONGEST_HEADER:
        raise SignatureRefusedError("header_too_long")
    parts = signature.split(" ")
    if len(parts) > MOST_SIGNATURES:
        raise SignatureRefusedError("too_many_signatures")
    pairs = [part.split(",") for part in parts]
    # A part that is not `version,signature` is left aside, as an unknown version is: another part may still hold.
    return identification, timestamp, [(pair[0], pair[1]) for pair in pairs if len(pair) == 2]  # noqa: PLR2004 a pair


def _holds(key: bytes | Ed25519PublicKey, content: bytes, version: str, given: str) -> bool:
    if isinstance(key, bytes):
        return same(hmac_base64(key, content), given) and version == "v1"
    if version != "v1a":
        return False
    try:
        key.verify(base64.b64decode(given, validate=True), content)
    except (InvalidSignature, ValueError):
        return False
    return True
