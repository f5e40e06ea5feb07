"""Decisions of a person about single payments: hold one, let it go on, or give it up."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.audit.journal import Event, record
from payroll_api.db.bulk import fetch
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.ledger.book import Account, Cause, Transfer, post
from payroll_api.outside.guard import may_claim
from payroll_api.payments.finish import complete_if_done
from payroll_api.payments.models import Attempt, Dispatch, Payment
from payroll_api.payments.outcomes import close_if_done
from payroll_api.payments.states import TRANSITIONS
from payroll_api.payments.withdraw import withdraw
from payroll_api.services import Services

_SHORTEST_REASON = 5
_CONTRADICTED = "select from attempts where factory_id = $1 and payment_id = $2 and contradicted_by is not null limit 1"


async def hold(session: AsyncSession, services: Services, actor: Actor, payment_id: UUID, *, reason: str) -> Payment:
    """Stop one worker's payment that has not been sent. The rest of the run goes on.

    Raises ProblemError `already_handed_over` when its message may have left, `payment_state` where it makes no sense.
    """
    actor.require(Permission.PREPARE)
    return (await _stop(session, services, actor, payment_id, "held", _reason(reason)))[0]


async def unhold(session: AsyncSession, services: Services, actor: Actor, payment_id: UUID, *, reason: str) -> Payment:
    """Let a held payment go on. Needs the right to release money."""
    actor.require(Permission.RELEASE)
    payment = await _locked(session, actor, payment_id)
    if payment.state != "held":
        raise _cannot(payment, "ready")
    await _move(session, services, actor, payment, "ready", _reason(reason))
    await enqueue(
        session,
        Job.SUBMIT_CHUNK,
        {"run": str(payment.run_id), "provider": str(payment.provider_account_id), "currency": payment.currency},
    )
    return payment


async def cancel(session: AsyncSession, services: Services, actor: Actor, payment_id: UUID, *, reason: str) -> Payment:
    """Give a payment up that was not sent, or failed for sure. A corrected file can then pay the worker.

    Raises ProblemError `already_handed_over` when its message may have left, `payment_state` where it makes no sense.
    """
    actor.require(Permission.RELEASE)
    payment, was = await _stop(session, services, actor, payment_id, "cancelled", _reason(reason))
    if await fetch(session, _CONTRADICTED, actor.factory_id, payment_id):
        raise ProblemError(
            "contradicted", "The provider has said that money moved for this payment. Find out what became of it before it is given up."
        )
    owed = Transfer(
        run_id=payment.run_id,
        payment_id=payment.id,
        attempt=payment.attempt,
        cause=Cause.CANCELLED,
        debit=Account.RETURNS if was == "returned" else Account.WAGES_PAYABLE,
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


async def _found(session: AsyncSession, actor: Actor, payment_id: UUID) -> Payment:
    payment = await session.get(Payment, (actor.factory_id, payment_id), populate_existing=True)
    if payment is None:
        raise NotFoundError("payment")
    return payment


async def _locked(session: AsyncSession, actor: Actor, payment_id: UUID) -> Payment:
    payment = await session.get(Payment, (actor.factory_id, payment_id), with_for_update=True, populate_existing=True)
    if payment is None:
        raise NotFoundError("payment")
    return payment


async def _stop(session: AsyncSession, services: Services, actor: Actor, payment_id: UUID, to: str, reason: str) -> tuple[Payment, str]:
    """Hold or cancel: taken out of its message where that has not passed the gate, refused where it has. Gives its state before, too."""
    latest = (
        select(Attempt)
        .join(Payment, (Payment.factory_id == Attempt.factory_id) & (Payment.id == Attempt.payment_id))
        .where(Payment.id == payment_id, Payment.state == "submitting", Attempt.number == Payment.attempt)
    )
    if (attempt := (await session.scalars(latest)).first()) is not None:
        # The message's lock first, then the payment's, as everywhere: a sender at its gate is before us or after us.
        dispatch = await session.get_one(Dispatch, (actor.factory_id, attempt.dispatch_id), with_for_update=True, populate_existing=True)
        # A restored database may only believe that it was not sent: while it is locked, nothing is taken back.
        if dispatch.state == "intent" and await may_claim(session, services):
            now = services.clock()
            count = await withdraw(session, dispatch, [attempt.reference], to=to, actor=actor.name, code="decided", detail=reason, at=now)
            await close_if_done(session, dispatch, now)
            if count:
                return await _found(session, actor, payment_id), "submitting"
    payment = await _locked(session, actor, payment_id)
    if payment.state in ("submitting", "accepted", "unknown"):
        raise ProblemError(
            "already_handed_over",
            f"Too late: the payment was already handed over to the provider and is {payment.state}. Ask the provider to stop it.",
            extra={"state": payment.state},
        )
    was = payment.state
    await _move(session, services, actor, payment, to, reason)
    return payment, was


def _cannot(payment: Payment, to: str) -> ProblemError:
    return ProblemError("payment_state", f"The payment is {payment.state}: it cannot become {to}.", extra={"state": payment.state})


async def _move(session: AsyncSession, services: Services, actor: Actor, payment: Payment, to: str, reason: str) -> None:
    if to not in TRANSITIONS[payment.state]:
        raise _cannot(payment, to)
    now, was = services.clock(), payment.state
    payment.state, payment.state_since, payment.code, payment.detail = to, now, "decided", reason
    await session.flush()
    await record(session, now, Event(actor=actor.name, action=f"payment.{to}", subject=f"payment:{payment.id}", data={"was": was}))
