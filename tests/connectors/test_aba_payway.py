"""ABA PayWay: sealed as ABA reads it, paid once, and nothing believed that ABA did not say."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from connectors.json_http import NoAnswer, read_answer
from connectors.payouts import conformance
from connectors.payouts import conformance_profile as claims
from connectors.payouts.aba_payway import mapping
from connectors.payouts.aba_payway.config import AbaPaywayConfig
from connectors.payouts.aba_payway.connector import build
from connectors.payouts.aba_payway.sealing import pushback_hash, seal, unseal
from connectors.payouts.aba_payway.under_test import API_KEY, KEY_BITS, MERCHANT_ID, SimulatedPayway, under_test
from connectors.payouts.contract import (
    Connector,
    Destination,
    DestinationKind,
    NameMatch,
    PayoutBatch,
    PayoutOrder,
    PayoutStatus,
    WebhookRefusedError,
    WebhookRequest,
    WebhookUnreadableError,
)
from connectors.payouts.registry import ConnectorConfigError
from connectors.payouts.registry import build as registered
from importers.money import KHR, USD, Money
from importers.statements.contract import Direction
from importers.statements.read import read_statement

KEY = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
DAY = date(2026, 11, 30)


@pytest.fixture
async def bench() -> AsyncIterator[tuple[Connector, SimulatedPayway]]:
    async with under_test() as pair:
        yield pair


def config(**changes: Any) -> AbaPaywayConfig:
    given = {"merchant_id": MERCHANT_ID, "api_key": API_KEY, "rsa_public_key": PEM, "currency": "USD"} | changes
    return AbaPaywayConfig.model_validate(given)


def order(provider: SimulatedPayway, number: int, amount: Money | None = None, *, bank: str | None = None) -> PayoutOrder:
    good = provider.good(number)
    to = Destination(kind=good.kind, account=good.account, holder=good.holder, bank=bank)
    return PayoutOrder(reference=f"GW1ABCDEFGH{number:09d}", amount=amount or Money(21_050, USD), destination=to, purpose="Wages 2026-11")


def batch(*orders: PayoutOrder) -> PayoutBatch:
    return PayoutBatch(reference="GB1ABCDEFGH000000000", orders=orders, execute_on=DAY)


async def test_payway_keeps_its_claims() -> None:
    async with under_test() as (connector, provider):
        findings = await conformance.check(connector, provider)
    assert conformance.report(conformance.failures(findings)) == ""
    assert len(findings) > 38


async def test_payway_keeps_its_claims_in_riel_with_the_hash_in_base64() -> None:
    async with under_test(currency="KHR", payout_hash="base64", usd_amounts="shortest", batch_size=10) as (connector, provider):
        findings = await conformance.check(connector, provider, scenarios=[claims.pays_what_was_ordered, claims.keeps_limits])
    assert conformance.report(conformance.failures(findings)) == ""


@given(text=st.text(max_size=500).filter(bool))
def test_what_is_sealed_in_pieces_opens_again_whole(text: str) -> None:
    assert unseal(KEY, seal(KEY.public_key(), text)) == text


def test_a_piece_is_117_bytes_for_the_keys_that_payway_hands_out() -> None:
    assert len(base64.b64decode(seal(KEY.public_key(), "x" * 117))) == 128
    assert len(base64.b64decode(seal(KEY.public_key(), "x" * 118))) == 256


def test_a_pushback_is_signed_over_its_values_in_the_order_of_their_names() -> None:
    # Written out by hand, as PayWay's page describes it: apv, return_params, status, tran_id.
    by_hand = hmac.new(b"key", b"000011" + b'{"a":1}' + b"0" + b"1632300046", hashlib.sha512).digest()
    body = {"tran_id": "1632300046", "apv": "000011", "status": 0, "return_params": {"a": 1}}
    assert pushback_hash("key", body) == base64.b64encode(by_hand).decode()


@pytest.mark.parametrize(
    ("amount", "written", "two", "shortest"),
    [
        (Money(21_050, USD), "210.5", "210.50", "210.5"),
        (Money(21_000, USD), "210", "210.00", "210"),
        (Money(842_000, KHR),) + ("842000",) * 3,
    ],
)
def test_riel_have_no_decimals_and_dollars_two_or_as_few_as_there_are(amount: Money, written: str, two: str, shortest: str) -> None:
    assert mapping.amount_text(amount, config()) == two
    assert mapping.amount_text(amount, config(usd_amounts="shortest")) == shortest == written


async def test_each_worker_is_a_transaction_of_her_own_and_is_paid_her_own_amount(bench: tuple[Connector, SimulatedPayway]) -> None:
    connector, provider = bench
    outcomes = await connector.submit(batch(order(provider, 1), order(provider, 2, Money(18_799, USD))))
    assert [outcome.status for outcome in outcomes] == [PayoutStatus.PAID] * 2
    assert [(line.reference[-1], line.account, line.amount.minor) for line in await provider.journal()] == [
        ("1", provider.account(1), 21_050),
        ("2", provider.account(2), 18_799),
    ]


async def test_only_accounts_at_aba_are_paid(bench: tuple[Connector, SimulatedPayway]) -> None:
    connector, provider = bench
    outcomes = await connector.submit(batch(order(provider, 1, bank="ACLEDA"), order(provider, 2, bank="aba bank")))
    assert [(outcome.status, outcome.code) for outcome in outcomes] == [(PayoutStatus.REJECTED, "invalid_order"), (PayoutStatus.PAID, None)]
    elsewhere = Destination(kind=DestinationKind.BANK_ACCOUNT, account="000100001", holder="Sok Dara 1", bank="WING")
    assert (await connector.check_destination(elsewhere)).exists is None


async def test_an_account_that_stands_in_the_whitelist_already_still_tells_whose_it_is(bench: tuple[Connector, SimulatedPayway]) -> None:
    connector, provider = bench
    first, again = await connector.check_destination(provider.good(7)), await connector.check_destination(provider.good(7))
    assert (first.name_match, again.name_match) == (NameMatch.MATCH, NameMatch.MATCH)


async def test_an_account_that_is_not_whitelisted_is_refused_by_payway_and_not_paid() -> None:
    async with under_test(whitelist_first=False) as (connector, provider):
        outcomes = await connector.submit(batch(order(provider, 1)))
        assert [(outcome.status, outcome.code) for outcome in outcomes] == [(PayoutStatus.REJECTED, "invalid_order")]
        assert await provider.journal() == []


async def test_a_payout_under_a_wrong_key_moves_nothing() -> None:
    async with under_test(api_key="another-key") as (connector, provider):
        outcomes = await connector.submit(batch(order(provider, 1)))
        assert [outcome.status for outcome in outcomes] == [PayoutStatus.REJECTED]
        assert await provider.journal() == []


async def test_money_that_came_back_is_returned_and_its_statement_shows_both_ways(bench: tuple[Connector, SimulatedPayway]) -> None:
    connector, provider = bench
    sent = batch(order(provider, 1), order(provider, 2))
    await connector.submit(sent)
    assert provider.simulator.books.give_back(sent.orders[0].reference)
    found = await connector.look_up(sent.reference, [each.reference for each in sent.orders])
    assert [outcome.status for outcome in found] == [PayoutStatus.RETURNED, PayoutStatus.PAID]
    today = date.fromisoformat(next(iter(provider.simulator.books.transactions.values())).at[:10])
    fetched = await connector.fetch_statement(today)
    assert fetched is not None
    statement = read_statement(fetched, file_name="payway.json")
    assert (statement.account, statement.opened_on, statement.warnings) == (MERCHANT_ID, today, ())
    assert [(line.direction, line.is_return, line.amount, line.references) for line in statement.lines] == [
        (Direction.OUT, False, Money(21_050, USD), (sent.orders[0].reference,)),
        (Direction.IN, True, Money(21_050, USD), (sent.orders[0].reference,)),
        (Direction.OUT, False, Money(21_050, USD), (sent.orders[1].reference,)),
    ]
    assert await connector.fetch_statement(date(2020, 1, 1)) is None


def paid(**changes: Any) -> bytes:
    line = {"mid_acccount": "000100001", "amount": 210.5}
    body = {"transaction_id": "GW1ABCDEFGH000000001", "transaction_currency": "USD", "beneficiaries": [line], "status": {"code": "0"}}
    return json.dumps(body | changes).encode()


def said(code: object) -> bytes:
    return json.dumps({"status": {"code": code, "message": "..."}}).encode()


@pytest.mark.parametrize(
    ("status", "content", "expected", "code"),
    [
        (200, paid(), PayoutStatus.PAID, None),
        (200, paid(transaction_id="GW1ABCDEFGH000000002"), PayoutStatus.UNKNOWN, "unreadable_answer"),
        (200, paid(beneficiaries=[{"mid_acccount": "000100001", "amount": "a lot"}]), PayoutStatus.UNKNOWN, "unreadable_answer"),
        (200, paid(transaction_currency="THB"), PayoutStatus.UNKNOWN, "unreadable_answer"),
        (200, paid(beneficiaries=[]), PayoutStatus.UNKNOWN, "unreadable_answer"),
        (403, paid(), PayoutStatus.UNKNOWN, "other"),
        (403, said("37"), PayoutStatus.REJECTED, "invalid_order"),
        (200, said(93), PayoutStatus.REJECTED, "insufficient_funds"),
        (500, said("93"), PayoutStatus.UNKNOWN, "other"),
        (403, said("4"), PayoutStatus.UNKNOWN, "duplicate"),
        (403, said("83"), PayoutStatus.UNKNOWN, "duplicate"),
        (403, said("86"), PayoutStatus.UNKNOWN, "other"),
        (403, said("91"), PayoutStatus.UNKNOWN, "other"),
        (403, said("11"), PayoutStatus.UNKNOWN, "other"),
        (403, said("a code that nobody knows"), PayoutStatus.UNKNOWN, "unreadable_answer"),
        (403, said(None), PayoutStatus.UNKNOWN, "unreadable_answer"),
        (200, b"[]", PayoutStatus.UNKNOWN, "unreadable_answer"),
        (200, b"", PayoutStatus.UNKNOWN, "unreadable_answer"),
        (404, b"<html>", PayoutStatus.UNKNOWN, "unreadable_answer"),
        (302, paid(), PayoutStatus.UNKNOWN, "unreadable_answer"),
    ],
)
def test_only_a_clear_word_of_payway_counts(status: int, content: bytes, expected: PayoutStatus, code: str | None) -> None:
    to = Destination(kind=DestinationKind.BANK_ACCOUNT, account="000100001", holder="Sok Dara")
    sent = PayoutOrder(reference="GW1ABCDEFGH000000001", amount=Money(21_050, USD), destination=to, purpose="Wages")
    outcome = mapping.judge_payout(read_answer(status, {}, content), sent)
    assert (outcome.status, outcome.code) == (expected, code)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("APPROVED", PayoutStatus.PAID),
        ("PENDING", PayoutStatus.ACCEPTED),
        ("DECLINDED", PayoutStatus.REJECTED),
        ("CANCELLED", PayoutStatus.REJECTED),
        ("REFUNDED", PayoutStatus.RETURNED),
        ("SOMETHING NEW", PayoutStatus.UNKNOWN),
    ],
)
def test_a_transaction_is_what_payway_calls_it(state: str, expected: PayoutStatus) -> None:
    body = {"data": {"payment_status": state, "total_amount": 210.5}, "status": {"code": "00", "tran_id": "GW1"}}
    outcome = mapping.judge_transaction(read_answer(200, {}, json.dumps(body).encode()), "GW1", "USD")
    assert (outcome.status, outcome.amount) == (expected, Money(21_050, USD))
    foreign = mapping.judge_transaction(read_answer(200, {}, json.dumps(body).encode()), "GW2", "USD")
    assert foreign.status is PayoutStatus.UNKNOWN
    assert mapping.judge_transaction(NoAnswer(code="timeout"), "GW1", "USD").status is PayoutStatus.UNKNOWN


def pushback(body: bytes, signature: str, method: str = "POST") -> WebhookRequest:
    headers = {"x-payway-hmac-sha512": signature}
    return WebhookRequest(method=method, path="/webhooks/aba_payway/k", headers=headers, body=body, received_at=datetime.now(UTC))


def test_a_pushback_is_a_reason_to_ask_and_a_forged_one_is_not() -> None:
    connector = build(config().model_dump() | {"api_key": API_KEY})
    told = {"tran_id": "GW1ABCDEFGH000000001", "apv": "000001", "status": 0}
    good = json.dumps(told).encode()
    event = connector.read_webhook(pushback(good, pushback_hash(API_KEY, told)))
    assert [outcome.reference for outcome in event.outcomes] == ["GW1ABCDEFGH000000001"]
    # The same values under other names would hash alike if names were not sorted in; a name twice would hide one of its values.
    twice = good[:-1] + b', "status": 1}'
    for request in (
        pushback(good, pushback_hash("another key", told)),
        pushback(good + b"\n", pushback_hash(API_KEY, told)),
        pushback(twice, pushback_hash(API_KEY, told | {"status": 1})),
        pushback(good, pushback_hash(API_KEY, told), "PUT"),
        pushback(b"[]", ""),
    ):
        with pytest.raises(WebhookRefusedError):
            connector.read_webhook(request)
    nameless = {"status": 0}
    with pytest.raises(WebhookUnreadableError):
        connector.read_webhook(pushback(json.dumps(nameless).encode(), pushback_hash(API_KEY, nameless)))


def test_a_configuration_that_cannot_work_is_told_in_a_sentence_without_the_key() -> None:
    with pytest.raises(ConnectorConfigError, match="rsa_public_key: must be the RSA public key in PEM") as told:
        registered("aba_payway", {"merchant_id": "m", "api_key": "very-secret", "rsa_public_key": "no key", "currency": "USD"})
    assert "very-secret" not in str(told.value)
    with pytest.raises(ConnectorConfigError, match="base_url"):
        registered("aba_payway", config().model_dump() | {"api_key": "very-secret", "base_url": "http://checkout.payway.com.kh"})
