"""Pay what an earlier payment was short of, as a new payment of kind `correction` with its own approval. Nothing earlier is edited."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import Money, currency
from importers.period import RunKind
from payroll_api.access.actor import Actor
from payroll_api.audit.journal import Event, record
from payroll_api.db.bulk import fetch, run
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.ledger.book import Account, Cause, Transfer, post
from payroll_api.payments.models import Proposal
from payroll_api.payments.proposals import Draft, keep, may_propose
from payroll_api.people.destinations import provider_of
from payroll_api.services import Services

_EARLIER = """
select p.id, p.run_id, p.worker_id, p.worker_code, p.period, p.currency, p.amount_minor, p.state, d.id, d.kind, d.state, d.account_key
from payments p
left join destinations d on d.factory_id = p.factory_id and d.worker_id = p.worker_id and d.state <> 'retired'
  and not d.is_proposal
where p.factory_id = $1 and p.id = $2 and p.corrects is null
"""
_TAKEN = "select from payments where factory_id = $1 and worker_id = $2 and period = $3 and kind = 'correction' and state <> 'cancelled'"
# The proposal's id is the payment's: however often the confirmation runs, it is one payment. The unique index refuses a second correction.
_INSERT = """
insert into payments (factory_id, id, run_id, worker_id, worker_code, destination_id, provider_account_id, account_key, period, kind,
  currency, amount_minor, state, state_since, attempt, detail, decision_id, corrects)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'correction', $10, $11, 'ready', $12, 0, $13, $2, $14)
on conflict do nothing
"""


async def propose_correction(
    session: AsyncSession, services: Services, actor: Actor, payment_id: UUID, *, minor: int, reason: str
) -> Proposal:
    """Propose to pay `minor` units more, in the earlier payment's currency, for its period.

    Raises NotFoundError, InvalidError, ProblemError `not_paid`, `already_corrected`, `destination_unchecked` or `no_provider`.
    """
    may_propose(actor, "correction")
    if minor <= 0:
        raise InvalidError("Write what is still owed: more than nothing.", fields=[{"field": "amount", "problem": "not positive"}])
    return await keep(session, services, actor, (await _draft(session, services, actor, payment_id, minor))[0], reason=reason)


async def apply_correction(session: AsyncSession, services: Services, actor: Actor, proposal: Proposal) -> Draft:
    """Carry a confirmed correction out: one new payment, owed in the ledger, and a job to send it."""
    content: Any = proposal.content
    draft, row = await _draft(session, services, actor, UUID(content["payment"]), int(content["minor"]))
    _, run_id, worker, code, period, unit, _, _, destination, _, _, key = row
    now, rail = services.clock(), UUID(str(draft.content["rail"]))
    values = (run_id, worker, code, destination, rail, key, period, unit, content["minor"], now, proposal.reason, UUID(content["payment"]))
    if not await run(session, _INSERT, actor.factory_id, proposal.id, *values):
        raise _already()
    owed = Transfer(
        run_id=run_id,
        payment_id=proposal.id,
        attempt=0,
        cause=Cause.APPROVED,
        debit=Account.WAGES_DUE,
        credit=Account.WAGES_PAYABLE,
        currency=unit,
        amount_minor=content["minor"],
    )
    await post(session, now, [owed])
    data = {"proposal": str(proposal.id), "content": proposal.content_hash, "corrects": content["payment"], "worker": str(worker)}
    await record(session, now, Event(actor=actor.name, action="payment.ready", subject=f"payment:{proposal.id}", data=data))
    await enqueue(session, Job.SUBMIT_CHUNK, {"run": str(run_id), "provider": str(rail), "currency": unit})
    return draft


async def _draft(
    session: AsyncSession, services: Services, actor: Actor, payment_id: UUID, minor: int
) -> tuple[Draft, tuple[Any, ...]]:  # fmt: skip
    rows = await fetch(session, _EARLIER, actor.factory_id, payment_id)
    if not rows:
        raise NotFoundError("payment")
    _, _, worker, _, period, unit, _, state, destination, kind, checked, key = rows[0]
    if state != "paid":
        detail = f"The payment is {state}. Only what was paid can have been too little: pay this one first, or give it up."
        raise ProblemError("not_paid", detail, extra={"state": state})
    if await fetch(session, _TAKEN, actor.factory_id, worker, period):
        raise _already()
    if checked not in ("verified", "confirmed"):
        raise ProblemError("destination_unchecked", "Her account is not verified. Correct it and have it checked first.")
    found = await provider_of(session, services, kind)
    limit = found[1].profile.limits.get(unit) if found is not None else None
    amount = Money(minor, currency(unit))
    if found is None or limit is None or not limit.smallest <= amount <= limit.largest:
        raise ProblemError("no_provider", f"The factory has no enabled account that pays this amount to a {kind.replace('_', ' ')}.")
    content = {
        "payment": str(payment_id),
        "period": period,
        "kind": RunKind.CORRECTION.value,
        "currency": unit,
        "minor": minor,
        "destination": str(destination),
        "rail": str(found[0]),
    }
    return Draft(kind="correction", subject=f"payment:{payment_id}", content=content, sealed=key.hex()), rows[0]


def _already() -> ProblemError:
    return ProblemError(
        "already_corrected",
        "She has a correction for this period already. Pay one that comes to more with a file of kind `correction` in another period,"
        " or cancel the earlier one if it was not paid.",
    )
