"""A run whose payments stand ready and whose providers have heard nothing: for what people decide, and what arrives all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from payroll_api.access.actor import Actor
from payroll_api.jobs.names import Job
from payroll_api.ledger.book import balances
from payroll_api.payments.confirm import confirm
from payroll_api.payments.gate import pass_gate
from payroll_api.payments.intent import Intent, claim
from payroll_api.payments.invariants import violations
from payroll_api.payments.models import Attempt, Dispatch, Payment, Proposal
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import few, hear, payments_of, released
from tests.payroll_api.payday_story import Story


@asynccontextmanager
async def standing_ready(services: Services, factory: SampleFactory, folder: Path, clock: SettableClock) -> AsyncIterator[Story]:
    """Four workers of a released run, and nothing sent yet; at the end every invariant holds and the books are even."""
    async with few(services, factory, folder, clock) as story:
        await released(story)
        await story.work(only=[Job.PREPARE_RUN])
        yield story
        async with story.services.database.factory(factory.id) as session:
            assert await violations(session) == []
            assert sum(balance for (_, unit), balance in (await balances(session)).items() if unit == "USD") == 0


async def intent_of(told: Story) -> Intent:
    """A sender that has committed its intent and stands before the gate."""
    one = (await payments_of(told))[0]
    async with told.services.database.factory(told.factory.id) as session:
        intent = await claim(
            session,
            await told.services.keys.vault(session),
            run_id=one.run_id,
            provider_account_id=one.provider_account_id,
            unit="USD",
            limit=2,
            period="2026-11",
            at=told.services.clock(),
            look_up_after=timedelta(seconds=1),
        )
    assert intent is not None
    return intent


@asynccontextmanager
async def deciding(told: Story) -> AsyncIterator[tuple[Any, Services]]:
    """A transaction for a person's decision."""
    async with told.services.database.factory(told.factory.id) as session:
        yield session, told.services


async def yes(told: Story, proposal: Proposal, actor: Actor | None = None) -> None:
    """Another person confirms what she is shown."""
    async with deciding(told) as (session, services):
        await confirm(session, services, actor or told.factory.approver, proposal.id, shown=proposal.content_hash)


async def say(told: Story, status: PayoutStatus, code: str | None = None) -> Payment:
    """The bank says this of one order that was sent, whatever it did; the others settle. Gives her payment."""
    intent = await intent_of(told)
    passed = await pass_gate(told.services, told.factory.id, intent)
    assert passed is not None
    one = passed.batch.orders[0].reference
    async with deciding(told) as (session, _):
        dispatch = await session.get_one(Dispatch, (told.factory.id, intent.dispatch_id), with_for_update=True)
        rest = [order.reference for order in passed.batch.orders[1:]]
        outcomes = [PayoutOutcome(reference=one, status=status, code=code)]
        await hear(told, session, dispatch, [*outcomes, *(PayoutOutcome(reference=ref, status=PayoutStatus.PAID) for ref in rest)])
        dispatch.look_up_after = told.services.clock() + timedelta(days=9)
        found = await session.scalars(select(Payment).join(Attempt, Attempt.payment_id == Payment.id).where(Attempt.reference == one))
        payment: Payment = found.one()
        return payment
