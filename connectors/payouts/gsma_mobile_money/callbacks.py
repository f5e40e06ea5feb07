"""Callbacks: HTTP PUT to the URL of the batch. The published API leaves their proof to the provider; ours is in the README."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.payouts.contract import (
    PayoutOutcome,
    PayoutStatus,
    ProviderEvent,
    WebhookRefusedError,
    WebhookRequest,
    WebhookUnreadableError,
)
from connectors.payouts.gsma_mobile_money import mapping
from connectors.payouts.gsma_mobile_money.lookups import text_or_none
from connectors.signatures import content_hash_hex, hmac_hex, same

SIGNATURE_HEADER = "x-callback-signature"
CONTENT_HASH_HEADER = "x-content-hash"
LARGEST_CALLBACK = 256 * 1024
_REFERENCE = re.compile(r"[A-Z0-9]{6,64}", re.ASCII)


def read(request: WebhookRequest, secret: str) -> ProviderEvent:
    """The event in a callback. Raises WebhookRefusedError before the body is looked at, WebhookUnreadableError after."""
    if request.method.upper() != "PUT" or len(request.body) > LARGEST_CALLBACK:
        raise WebhookRefusedError
    signed = same(hmac_hex(secret.encode(), request.body), request.headers.get(SIGNATURE_HEADER, "").strip().lower())
    told = request.headers.get(CONTENT_HASH_HEADER)
    whole = told is None or same(content_hash_hex(request.body), told.strip().lower())
    if not (signed and whole):
        raise WebhookRefusedError
    try:
        body = json.loads(request.body, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise WebhookUnreadableError("the callback is not JSON") from None
    if not isinstance(body, Mapping):
        raise WebhookUnreadableError("the callback is no JSON object")
    return _event(request, body)


def _event(request: WebhookRequest, body: Mapping[str, Any]) -> ProviderEvent:
    # A callback has no id of its own, and two batches may be answered with the same bytes: the URL tells them apart.
    event_id = content_hash_hex(request.path.encode() + b"\n" + request.body)
    batch_reference = _batch_reference(request.path, body)
    if mapping.error_of(body) is not None:
        return ProviderEvent(event_id=event_id, kind="failed", batch_reference=batch_reference)
    if "batchId" in body or "batchStatus" in body:
        state = mapping.safe_word(body.get("batchStatus", "unnamed")).lower()
        return ProviderEvent(event_id=event_id, kind=f"batch_{state}", batch_reference=batch_reference)
    if "transactionStatus" in body:
        return ProviderEvent(event_id=event_id, kind="transaction", outcomes=_outcomes(body), batch_reference=batch_reference)
    if "result" in body:
        return ProviderEvent(event_id=event_id, kind="approval", batch_reference=batch_reference)
    raise WebhookUnreadableError("the callback is neither a batch, nor a transaction, nor an error")


def _outcomes(body: Mapping[str, Any]) -> tuple[PayoutOutcome, ...]:
    """The hint of a transaction's callback; none where it does not name our reference or a state we know."""
    reference = text_or_none(body.get("requestingOrganisationTransactionReference"))
    status = mapping.transaction_state(body.get("transactionStatus"))
    if reference is None or status is PayoutStatus.UNKNOWN:
        return ()
    outcome = PayoutOutcome(
        reference=reference,
        status=status,
        provider_reference=text_or_none(body.get("transactionReference")),
        code=mapping.refusal_code(body.get("descriptionText", "")) if status is PayoutStatus.REJECTED else None,
        amount=mapping.read_amount(body.get("amount"), body.get("currency")),
        happened_at=mapping.read_moment(body.get("modificationDate") or body.get("creationDate")),
    )
    return (outcome,)


def _batch_reference(path: str, body: Mapping[str, Any]) -> str | None:
    """Our batch: its title in the signed body, else `batch` in the query or the last part of the callback's own path."""
    parts = urlsplit(path)
    queried = parse_qs(parts.query).get("batch", [""])[0]
    for candidate in (body.get("batchTitle"), queried, parts.path.rsplit("/", 1)[-1]):
        if isinstance(candidate, str) and _REFERENCE.fullmatch(candidate):
            return candidate
    return None
