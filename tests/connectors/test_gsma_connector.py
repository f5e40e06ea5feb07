"""The wallet connector against its simulated provider: what a payday meets."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.faults import FaultKind, FaultPlan
from connectors.json_http import Answer, NoAnswer, read_answer
from connectors.payouts.contract import Connector, Destination, DestinationKind, NameMatch, PayoutBatch, PayoutOrder, PayoutStatus
from connectors.payouts.gsma_mobile_money import mapping
from connectors.payouts.gsma_mobile_money.connector import build
from connectors.payouts.gsma_mobile_money.under_test import SimulatedWallets, under_test
from importers.money import KHR, USD, Money
from importers.statements.contract import Direction
from importers.statements.gsma import read_gsma_statement


@pytest.fixture
async def bench() -> AsyncIterator[tuple[Connector, SimulatedWallets]]:
    async with under_test(read_seconds=20) as pair:
        yield pair


def order(provider: SimulatedWallets, number: int, amount: Money | None = None, to: Destination | None = None) -> PayoutOrder:
    return PayoutOrder(
        reference=f"GW26110000{number:04d}",
        amount=amount or Money(21_050 + number, USD),
        destination=to or provider.good(number),
        purpose="Wages 2026-11",
    )


def batch(*orders: PayoutOrder, reference: str = "GWBATCH01", callback_url: str | None = None) -> PayoutBatch:
    return PayoutBatch(reference=reference, orders=orders, execute_on=date(2026, 11, 30), callback_url=callback_url)


async def paid(connector: Connector, sent: PayoutBatch) -> dict[str, Any]:
    """The outcomes once none is under way any more."""
    references = [order.reference for order in sent.orders]
    for _ in range(200):
        outcomes = await connector.look_up(sent.reference, references)
        if not any(outcome.status is PayoutStatus.ACCEPTED for outcome in outcomes):
            break
    return {outcome.reference: outcome for outcome in outcomes}


async def test_a_batch_is_paid_and_those_that_fail_say_why(bench: tuple[Connector, SimulatedWallets]) -> None:
    connector, provider = bench
    closed = provider.good(3)
    provider.simulator.books.wallets[closed.account] = type(provider.simulator.books.wallets[closed.account])(
        holder=closed.holder, status="closed"
    )
    sent = batch(order(provider, 1), order(provider, 2, to=provider.unknown()), order(provider, 3), order(provider, 4, Money(200_001, USD)))
    outcomes = await connector.submit(sent)
    assert [outcome.status for outcome in outcomes] == [PayoutStatus.ACCEPTED] * 3 + [PayoutStatus.REJECTED]
    assert outcomes[3].code == "limit_exceeded"
    found = await paid(connector, batch(*sent.orders[:3]))
    assert [(found[each.reference].status, found[each.reference].code) for each in sent.orders[:3]] == [
        (PayoutStatus.PAID, None),
        (PayoutStatus.REJECTED, "account_unknown"),
        (PayoutStatus.REJECTED, "account_closed"),
    ]
    assert found[sent.orders[0].reference].provider_reference is not None
    assert found[sent.orders[0].reference].happened_at is not None
    assert [line.reference for line in await provider.journal()] == [sent.orders[0].reference]


async def test_riel_and_dollars_arrive_to_the_last_unit(bench: tuple[Connector, SimulatedWallets]) -> None:
    connector, provider = bench
    amounts = [Money(952_100, KHR), Money(21_000, USD), Money(21_010, USD), Money(1, USD), Money(4_000_000, KHR)]
    sent = batch(*(order(provider, number, amount) for number, amount in enumerate(amounts)))
    await connector.submit(sent)
    await paid(connector, sent)
    assert [line.amount for line in await provider.journal()] == amounts


async def test_a_provider_that_is_switched_off_got_nothing() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    connector = build(
        {
            "base_url": f"http://127.0.0.1:{port}",
            "client_id": "factory",
            "api_key": "a-long-api-key",
            "callback_secret": "a-long-callback-secret",
            "debit_party_value": "2000",
        }
    )
    someone = Destination(kind=DestinationKind.WALLET, account="+85512345678", holder="Sok Dara")
    one = PayoutOrder(reference="GW1", amount=Money(100, USD), destination=someone, purpose="Wages")
    outcome = (await connector.submit(batch(one)))[0]
    assert (outcome.status, outcome.code) == (PayoutStatus.REJECTED, "temporary")
    assert (await connector.look_up("GWBATCH01", ["GW1"]))[0].status is PayoutStatus.UNKNOWN
    assert (await connector.check_destination(someone)).exists is None
    assert await connector.fetch_statement(date(2026, 11, 30)) is None
    await connector.aclose()


async def test_a_wrong_key_is_refused_before_anything_moves(bench: tuple[Connector, SimulatedWallets]) -> None:
    connector, provider = bench
    await provider.play(FaultPlan.at("submit", FaultKind.NOT_AUTHORISED))
    outcome = (await connector.submit(batch(order(provider, 1))))[0]
    assert (outcome.status, outcome.code) == (PayoutStatus.REJECTED, "not_authorised")
    assert await provider.journal() == []


async def test_a_reference_that_comes_in_a_second_batch_is_never_called_rejected(bench: tuple[Connector, SimulatedWallets]) -> None:
    connector, provider = bench
    first, second = batch(order(provider, 1)), batch(order(provider, 1), order(provider, 2), reference="GWBATCH02")
    await connector.submit(first)
    await paid(connector, first)
    await connector.submit(second)
    found = await paid(connector, second)
    assert [(each.status, each.code) for each in found.values()] == [(PayoutStatus.UNKNOWN, "duplicate"), (PayoutStatus.PAID, None)]
    assert [line.reference for line in await provider.journal()] == [each.reference for each in second.orders]


async def test_the_holder_is_told_and_compared(bench: tuple[Connector, SimulatedWallets]) -> None:
    connector, provider = bench
    good = await connector.check_destination(provider.good(5))
    assert (good.exists, good.name_match, good.holder) == (True, NameMatch.MATCH, "Sok Dara 5")
    khmer = Destination(kind=DestinationKind.WALLET, account=provider.good(5).account, holder="សុខ ដារា")
    assert (await connector.check_destination(khmer)).name_match is NameMatch.NOT_APPLICABLE
    assert (await connector.check_destination(provider.unknown())).exists is False
    await provider.play(FaultPlan.at("check", FaultKind.HTML_INSTEAD))
    assert (await connector.check_destination(provider.good(5))).exists is None


async def test_a_two_step_batch_whose_approval_was_lost_is_approved_by_the_look_up() -> None:
    async with under_test(two_step=True, read_seconds=20) as (connector, provider):
        await provider.play(FaultPlan.at("submit", FaultKind.REPLY_LOST_AFTER_ACCEPT))
        sent = batch(order(provider, 1), order(provider, 2))
        assert {outcome.status for outcome in await connector.submit(sent)} == {PayoutStatus.UNKNOWN}
        assert await provider.journal() == []
        assert {outcome.status for outcome in (await paid(connector, sent)).values()} == {PayoutStatus.PAID}
        assert len(await provider.journal()) == 2


async def test_the_days_statement_has_each_payment_with_our_reference_and_a_return(bench: tuple[Connector, SimulatedWallets]) -> None:
    connector, provider = bench
    sent = batch(*(order(provider, number) for number in range(1, 6)))
    await connector.submit(sent)
    await paid(connector, sent)
    assert provider.simulator.books.give_back(sent.orders[1].reference)
    data = await connector.fetch_statement(datetime.now(UTC).date())
    data = data or await connector.fetch_statement(
        date.fromordinal(datetime.now(UTC).date().toordinal() + 1)
    )  # evening in UTC is tomorrow there
    assert data is not None
    statement = read_gsma_statement(data)
    assert statement.account == "2000"
    assert statement.warnings == ()
    out = [line for line in statement.lines if line.direction is Direction.OUT]
    assert [(line.references, line.amount, line.account) for line in out] == [
        ((each.reference,), each.amount, each.destination.account) for each in sent.orders
    ]
    back = [line for line in statement.lines if line.direction is Direction.IN]
    assert [(line.references, line.amount, line.is_return) for line in back] == [((sent.orders[1].reference,), sent.orders[1].amount, True)]
    assert await connector.fetch_statement(date(2020, 1, 1)) is None
    assert (await connector.look_up(sent.reference, [sent.orders[0].reference]))[0].status is PayoutStatus.PAID


async def test_a_statement_in_pages_is_whole_or_none(bench: tuple[Connector, SimulatedWallets]) -> None:
    del bench
    async with under_test(page_size=2, read_seconds=20) as (connector, provider):
        sent = batch(*(order(provider, number) for number in range(5)))
        await connector.submit(sent)
        assert {outcome.status for outcome in (await paid(connector, sent)).values()} == {PayoutStatus.PAID}
        await provider.play(FaultPlan.parse('{"script": [{"point": "statement", "nth": 2, "kind": "server_error", "times": 1}]}'))
        today = (await provider.journal()) and datetime.now(UTC).date()
        assert isinstance(today, date)
        assert await connector.fetch_statement(today) is None


@pytest.mark.parametrize(
    ("status", "body", "expected", "code"),
    [
        (202, b'{"serverCorrelationId":"x","status":"pending","notificationMethod":"polling"}', PayoutStatus.ACCEPTED, None),
        (400, b'{"errorCategory":"validation","errorCode":"formatError"}', PayoutStatus.REJECTED, "invalid_order"),
        (400, b'{"errorCategory":"Validation","errorCode":"SomethingNew"}', PayoutStatus.REJECTED, "invalid_order"),
        (400, b'{"errorCategory":"businessRule","errorCode":"insufficientFunds"}', PayoutStatus.REJECTED, "insufficient_funds"),
        (400, b'{"errorCategory":"businessRule","errorCode":"genericError"}', PayoutStatus.UNKNOWN, "other"),
        (400, b'{"errorCategory":"moonPhase","errorCode":"fullMoon"}', PayoutStatus.UNKNOWN, "other"),
        (400, b'{"errorCategory":"businessRule","errorCode":"duplicateRequest"}', PayoutStatus.UNKNOWN, "duplicate"),
        (409, b'{"errorCategory":"businessRule","errorCode":"insufficientFunds"}', PayoutStatus.UNKNOWN, "duplicate"),
        (500, b'{"errorCategory":"Validation","errorCode":"GenericError"}', PayoutStatus.UNKNOWN, "invalid_order"),
        (500, b'{"errorCategory":"businessRule","errorCode":"insufficientFunds"}', PayoutStatus.UNKNOWN, "insufficient_funds"),
        (200, b'{"errorCategory":"businessRule","errorCode":"insufficientFunds"}', PayoutStatus.UNKNOWN, "insufficient_funds"),
        (503, b'{"errorCategory":"serviceUnavailable","errorCode":"genericError"}', PayoutStatus.UNKNOWN, "other"),
        (401, b"", PayoutStatus.UNKNOWN, "unreadable_answer"),
        (429, b"", PayoutStatus.UNKNOWN, "unreadable_answer"),
        (404, b"<html>not here</html>", PayoutStatus.UNKNOWN, "unreadable_answer"),
        (202, b"", PayoutStatus.UNKNOWN, "unreadable_answer"),
        (202, b"[]", PayoutStatus.UNKNOWN, "unreadable_answer"),
        (202, b"{}", PayoutStatus.UNKNOWN, "unreadable_answer"),
        (202, b'{"serverCorrelationId":"x","status":"failed"}', PayoutStatus.UNKNOWN, "unreadable_answer"),
        (302, b'{"serverCorrelationId":"x","status":"pending"}', PayoutStatus.UNKNOWN, "unreadable_answer"),
        (202, b"[" * 100_000, PayoutStatus.UNKNOWN, "unreadable_answer"),
    ],
)
def test_only_a_known_refusal_proves_that_nothing_moved(status: int, body: bytes, expected: PayoutStatus, code: str | None) -> None:
    verdict = mapping.judge(read_answer(status, {}, body))
    assert verdict[:2] == (expected, code)


def test_the_words_of_a_provider_never_reach_our_details_in_full() -> None:
    answer = Answer(status=400, headers={}, body={"errorCategory": "validation", "errorCode": "formatError Sok Dara +85512345678"})
    assert "Sok" not in mapping.judge(answer)[2]
    assert "855" not in mapping.judge(answer)[2]
    assert mapping.judge(NoAnswer(code="timeout"))[:2] == (PayoutStatus.UNKNOWN, "timeout")


def test_amounts_are_written_as_the_api_wants_them() -> None:
    written = [mapping.amount_text(amount) for amount in (Money(21_000, USD), Money(1_520, USD), Money(1, USD), Money(952_000, KHR))]
    assert written == ["210", "15.2", "0.01", "952000"]
    assert mapping.read_amount("15.200", "USD") == Money(1_520, USD)
    assert mapping.read_amount("15.201", "USD") is None
    assert mapping.read_amount(15.2, "USD") is None


def test_the_same_batch_travels_under_the_same_id_and_bytes() -> None:
    assert mapping.correlation_id("GWBATCH01") == mapping.correlation_id("GWBATCH01")
    assert (
        len({mapping.correlation_id("GWBATCH01"), mapping.correlation_id("GWBATCH02"), mapping.correlation_id("GWBATCH01", "approve")}) == 3
    )
