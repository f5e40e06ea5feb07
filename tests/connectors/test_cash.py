"""Cash: a list to sign, and no word that it was paid."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from connectors.payouts.cash.connector import build, list_total, signing_list
from connectors.payouts.contract import (
    Destination,
    DestinationKind,
    PayoutBatch,
    PayoutOrder,
    PayoutStatus,
    WebhookRefusedError,
    WebhookRequest,
)
from importers.money import KHR, USD, Money, MoneyError


def envelope(number: int, amount: Money | None = None) -> PayoutOrder:
    worker = Destination(kind=DestinationKind.CASH, account=f"W{number:04d}", holder=f"Sok Dara {number}")
    return PayoutOrder(
        reference=f"CASH{number:06d}", amount=amount or Money(21_050 + number, USD), destination=worker, purpose="Wages 2026-11"
    )


def batch(*orders: PayoutOrder) -> PayoutBatch:
    return PayoutBatch(reference="LIST01", orders=orders, execute_on=date(2026, 11, 30))


async def test_each_worker_stands_on_the_list_and_waits_for_a_signature() -> None:
    cash, orders = build({}), [envelope(1), envelope(2), envelope(3)]
    outcomes = await cash.submit(batch(*orders))
    assert [outcome.reference for outcome in outcomes] == [order.reference for order in orders]
    assert {outcome.status for outcome in outcomes} == {PayoutStatus.ACCEPTED}
    again = await cash.look_up("LIST01", [order.reference for order in orders])
    assert {outcome.status for outcome in again} == {PayoutStatus.ACCEPTED}


def test_the_list_has_numbers_codes_names_and_the_money_to_fetch() -> None:
    lines = signing_list(batch(envelope(7), envelope(9)))
    assert [(line.number, line.worker_code, line.holder, line.amount.minor) for line in lines] == [
        (1, "W0007", "Sok Dara 7", 21_057),
        (2, "W0009", "Sok Dara 9", 21_059),
    ]
    assert list_total(lines) == Money(42_116, USD)
    assert list_total([]) is None
    assert "Sok Dara" not in repr(lines)


def test_a_list_of_two_currencies_has_no_single_total() -> None:
    with pytest.raises(MoneyError):
        list_total(signing_list(batch(envelope(1), envelope(2, Money(40_000, KHR)))))


async def test_an_order_that_is_no_cash_or_too_much_is_refused_and_its_neighbour_is_not() -> None:
    wallet = PayoutOrder(
        reference="CASH000003",
        amount=Money(100, USD),
        destination=Destination(kind=DestinationKind.WALLET, account="+85512345678", holder="Sok Dara"),
        purpose="Wages",
    )
    outcomes = await build({"largest": {"USD": "300"}}).submit(
        batch(envelope(1), envelope(2, Money(30_001, USD)), wallet, envelope(4, Money(1, KHR)))
    )
    assert [(outcome.status, outcome.code) for outcome in outcomes] == [
        (PayoutStatus.ACCEPTED, None),
        (PayoutStatus.REJECTED, "limit_exceeded"),
        (PayoutStatus.REJECTED, "invalid_order"),
        (PayoutStatus.REJECTED, "invalid_order"),
    ]


async def test_a_worker_cannot_stand_on_one_list_twice() -> None:
    outcomes = await build({}).submit(batch(envelope(1), envelope(1)))
    assert {outcome.status for outcome in outcomes} == {PayoutStatus.REJECTED}


def test_nobody_calls_back_about_cash() -> None:
    with pytest.raises(WebhookRefusedError):
        build({}).read_webhook(WebhookRequest(method="PUT", path="/", headers={}, body=b"{}", received_at=datetime.now(UTC)))
