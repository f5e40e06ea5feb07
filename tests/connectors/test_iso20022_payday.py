"""A factory pays its workers through the bank, and believes only what the bank says plainly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connectors.payouts.contract import (
    Destination,
    DestinationKind,
    NameMatch,
    PayoutStatus,
    WebhookRefusedError,
    WebhookUnreadableError,
)
from connectors.payouts.iso20022.simulated_bank import PHNOM_PENH
from connectors.signatures import signed_headers
from importers.money import KHR, USD, Money
from importers.statements.contract import Direction
from importers.statements.read import read_statement
from tests.connectors.iso20022_story import FACTORY_ACCOUNT, WEBHOOK_SECRET, batch, story, wage

A, B, C = "GW1AAAAAAA", "GW1BBBBBBB", "GW1CCCCCCC"


async def until(true: Callable[[], bool]) -> None:
    for _ in range(400):
        if true():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never happened")


async def test_a_payday_is_taken_executed_reported_and_stated() -> None:
    async with story() as bank:
        orders = [wage(A), wage(B, "000123457", 19_250), wage(C, "000123458")]
        taken = await bank.connector.submit(batch("B1", *orders, callback_url=bank.callback_url))
        assert [(one.reference, one.status) for one in taken] == [(A, "accepted"), (B, "accepted"), (C, "accepted")]

        await until(lambda: bool(bank.inbox.received))
        event = bank.connector.read_webhook(bank.inbox.received[0])
        assert (event.batch_reference, event.kind) == ("B1", "pain.002")
        looked_up = await bank.connector.look_up("B1", [C, A, B])
        assert [(one.reference, one.status, one.code) for one in looked_up] == [
            (C, "rejected", "account_closed"),
            (A, "paid", None),
            (B, "paid", None),
        ]
        assert {one.reference: one.status for one in event.outcomes} == {one.reference: one.status for one in looked_up}
        assert [one.amount for one in looked_up] == [Money(21_000, USD), Money(21_000, USD), Money(19_250, USD)]
        assert bank.credits() == [(A, "000123456", 21_000), (B, "000123457", 19_250)]

        today = datetime.now(PHNOM_PENH).date()
        data = await bank.connector.fetch_statement(today)
        assert data is not None
        statement = read_statement(data, file_name="statement.xml")
        assert statement.account == FACTORY_ACCOUNT
        assert statement.warnings == ()
        assert [(line.references, line.account, line.amount, line.direction) for line in statement.lines] == [
            ((A,), "000123456", Money(21_000, USD), Direction.OUT),
            ((B,), "000123457", Money(19_250, USD), Direction.OUT),
        ]
        assert {line.entry for line in statement.lines} == {one.provider_reference for one in looked_up[1:]}
        assert await bank.connector.fetch_statement(today - timedelta(days=1)) is None


async def test_a_message_that_comes_twice_pays_once_and_stays_open() -> None:
    async with story() as bank:
        await bank.connector.submit(batch("B1", wage(A)))
        again = await bank.connector.submit(batch("B1", wage(A)))
        assert [(one.status, one.code) for one in again] == [("unknown", "duplicate")]
        assert [one.status for one in await bank.connector.look_up("B1", [A])] == ["paid"]
        assert bank.credits() == [(A, "000123456", 21_000)]


async def test_a_wage_that_another_message_brought_before_is_not_taken_for_a_failure() -> None:
    async with story() as bank:
        await bank.connector.submit(batch("B1", wage(A)))
        await bank.connector.submit(batch("B2", wage(A), wage(B, "000123457")))
        await until(lambda: len(bank.credits()) == 2)
        assert [(one.status, one.code) for one in await bank.connector.look_up("B2", [A, B])] == [("unknown", "duplicate"), ("paid", None)]
        assert [reference for reference, *_ in bank.credits()] == [A, B]


async def test_an_order_that_cannot_be_written_stays_at_home_and_the_others_go() -> None:
    async with story(agreement={"largest": "500.00"}) as bank:
        orders = [
            wage(A),
            wage("GW1TOOMUCH", cents=50_001),
            replace(wage("GW1RIEL"), amount=Money(800_000, KHR)),
            wage("GW1" + "L" * 33),
            wage("GW1NOBODY", holder="  "),
            wage("GW1BELL", holder="SOK\x07DARA"),
            wage(B, "000123457"),
        ]
        outcomes = await bank.connector.submit(batch("B1", *orders))
        assert [one.reference for one in outcomes] == [order.reference for order in orders]
        assert [(one.status, one.code) for one in outcomes] == [
            ("accepted", None),
            ("rejected", "limit_exceeded"),
            ("rejected", "invalid_order"),
            ("rejected", "invalid_order"),
            ("rejected", "invalid_order"),
            ("rejected", "invalid_order"),
            ("accepted", None),
        ]
        assert "SOK" not in " ".join(one.detail for one in outcomes)
        await until(lambda: len(bank.credits()) == 2)
        assert [reference for reference, *_ in bank.credits()] == [A, B]


async def test_a_batch_without_a_good_order_sends_nothing() -> None:
    async with story() as bank:
        assert [one.status for one in await bank.connector.submit(batch("B1", wage(A, cents=0)))] == ["rejected"]
        assert [one.status for one in await bank.connector.submit(batch("M" * 36, wage(A)))] == ["rejected"]
        assert [one.status for one in await bank.connector.submit(batch("B.1", wage(A)))] == ["rejected"]
        assert await bank.connector.submit(batch("B2")) == []
        assert bank.bank.books.messages == {}


async def test_an_order_that_the_bank_never_got_is_not_found() -> None:
    async with story() as bank:
        assert [one.status for one in await bank.connector.look_up("B9", [A, B])] == ["not_found", "not_found"]
        await bank.connector.submit(batch("B1", wage(A)))
        assert [one.status for one in await bank.connector.look_up("B1", [B])] == ["not_found"]


async def test_a_wrong_address_never_says_not_found() -> None:
    """A gateway's 404 would free the wage to be sent again, although the bank may hold it."""
    async with story() as bank:
        await bank.connector.submit(batch("B1", wage(A)))
        async with story(agreement={"base_url": f"{bank.base_url}/elsewhere"}) as lost:
            assert [one.status for one in await lost.connector.look_up("B1", [A])] == ["unknown"]


async def test_where_nothing_listens_nothing_was_sent() -> None:
    async with story(agreement={"base_url": "http://127.0.0.1:9"}) as bank:
        outcome = (await bank.connector.submit(batch("B1", wage(A))))[0]
        assert (outcome.status, outcome.code) == (PayoutStatus.REJECTED, "temporary")
        assert [one.status for one in await bank.connector.look_up("B1", [A])] == ["unknown"]


@pytest.mark.parametrize(("key", "other"), [("credential", "whsec_wrong"), ("signing_secret", WEBHOOK_SECRET)])
async def test_a_stranger_is_refused_and_nothing_moves(key: str, other: str) -> None:
    async with story(agreement={key: other}) as bank:
        outcome = (await bank.connector.submit(batch("B1", wage(A))))[0]
        assert (outcome.status, outcome.code) == (PayoutStatus.REJECTED, "not_authorised")
        assert bank.bank.books.messages == {}


@pytest.mark.parametrize(
    ("account", "holder", "exists", "match"),
    [
        ("000123456", "Sok Dara", True, NameMatch.MATCH),
        ("000123456", "SOK DARY", True, NameMatch.CLOSE_MATCH),
        ("000123456", "CHAN THY", True, NameMatch.NO_MATCH),
        ("000123456", "សុខ ដារ៉ា", True, NameMatch.NOT_APPLICABLE),
        ("000123458", "KEO SREYNICH", False, NameMatch.MATCH),
        ("999999999", "SOK DARA", False, NameMatch.NOT_APPLICABLE),
    ],
)
async def test_whose_account_is_it(account: str, holder: str, exists: bool, match: NameMatch) -> None:
    async with story() as bank:
        destination = Destination(kind=DestinationKind.BANK_ACCOUNT, account=account, holder=holder)
        check = await bank.connector.check_destination(destination)
        assert (check.exists, check.name_match) == (exists, match)
        wallet = replace(destination, kind=DestinationKind.WALLET)
        assert (await bank.connector.check_destination(wallet)).exists is None


async def test_a_bank_that_tells_no_holder_answers_not_applicable() -> None:
    async with story(accounts=None) as bank:
        check = await bank.connector.check_destination(Destination(kind=DestinationKind.BANK_ACCOUNT, account="1", holder="SOK DARA"))
        assert (check.exists, check.name_match, check.holder) == (True, NameMatch.NOT_APPLICABLE, None)


async def test_reports_are_told_again_until_answered_and_prove_where_they_come_from() -> None:
    async with story() as bank:
        bank.inbox.answers = [503]
        await bank.connector.submit(batch("B1", wage(A), callback_url=bank.callback_url))
        await until(lambda: len(bank.inbox.received) == 2)
        first, second = bank.inbox.received
        assert bank.connector.read_webhook(first).event_id == bank.connector.read_webhook(second).event_id
        assert first.body == second.body
        for hostile in (
            replace(second, body=second.body.replace(b"ACSC", b"RJCT")),
            replace(second, headers={**second.headers, "webhook-id": "B1-2"}),
            replace(second, headers={}),
            replace(second, method="PUT"),
            replace(second, received_at=second.received_at + timedelta(minutes=6)),
        ):
            with pytest.raises(WebhookRefusedError):
                bank.connector.read_webhook(hostile)
        body = b"<html>"
        headers = signed_headers(WEBHOOK_SECRET, identification="m1", sent_at=second.received_at, body=body)
        with pytest.raises(WebhookUnreadableError, match="m1"):
            bank.connector.read_webhook(replace(second, body=body, headers=headers))


async def test_a_killed_bank_goes_on_where_its_journal_ends(tmp_path: Path) -> None:
    journal = tmp_path / "bank.jsonl"
    async with story(journal=journal, delay_seconds=60) as bank:
        await bank.connector.submit(batch("B1", wage(A), wage(C, "000123458"), callback_url=bank.callback_url))
        assert bank.credits() == []
    with journal.open("ab") as torn:
        torn.write(b'{"at": "2026-')
    async with story(journal=journal) as bank:
        await until(lambda: len(bank.credits()) == 1)
        assert [one.status for one in await bank.connector.look_up("B1", [A, C])] == ["paid", "rejected"]
    async with story(journal=journal) as bank:
        await bank.connector.submit(batch("B2", wage(B, "000123457")))
        await until(lambda: len(bank.credits()) == 2)
        assert [one.status for one in await bank.connector.look_up("B1", [A, C])] == ["paid", "rejected"]
        references = [line["provider_reference"] for line in bank.bank.books.journal]
        assert len(set(references)) == 2


async def test_a_wage_that_comes_back_stands_in_the_statement() -> None:
    async with story() as bank:
        await bank.connector.submit(batch("B1", wage(A)))
        await until(lambda: len(bank.credits()) == 1)
        assert bank.bank.books.give_back(A)
        assert not bank.bank.books.give_back(A)
        data = await bank.connector.fetch_statement(datetime.now(PHNOM_PENH).date())
        statement = read_statement(data or b"", file_name="statement.xml")
        assert [(line.direction, line.is_return, line.references) for line in statement.lines] == [
            (Direction.OUT, False, (A,)),
            (Direction.IN, True, (A,)),
        ]
        assert statement.opening == statement.closing


async def test_every_error_of_a_statement_can_be_planted() -> None:
    kinds = ("missing", "extra", "twice", "amount", "currency", "account", "late", "return", "partial", "fee", "split", "reordered")
    async with story(accounts=None, plants=kinds) as bank:
        orders = [wage(f"GW1{number:07d}", f"{number:09d}", 10_000 + number) for number in range(13)]
        await bank.connector.submit(batch("B1", *orders))
        await until(lambda: len(bank.credits()) == 13)
        data = await bank.connector.fetch_statement(datetime.now(PHNOM_PENH).date())
        lines = read_statement(data or b"", file_name="statement.xml").lines
        by_reference = {order.reference: [line for line in lines if order.reference in line.references] for order in orders}
        assert [len(by_reference[order.reference]) for order in orders] == [0, 1, 2, 1, 1, 1, 1, 2, 2, 1, 2, 1, 1]
        assert lines[0].references == (orders[-1].reference,)
