"""What arrived after all: a wage that was given up, tried again or paid anew, of which the provider says later that it has it."""

from __future__ import annotations

import dataclasses
import json
import os
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from payroll_api.alarms.models import AlarmRow
from payroll_api.db.bulk import fetch
from payroll_api.errors import ProblemError
from payroll_api.jobs.names import Job
from payroll_api.outside.journal import Journal
from payroll_api.payments.findings import Evidence, Found, Result, propose_finding
from payroll_api.payments.gate import pass_gate
from payroll_api.payments.hold import cancel
from payroll_api.payments.look_up import confirm as look_up
from payroll_api.payments.models import Attempt, Dispatch, Payment
from payroll_api.payments.overdue import sound_overdue
from payroll_api.payments.payee import with_payee
from payroll_api.payments.repay import Way, propose_repay
from payroll_api.payments.submit import send
from payroll_api.people.models import Destination
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import hear, payments_of, payroll, released, settle_down, states_of
from tests.payroll_api.payday_story import Story
from tests.payroll_api.standing_ready import deciding, intent_of, say, standing_ready, yes

SEEN = Found(result=Result.PAID, evidence=Evidence.PROVIDER_REFERENCE, reference="FT 99-1")
BACK = Found(result=Result.NO_MONEY_MOVED, evidence=Evidence.STATEMENT_LINE, reference="entry 7")


@pytest.fixture
async def told(services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock) -> AsyncIterator[Story]:
    """Four workers of a released run, and nothing sent yet."""
    async with standing_ready(services, factory, tmp_path, clock) as story:
        yield story


async def provider_says(told: Story, payment: Payment, status: PayoutStatus, number: int = 1) -> None:
    """The bank says this of one attempt, asked or not."""
    async with deciding(told) as (session, _):
        attempt = await session.get_one(Attempt, (told.factory.id, payment.id, number))
        dispatch = await session.get_one(Dispatch, (told.factory.id, attempt.dispatch_id), with_for_update=True)
        await hear(told, session, dispatch, [PayoutOutcome(reference=attempt.reference, status=status)])


async def found(told: Story, payment: Payment, what: Found) -> None:
    """Two people find it out."""
    async with deciding(told) as (session, services):
        finding = await propose_finding(session, services, told.factory.finance, what, payment_id=payment.id, reason="the bank's letter")
    await yes(told, finding)


async def again(told: Story, payment: Payment) -> None:
    """Two people decide to pay it again."""
    async with deciding(told) as (session, services):
        repay = await propose_repay(session, services, told.factory.preparer, [payment.id], way=Way.CURRENT, reason="it works again")
    await yes(told, repay)


async def now(told: Story, payment: Payment) -> tuple[str, int | None]:
    """Its state, and which earlier attempt paid it, if one did."""
    async with deciding(told) as (session, _):
        found = await session.get_one(Payment, (told.factory.id, payment.id), populate_existing=True)
        return found.state, found.paid_by


async def alarms(told: Story) -> Counter[str]:
    """The open alarms about payments that are in doubt."""
    async with deciding(told) as (session, services):
        await sound_overdue(session, services, services.clock())
        kinds = ("paid_twice", "provider_contradicts")
        return Counter(await session.scalars(select(AlarmRow.kind).where(AlarmRow.cleared_at.is_(None), AlarmRow.kind.in_(kinds))))


async def test_a_wage_that_was_given_up_and_arrived_after_all_is_not_paid_by_a_new_file(told: Story, clock: SettableClock) -> None:
    refused = await say(told, PayoutStatus.REJECTED, "account_closed")
    async with deciding(told) as (session, services):
        await cancel(session, services, told.factory.approver, refused.id, reason="she is paid by another file")
    await provider_says(told, refused, PayoutStatus.PAID)
    before = len(told.credits())
    await released(told, payroll(net="205.20"))
    await settle_down(told, clock, rounds=8)
    (other,) = [one for one in await payments_of(told) if one.worker_id == refused.worker_id and one.id != refused.id]
    assert (other.state, other.code) == ("held", "contradicted")
    assert len(told.credits()) == before + 2  # the two whose turn had not come; she is not among them
    with pytest.raises(ProblemError, match="payment_state"):
        await found(told, refused, SEEN)  # one wage, two payments that could pay it: first the other one is given up
    async with deciding(told) as (session, services):
        await cancel(session, services, told.factory.approver, other.id, reason="she has it by the first")
    await found(told, refused, SEEN)
    assert await now(told, refused) == ("paid", None)
    assert await alarms(told) == Counter()


async def test_an_earlier_attempt_that_is_found_paid_pays_her_where_the_later_one_failed(told: Story, clock: SettableClock) -> None:
    refused = await say(told, PayoutStatus.REJECTED, "account_closed")
    await again(told, refused)
    await provider_says(told, refused, PayoutStatus.PAID)
    await settle_down(told, clock, rounds=6)
    assert await now(told, refused) == ("held", None)
    await found(told, refused, SEEN)
    assert (await now(told, refused))[0] == "paid"
    # It comes back by that same attempt, and may be paid again under a number that was never used.
    await provider_says(told, refused, PayoutStatus.RETURNED)
    assert (await now(told, refused))[0] == "returned"
    await again(told, refused)
    assert await settle_down(told, clock) == Counter({"paid": 4})
    references = Counter(reference for reference, _ in told.credits())
    assert max(references.values()) == 1


async def test_a_wage_that_both_attempts_paid_is_an_alarm_until_it_came_back(told: Story, clock: SettableClock) -> None:
    refused = await say(told, PayoutStatus.REJECTED, "account_closed")
    await again(told, refused)
    assert await settle_down(told, clock) == Counter({"paid": 4})
    await provider_says(told, refused, PayoutStatus.PAID)
    assert await alarms(told) == Counter({"provider_contradicts": 1})
    await found(told, refused, SEEN)
    assert await now(told, refused) == ("paid", None)
    assert await alarms(told) == Counter({"paid_twice": 1})
    await found(told, refused, BACK)
    assert await alarms(told) == Counter()


async def test_while_a_second_attempt_is_on_its_way_nobody_can_say_that_the_first_one_paid(told: Story) -> None:
    refused = await say(told, PayoutStatus.REJECTED, "account_closed")
    await again(told, refused)
    intents = [await intent_of(told), await intent_of(told)]
    assert all(intents)
    async with deciding(told) as (session, _):
        await fetch(session, "update attempts set contradicted_by = 'paid' where payment_id = $1 and number = 1", refused.id)
    with pytest.raises(ProblemError, match="payment_state"):
        await found(told, refused, SEEN)


async def test_an_account_that_is_named_later_and_is_another_one_is_no_payment_and_messages_plan_one_look_up(told: Story) -> None:
    intent = await intent_of(told)
    first, second = intent.batch.orders
    spaced = f" {second.destination.account[:3]}-{second.destination.account[3:]}"
    said = [
        PayoutOutcome(reference=first.reference, status=PayoutStatus.PAID, account="000999999"),
        PayoutOutcome(reference=second.reference, status=PayoutStatus.PAID, account=spaced),
    ]
    passed = await pass_gate(told.services, told.factory.id, intent)
    assert passed is not None
    async with deciding(told) as (session, services):
        dispatch = await session.get_one(Dispatch, (told.factory.id, intent.dispatch_id))
        compared = await with_payee(session, services, dispatch, said)
        connector = await services.connectors.payout(session, dispatch.provider_account_id)
        dispatch.look_up_after = told.services.clock() + timedelta(minutes=5)
    assert [(one.status, one.code) for one in compared] == [(PayoutStatus.UNKNOWN, "payee_differs"), (PayoutStatus.PAID, None)]

    # Its sender sleeps for ten minutes, and the clock of the machine is put back meanwhile: it does not send.
    slept = dataclasses.replace(told.services, uptime=lambda: told.services.uptime() + timedelta(minutes=10))
    await send(slept, told.factory.id, connector, passed)
    assert told.credits() == []
    assert (await states_of(told))["submitting"] == 2

    # Five messages about the file come while a look-up is planned: it stays the next one. When none is planned, one is.
    for ahead, planned in ((5, 0), (-1, 1)):
        async with deciding(told) as (session, _):
            dispatch = await session.get_one(Dispatch, (told.factory.id, intent.dispatch_id))
            dispatch.look_up_after = told.services.clock() + timedelta(minutes=ahead)
        for _ in range(5):
            await look_up(told.services, told.factory.id, intent.dispatch_id, is_told=True)
        async with deciding(told) as (session, _):
            sql = "select count(*) from pgqueuer where entrypoint = $1 and convert_from(payload, 'UTF8')::jsonb ->> 'dispatch' = $2"
            assert (await fetch(session, sql, Job.LOOK_UP_DISPATCH.value, str(intent.dispatch_id)))[0][0] == planned


async def test_what_was_withdrawn_before_the_gate_does_not_keep_the_rest_from_being_given_again(told: Story, clock: SettableClock) -> None:
    intent = await intent_of(told)
    first, second = intent.batch.orders
    async with deciding(told) as (session, services):
        payment = (await session.scalars(select(Attempt.payment_id).where(Attempt.reference == first.reference))).one()
        await cancel(session, services, told.factory.approver, payment, reason="she has left the factory")
        own = await session.get_one(
            Destination, (told.factory.id, (await session.get_one(Payment, (told.factory.id, payment))).destination_id)
        )
        own.account_key = b"corrected since"
    assert await pass_gate(told.services, told.factory.id, intent) is not None  # and its sender dies here
    await settle_down(told, clock)
    assert Counter(reference for reference, _ in told.credits())[second.reference] == 1
    assert await states_of(told) == Counter({"paid": 3, "cancelled": 1})


def test_a_journal_that_was_replaced_by_a_longer_one_is_read_anew(tmp_path: Path) -> None:
    path, factory = tmp_path / "journal", uuid4()

    def write(at: Path, epochs: range) -> None:
        lines = [{"v": 1, "journal": str(uuid4())}, *({"v": 1, "factory": str(factory), "epoch": epoch} for epoch in epochs)]
        at.write_text("".join(json.dumps(line) + "\n" for line in lines))

    write(path, range(1, 3))
    journal = Journal(path)
    assert journal.newest(factory) == 2
    mine = journal.identity()
    write(tmp_path / "other", range(1, 9))
    os.replace(tmp_path / "other", path)  # noqa: PTH105 the call that keeps no trace of the file before
    assert journal.newest(factory) == 8
    assert journal.identity() != mine
