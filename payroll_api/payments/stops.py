"""The kill switch: anybody who may release money presses it, for the factory, a rail or a run; only two people lift it.

Whoever presses it waits for senders that stand in the gate at this moment. After that nothing more is sent, and the answer says how many
messages had been handed over before.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.access.four_eyes import require_person
from payroll_api.alarms.sound import clear
from payroll_api.audit.journal import Event, record
from payroll_api.db.base import new_id
from payroll_api.db.bulk import fetch, run
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.factories.models import ProviderAccount
from payroll_api.payments.models import Proposal, Stop
from payroll_api.payments.proposals import Draft, changed, keep, may_propose, reason_of
from payroll_api.runs.find import get_run
from payroll_api.services import Services

# The other half of the gate's lock: see gate.py.
_ALONE = "select pg_advisory_xact_lock(hashtextextended('gate|' || $1::text, 0))"
_HANDED_OVER = """
select count(*) from dispatches where factory_id = $1 and state in ('sending', 'open')
  and ($2::uuid is null or run_id = $2) and ($3::uuid is null or provider_account_id = $3)
"""
# Intents that waited at the gate are tried at once when a stop is lifted.
_WAKE = "update dispatches set look_up_after = $2 where factory_id = $1 and state = 'intent' and look_up_after > $2"


async def press(
    session: AsyncSession, services: Services, actor: Actor, *, run_id: UUID | None, provider_account_id: UUID | None, reason: str
) -> Stop:
    """Stop sending, from the moment that this transaction commits. Raises InvalidError, NotFoundError."""
    actor.require(Permission.RELEASE)
    require_person(actor)
    why = reason_of(reason)
    if run_id is not None and provider_account_id is not None:
        raise InvalidError("Stop a run or a rail, not both at once.", fields=[{"field": "run_id", "problem": "choose one"}])
    if run_id is not None:
        await get_run(session, run_id)
    if provider_account_id is not None and await session.get(ProviderAccount, (actor.factory_id, provider_account_id)) is None:
        raise NotFoundError("provider account")
    await fetch(session, _ALONE, str(actor.factory_id))
    count = int((await fetch(session, _HANDED_OVER, actor.factory_id, run_id, provider_account_id))[0][0])
    now = services.clock()
    stop = Stop(
        factory_id=actor.factory_id,
        id=new_id(),
        run_id=run_id,
        provider_account_id=provider_account_id,
        reason=why,
        pressed_by=actor.name,
        pressed_at=now,
        handed_over=count,
    )
    session.add(stop)
    await session.flush()
    data = {"run": str(run_id or ""), "provider": str(provider_account_id or ""), "handed_over": count}
    await record(session, now, Event(actor=actor.name, action="stop.pressed", subject=f"stop:{stop.id}", data=data))
    return stop


async def propose_lift(session: AsyncSession, services: Services, actor: Actor, stop_id: UUID, *, reason: str) -> Proposal:
    """Propose to let it send again. Another person confirms. Raises NotFoundError, ProblemError `stop_lifted`."""
    may_propose(actor, "lift")
    stop = await session.get(Stop, (actor.factory_id, stop_id))
    if stop is None:
        raise NotFoundError("stop")
    if stop.lifted_at is not None:
        raise ProblemError("stop_lifted", "It was lifted already.")
    draft = Draft(kind="lift", subject=f"stop:{stop_id}", content={"stop": str(stop_id)})
    return await keep(session, services, actor, draft, reason=reason)


async def lift(session: AsyncSession, services: Services, actor: Actor, proposal: Proposal) -> Draft:
    """Carry a confirmed lift out."""
    stop = await session.get(Stop, (actor.factory_id, UUID(str(proposal.content["stop"]))), with_for_update=True, populate_existing=True)
    if stop is None or stop.lifted_at is not None:
        raise changed()
    stop.lifted_by, stop.lifted_at = actor.name, services.clock()
    await run(session, _WAKE, actor.factory_id, services.clock())
    await session.flush()
    await clear(session, services.clock(), kind="funds_short", subject=f"stop:{stop.id}")
    await record(session, services.clock(), Event(actor=actor.name, action="stop.lifted", subject=f"stop:{stop.id}"))
    return Draft(kind="lift", subject=f"stop:{stop.id}", content={"stop": str(stop.id)})


async def list_stops(session: AsyncSession, *, only_pressed: bool = True, limit: int = 100) -> list[Stop]:
    """Stops, the newest first."""
    query = select(Stop).order_by(Stop.id.desc()).limit(limit)
    return list(await session.scalars(query.where(Stop.lifted_at.is_(None)) if only_pressed else query))
