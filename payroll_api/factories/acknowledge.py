"""A person says that she has seen an alarm and what she does about it. The alarm stays until its cause is gone."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.access.four_eyes import require_person
from payroll_api.alarms.models import AlarmRow
from payroll_api.audit.journal import Event, record
from payroll_api.errors import InvalidError, NotAllowedError, NotFoundError, ProblemError
from payroll_api.services import Services

# Whoever does something in a payday may take an alarm on; who only reads may not.
MAY_ACKNOWLEDGE = frozenset({Permission.PREPARE, Permission.APPROVE, Permission.RELEASE, Permission.SETTLE, Permission.ADMINISTER})
_SHORTEST_NOTE = 5


async def acknowledge(session: AsyncSession, services: Services, actor: Actor, alarm_id: UUID, *, note: str) -> AlarmRow:
    """Take an open alarm on. A second person's note replaces the first in the list; both stay in the audit trail.

    Raises NotFoundError, NotAllowedError for a key or a reader, InvalidError for a missing note, ProblemError `alarm_cleared`.
    """
    require_person(actor)
    if not actor.permissions & MAY_ACKNOWLEDGE:
        raise NotAllowedError("Only people who work on paydays take alarms on. Tell one of them.")
    if len(note.strip()) < _SHORTEST_NOTE:
        raise InvalidError("Write what you do about it, so that others need not ask.", fields=[{"field": "note", "problem": "too short"}])
    alarm = await session.get(AlarmRow, (actor.factory_id, alarm_id), with_for_update=True, populate_existing=True)
    if alarm is None:
        raise NotFoundError("alarm")
    if alarm.cleared_at is not None:
        raise ProblemError("alarm_cleared", "The cause of this alarm is gone: there is nothing left to do about it.")
    now = services.clock()
    alarm.acknowledged_by, alarm.acknowledged_at, alarm.note = actor.name, now, note.strip()
    await session.flush()
    data = {"kind": alarm.kind, "alarm": str(alarm_id)}
    await record(session, now, Event(actor=actor.name, action="alarm.acknowledged", subject=alarm.subject, data=data))
    return alarm
