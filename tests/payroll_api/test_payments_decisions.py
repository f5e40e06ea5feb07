"""What no machine may decide: two people find out, pay again, correct, stop and let go on. The bank's journal is the oracle."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from payroll_api.access.actor import KEY_PERMISSIONS, Actor
from payroll_api.errors import NotAllowedError, ProblemError
from payroll_api.jobs.names import Job
from payroll_api.ledger.book import Account, balances
from payroll_api.payments.cash import confirm_cash
from payroll_api.payments.confirm import confirm
from payroll_api.payments.correct import propose_correction
from payroll_api.payments.findings import Evidence, Found, Result, propose_finding
from payroll_api.payments.gate import pass_gate
from payroll_api.payments.hold import cancel, hold, unhold
from payroll_api.payments.intent import Intent
from payroll_api.payments.models import Attempt, Dispatch, Payment
from payroll_api.payments.proposals import refuse
from payroll_api.payments.repay import Way, propose_repay
from payroll_api.payments.stops import press, propose_lift
from payroll_api.payments.submit import ask_forgotten
from payroll_api.people.models import Destination
from payroll_api.people.propose import Origin, propose_account
from payroll_api.people.typed import person_with
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import NEW_ACCOUNT, hear, payments_of, settle_down, states_of
from tests.payroll_api.payday_story import Story
from tests.payroll_api.standing_ready import deciding, intent_of, say, standing_ready, yes

LETTER = Found(result=Result.NO_MONEY_MOVED, evidence=Evidence.PROVIDER_LETTER, reference="letter 2026/12")


@pytest.fixture
async def told(services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock) -> AsyncIterator[Story]:
    """Four workers of a released run, and nothing sent yet."""
    async with standing_ready(services, factory, tmp_path, clock) as story:
        yield story


async def test_payments_leave_in_the_order_of_work_cards_and_two_senders_take_different_ones(told: Story) -> None:
    in_order = sorted(payment.worker_code for payment in await payments_of(told))
    first, second = await asyncio.gather(intent_of(told), intent_of(told))
    taken = {order.reference for intent in (first, second) for order in intent.batch.orders}
    assert len(taken) == len(in_order)
    async with deciding(told) as (session, _):
        query = (
            select(Payment.worker_code).join(Attempt, Attempt.payment_id == Payment.id).join(Dispatch, Dispatch.id == Attempt.dispatch_id)
        )
        halves = [sorted(await session.scalars(query.where(Dispatch.id == intent.dispatch_id))) for intent in (first, second)]
    assert sorted(halves) == [in_order[:2], in_order[2:]]


async def test_a_stop_before_the_first_byte_wins_and_only_two_people_lift_it(told: Story, clock: SettableClock) -> None:
    intent = await intent_of(told)
    async with deciding(told) as (session, services):
        stop = await press(session, services, told.factory.finance, run_id=None, provider_account_id=None, reason="the bank called us")
    assert stop.handed_over == 0
    assert await pass_gate(told.services, told.factory.id, intent) is None
    await settle_down(told, clock, rounds=4)
    assert await states_of(told) == Counter({"submitting": 2, "ready": 2})
    assert told.credits() == []
    async with deciding(told) as (session, services):
        lift = await propose_lift(session, services, told.factory.finance, stop.id, reason="a false alarm, they say")
        with pytest.raises(NotAllowedError, match="four_eyes"):
            await confirm(session, services, told.factory.finance, lift.id, shown=lift.content_hash)
    await yes(told, lift)
    clock.advance(minutes=2)
    async with deciding(told) as (session, services):
        await ask_forgotten(session, services, clock())
    assert await settle_down(told, clock) == Counter({"paid": 4})
    assert max(Counter(reference for reference, _ in told.credits()).values()) == 1


@pytest.mark.parametrize("scope", ["run", "rail"])
async def test_a_stop_of_one_run_or_one_rail_stops_its_payments_and_says_what_was_handed_over(told: Story, scope: str) -> None:
    intent = await intent_of(told)
    assert await pass_gate(told.services, told.factory.id, intent) is not None
    one = (await payments_of(told))[0]
    run, rail = (one.run_id, None) if scope == "run" else (None, one.provider_account_id)
    async with deciding(told) as (session, services):
        stop = await press(session, services, told.factory.approver, run_id=run, provider_account_id=rail, reason="our password is out")
    assert stop.handed_over == 1
    await told.work()
    assert (await states_of(told))["ready"] == 2
    assert told.credits() == []


async def test_a_cancel_in_the_moment_of_sending_wins_or_is_told_that_it_is_too_late(told: Story) -> None:
    """The clerk presses cancel while the sender stands in the gate, again and again: one of the two is first, and both know it."""
    for _ in range(2):
        intent = await intent_of(told)
        first = intent.batch.orders[0].reference
        async with deciding(told) as (session, _):
            payment = (await session.scalars(select(Attempt.payment_id).where(Attempt.reference == first))).one()

        async def cancels(payment: UUID = payment) -> None:
            async with deciding(told) as (session, services):
                await cancel(session, services, told.factory.approver, payment, reason="she was paid in cash")

        passed, late = await asyncio.gather(pass_gate(told.services, told.factory.id, intent), cancels(), return_exceptions=True)
        assert isinstance(passed, Intent)
        assert late is None or (isinstance(late, ProblemError) and late.code == "already_handed_over")
        assert (first in {order.reference for order in passed.batch.orders}) == (late is not None)


async def test_what_was_taken_out_before_the_gate_is_not_sent_and_what_comes_after_is_too_late(told: Story, clock: SettableClock) -> None:
    intent = await intent_of(told)
    hers, his = [payment for payment in await payments_of(told) if payment.state == "submitting"]
    async with deciding(told) as (session, services):
        await cancel(session, services, told.factory.approver, hers.id, reason="she left, paid in cash")
    async with deciding(told) as (session, services):
        await hold(session, services, told.factory.preparer, his.id, reason="he called the hotline")
    assert await pass_gate(told.services, told.factory.id, intent) is None
    assert await settle_down(told, clock) == Counter({"paid": 2, "cancelled": 1, "held": 1})
    async with deciding(told) as (session, services):
        await unhold(session, services, told.factory.approver, his.id, reason="he is fine with it")
    assert await settle_down(told, clock) == Counter({"paid": 3, "cancelled": 1})
    assert len(told.credits()) == 3
    async with deciding(told) as (session, services):
        numbers = (await session.execute(select(Attempt.number, Attempt.state).where(Attempt.payment_id == his.id))).all()
        assert sorted(tuple(row) for row in numbers) == [(1, "rejected"), (2, "paid")]


async def test_nobody_knows_until_two_people_have_found_out_that_no_money_moved_and_then_she_is_paid_again(
    told: Story, clock: SettableClock
) -> None:
    lost = await say(told, PayoutStatus.UNKNOWN, "timeout")
    async with deciding(told) as (session, services):
        with pytest.raises(ProblemError, match="not_failed"):
            await propose_repay(session, services, told.factory.preparer, [lost.id], way=Way.CURRENT, reason="she waits for it")
        finding = await propose_finding(session, services, told.factory.finance, LETTER, payment_id=lost.id, reason="the bank's letter")
        with pytest.raises(NotAllowedError, match="four_eyes"):
            await confirm(session, services, told.factory.finance, finding.id, shown=finding.content_hash)
    await yes(told, finding)
    assert (await states_of(told))["rejected"] == 1
    async with deciding(told) as (session, services):
        again = await propose_repay(
            session, services, told.factory.preparer, [lost.id], way=Way.CURRENT, reason="as the bank's letter says"
        )
    assert (await states_of(told))["rejected"] == 1  # nothing happens by one person
    await yes(told, again)
    assert await settle_down(told, clock) == Counter({"paid": 4})
    async with deciding(told) as (session, _):
        tried = (await session.scalars(select(Attempt).where(Attempt.payment_id == lost.id).order_by(Attempt.number))).all()
    assert [(one.number, one.state, one.code) for one in tried] == [(1, "rejected", "found_out"), (2, "paid", None)]
    assert tried[0].reference != tried[1].reference
    assert [reference for reference, _ in told.credits()].count(tried[1].reference) == 1


async def test_money_that_did_move_is_paid_by_evidence_and_a_whole_message_may_be_found_out_at_once(told: Story) -> None:
    lost = await say(told, PayoutStatus.UNKNOWN, "timeout")
    seen = Found(result=Result.PAID, evidence=Evidence.STATEMENT_LINE, reference="camt053 4411/2")
    async with deciding(told) as (session, services):
        dispatch = (await session.scalars(select(Attempt.dispatch_id).where(Attempt.payment_id == lost.id))).one()
        finding = await propose_finding(
            session, services, told.factory.finance, seen, dispatch_id=dispatch, reason="the statement shows it"
        )
        assert [item["payment"] for item in finding.content["items"]] == [str(lost.id)]  # type: ignore[attr-defined]
    await yes(told, finding)
    async with deciding(told) as (session, services):
        assert (await session.get_one(Payment, (told.factory.id, lost.id))).state == "paid"
        assert (await balances(session)).get((Account.SUSPENSE, "USD"), 0) == 0
        with pytest.raises(ProblemError, match="nothing_open"):
            await propose_finding(session, services, told.factory.finance, LETTER, payment_id=lost.id, reason="once more, perhaps")


async def test_what_changed_since_it_was_proposed_or_shown_is_not_confirmed(told: Story) -> None:
    lost = await say(told, PayoutStatus.UNKNOWN, "timeout")
    async with deciding(told) as (session, services):
        finding = await propose_finding(session, services, told.factory.finance, LETTER, payment_id=lost.id, reason="the bank's letter")
    with pytest.raises(ProblemError, match="proposal_changed"):
        async with deciding(told) as (session, services):
            await confirm(session, services, told.factory.approver, finding.id, shown="0" * 64)
    async with deciding(told) as (session, _):
        attempt = (await session.scalars(select(Attempt).where(Attempt.payment_id == lost.id))).one()
        dispatch = await session.get_one(Dispatch, (told.factory.id, attempt.dispatch_id), with_for_update=True)
        await hear(told, session, dispatch, [PayoutOutcome(reference=attempt.reference, status=PayoutStatus.ACCEPTED)])
    with pytest.raises(ProblemError, match="proposal_changed"):
        await yes(told, finding)
    async with deciding(told) as (session, services):
        await refuse(session, services, told.factory.finance, finding.id, reason="the bank has it after all")
    with pytest.raises(ProblemError, match="decided"):
        await yes(told, finding)
    assert (await states_of(told))["accepted"] == 1


async def test_a_key_neither_proposes_nor_confirms(told: Story) -> None:
    lost = await say(told, PayoutStatus.UNKNOWN, "timeout")
    key = Actor(factory_id=told.factory.id, name="key:1", permissions=KEY_PERMISSIONS)
    async with deciding(told) as (session, services):
        with pytest.raises(NotAllowedError, match="person_required"):
            await propose_finding(session, services, key, LETTER, payment_id=lost.id, reason="the machine says so")
        with pytest.raises(NotAllowedError, match="person_required"):
            await propose_repay(session, services, key, [lost.id], way=Way.CURRENT, reason="the machine says so")


async def test_what_a_provider_contradicts_is_not_paid_again_before_it_is_found_out(told: Story, clock: SettableClock) -> None:
    refused = await say(told, PayoutStatus.REJECTED, "account_closed")
    async with deciding(told) as (session, services):
        again = await propose_repay(session, services, told.factory.preparer, [refused.id], way=Way.CASH, reason="her account is closed")
    async with deciding(told) as (session, _):
        attempt = (await session.scalars(select(Attempt).where(Attempt.payment_id == refused.id))).one()
        dispatch = await session.get_one(Dispatch, (told.factory.id, attempt.dispatch_id), with_for_update=True)
        await hear(told, session, dispatch, [PayoutOutcome(reference=attempt.reference, status=PayoutStatus.PAID)])
    with pytest.raises(ProblemError, match="contradicted"):
        await yes(told, again)
    seen = Found(result=Result.PAID, evidence=Evidence.PROVIDER_REFERENCE, reference="FT 99-1")
    async with deciding(told) as (session, services):
        finding = await propose_finding(session, services, told.factory.finance, seen, payment_id=refused.id, reason="they did pay it")
    await yes(told, finding)
    with pytest.raises(ProblemError, match="not_failed"):
        await yes(told, again)
    assert (await settle_down(told, clock))["paid"] == 4


async def test_a_closed_account_is_paid_in_cash_once_by_a_new_approval(told: Story, clock: SettableClock) -> None:
    refused = await say(told, PayoutStatus.REJECTED, "account_closed")
    async with deciding(told) as (session, services):
        again = await propose_repay(session, services, told.factory.preparer, [refused.id], way=Way.CASH, reason="her account is closed")
    await yes(told, again)
    await settle_down(told, clock, rounds=6)
    async with deciding(told) as (session, services):
        current = (
            await session.scalars(select(Destination).where(Destination.worker_id == refused.worker_id, Destination.state != "retired"))
        ).one()
        assert current.kind == "bank_account"  # next month she is asked for an account that works, not quietly paid in cash
        await session.refresh(await session.get_one(Payment, (told.factory.id, refused.id)))
        assert await confirm_cash(session, services, told.factory.finance, refused.run_id, None) == 1
    assert await settle_down(told, clock) == Counter({"paid": 4})


async def test_an_account_that_changes_after_the_new_approval_was_asked_for_is_not_paid(told: Story) -> None:
    refused = await say(told, PayoutStatus.REJECTED, "account_closed")
    async with deciding(told) as (session, services):
        again = await propose_repay(session, services, told.factory.preparer, [refused.id], way=Way.CURRENT, reason="the bank reopened it")
    async with deciding(told) as (session, _):
        own = await session.get_one(Destination, (told.factory.id, refused.destination_id))
        own.account_key = b"another account"
    with pytest.raises(ProblemError, match="proposal_changed"):
        await yes(told, again)
    assert (await states_of(told))["rejected"] == 1


async def test_what_came_back_is_owed_again_and_paid_again_by_a_new_approval(told: Story, clock: SettableClock) -> None:
    back = await say(told, PayoutStatus.RETURNED, "account_closed")
    async with deciding(told) as (session, services):
        assert (await balances(session))[(Account.RETURNS, "USD")] == -back.amount_minor
        again = await propose_repay(session, services, told.factory.preparer, [back.id], way=Way.CURRENT, reason="the bank reopened it")
    await yes(told, again)
    assert await settle_down(told, clock) == Counter({"paid": 4})
    async with deciding(told) as (session, _):
        assert (await balances(session)).get((Account.RETURNS, "USD"), 0) == 0


async def test_an_underpaid_month_is_made_up_by_a_payment_of_its_own_and_only_once(told: Story, clock: SettableClock) -> None:
    assert await settle_down(told, clock) == Counter({"paid": 4})
    short = (await payments_of(told))[0]
    async with deciding(told) as (session, services):
        first = await propose_correction(session, services, told.factory.preparer, short.id, minor=1250, reason="two hours of overtime")
        second = await propose_correction(session, services, told.factory.preparer, short.id, minor=1250, reason="two hours of overtime")
    await yes(told, first)
    with pytest.raises(ProblemError, match="already_corrected"):
        await yes(told, second)
    assert await settle_down(told, clock) == Counter({"paid": 5})
    assert sorted(minor for _, minor in told.credits()) == [1250, *[short.amount_minor] * 4]
    async with deciding(told) as (session, _):
        made = (await session.scalars(select(Payment).where(Payment.corrects == short.id))).one()
        assert (made.kind, made.period, made.amount_minor) == ("correction", short.period, 1250)
        assert (await session.get_one(Payment, (told.factory.id, short.id))).amount_minor == short.amount_minor


async def test_another_account_that_is_only_proposed_is_paid_neither_again_nor_for_a_correction(told: Story) -> None:
    """Somebody has asked for another account for two workers. The bank knows it, and nobody has confirmed that it is theirs."""
    refused = await say(told, PayoutStatus.REJECTED, "account_closed")
    paid = next(one for one in await payments_of(told) if one.state == "paid")
    async with deciding(told) as (session, services):
        for one in (refused, paid):
            person = await person_with(
                session, services, told.factory.preparer, one.worker_id, kind="bank_account", bank=None, account=NEW_ACCOUNT
            )
            await propose_account(session, services, one.worker_id, person, Origin(source="page", by=told.factory.preparer.name))
    await told.work(only=[Job.CHECK_DESTINATIONS])
    async with deciding(told) as (session, services):
        for item in await session.scalars(select(Destination).where(Destination.is_proposal)):
            item.state = "verified"
    async with deciding(told) as (session, services):
        again = await propose_repay(session, services, told.factory.preparer, [refused.id], way=Way.CURRENT, reason="the bank reopened it")
        more = await propose_correction(session, services, told.factory.preparer, paid.id, minor=1250, reason="two hours of overtime")
    items: Any = again.content["items"]
    assert [item["destination"] for item in items] == [str(refused.destination_id)]
    assert more.content["destination"] == str(paid.destination_id)


async def paid_after_all(told: Story, payment: Payment) -> None:
    """The provider says of her first attempt, which it had refused, that it was paid."""
    async with deciding(told) as (session, _):
        attempt = await session.get_one(Attempt, (told.factory.id, payment.id, 1))
        dispatch = await session.get_one(Dispatch, (told.factory.id, attempt.dispatch_id), with_for_update=True)
        await hear(told, session, dispatch, [PayoutOutcome(reference=attempt.reference, status=PayoutStatus.PAID)])


async def held_again(told: Story, payment: Payment) -> tuple[str, str | None, int]:
    """Her payment: state, why, and how often it was tried."""
    found = next(one for one in await payments_of(told) if one.id == payment.id)
    return found.state, found.code, found.attempt


async def test_a_payment_that_is_approved_again_is_held_when_the_provider_says_that_the_first_one_arrived(
    told: Story, clock: SettableClock
) -> None:
    refused = await say(told, PayoutStatus.REJECTED, "account_closed")
    async with deciding(told) as (session, services):
        again = await propose_repay(session, services, told.factory.preparer, [refused.id], way=Way.CURRENT, reason="the bank reopened it")
    await yes(told, again)
    await paid_after_all(told, refused)
    await told.work()
    assert await held_again(told, refused) == ("held", "contradicted", 1)
    async with deciding(told) as (session, services):
        await unhold(session, services, told.factory.finance, refused.id, reason="let it go on")
    await told.work()
    assert await held_again(told, refused) == ("held", "contradicted", 1)
    with pytest.raises(ProblemError, match="contradicted"):
        async with deciding(told) as (session, services):
            await cancel(session, services, told.factory.finance, refused.id, reason="a new file pays her")
    seen = Found(result=Result.PAID, evidence=Evidence.PROVIDER_REFERENCE, reference="FT 99-1")
    async with deciding(told) as (session, services):
        finding = await propose_finding(session, services, told.factory.finance, seen, payment_id=refused.id, reason="they did pay it")
    await yes(told, finding)
    assert (await settle_down(told, clock))["paid"] == 4


async def test_a_payment_that_stands_before_the_gate_is_held_when_the_provider_says_that_the_first_one_arrived(told: Story) -> None:
    refused = await say(told, PayoutStatus.REJECTED, "account_closed")
    async with deciding(told) as (session, services):
        again = await propose_repay(session, services, told.factory.preparer, [refused.id], way=Way.CURRENT, reason="the bank reopened it")
    await yes(told, again)
    intents = [await intent_of(told), await intent_of(told)]
    await paid_after_all(told, refused)
    passed = [await pass_gate(told.services, told.factory.id, intent) for intent in intents]
    sent = {order.reference for one in passed if one is not None for order in one.batch.orders}
    assert len(sent) == len(intents[0].batch.orders) + len(intents[1].batch.orders) - 1
    assert await held_again(told, refused) == ("held", "contradicted", 2)
    async with deciding(told) as (session, services):
        finding = await propose_finding(session, services, told.factory.finance, LETTER, payment_id=refused.id, reason="their mistake")
    await yes(told, finding)
    async with deciding(told) as (session, services):
        await cancel(session, services, told.factory.finance, refused.id, reason="she left the factory")
