"""PayWay's two proofs: what only ABA may read is encrypted with its RSA key, and every request carries a keyed hash.

Encryption follows PHP's `openssl_public_encrypt` in a loop: PKCS #1 v1.5, in pieces of the key's size less eleven bytes (117 for the
1024-bit keys that PayWay hands out), joined and written in base64.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from connectors.signatures import hmac_base64, hmac_hex

_PADDING_BYTES = 11
_ALGORITHM = "sha512"


def seal(key: RSAPublicKey, text: str) -> str:
    """The text for the holder of the private key alone."""
    content, size = text.encode(), key.key_size // 8 - _PADDING_BYTES
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    return base64.b64encode(b"".join(key.encrypt(piece, PKCS1v15()) for piece in pieces)).decode()


def unseal(key: RSAPrivateKey, sealed: str) -> str:
    """What was sealed. Raises ValueError for anything else. Only a simulator holds such a key."""
    content, size = base64.b64decode(sealed, validate=True), key.key_size // 8
    if not content or len(content) % size:
        raise ValueError("not sealed for this key")
    return b"".join(key.decrypt(content[start : start + size], PKCS1v15()) for start in range(0, len(content), size)).decode()


def hash_base64(api_key: str, *parts: str) -> str:
    """HMAC-SHA512 over the parts one after the other, in base64."""
    return hmac_base64(api_key.encode(), "".join(parts).encode(), _ALGORITHM)


def hash_hex(api_key: str, *parts: str) -> str:
    """The same in lower-case hex, which the payout alone asks for."""
    return hmac_hex(api_key.encode(), "".join(parts).encode(), _ALGORITHM)


def pushback_hash(api_key: str, body: Mapping[str, object]) -> str:
    """What X-PayWay-HMAC-SHA512 holds: the values in the order of their names, lists and objects as JSON, in base64."""
    return hash_base64(api_key, *(_written(body[name]) for name in sorted(body)))


def _written(value: object) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if isinstance(value, dict | list) else str(value)
