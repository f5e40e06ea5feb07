"""Whatever breaks between the factory and its bank: nobody is paid twice, and nothing open is called a failure."""

from __future__ import annotations

import asyncio

import pytest

from connectors.faults import FaultKind, FaultPlan
from connectors.payouts.contract import Destination, DestinationKind, NameMatch, PayoutStatus, WebhookRefusedError
from tests.connectors.iso20022_story import Story, batch, story, wage

A, B = "GW1AAAAAAA", "GW1BBBBBBB"
TAKEN = {
    FaultKind.REPLY_LOST_AFTER_ACCEPT: "connection_lost",
    FaultKind.SLOW_ACCEPT: "timeout",
    FaultKind.EMPTY_ANSWER: "unreadable_answer",
    FaultKind.TRUNCATED_ANSWER: "connection_lost",
    FaultKind.SERVER_ERROR: "unreadable_answer",
    FaultKind.OTHER_AMOUNT_ECHOED: "amount_differs",
    FaultKind.CONFLICT: "duplicate",
}
NOT_TAKEN = {
    FaultKind.RESET_BEFORE_READ: ("unknown", "connection_lost"),
    FaultKind.HALF_REQUEST: ("unknown", "connection_lost"),
    FaultKind.HTML_INSTEAD: ("unknown", "unreadable_answer"),
    FaultKind.UNAVAILABLE: ("unknown", "unreadable_answer"),
    FaultKind.REDIRECT_ELSEWHERE: ("unknown", "unreadable_answer"),
    FaultKind.TOO_MANY_REQUESTS: ("rejected", "temporary"),
    FaultKind.NOT_AUTHORISED: ("rejected", "not_authorised"),
}
IMPATIENT = {"read_seconds": "0.8"}


async def quiet(bank: Story) -> None:
    """Wait until the bank has executed all it took."""
    for _ in range(300):
        if all(message.done_at for message in bank.bank.books.messages.values()):
            return
        await asyncio.sleep(0.01)
    pytest.fail("the bank never came to rest")


ASKED_TO_WAIT = 1.1  # seconds: the simulated bank sends "Retry-After: 1"


async def test_an_order_that_the_bank_took_before_the_line_broke_is_unknown_then_paid_once() -> None:
    async with story(accounts=None, agreement=IMPATIENT) as bank:
        for number, (fault, code) in enumerate(TAKEN.items()):
            bank.bank.faults = FaultPlan.at("submit", fault, seconds=1.2)
            reference, message = f"GW1AAAA{number:03d}", f"B{number}"
            outcomes = await bank.connector.submit(batch(message, wage(reference)))
            assert [(one.status, one.code) for one in outcomes] == [(PayoutStatus.UNKNOWN, code)], fault
            await quiet(bank)
            assert [one.status for one in await bank.connector.look_up(message, [reference])] == [PayoutStatus.PAID], fault
            assert [paid for paid, *_ in bank.credits()].count(reference) == 1, fault


async def test_an_order_that_never_reached_the_bank_is_rejected_only_where_the_bank_says_so() -> None:
    async with story(accounts=None) as bank:
        for number, (fault, expected) in enumerate(NOT_TAKEN.items()):
            bank.bank.faults = FaultPlan.at("submit", fault)
            outcomes = await bank.connector.submit(batch(f"B{number}", wage(A)))
            assert [(one.status, one.code) for one in outcomes] == [expected], fault
            await asyncio.sleep(ASKED_TO_WAIT if fault is FaultKind.TOO_MANY_REQUESTS else 0)
            assert [one.status for one in await bank.connector.look_up(f"B{number}", [A])] == [PayoutStatus.NOT_FOUND], fault
        assert bank.credits() == []


async def test_a_bank_that_took_half_of_the_batch_says_which_half() -> None:
    async with story(accounts=None, faults=FaultPlan.at("submit", FaultKind.PARTIAL_BATCH)) as bank:
        orders = [wage(f"GW1AAAA{number:03d}") for number in range(5)]
        outcomes = await bank.connector.submit(batch("B1", *orders))
        assert {one.status for one in outcomes} == {PayoutStatus.UNKNOWN}
        await quiet(bank)
        looked_up = await bank.connector.look_up("B1", [order.reference for order in orders])
        assert [one.status for one in looked_up] == ["paid", "paid", "not_found", "not_found", "not_found"]
        assert len(bank.credits()) == 2


async def test_an_account_that_runs_dry_in_the_middle_pays_the_first_half() -> None:
    async with story(accounts=None, faults=FaultPlan.at("submit", FaultKind.OUT_OF_FUNDS)) as bank:
        await bank.connector.submit(batch("B1", wage(A), wage(B)))
        await quiet(bank)
        looked_up = await bank.connector.look_up("B1", [A, B])
        assert [(one.status, one.code) for one in looked_up] == [("paid", None), ("rejected", "insufficient_funds")]


async def test_not_found_for_a_while_is_found_later() -> None:
    async with story(accounts=None, faults=FaultPlan.at("submit", FaultKind.NOT_FOUND_FOR_A_WHILE, seconds=0.2)) as bank:
        await bank.connector.submit(batch("B1", wage(A)))
        assert [one.status for one in await bank.connector.look_up("B1", [A])] == [PayoutStatus.NOT_FOUND]
        await asyncio.sleep(0.25)
        assert [one.status for one in await bank.connector.look_up("B1", [A])] == [PayoutStatus.PAID]
        assert bank.connector.profile.not_found_is_final_after is not None


async def test_a_question_that_is_answered_badly_leaves_everything_open() -> None:
    bad = [
        FaultKind.RESET_BEFORE_READ,
        FaultKind.HTML_INSTEAD,
        FaultKind.EMPTY_ANSWER,
        FaultKind.TRUNCATED_ANSWER,
        FaultKind.SERVER_ERROR,
        FaultKind.UNAVAILABLE,
        FaultKind.REDIRECT_ELSEWHERE,
        FaultKind.TOO_MANY_REQUESTS,  # the last: the bank is not asked again for a second
    ]
    async with story() as bank:
        await bank.connector.submit(batch("B1", wage(A)))
        await quiet(bank)
        bank.bank.faults = FaultPlan.at("look_up", *bad)
        for fault in bad:
            assert [one.status for one in await bank.connector.look_up("B1", [A])] == [PayoutStatus.UNKNOWN], fault
        await asyncio.sleep(ASKED_TO_WAIT)
        bank.bank.faults = FaultPlan.at("check", *bad)
        destination = Destination(kind=DestinationKind.BANK_ACCOUNT, account="000123456", holder="SOK DARA")
        for fault in bad:
            check = await bank.connector.check_destination(destination)
            assert (check.exists, check.name_match) == (None, NameMatch.NOT_APPLICABLE), fault
            assert check.detail, fault
        await asyncio.sleep(ASKED_TO_WAIT)
        assert (await bank.connector.check_destination(destination)).name_match is NameMatch.MATCH


async def test_an_echo_with_another_amount_is_passed_on_as_the_bank_says_it() -> None:
    async with story() as bank:
        await bank.connector.submit(batch("B1", wage(A, cents=21_000)))
        await quiet(bank)
        bank.bank.faults = FaultPlan.at("look_up", FaultKind.OTHER_AMOUNT_ECHOED)
        echoed = (await bank.connector.look_up("B1", [A]))[0].amount
        assert echoed is not None
        assert echoed.minor == 21_001


async def test_events_come_twice_forged_late_or_never_and_only_true_ones_are_believed() -> None:
    kinds = (FaultKind.DUPLICATE_EVENT, FaultKind.FORGED_EVENT, FaultKind.REORDER_EVENTS, FaultKind.LOST_EVENT)
    async with story(accounts=None, faults=FaultPlan.at("event", *kinds)) as bank:
        for number in range(5):
            message = batch(f"B{number}", wage(f"GW1AAAA{number:03d}"), callback_url=bank.callback_url)
            await bank.connector.submit(message)
            await asyncio.sleep(0.05)
        for _ in range(300):
            if len(bank.inbox.received) >= 6:
                break
            await asyncio.sleep(0.01)
        believed, refused = [], 0
        for request in bank.inbox.received:
            try:
                believed.append(bank.connector.read_webhook(request).batch_reference)
            except WebhookRefusedError:
                refused += 1
        assert refused == 1
        assert sorted(str(reference) for reference in believed) == ["B0", "B0", "B1", "B2", "B4"]
        assert believed.index("B2") > believed.index("B4"), "the late one was overtaken"
        assert len(bank.credits()) == 5
