"""Open sending again after a restore: by an administrator and a second person, once the providers were asked."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.access.four_eyes import require_other, require_person
from payroll_api.alarms.sound import clear
from payroll_api.audit.journal import Event, record
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.outside.guard import reopen
from payroll_api.outside.models import RestoreCheck
from payroll_api.services import Services

_SHORTEST_NOTE = 5


async def ask_to_open(session: AsyncSession, services: Services, actor: Actor, check_id: UUID, *, note: str) -> RestoreCheck:
    """An administrator has looked at what was found and asks to send again. Raises ProblemError `restore_unreconciled`, `restore_state`."""
    actor.require(Permission.ADMINISTER)
    require_person(actor)
    if len(note.strip()) < _SHORTEST_NOTE:
        raise InvalidError("Write what you did about what was found.", fields=[{"field": "note", "problem": "too short"}])
    check = await _open(session, actor, check_id)
    check.asked_to_open_by, check.asked_to_open_at, check.note = actor.name, services.clock(), note.strip()
    await session.flush()
    event = Event(actor=actor.name, action="sending.asked_to_open", subject=f"restore:{check_id}", data=check.found)
    await record(session, services.clock(), event)
    return check


async def open_again(session: AsyncSession, services: Services, actor: Actor, check_id: UUID) -> RestoreCheck:
    """The second person opens sending. Orders that may have been paid stay blocked one by one. Raises NotAllowedError `four_eyes`."""
    if Permission.RELEASE not in actor.permissions:
        actor.require(Permission.ADMINISTER)
    check = await _open(session, actor, check_id)
    if check.asked_to_open_by is None:
        raise ProblemError("restore_state", "An administrator must look at what was found and ask to open sending first.")
    require_other(actor, check.asked_to_open_by)
    await close_check(session, services, check, by=actor.name)
    return check


async def close_check(session: AsyncSession, services: Services, check: RestoreCheck, *, by: str) -> None:
    """Open sending: the guard takes the journal's number over, and the alarm is over."""
    at = services.clock()
    check.closed_by, check.closed_at = by, at
    await session.flush()
    await reopen(session, services)
    await clear(session, at, kind="sending_locked", subject=f"restore:{check.id}")
    await record(session, at, Event(actor=by, action="sending.opened", subject=f"restore:{check.id}", data=check.found))


async def checks(session: AsyncSession) -> list[RestoreCheck]:
    """All checks, the newest first."""
    return list(await session.scalars(select(RestoreCheck).order_by(RestoreCheck.id.desc()).limit(50)))


async def _open(session: AsyncSession, actor: Actor, check_id: UUID) -> RestoreCheck:
    check = await session.get(RestoreCheck, (actor.factory_id, check_id), with_for_update=True, populate_existing=True)
    if check is None:
        raise NotFoundError("restore check")
    if check.closed_at is not None:
        raise ProblemError("restore_state", "Sending is open again already.")
    if check.asked_at is None:
        raise ProblemError("restore_unreconciled", "The providers have not been asked yet. That happens within a minute; look again then.")
    return check
