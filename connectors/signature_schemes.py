"""Providers that sign in a way of their own: a keyed hash, RSA or ed25519 over the body, put together from a few words of configuration.

Which keys count is said by a keyring: several at once while a key is changed, each with its days, and none that was revoked.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, model_validator

from connectors.signatures import LONGEST_HEADER, TOLERANCE, SecretError, SignatureRefusedError, hmac_base64, hmac_hex, same

LEAST_RSA_BITS = 2048
SHORTEST_SECRET = 16
_TIMESTAMP = re.compile(r"[0-9]{10}([0-9]{3})?", re.ASCII)
_HASHES: Mapping[str, hashes.HashAlgorithm] = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


class Key(BaseModel):
    """One key and its days. `secret` is text for a keyed hash, a public key in PEM for RSA and ed25519."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    secret: SecretStr
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None
    revoked: bool = False

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, given: object) -> object:
        """A key without days may be written as its text alone."""
        return {"secret": given} if isinstance(given, str | SecretStr) else given

    @model_validator(mode="after")
    def _in_order(self) -> Key:
        if self.valid_from is not None and self.valid_until is not None and self.valid_from >= self.valid_until:
            raise ValueError("valid_until must be after valid_from")
        return self

    def counts(self, at: datetime) -> bool:
        """Whether a message that came at this moment may be proven by this key."""
        started = self.valid_from is None or self.valid_from <= at
        return not self.revoked and started and (self.valid_until is None or at < self.valid_until)


def usable(keys: Iterable[Key], at: datetime) -> list[str]:
    """The keys that count at this moment, as text. None is no error: then nothing can be believed, and every message is refused."""
    return [key.secret.get_secret_value() for key in keys if key.counts(at)]


class Scheme(BaseModel):
    """How one provider signs. `signed` names what is joined by `joined_by` and signed: "body", "timestamp", "method", "path"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["hmac", "rsa-pkcs1", "rsa-pss", "ed25519"] = "hmac"
    algorithm: Literal["sha256", "sha384", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    header: str = Field(pattern=r"^[a-z0-9-]{1,64}$")
    prefix: str = ""  # before the signature, such as "sha256="
    timestamp_header: str | None = Field(default=None, pattern=r"^[a-z0-9-]{1,64}$")
    signed: tuple[Literal["body", "timestamp", "method", "path"], ...] = ("body",)
    joined_by: str = "."

    @model_validator(mode="after")
    def _whole(self) -> Scheme:
        if "body" not in self.signed:
            raise ValueError("signed must hold body, or the body could be anybody's")
        if ("timestamp" in self.signed) != (self.timestamp_header is not None):
            raise ValueError("a timestamp must be signed and have its header, or neither")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What came, before anything is believed. Header names are lower case."""

    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    path: str = ""


def verify_scheme(scheme: Scheme, keys: Iterable[Key], message: Signed, *, now: datetime, tolerance: timedelta = TOLERANCE) -> None:
    """Return if a key that counts now signed the message. Raises SignatureRefusedError, or SecretError for a key that is none."""
    given = message.headers.get(scheme.header, "")
    if not given:
        raise SignatureRefusedError("missing_header")
    if len(given) > LONGEST_HEADER:
        raise SignatureRefusedError("header_too_long")
    stamp = _timestamp(scheme, message.headers)
    content = _content(scheme, message, stamp)
    text = given.removeprefix(scheme.prefix) if given.startswith(scheme.prefix) else ""
    # Each key is tried, without stopping at the first that fits: the time taken tells nothing.
    held = [_holds(scheme, key, content, text) for key in usable(keys, now)]
    if not any(held):
        raise SignatureRefusedError("wrong_signature")
    if stamp:
        _refuse_old(stamp, now, tolerance)


def _timestamp(scheme: Scheme, headers: Mapping[str, str]) -> str:
    if scheme.timestamp_header is None:
        return ""
    stamp = headers.get(scheme.timestamp_header, "")
    if not _TIMESTAMP.fullmatch(stamp):
        raise SignatureRefusedError("bad_timestamp")
    return stamp


def _content(scheme: Scheme, message: Signed, stamp: str) -> bytes:
    texts = {"timestamp": stamp, "method": message.method.upper(), "path": message.path}
    parts: Sequence[bytes] = [message.body if name == "body" else texts[name].encode("utf-8", "surrogatepass") for name in scheme.signed]
    return scheme.joined_by.encode().join(parts)


def _refuse_old(stamp: str, now: datetime, tolerance: timedelta) -> None:
    seconds = int(stamp[:10])
    sent_at = datetime.fromtimestamp(seconds, UTC)
    if abs(now - sent_at) > tolerance:
        raise SignatureRefusedError("stale" if sent_at < now else "future")


def _holds(scheme: Scheme, secret: str, content: bytes, given: str) -> bool:
    if scheme.kind == "hmac":
        if len(secret) < SHORTEST_SECRET:
            raise SecretError(f"the secret must hold {SHORTEST_SECRET} characters at least")
        if scheme.encoding == "hex":
            return same(hmac_hex(secret.encode(), content, scheme.algorithm), given.lower())
        return same(hmac_base64(secret.encode(), content, scheme.algorithm), given)
    key = _public_key(secret)
    try:
        signature = bytes.fromhex(given) if scheme.encoding == "hex" else base64.b64decode(given, validate=True)
        if scheme.kind == "ed25519" and isinstance(key, Ed25519PublicKey):
            key.verify(signature, content)
        elif scheme.kind != "ed25519" and isinstance(key, RSAPublicKey):
            key.verify(signature, content, _padding(scheme), _HASHES[scheme.algorithm])
        else:
            raise SecretError(f"the key is not one of {scheme.kind}; copy the provider's public key again")
    except (InvalidSignature, binascii.Error, ValueError) as error:
        if isinstance(error, SecretError):
            raise
        return False
    return True


def _padding(scheme: Scheme) -> padding.AsymmetricPadding:
    if scheme.kind == "rsa-pkcs1":
        return padding.PKCS1v15()
    # The salt is as long as the hash, as RFC 8017 has it; another length is another signature.
    return padding.PSS(mgf=padding.MGF1(_HASHES[scheme.algorithm]), salt_length=padding.PSS.DIGEST_LENGTH)


def _public_key(pem: str) -> object:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise SecretError("the key is no public key in PEM; copy it again from the provider") from None
    if isinstance(key, RSAPublicKey) and key.key_size < LEAST_RSA_BITS:
        raise SecretError(f"the RSA key has {key.key_size} bits; ask the provider for one of {LEAST_RSA_BITS} at least")
    return key
