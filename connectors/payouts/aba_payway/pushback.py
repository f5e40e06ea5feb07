"""Pushbacks: POST to the address in the merchant's profile, signed over its values in X-PayWay-HMAC-SHA512."""

from __future__ import annotations

import json

from connectors.payouts.aba_payway.sealing import pushback_hash
from connectors.payouts.contract import (
    PayoutOutcome,
    PayoutStatus,
    ProviderEvent,
    WebhookRefusedError,
    WebhookRequest,
    WebhookUnreadableError,
)
from connectors.signatures import content_hash_hex, same

SIGNATURE_HEADER = "x-payway-hmac-sha512"
LARGEST_PUSHBACK = 64 * 1024
_LONGEST_REFERENCE = 20


def read(request: WebhookRequest, api_key: str) -> ProviderEvent:
    """The event in a pushback. Raises WebhookRefusedError, or WebhookUnreadableError for a signed one without a transaction.

    The signature covers the values and not the bytes, so nothing is believed but the reference, which is looked up. Bytes around the
    JSON, and a name that comes twice, would be outside of the signature: they are refused.
    """
    if request.method.upper() != "POST" or len(request.body) > LARGEST_PUSHBACK or request.body != request.body.strip():
        raise WebhookRefusedError
    try:
        body = json.loads(request.body, parse_float=str, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise WebhookRefusedError from None
    if not isinstance(body, dict) or not same(pushback_hash(api_key, body), request.headers.get(SIGNATURE_HEADER, "").strip()):
        raise WebhookRefusedError
    reference = body.get("tran_id")
    if not isinstance(reference, str) or not 0 < len(reference) <= _LONGEST_REFERENCE:
        raise WebhookUnreadableError("the pushback names no transaction")
    # PayWay documents `status` 0 for a payment that was made, and nothing else. Either word is only a reason to ask.
    made = str(body.get("status")) in {"0", "00"}
    hint = PayoutOutcome(reference=reference, status=PayoutStatus.PAID if made else PayoutStatus.REJECTED)
    return ProviderEvent(event_id=content_hash_hex(request.body), kind="pushback", outcomes=(hint,))


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name comes twice")
    return dict(pairs)
