"""Callbacks of a wallet provider: believed only with its signature."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.payouts.contract import (
    PayoutStatus,
    ProviderEvent,
    WebhookRefusedError,
    WebhookRequest,
    WebhookUnreadableError,
)
from connectors.payouts.gsma_mobile_money import callbacks
from importers.money import USD, Money

SECRET = "the-secret-of-the-contract"


def read(request: WebhookRequest, secret: str) -> ProviderEvent:
    return callbacks.read(request, secret).event


COMPLETED = {"batchId": "BID12345", "batchTitle": "GWBATCH01", "batchStatus": "completed"}


def request(body: object, *, path: str = "/webhooks/gsma_mobile_money/GWBATCH02", secret: str = SECRET) -> WebhookRequest:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    headers = {"x-callback-signature": signature, "x-content-hash": hashlib.sha256(content).hexdigest()}
    return WebhookRequest(method="PUT", path=path, headers=headers, body=content, received_at=datetime.now(UTC))


def test_a_finished_batch_names_itself_by_its_title() -> None:
    event = read(request(COMPLETED), SECRET)
    assert (event.kind, event.batch_reference, event.outcomes) == ("batch_completed", "GWBATCH01", ())


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        # The published compliance cases: `created` as the last word of a one-step batch, errors in either case, a plain success.
        ({"batchId": "BID12345", "batchStatus": "created"}, "batch_created"),
        ({"errorCategory": "Validation", "errorCode": "GenericError"}, "failed"),
        ({"errorCategory": "validation", "errorCode": "formatError"}, "failed"),
        ({"result": "success"}, "approval"),
    ],
)
def test_a_callback_without_a_title_is_told_by_its_url(body: object, kind: str) -> None:
    event = read(request(body), SECRET)
    assert (event.kind, event.batch_reference) == (kind, "GWBATCH02")
    assert read(request(body, path="/webhooks/gsma_mobile_money?batch=GWBATCH07"), SECRET).batch_reference == "GWBATCH07"
    assert read(request(body, path="/webhooks/gsma_mobile_money"), SECRET).batch_reference is None


def test_a_transactions_callback_carries_a_hint() -> None:
    body = {
        "requestingOrganisationTransactionReference": "GW1",
        "transactionReference": "MM1",
        "transactionStatus": "completed",
        "amount": "50",
        "currency": "USD",
    }
    outcome = read(request(body), SECRET).outcomes[0]
    assert (outcome.reference, outcome.status, outcome.amount) == ("GW1", PayoutStatus.PAID, Money(5_000, USD))
    assert read(request(body | {"transactionStatus": "pondering"}), SECRET).outcomes == ()


def test_the_same_bytes_for_two_batches_are_two_events_and_a_repeat_is_one() -> None:
    first, second = request({"result": "success"}), request({"result": "success"}, path="/webhooks/gsma_mobile_money/GWBATCH03")
    assert read(first, SECRET).event_id == read(first, SECRET).event_id
    assert read(first, SECRET).event_id != read(second, SECRET).event_id


@pytest.mark.parametrize(
    "forged",
    [
        request(COMPLETED, secret="another secret of somebody"),
        dataclasses.replace(request(COMPLETED), headers={}),
        dataclasses.replace(request(COMPLETED), method="POST"),
        dataclasses.replace(request(COMPLETED), body=b"{}"),
        dataclasses.replace(request(COMPLETED), headers=dict(request(COMPLETED).headers) | {"x-content-hash": "0" * 64}),
        dataclasses.replace(request(COMPLETED), headers={"x-callback-signature": "\udcffé"}),
        request(b"x" * (256 * 1024 + 1)),
    ],
    ids=["other secret", "no signature", "POST", "other body", "other hash", "no text", "too large"],
)
def test_a_callback_that_proves_nothing_is_refused(forged: WebhookRequest) -> None:
    with pytest.raises(WebhookRefusedError):
        read(forged, SECRET)


@pytest.mark.parametrize("body", [b"", b"no json", b"\xff\xfe", b"[]", b"3", {"hello": "there"}, b"[" * 100_000])
def test_a_signed_callback_without_sense_is_kept_for_a_person(body: object) -> None:
    with pytest.raises(WebhookUnreadableError):
        read(request(body), SECRET)


@given(st.binary(max_size=400), st.dictionaries(st.sampled_from(["x-callback-signature", "x-content-hash"]), st.text(max_size=80)))
def test_no_guess_is_ever_believed(body: bytes, headers: dict[str, str]) -> None:
    guessed = WebhookRequest(method="PUT", path="/", headers=headers, body=body, received_at=datetime.now(UTC))
    with pytest.raises(WebhookRefusedError):
        read(guessed, SECRET)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.dictionaries(
                st.sampled_from(["batchId", "batchTitle", "batchStatus", "transactionStatus", "errorCode", "amount", "currency", "result"]),
                inner,
                max_size=5,
            )
            | st.lists(inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_any_signed_json_is_an_event_or_kept_aside(body: object) -> None:
    try:
        event = read(request(json.dumps(body).encode()), SECRET)
    except WebhookUnreadableError:
        return
    assert event.event_id
