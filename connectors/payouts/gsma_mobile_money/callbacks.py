"""Callbacks: HTTP PUT to the address of one request. The published API gives them no proof; the two that we ask for are in the README."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from connectors.payouts.contract import (
    PayoutOutcome,
    PayoutStatus,
    ProviderEvent,
    WebhookProof,
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
_PROOF_LETTERS = 32  # of the keyed hash's 64: nobody guesses 128 bits
_REFUSED_STATUS = 400  # of an error that comes by callback, which has no HTTP status of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A callback that proved itself. `reference` is the request's own (an order's, or its batch's); `resource` the provider's id for it."""

    event: ProviderEvent
    reference: str | None
    resource: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    """What the callback's own address says, and whether we made it."""

    batch: str | None
    order: str | None
    is_ours: bool


def address(url: str, secret: str, batch: str, order: str | None = None) -> str:
    """The callback address of one request: the batch's own, with what the request is and a proof that we wrote it."""
    said = {"batch": batch} | ({"order": order} if order is not None else {})
    return f"{url}{'&' if '?' in url else '?'}{urlencode({**said, 'proof': _proof(secret, batch, order)})}"


def read(request: WebhookRequest, secret: str, proof: WebhookProof = WebhookProof.SIGNATURE) -> Callback:
    """The event in a callback. Raises WebhookRefusedError before the body is looked at, WebhookUnreadableError after.

    A signature that comes must hold; by `proof` it must come, or the address must be one that we made for the request.
    """
    if request.method.upper() != "PUT" or len(request.body) > LARGEST_CALLBACK:
        raise WebhookRefusedError
    told = _address(request.path, secret)
    signature, whole = request.headers.get(SIGNATURE_HEADER), request.headers.get(CONTENT_HASH_HEADER)
    signed = signature is not None and same(hmac_hex(secret.encode(), request.body), signature.strip().lower())
    intact = whole is None or same(content_hash_hex(request.body), whole.strip().lower())
    by_address = proof is WebhookProof.ADDRESS and signature is None and told.is_ours
    if not (intact and (signed or by_address)):
        raise WebhookRefusedError
    try:
        body = json.loads(request.body, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise WebhookUnreadableError("the callback is not JSON") from None
    if not isinstance(body, Mapping):
        raise WebhookUnreadableError("the callback is no JSON object")
    return _callback(request, body, told)


def _proof(secret: str, batch: str, order: str | None) -> str:
    return hmac_hex(secret.encode(), f"callback address\n{batch}\n{order or ''}".encode())[:_PROOF_LETTERS]


def _address(path: str, secret: str) -> _Address:
    parts = urlsplit(path)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    last = parts.path.rsplit("/", 1)[-1]
    batch, order = query.get("batch", ""), query.get("order")
    is_ours = bool(batch) and same(_proof(secret, batch, order), query.get("proof", ""))
    known = next((name for name in (batch, last) if _REFERENCE.fullmatch(name)), None)
    return _Address(batch=known, order=order if is_ours else None, is_ours=is_ours)


def _callback(request: WebhookRequest, body: Mapping[str, Any], told: _Address) -> Callback:
    # A callback has no id of its own, and two batches may be answered with the same bytes: the address tells them apart.
    event_id = content_hash_hex(request.path.encode(errors="surrogatepass") + b"\n" + request.body)
    title = body.get("batchTitle")
    # An address that we made is a better word than the body's.
    batch = told.batch if told.is_ours or not (isinstance(title, str) and _REFERENCE.fullmatch(title)) else title
    kind, outcomes, resource = _said(body, told.order)
    event = ProviderEvent(event_id=event_id, kind=kind, outcomes=outcomes, batch_reference=batch)
    return Callback(event=event, reference=told.order or batch, resource=resource)


def _said(body: Mapping[str, Any], order: str | None) -> tuple[str, tuple[PayoutOutcome, ...], str | None]:
    """What kind of word it is, hints on orders, and the provider's id of the request's resource."""
    error = mapping.error_of(body)
    if error is not None:
        return "failed", _refusal(order, error), None
    if "batchId" in body or "batchStatus" in body:
        state = mapping.safe_word(body.get("batchStatus", "unnamed")).lower()
        return f"batch_{state}", (), text_or_none(body.get("batchId"))
    if str(body.get("type", "")).lower() in {"reversal", "adjustment"}:
        return "reversal", (), None  # of a payment that was made: it is looked up
    if "transactionStatus" in body:
        resource = text_or_none(body.get("transactionReference")) if order is not None else None
        return "transaction", _outcomes(body, order), resource
    if "result" in body:
        return "approval", (), None
    raise WebhookUnreadableError("the callback is neither a batch, nor a transaction, nor an error")


def _refusal(order: str | None, error: tuple[str, str]) -> tuple[PayoutOutcome, ...]:
    """The hint of an error, where it is one of those that prove that nothing was paid."""
    status, code, detail = mapping.judge_error(error, _REFUSED_STATUS)
    if order is None or status is not PayoutStatus.REJECTED:
        return ()
    return (PayoutOutcome(reference=order, status=status, code=code, detail=detail.replace(f"answered {_REFUSED_STATUS}", "called back")),)


def _outcomes(body: Mapping[str, Any], order: str | None) -> tuple[PayoutOutcome, ...]:
    """The hint of a transaction's callback; none where it names another order than its address, or no state we know."""
    named = text_or_none(body.get("requestingOrganisationTransactionReference"))
    reference = order or named
    status = mapping.transaction_state(body.get("transactionStatus"))
    if reference is None or named not in {None, reference} or status is PayoutStatus.UNKNOWN:
        return ()
    outcome = PayoutOutcome(
        reference=reference,
        status=status,
        provider_reference=text_or_none(body.get("transactionReference")),
        code=mapping.refusal_code(body.get("descriptionText", "")) if status is PayoutStatus.REJECTED else None,
        amount=mapping.read_amount(body.get("amount"), body.get("currency")),
        account=mapping.read_payee(body),
        happened_at=mapping.read_moment(body.get("modificationDate") or body.get("creationDate")),
    )
    return (outcome,)
