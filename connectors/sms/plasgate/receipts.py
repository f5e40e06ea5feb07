"""Delivery receipts: PlasGate signs nothing, so each message carries a receipt address that only PlasGate was told.

The address holds our reference and a token, HMAC-SHA256 of the reference under our `receipt_secret`. Whoever reports a delivery
must know the token of that very message.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from connectors.sms.contract import ReceiptRefusedError

MOST_RECEIPTS = 10_000  # in one request
_FORM = "application/x-www-form-urlencoded"


def token(secret: str, reference: str) -> str:
    """The proof that belongs to one reference: 32 characters."""
    return urlsafe_b64encode(hmac.digest(secret.encode(), reference.encode(), hashlib.sha256)[:24]).decode()


def receipt_address(receipt_url: str, secret: str, reference: str) -> str:
    """Where PlasGate reports on the message with this reference."""
    joint = "&" if urlsplit(receipt_url).query else "?"
    return f"{receipt_url}{joint}{urlencode({'reference': reference, 'token': token(secret, reference)})}"


def receipts_in(headers: Mapping[str, str], body: bytes, path: str) -> list[dict[str, str]]:
    """The receipts of one request as plain words: a JSON list, a JSON object, a form, or nothing but the query of a GET.

    Raises ReceiptRefusedError for anything else.
    """
    try:
        query = dict(parse_qsl(urlsplit(path).query, keep_blank_values=True, max_num_fields=50))
        content = _content(headers, body)
    except (ValueError, RecursionError):
        raise ReceiptRefusedError("a receipt that is neither JSON nor a form") from None
    entries = content if isinstance(content, list) else [content]
    if len(entries) > MOST_RECEIPTS:
        raise ReceiptRefusedError(f"over {MOST_RECEIPTS} receipts in one request")
    if not all(isinstance(entry, dict) for entry in entries):
        raise ReceiptRefusedError("a receipt that is no JSON object")
    return [{**{str(name): str(value) for name, value in entry.items()}, **query} for entry in entries]


def verified_reference(receipt: Mapping[str, str], secret: str) -> str:
    """Our reference, once the token proves that the sender was told the address. Raises ReceiptRefusedError."""
    reference, proof = receipt.get("reference", ""), receipt.get("token", "")
    if not reference or not hmac.compare_digest(token(secret, reference).encode(), proof.encode("utf-8", "replace")):
        raise ReceiptRefusedError("a receipt without the token of its message")
    return reference


def _content(headers: Mapping[str, str], body: bytes) -> Any:  # noqa: ANN401 whatever JSON holds
    if not body.strip():
        return {}
    if headers.get("content-type", "").split(";")[0].strip().lower() == _FORM:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50))
    return json.loads(body)
