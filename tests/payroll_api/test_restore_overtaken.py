"""A restored database that still waits for an attempt, or counts it as paid, after which another one was sent: the later one counts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from payroll_api.jobs.names import Job
from payroll_api.ledger.book import Account, Cause, Transfer, post
from payroll_api.outside.journal import Sending
from payroll_api.outside.models import SentOutside
from payroll_api.payments.adopt import adopt_sent, mark_sent
from payroll_api.payments.hold import hold
from payroll_api.payments.invariants import violations
from payroll_api.payments.models import Attempt, Dispatch, Payment
from payroll_api.payments.references import attempt_reference, dispatch_reference, payload_hash
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import PEOPLE, few, hear, payments_of, payroll, released, settle_down
from tests.payroll_api.payday_story import Story


async def sent_later(told: Story, session: AsyncSession, payment: Payment, number: int) -> str:
    """The journal outside knows of this attempt of a payment; this database does not. Gives its reference."""
    other = uuid4()
    reference = attempt_reference(payment.id, number)
    session.add(
        SentOutside(
            factory_id=told.factory.id,
            reference=reference,
            dispatch_id=other,
            dispatch_reference=dispatch_reference(other),
            sent_at=told.services.clock(),
            provider_account_id=payment.provider_account_id,
            payment_id=payment.id,
            number=number,
            worker_code=payment.worker_code,
            period=payment.period,
            kind=payment.kind,
            currency=payment.currency,
            amount_minor=payment.amount_minor,
            payload_hash=payload_hash(reference, payment.account_key, payment.amount_minor, payment.currency),
            status="unasked",
            on_statement=False,
        )
    )
    await session.flush()
    return reference


def not_yet_confirmed(payment: Payment) -> Transfer:
    """Books a confirmed payment back into transit."""
    rail = payment.provider_account_id
    return Transfer(
        cause=Cause.CERTAIN,
        debit=f"{Account.BANK}:{rail}",
        credit=f"{Account.IN_TRANSIT}:{rail}",
        currency=payment.currency,
        amount_minor=payment.amount_minor,
        run_id=payment.run_id,
        payment_id=payment.id,
        attempt=1,
    )


@pytest.mark.parametrize(("before", "ended"), [("accepted", "rejected"), ("paid", "returned"), ("returned", "returned")])
async def test_an_attempt_after_which_another_was_sent_is_not_asked_about_and_never_given_again(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock, before: str, ended: str
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told, payroll(PEOPLE[:1]))
        await settle_down(told, clock)
        async with services.database.factory(factory.id) as session:
            payment = (await session.scalars(select(Payment))).one()
            dispatch = (await session.scalars(select(Dispatch).with_for_update())).one()
            reference = attempt_reference(payment.id, 1)
            if before == "accepted":  # as the dump has it: nobody knew yet
                await session.execute(update(Payment).values(state="accepted"))
                await session.execute(update(Attempt).values(state="accepted"))
                await post(session, clock(), [not_yet_confirmed(payment)])
            elif before == "returned":
                await hear(told, session, dispatch, [PayoutOutcome(reference=reference, status=PayoutStatus.RETURNED)])
            later = await sent_later(told, session, payment, 2)
            await session.flush()
        async with services.database.factory(factory.id) as session:
            assert await adopt_sent(session, clock()) != []
        async with services.database.factory(factory.id) as session:
            states = {one.reference: one.state for one in await session.scalars(select(Attempt))}
            payment = (await session.scalars(select(Payment))).one()
            assert states == {reference: ended, later: "intent"}
            assert (payment.state, payment.attempt) == ("submitting", 2)
            assert await violations(session) == []


async def test_what_was_not_found_before_a_later_sending_that_only_the_journal_knows_proves_nothing(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told, payroll(PEOPLE[:1]))
        await settle_down(told, clock)
        async with services.database.factory(factory.id) as session:
            dispatch = (await session.scalars(select(Dispatch).with_for_update())).one()
            dispatch.state = "open"
            await session.flush()
            assert dispatch.sent_at is not None
            moments = [dispatch.sent_at + timedelta(minutes=minute) for minute in (9, 5)]
            sendings = [
                Sending(
                    factory_id=factory.id,
                    epoch=number,
                    at=moment,
                    provider_account_id=dispatch.provider_account_id,
                    dispatch_id=dispatch.id,
                    dispatch=dispatch.reference,
                    fence=3 - number,
                    orders=[],
                )
                for number, moment in enumerate(moments)
            ]
            assert await mark_sent(session, sendings, clock()) == [dispatch.id]
            await session.refresh(dispatch)
            assert (dispatch.sent_at, dispatch.fence) == (moments[0], 3)


async def test_nothing_is_taken_back_from_a_message_while_a_restored_database_is_locked(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    """It believes that the message was never sent; it may have been."""
    async with few(services, factory, tmp_path, clock) as told:
        await released(told, payroll(PEOPLE[:1]))
        await settle_down(told, clock)
        async with services.database.factory(factory.id) as session:
            payment = (await session.scalars(select(Payment))).one()
            await session.execute(update(Payment).values(state="submitting", paid_at=None))
            await session.execute(update(Attempt).values(state="intent"))
            await session.execute(update(Dispatch).values(state="intent", sent_at=None))
            await session.execute(text("update send_guards set epoch = 0, journaled = 0"))
        with pytest.raises(Exception, match="Too late"):
            async with services.database.factory(factory.id) as session:
                await hold(session, services, factory.preparer, payment.id, reason="her account is in doubt")


@pytest.mark.parametrize(
    ("status", "is_sent"), [("unasked", False), ("unknown", False), ("paid", False), ("rejected", True), ("returned", True)]
)
async def test_what_may_have_been_sent_before_the_restore_is_not_claimed_until_it_is_taken_back(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock, status: str, is_sent: bool
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await told.work(only=[Job.PREPARE_RUN])
        async with services.database.factory(factory.id) as session:
            first = (await session.scalars(select(Payment).order_by(Payment.worker_code).limit(1))).one()
            reference = await sent_later(told, session, first, 1)
            await session.execute(update(SentOutside).where(SentOutside.reference == reference).values(status=status))
        await told.work(only=[Job.SUBMIT_CHUNK])
        waiting = {one.worker_code for one in await payments_of(told) if one.state == "ready"}
        assert waiting == (set() if is_sent else {first.worker_code})
        assert len(await told.executed()) == len(PEOPLE) - len(waiting)
