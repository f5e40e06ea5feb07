"""Providers with a way of their own to sign, and keys that are changed, run out and are revoked."""

from __future__ import annotations

import base64
import random
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.signature_schemes import Key, Scheme, Signed, usable, verify_scheme
from connectors.signatures import SecretError, SignatureRefusedError, hmac_base64, hmac_hex

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
SECRET, BODY = "a secret that two agreed on", b'{"status":"paid"}'
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED = Ed25519PrivateKey.generate()
PLAIN = Scheme(header="x-signature")
PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


def pem(private: rsa.RSAPrivateKey | Ed25519PrivateKey) -> str:
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def b64(signature: bytes) -> str:
    return base64.b64encode(signature).decode()


def refused(scheme: Scheme, message: Signed, *secrets: str, now: datetime = NOW) -> str:
    with pytest.raises(SignatureRefusedError) as caught:
        verify_scheme(scheme, [Key.model_validate(secret) for secret in secrets], message, now=now)
    return caught.value.reason


STAMPED = Scheme(header="x-signature", timestamp_header="x-time", signed=("timestamp", "method", "path", "body"), joined_by="\n")
TRUE = {
    "keyed hash, hex": (PLAIN, SECRET, {"x-signature": hmac_hex(SECRET.encode(), BODY)}),
    "keyed hash, base64, SHA-512": (
        Scheme(header="x-signature", algorithm="sha512", encoding="base64"), SECRET,
        {"x-signature": hmac_base64(SECRET.encode(), BODY, "sha512")},
    ),
    "with a prefix": (Scheme(header="x-sig", prefix="sha256="), SECRET, {"x-sig": f"sha256={hmac_hex(SECRET.encode(), BODY)}"}),
    "time, method and path signed too": (
        STAMPED, SECRET, {"x-time": STAMP, "x-signature": hmac_hex(SECRET.encode(), f"{STAMP}\nPOST\n/hooks\n".encode() + BODY)},
    ),
    "RSA, PKCS 1": (
        Scheme(header="x-signature", kind="rsa-pkcs1", encoding="base64"), pem(RSA),
        {"x-signature": b64(RSA.sign(BODY, padding.PKCS1v15(), hashes.SHA256()))},
    ),
    "RSA, PSS": (
        Scheme(header="x-signature", kind="rsa-pss", encoding="base64"), pem(RSA),
        {"x-signature": b64(RSA.sign(BODY, PSS, hashes.SHA256()))},
    ),
    "ed25519": (Scheme(header="x-signature", kind="ed25519"), pem(ED), {"x-signature": ED.sign(BODY).hex()}),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUE)
def test_a_true_signature_holds_and_one_over_another_body_does_not(name: str) -> None:
    scheme, secret, headers = TRUE[name]
    message = Signed(headers=headers, body=BODY, path="/hooks")
    verify_scheme(scheme, [Key.model_validate(secret)], message, now=NOW)
    assert refused(scheme, Signed(headers=headers, body=BODY + b" ", path="/hooks"), secret) == "wrong_signature"
    assert refused(scheme, Signed(headers={}, body=BODY, path="/hooks"), secret) == "missing_header"
    assert refused(scheme, message) == "wrong_signature"  # no key at all


def test_a_key_is_changed_with_an_overlap_runs_out_and_is_revoked() -> None:
    old = Key.model_validate({"secret": SECRET, "valid_until": NOW + timedelta(days=7)})
    new = Key.model_validate({"secret": "the new secret of both", "valid_from": NOW})
    assert usable([old, new], NOW - timedelta(seconds=1)) == [SECRET]
    assert usable([old, new], NOW) == [SECRET, "the new secret of both"]
    assert usable([old, new], NOW + timedelta(days=7)) == ["the new secret of both"]
    assert usable([old.model_copy(update={"revoked": True}), new], NOW) == ["the new secret of both"]
    message = Signed(headers={"x-signature": hmac_hex(SECRET.encode(), BODY)}, body=BODY)
    verify_scheme(PLAIN, [old, new], message, now=NOW)
    for keys, now in (([old.model_copy(update={"revoked": True}), new], NOW), ([old, new], NOW + timedelta(days=7))):
        with pytest.raises(SignatureRefusedError):
            verify_scheme(PLAIN, keys, message, now=now)
    assert SECRET not in repr(old)


@pytest.mark.parametrize(("seconds", "reason"), [(301, "stale"), (-301, "future"), (299, None), (-299, None)])
def test_a_signed_time_is_believed_five_minutes_around(seconds: int, reason: str | None) -> None:
    scheme, secret, headers = TRUE["time, method and path signed too"]
    message, now = Signed(headers=headers, body=BODY, path="/hooks"), NOW + timedelta(seconds=seconds)
    if reason is None:
        verify_scheme(scheme, [Key.model_validate(secret)], message, now=now)
    else:
        assert refused(scheme, message, secret, now=now) == reason


def test_configurations_that_prove_nothing_are_refused() -> None:
    for wrong in (
        {"signed": ["timestamp"], "timestamp_header": "x-time"},
        {"timestamp_header": "x-time"},
        {"signed": ["body", "timestamp"]},
    ):
        with pytest.raises(ValidationError):
            Scheme.model_validate({"header": "x-signature", **wrong})
    with pytest.raises(ValidationError):
        Key.model_validate({"secret": SECRET, "valid_from": NOW, "valid_until": NOW})
    message = Signed(headers={"x-signature": "00"}, body=BODY)
    weak = pem(rsa.generate_private_key(public_exponent=65537, key_size=1024))  # noqa: S505 too short on purpose
    for kind, secret, said in (
        ("rsa-pss", weak, "1024 bits"),
        ("rsa-pss", "no key", "PEM"),
        ("ed25519", pem(RSA), "not one of"),
        ("hmac", "short", "16"),
    ):
        with pytest.raises(SecretError, match=said):
            verify_scheme(Scheme.model_validate({"header": "x-signature", "kind": kind}), [Key.model_validate(secret)], message, now=NOW)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(TRUE)), st.text(max_size=60), st.text(max_size=20), st.binary(max_size=40))
def test_whatever_comes_is_refused_and_nothing_else_is_raised(name: str, signature: str, stamp: str, body: bytes) -> None:
    scheme, secret, _ = TRUE[name]
    refused(scheme, Signed(headers={scheme.header: signature, "x-time": stamp}, body=body), secret)


def test_no_mutation_of_a_true_message_is_accepted() -> None:
    lots = random.Random(20261130)  # noqa: S311 seeded mutations, no secret
    for number in range(2_000):
        scheme, secret, headers = TRUE[lots.choice(sorted(TRUE))]
        changed, body = dict(headers), bytearray(BODY)
        if number % 2:
            body[lots.randrange(len(body))] ^= 1 << lots.randrange(8)
        else:
            text = changed[scheme.header]
            place = lots.randrange(len(scheme.prefix), len(text) - 3)
            changed[scheme.header] = text[:place] + chr(ord(text[place]) ^ 1 << lots.randrange(5)) + text[place + 1 :]
            if changed[scheme.header].lower() == text.lower() and scheme.encoding == "hex":
                continue
        refused(scheme, Signed(headers=changed, body=bytes(body), path="/hooks"), secret)
