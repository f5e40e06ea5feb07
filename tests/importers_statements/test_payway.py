"""PayWay's list of transactions as lines that can be matched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from importers.money import KHR, USD, Money
from importers.statements.contract import Direction, StatementError
from importers.statements.read import read_statement


def transaction(**changes: Any) -> dict[str, Any]:
    return {
        "transaction_id": "GW1ABCDEFGH000000001",
        "transaction_date": "2026-11-30 09:15:00",
        "payment_status": "APPROVED",
        "total_amount": "210.50",
        "original_currency": "USD",
        "payment_type": "Payout",
        "bank_ref": "100FT1",
    } | changes


def listed(*entries: object, **changes: Any) -> bytes:
    return json.dumps({"payway_merchant": "m1", "currency": "USD", "day": "2026-11-30", "transactions": list(entries)} | changes).encode()


def test_a_payout_left_the_account_and_a_customers_payment_came_in() -> None:
    read = read_statement(listed(transaction(), transaction(payment_type="ABA Pay", transaction_id="T-1")), file_name="x.json")
    assert [(line.direction, line.amount, line.references) for line in read.lines] == [
        (Direction.OUT, Money(21_050, USD), ("GW1ABCDEFGH000000001",)),
        (Direction.IN, Money(21_050, USD), ("T-1",)),
    ]


def test_numbers_are_read_as_digits_and_riel_without_decimals() -> None:
    data = listed(transaction(total_amount=0, original_currency="KHR")).replace(b'"total_amount": 0', b'"total_amount": 842000.00')
    assert read_statement(data, file_name="x.json").lines[0].amount == Money(842_000, KHR)


def test_what_was_not_booked_or_cannot_be_read_is_named_by_its_place_and_the_rest_is_kept() -> None:
    entries = [
        transaction(payment_status="PENDING"),
        "nonsense",
        transaction(total_amount="much"),
        transaction(transaction_date="yesterday"),
        transaction(total_amount=True),
        transaction(),
    ]
    read = read_statement(listed(*entries), file_name="x.json")
    assert len(read.lines) == 1
    assert [warning.split(":")[0] for warning in read.warnings] == [f"transaction {number}" for number in range(1, 6)]


@pytest.mark.parametrize("data", [listed(day="sometime"), b'{"payway_merchant": "m1"}', b'{"payway_merchant": '])
def test_what_is_no_list_of_transactions_says_what_to_do(data: bytes) -> None:
    with pytest.raises(StatementError, match="upload the file as the connector fetched it"):
        read_statement(data, file_name="x.json")
