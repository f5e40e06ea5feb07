"""Close a break: a person's decision, with its reason."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.access.four_eyes import require_person
from payroll_api.audit.journal import Event, record
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.services import Services
from payroll_api.settlement.models import SettlementBreak

_SHORTEST_REASON = 5


async def close_break(session: AsyncSession, services: Services, actor: Actor, break_id: UUID, *, reason: str) -> SettlementBreak:
    """Close an open break. Raises InvalidError without a reason, ProblemError `break_closed`, NotFoundError."""
    actor.require(Permission.SETTLE)
    require_person(actor)
    if len(reason.strip()) < _SHORTEST_REASON:
        raise InvalidError(
            "Write what explains this break, so that an auditor understands it.", fields=[{"field": "reason", "problem": "too short"}]
        )
    found = await session.get(SettlementBreak, (actor.factory_id, break_id), with_for_update=True)
    if found is None:
        raise NotFoundError("break")
    if found.state != "open":
        raise ProblemError("break_closed", "This break is closed already.")
    now = services.clock()
    found.state, found.closed_at, found.closed_by, found.closed_reason = "closed", now, actor.name, reason.strip()
    await session.flush()
    await record(session, now, Event(actor=actor.name, action="break.closed", subject=f"break:{break_id}", data={"kind": found.kind}))
    return found
