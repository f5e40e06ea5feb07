"""A webhook proves where it comes from, and nothing in its headers can hurt us."""

from __future__ import annotations

import base64
import random
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from connectors.signatures import (
    SecretError,
    SignatureRefusedError,
    content_hash_hex,
    hmac_base64,
    hmac_hex,
    same,
    sign,
    sign_ed25519,
    signed_headers,
    verify,
)

# The vector of the reference library (standard-webhooks, libraries/python/tests/test_webhooks.py).
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, SENT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = datetime.fromtimestamp(SENT, UTC)
OTHER = "whsec_" + base64.b64encode(b"another secret of 32 bytes long!").decode()


def headers(**changed: str) -> dict[str, str]:
    given = {"webhook-id": ID, "webhook-timestamp": str(SENT), "webhook-signature": SIGNATURE}
    return given | {f"webhook-{name}": value for name, value in changed.items()}


def refused(given: dict[str, str], body: bytes = BODY, now: datetime = NOW, secrets: tuple[str, ...] = (SECRET,)) -> str:
    with pytest.raises(SignatureRefusedError) as caught:
        verify(given, body, secrets=secrets, now=now)
    return caught.value.reason


def test_the_published_vector_holds() -> None:
    assert sign(SECRET, identification=ID, timestamp=SENT, body=BODY) == SIGNATURE
    message = verify(headers(), BODY, secrets=[SECRET], now=NOW)
    assert (message.identification, message.sent_at) == (ID, NOW)
    assert signed_headers(SECRET, identification=ID, sent_at=NOW, body=BODY) == headers()


def test_the_prefix_of_a_secret_may_be_missing() -> None:
    verify(headers(), BODY, secrets=[SECRET.removeprefix("whsec_")], now=NOW)


@pytest.mark.parametrize("name", ["id", "timestamp", "signature"])
def test_a_missing_header_is_refused(name: str) -> None:
    given = headers()
    del given[f"webhook-{name}"]
    assert refused(given) == "missing_header"
    assert refused(headers(**{name: ""})) == "missing_header"


@pytest.mark.parametrize(
    ("minutes", "seconds", "reason"), [(5, 1, "stale"), (4, 59, None), (-4, -59, None), (-5, -1, "future"), (60 * 24, 0, "stale")]
)
def test_a_message_is_believed_five_minutes_around_its_time(minutes: int, seconds: int, reason: str | None) -> None:
    now = NOW + timedelta(minutes=minutes, seconds=seconds)
    if reason is None:
        verify(headers(), BODY, secrets=[SECRET], now=now)
    else:
        assert refused(headers(), now=now) == reason


def test_a_key_is_changed_without_a_gap_and_then_taken_away() -> None:
    new = sign(OTHER, identification=ID, timestamp=SENT, body=BODY)
    verify(headers(signature=f"v1,bm9wZQ== {new} {SIGNATURE}"), BODY, secrets=[SECRET], now=NOW)
    verify(headers(signature=new), BODY, secrets=[SECRET, OTHER], now=NOW)
    assert refused(headers(signature=SIGNATURE), secrets=(OTHER,)) == "wrong_signature"


def test_an_ed25519_signature_holds_by_the_public_key_alone() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    private = "whsk_" + base64.b64encode(key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())).decode()
    public = "whpk_" + base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    signature = sign_ed25519(private, identification=ID, timestamp=SENT, body=BODY)
    verify(headers(signature=signature), BODY, secrets=[public], now=NOW)
    verify(headers(signature=f"{SIGNATURE} {signature}"), BODY, secrets=[public, SECRET], now=NOW)
    assert refused(headers(signature=signature), b"other", secrets=(public,)) == "wrong_signature"
    assert refused(headers(), secrets=(public,)) == "wrong_signature"
    assert refused(headers(signature="v1a,@@@"), secrets=(public,)) == "wrong_signature"


def test_an_id_cannot_stand_for_another_message() -> None:
    """`a` with the body `1614265330.{}` signs the same bytes as `a.1614265330` with the body `{}`."""
    body = f"{SENT}.{{}}".encode()
    signature = sign(SECRET, identification="a", timestamp=SENT, body=body)
    verify(headers(id="a", signature=signature), body, secrets=[SECRET], now=NOW)
    assert refused(headers(id=f"a.{SENT}", signature=signature), b"{}") == "bad_id"
    with pytest.raises(ValueError, match="without a dot"):
        sign(SECRET, identification="a.b", timestamp=SENT, body=BODY)


HOSTILE = [
    {"signature": "v1"},
    {"signature": "v1,a,b"},
    {"signature": "v1,  v1,"},
    {"signature": " "},
    {"signature": ",,,,"},
    {"signature": "v2," + SIGNATURE[3:]},
    {"signature": "v1a," + SIGNATURE[3:]},
    {"signature": SIGNATURE[3:]},
    {"signature": SIGNATURE[:-4]},
    {"signature": "v1,ភាសាខ្មែរ"},
    {"signature": "v1,\ud800"},
    {"signature": "v1,\x00"},
    {"signature": " ".join([SIGNATURE] * 9)},
    {"signature": " ".join(["v1,x"] * 10_000)},
    {"signature": "v1," + "A" * 9_000},
    {"timestamp": f"{SENT}.9"},
    {"timestamp": "1.6e9"},
    {"timestamp": f"{SENT} "},
    {"timestamp": f"+{SENT}"},
    {"timestamp": "16_1426533"},
    {"timestamp": "-614265330"},
    {"timestamp": "१६१४२६५३३०"},
    {"timestamp": "9" * 400},
    {"timestamp": "9999999999"},
    {"timestamp": "0000000000"},
    {"timestamp": "NaN"},
    {"id": "a.b"},
    {"id": "a\nb"},
    {"id": "a b"},
    {"id": "é"},
    {"id": "x" * 256},
    {"id": "\ud800"},
]


@pytest.mark.parametrize("changed", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_headers_are_refused_and_nothing_else(changed: dict[str, str]) -> None:
    refused(headers(**changed))


def test_a_body_of_any_bytes_can_be_verified() -> None:
    body = bytes(range(256))
    verify(signed_headers(SECRET, identification="m", sent_at=NOW, body=body), body, secrets=[SECRET], now=NOW)


def test_no_forgery_of_ten_thousand_is_accepted() -> None:
    lots = random.Random(20261122)  # noqa: S311 seeded mutations, no secret
    for _ in range(10_000):
        given, body = headers(), bytearray(BODY)
        place = lots.choice(["body", *given])
        if place == "body":
            body[lots.randrange(len(body))] ^= 1 << lots.randrange(8)
        else:
            text = given[place]
            at = lots.randrange(3 if place == "webhook-signature" else 0, len(text) - (2 if place == "webhook-signature" else 0))
            given[place] = text[:at] + chr(ord(text[at]) ^ 1 << lots.randrange(7)) + text[at + 1 :]
        refused(given, bytes(body))


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=80), st.binary(max_size=40))
def test_whatever_comes_is_refused(identification: str, timestamp: str, signature: str, body: bytes) -> None:
    refused({"webhook-id": identification, "webhook-timestamp": timestamp, "webhook-signature": signature}, body)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_%%%", "whsec_c2hvcnQ=", "whsec_" + "A" * 88, "whpk_AAAA"])
def test_a_secret_that_cannot_be_one_is_our_own_fault_and_is_not_shown(secret: str) -> None:
    with pytest.raises(SecretError) as caught:
        verify(headers(), BODY, secrets=[secret], now=NOW)
    assert secret.rpartition("_")[2] not in str(caught.value) or secret == "whsec_"


def test_without_a_secret_nothing_is_believed() -> None:
    with pytest.raises(SecretError):
        verify(headers(), BODY, secrets=[], now=NOW)


def test_keyed_hashes_are_the_known_ones() -> None:
    # RFC 4231, test case 2, and the SHA-256 of nothing.
    key, content = b"Jefe", b"what do ya want for nothing?"
    assert hmac_hex(key, content) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert base64.b64decode(hmac_base64(key, content)).hex() == hmac_hex(key, content)
    assert content_hash_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert same("a\ud800", "a\ud800")
    assert not same("a", "ab")
