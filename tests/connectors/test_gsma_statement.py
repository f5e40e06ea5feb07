"""A wallet's statement entries as lines that can be matched."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.money import KHR, USD, Money
from importers.statements.contract import Direction, StatementError
from importers.statements.gsma import read_gsma_statement

OURS, WORKER = [{"key": "accountid", "value": "2000"}], [{"key": "msisdn", "value": "+85512345678"}]


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "transactionReference": "MM0001",
        "transactionStatus": "completed",
        "amount": "210.5",
        "currency": "USD",
        "displayType": "Disbursement",
        "descriptionText": "Wages 2026-11 GW261100000042",
        "creationDate": "2026-11-30T18:30:00.000Z",
        "debitParty": OURS,
        "creditParty": WORKER,
    } | changes


def statement(*entries: object, **changes: Any) -> bytes:
    return json.dumps({"account": OURS[0], "day": "2026-12-01", "statementEntries": list(entries)} | changes).encode()


def test_a_payment_out_has_our_reference_and_the_day_of_phnom_penh() -> None:
    read = read_gsma_statement(statement(entry()))
    assert (read.account, read.currency, read.opened_on, read.opening, read.warnings) == ("2000", "USD", date(2026, 12, 1), None, ())
    line = read.lines[0]
    assert (line.direction, line.amount, line.references, line.account) == (
        Direction.OUT,
        Money(21_050, USD),
        ("GW261100000042",),
        "+85512345678",
    )
    assert line.booked_on == date(2026, 12, 1)  # 01:30 in Phnom Penh
    assert "855" not in repr(read)


def test_money_that_comes_back_is_a_return_and_a_top_up_is_none() -> None:
    back = entry(displayType="Reversal", debitParty=WORKER, creditParty=OURS)
    top_up = entry(
        displayType="Deposit", debitParty=[{"key": "msisdn", "value": "+85598765432"}], creditParty=OURS, descriptionText="funds"
    )
    lines = read_gsma_statement(statement(back, top_up)).lines
    assert [(line.direction, line.is_return, line.references) for line in lines] == [
        (Direction.IN, True, ("GW261100000042",)),
        (Direction.IN, False, ()),
    ]


def test_a_provider_that_names_our_reference_outright_is_heard_first() -> None:
    line = read_gsma_statement(statement(entry(requestingOrganisationTransactionReference="GW-7"))).lines[0]
    assert line.references == ("GW-7", "GW261100000042")


def test_riel_beside_dollars_is_warned_of_and_kept_apart() -> None:
    read = read_gsma_statement(statement(entry(), entry(amount="952000", currency="KHR")))
    assert [line.amount for line in read.lines] == [Money(21_050, USD), Money(952_000, KHR)]
    assert "KHR and USD" in read.warnings[0]


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (entry(amount="two hundred"), "amount"),
        (entry(amount="-5"), "amount"),
        (entry(amount=True), "amount"),
        (entry(amount="210.505"), "amount"),
        (entry(currency="EUR"), "amount"),
        (entry(creationDate="yesterday"), "date"),
        (entry(transactionStatus="pending"), "not booked"),
        (entry(debitParty=WORKER), "neither or on both"),
        (entry(creditParty=OURS), "neither or on both"),
        (entry(debitParty="2000"), "neither or on both"),
        ("no entry", "no object"),
    ],
)
def test_one_strange_entry_stops_nobody_elses(broken: object, why: str) -> None:
    read = read_gsma_statement(statement(entry(), broken, entry(transactionReference="MM0003")))
    assert [line.entry for line in read.lines] == ["MM0001", "MM0003"]
    assert len(read.warnings) == 1
    assert read.warnings[0].startswith("entry 2")
    assert why in read.warnings[0]


@pytest.mark.parametrize(
    "data",
    [b"", b"no json", b"[]", b"{}", statement(account={}), statement(account="2000"), statement(day=None), b"\xff", b"[" * 100_000],
)
def test_what_is_no_statement_says_what_to_do(data: bytes) -> None:
    with pytest.raises(StatementError, match="wallet statement"):
        read_gsma_statement(data)


def test_an_amount_written_as_a_number_is_read_exactly() -> None:
    data = statement(entry()).replace(b'"210.5"', b"210.10")
    assert read_gsma_statement(data).lines[0].amount == Money(21_010, USD)


@given(st.lists(st.integers(min_value=0, max_value=10**12), max_size=30))
def test_the_sum_of_the_lines_is_the_sum_of_the_entries(cents: list[int]) -> None:
    entries = [entry(amount=str(Money(minor, USD).amount), transactionReference=f"MM{number}") for number, minor in enumerate(cents)]
    assert sum(line.amount.minor for line in read_gsma_statement(statement(*entries)).lines) == sum(cents)
