"""The life of a run: submitted by one person, approved or rejected by another, released to be paid, completed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.access.api_keys import persons_behind
from payroll_api.audit.journal import SYSTEM, Event, record
from payroll_api.errors import InvalidError, NotAllowedError, NotFoundError, ProblemError
from payroll_api.failpoints import failpoint
from payroll_api.intake.find import get_file
from payroll_api.intake.models import PayrollFile
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.people.register import mark_in_run
from payroll_api.review.find import deciders, open_counts
from payroll_api.runs import freeze, items
from payroll_api.runs.balances import keep_assumed
from payroll_api.runs.funds import figures, require_funds
from payroll_api.runs.models import PayRun
from payroll_api.services import Services

_SHORTEST_REASON = 5


async def _locked(session: AsyncSession, factory_id: UUID, run_id: UUID, *states: str) -> PayRun:
    pay_run = await session.get(PayRun, (factory_id, run_id), with_for_update=True, populate_existing=True)
    if pay_run is None:
        raise NotFoundError("pay run")
    if pay_run.state not in states:
        raise ProblemError(
            "run_state",
            f"The run is {pay_run.state}; this can be done only while it is {' or '.join(states)}.",
            extra={"state": pay_run.state},
        )
    return pay_run


async def submit(session: AsyncSession, services: Services, actor: Actor, run_id: UUID) -> PayRun:
    """Freeze a draft and send it for approval.

    Raises ProblemError `discrepancies_open` while a blocking difference waits for a decision, `destinations_unchecked`, `nothing_to_pay`
    or `run_state`.
    """
    actor.require(Permission.PREPARE)
    pay_run = await _locked(session, actor.factory_id, run_id, "draft")
    # Decisions about differences take the same lock: none can slip in between what is counted here and what is frozen.
    file = await session.get_one(PayrollFile, (actor.factory_id, pay_run.file_id), with_for_update=True, populate_existing=True)
    blocking = (await open_counts(session, pay_run.file_id)).get("blocks", 0)
    if blocking:
        raise ProblemError(
            "discrepancies_open",
            f"{blocking} differences that stop payment wait for a decision. Decide about each, or keep the worker back.",
            extra={"open": blocking},
        )
    computed = await items.compute(session, services, pay_run)
    if all(item.held_reason is not None for item in computed):
        raise ProblemError(
            "nothing_to_pay", "Every worker of this run is held back: there is nothing to pay. Look at the reasons on the run's page."
        )
    await freeze.write_items(session, pay_run, computed)
    now = services.clock()
    await mark_in_run(session, [item.worker_id for item in computed], now)
    file.review_frozen = True
    pay_run.content_hash = await freeze.content_hash(session, pay_run, file.content_hash)
    pay_run.totals = await freeze.totals(session, pay_run)
    pay_run.state, pay_run.submitted_by, pay_run.submitted_at = "submitted", actor.name, now
    await session.flush()
    await record(
        session,
        now,
        Event(actor=actor.name, action="run.submitted", subject=f"run:{run_id}", data={"content": pay_run.content_hash, **pay_run.totals}),
    )
    return pay_run


async def approve(session: AsyncSession, services: Services, actor: Actor, run_id: UUID, *, content_hash: str) -> PayRun:
    """Approve exactly what was shown: `content_hash` must be the run's.

    Raises NotAllowedError `four_eyes` for its makers (who uploaded, decided about differences, made or submitted it, or made the key that
    did), ProblemError `content_changed` when it is not what the approver saw, or `run_state`.
    """
    actor.require(Permission.APPROVE)
    pay_run = await _locked(session, actor.factory_id, run_id, "submitted")
    file = await get_file(session, pay_run.file_id)
    makers = await persons_behind(session, {pay_run.created_by, pay_run.submitted_by or "", file.uploaded_by})
    makers |= await deciders(session, pay_run.file_id)
    if actor.user_id is None or actor.name in makers:
        raise NotAllowedError("Who prepared a run does not approve it. Ask another person with the approver's role.", code="four_eyes")
    if content_hash != pay_run.content_hash or content_hash != await freeze.content_hash(session, pay_run, file.content_hash):
        raise ProblemError(
            "content_changed", "The run is not the one you were shown. Load it again and look at the sums before you approve."
        )
    now = services.clock()
    pay_run.state, pay_run.approved_by, pay_run.approved_at = "approved", actor.name, now
    await session.flush()
    await record(session, now, Event(actor=actor.name, action="run.approved", subject=f"run:{run_id}", data={"content": content_hash}))
    return pay_run


async def reject(session: AsyncSession, services: Services, actor: Actor, run_id: UUID, *, reason: str) -> PayRun:
    """Send a run back. Nothing was paid; its file's differences can be decided anew in another run."""
    actor.require(Permission.APPROVE)
    if len(reason.strip()) < _SHORTEST_REASON:
        raise InvalidError("Write what is wrong, so that the preparer can mend it.", fields=[{"field": "reason", "problem": "too short"}])
    pay_run = await _locked(session, actor.factory_id, run_id, "submitted", "approved")
    now = services.clock()
    pay_run.state, pay_run.rejected_by, pay_run.rejected_at, pay_run.rejected_reason = "rejected", actor.name, now, reason.strip()
    (await get_file(session, pay_run.file_id)).review_frozen = False
    await session.flush()
    await record(session, now, Event(actor=actor.name, action="run.rejected", subject=f"run:{run_id}"))
    return pay_run


async def release(session: AsyncSession, services: Services, actor: Actor, run_id: UUID, *, funds_reason: str = "") -> PayRun:
    """Let an approved run be paid: from now on money moves. Ask the providers for balances first: see `balances.ask_balances`.

    `funds_reason` is how the releaser made sure of the money where a provider did not tell. Raises ProblemError `funds_short`,
    `funds_unknown` or `run_state`.
    """
    actor.require(Permission.RELEASE)
    pay_run = await _locked(session, actor.factory_id, run_id, "approved")
    why = funds_reason.strip()
    rails = await require_funds(session, services, pay_run, reason=why if len(why) >= _SHORTEST_REASON else "")
    now = services.clock()
    await keep_assumed(session, actor, pay_run, rails, reason=why, at=now)
    pay_run.state, pay_run.released_by, pay_run.released_at = "released", actor.name, now
    await session.flush()
    await record(
        session,
        now,
        Event(
            actor=actor.name,
            action="run.released",
            subject=f"run:{run_id}",
            data={"content": pay_run.content_hash, "funds": [figures(rail) for rail in rails]},
        ),
    )
    await failpoint("A4")
    await enqueue(session, Job.PREPARE_RUN, {"run": str(run_id)}, once=str(run_id))
    return pay_run


async def complete(session: AsyncSession, pay_run: PayRun, at: datetime) -> None:
    """Mark a released run whose payments are all at rest."""
    pay_run.state, pay_run.completed_at = "completed", at
    await session.flush()
    await record(session, at, Event(actor=SYSTEM, action="run.completed", subject=f"run:{pay_run.id}"))
