"""Decisions of a person about single payments: hold one, let it go on, give it up, or confirm cash that was handed over."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from payroll_api.access.actor import Actor, Permission
from payroll_api.access.four_eyes import require_person
from payroll_api.audit.journal import Event, record
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.factories.models import ProviderAccount
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.ledger.book import Account, Cause, Transfer, post
from payroll_api.payments.finish import complete_if_done
from payroll_api.payments.models import Attempt, Dispatch, Payment
from payroll_api.payments.outcomes import record_outcomes
from payroll_api.payments.states import TRANSITIONS
from payroll_api.services import Services

_SHORTEST_REASON = 5


async def hold(session: AsyncSession, services: Services, actor: Actor, payment_id: UUID, *, reason: str) -> Payment:
    """Stop one worker's payment that has not been sent. The rest of the run goes on. Raises ProblemError `payment_state`."""
    actor.require(Permission.PREPARE)
    return await _move(session, services, actor, payment_id, "held", _reason(reason))


async def unhold(session: AsyncSession, services: Services, actor: Actor, payment_id: UUID, *, reason: str) -> Payment:
    """Let a held payment go on. Needs the right to release money."""
    actor.require(Permission.RELEASE)
    payment = await _move(session, services, actor, payment_id, "ready", _reason(reason), only_from=("held",))
    await enqueue(
        session,
        Job.SUBMIT_CHUNK,
        {"run": str(payment.run_id), "provider": str(payment.provider_account_id), "currency": payment.currency},
    )
    return payment


async def cancel(session: AsyncSession, services: Services, actor: Actor, payment_id: UUID, *, reason: str) -> Payment:
    """Give a payment up that was not sent, or failed for sure. A corrected file can then pay the worker."""
    actor.require(Permission.RELEASE)
    payment = await _move(session, services, actor, payment_id, "cancelled", _reason(reason))
    owed = Transfer(
        run_id=payment.run_id,
        payment_id=payment.id,
        attempt=payment.attempt,
        cause=Cause.CANCELLED,
        debit=Account.WAGES_PAYABLE,
        credit=Account.WAGES_DUE,
        currency=payment.currency,
        amount_minor=payment.amount_minor,
    )
    await post(session, services.clock(), [owed])
    await complete_if_done(session, payment.run_id, services.clock())
    return payment


def _reason(text: str) -> str:
    if len(text.strip()) < _SHORTEST_REASON:
        raise InvalidError("Write a reason that another person understands.", fields=[{"field": "reason", "problem": "too short"}])
    return text.strip()


async def _move(
    session: AsyncSession, services: Services, actor: Actor, payment_id: UUID, to: str, reason: str, only_from: Sequence[str] | None = None
) -> Payment:
    payment = await session.get(Payment, (actor.factory_id, payment_id), with_for_update=True, populate_existing=True)
    if payment is None:
        raise NotFoundError("payment")
    if to not in TRANSITIONS[payment.state] or (only_from is not None and payment.state not in only_from):
        raise ProblemError("payment_state", f"The payment is {payment.state}: it cannot become {to}.", extra={"state": payment.state})
    now, was = services.clock(), payment.state
    payment.state, payment.state_since, payment.code, payment.detail = to, now, "decided", reason
    await session.flush()
    await record(session, now, Event(actor=actor.name, action=f"payment.{to}", subject=f"payment:{payment_id}", data={"was": was}))
    return payment


async def confirm_cash(session: AsyncSession, services: Services, actor: Actor, run_id: UUID, worker_codes: Sequence[str] | None) -> int:
    """Count envelopes as paid that workers have signed for: these codes, or all of the run. Gives how many were counted."""
    actor.require(Permission.SETTLE)
    require_person(actor)
    query = (
        select(Attempt, Payment, Dispatch)
        .join(Payment, (Payment.factory_id == Attempt.factory_id) & (Payment.id == Attempt.payment_id))
        .join(Dispatch, (Dispatch.factory_id == Attempt.factory_id) & (Dispatch.id == Attempt.dispatch_id))
        .join(
            ProviderAccount,
            (ProviderAccount.factory_id == Payment.factory_id) & (ProviderAccount.id == Payment.provider_account_id),
        )
        .where(Payment.run_id == run_id, Payment.state == "accepted", ProviderAccount.kind == "cash", Attempt.number == Payment.attempt)
    )
    if worker_codes is not None:
        query = query.where(Payment.worker_code.in_(worker_codes))
    by_dispatch: dict[UUID, tuple[Dispatch, list[PayoutOutcome]]] = {}
    for attempt, _payment, dispatch in await session.execute(query):
        outcome = PayoutOutcome(reference=attempt.reference, status=PayoutStatus.PAID, detail="signed for")
        by_dispatch.setdefault(dispatch.id, (dispatch, []))[1].append(outcome)
    now = services.clock()
    for dispatch, outcomes in by_dispatch.values():
        await record_outcomes(session, dispatch, outcomes, actor=actor.name, at=now)
    return sum(len(outcomes) for _, outcomes in by_dispatch.values())
