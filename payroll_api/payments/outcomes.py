"""The one place where a provider's word changes a payment: guarded, set-based, with its ledger and audit in the same transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from payroll_api import logs
from payroll_api.audit.journal import Event, record_many
from payroll_api.db.bulk import fetch, run
from payroll_api.failpoints import failpoint
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.ledger.book import Account, Cause, Transfer, post
from payroll_api.payments.finish import complete_if_done
from payroll_api.payments.models import Dispatch
from payroll_api.payments.states import TRANSITIONS

log = logs.get(__name__)

# Payments are locked in the order of their ids, so that a webhook, a look-up and a sender never wait for each other in a circle.
_LOCK = """
select a.reference, p.id, a.number, p.attempt, p.state, p.amount_minor, p.currency, p.run_id
from attempts a join payments p on p.factory_id = a.factory_id and p.id = a.payment_id
where a.factory_id = $1 and a.reference = any($2) and a.dispatch_id = $3 order by p.id for update of p
"""
_ATTEMPTS = """
update attempts a set state = n.state, provider_reference = coalesce(n.provider_reference, a.provider_reference), code = n.code,
  detail = n.detail, changed_at = $2
from unnest($3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[])
  as n(payment_id, number, state, provider_reference, code, detail)
where a.factory_id = $1 and a.payment_id = n.payment_id and a.number = n.number
"""
_PAYMENTS = """
update payments p set state = n.state, state_since = $2, code = n.code, detail = n.detail,
  paid_at = case when n.state = 'paid' then $2 else p.paid_at end
from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[]) as n(id, was, state, code, detail)
where p.factory_id = $1 and p.id = n.id and p.state = n.was
"""
_OPEN = "select count(*) from attempts where factory_id = $1 and dispatch_id = $2 and state in ('intent', 'accepted', 'unknown')"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    outcome: PayoutOutcome
    payment_id: UUID
    number: int
    was: str
    state: str
    minor: int
    unit: str
    run_id: UUID


async def record_outcomes(session: AsyncSession, dispatch: Dispatch, outcomes: Sequence[PayoutOutcome], *, actor: str, at: datetime) -> int:
    """Apply outcomes to their attempts and payments; give how many attempts of the dispatch are still open.

    Whatever is no legal transition (a repeated or a late word), or speaks of another dispatch's attempt, changes nothing. `NOT_FOUND`
    is no outcome: see `look_up`.
    """
    by_reference = {outcome.reference: outcome for outcome in outcomes if outcome.status is not PayoutStatus.NOT_FOUND}
    changes = []
    for reference, payment, number, latest, state, minor, unit, run_id in await fetch(
        session, _LOCK, dispatch.factory_id, list(by_reference), dispatch.id
    ):
        outcome = _with_amount_compared(by_reference[reference], minor, unit)
        # A word about an attempt that is not the payment's latest is history: it never moves the payment.
        if number == latest and outcome.status.value in TRANSITIONS[state]:
            changes.append(
                _Change(
                    outcome=outcome,
                    payment_id=payment,
                    number=number,
                    was=state,
                    state=outcome.status.value,
                    minor=minor,
                    unit=unit,
                    run_id=run_id,
                )
            )
    if changes:
        await _apply(session, dispatch, changes, actor, at)
        if any(change.state == "paid" for change in changes):
            await enqueue(session, Job.COMPOSE_SLIPS, {"run": str(dispatch.run_id)}, once=f"{dispatch.id}|{at.isoformat()}")
    still_open = int((await fetch(session, _OPEN, dispatch.factory_id, dispatch.id))[0][0])
    dispatch.state = "open" if still_open else "closed"
    await session.flush()
    if not still_open:
        await complete_if_done(session, dispatch.run_id, at)
    return still_open


def _with_amount_compared(outcome: PayoutOutcome, minor: int, unit: str) -> PayoutOutcome:
    """A word about another amount than was approved is no word about this payment: it stays open until somebody finds out why."""
    echoed = outcome.amount
    if echoed is None or (echoed.minor, echoed.currency.code) == (minor, unit):
        return outcome
    log.error("amount_differs", status=outcome.status.value)
    return dataclasses.replace(
        outcome, status=PayoutStatus.UNKNOWN, code="amount_differs", detail="the provider states another amount than was ordered"
    )


async def _apply(session: AsyncSession, dispatch: Dispatch, changes: Sequence[_Change], actor: str, at: datetime) -> None:
    factory_id = dispatch.factory_id
    ids = [change.payment_id for change in changes]
    states = [change.state for change in changes]
    codes = [change.outcome.code for change in changes]
    details = [change.outcome.detail for change in changes]
    references = [change.outcome.provider_reference for change in changes]
    moved = await run(session, _PAYMENTS, factory_id, at, ids, [change.was for change in changes], states, codes, details)
    if moved != len(changes):
        raise RuntimeError("a payment changed under its lock")
    await run(session, _ATTEMPTS, factory_id, at, ids, [change.number for change in changes], states, references, codes, details)
    await post(session, at, (transfer for change in changes for transfer in _transfers(change, dispatch.provider_account_id)))
    await failpoint("E1")
    await record_many(
        session,
        at,
        (
            Event(
                actor=actor,
                action=f"payment.{change.state}",
                subject=f"payment:{change.payment_id}",
                data={"reference": change.outcome.reference, "attempt": change.number, "code": change.outcome.code, "was": change.was},
            )
            for change in changes
        ),
    )


def _transfers(change: _Change, provider_account_id: UUID) -> list[Transfer]:
    """What a change of state moves in the ledger. Handing over was booked with the intent."""
    transit = f"{Account.IN_TRANSIT}:{provider_account_id}"
    holding = {"unknown": str(Account.SUSPENSE), "paid": f"{Account.PAID}:{provider_account_id}"}
    source = holding.get(change.was, transit)
    target = {**holding, "rejected": str(Account.WAGES_PAYABLE), "returned": str(Account.WAGES_PAYABLE)}.get(change.state, transit)
    if source == target:
        return []
    cause = {
        "unknown": Cause.UNCERTAIN,
        "paid": Cause.CONFIRMED,
        "rejected": Cause.FAILED,
        "returned": Cause.RETURNED,
    }.get(change.state, Cause.CERTAIN)
    return [
        Transfer(
            run_id=change.run_id,
            payment_id=change.payment_id,
            attempt=change.number,
            cause=cause,
            debit=source,
            credit=target,
            currency=change.unit,
            amount_minor=change.minor,
        )
    ]
