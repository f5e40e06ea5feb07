"""People decide about changes: another one confirms or refuses, a second one approves what comes shortly before payday."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.access.four_eyes import require_other
from payroll_api.audit.journal import Event, record
from payroll_api.db.session import factory_of
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.people.models import Destination, WorkerChange
from payroll_api.people.notices import drop_alarm
from payroll_api.services import Services

_SHORTEST_REASON = 5


async def confirm(session: AsyncSession, services: Services, actor: Actor, change_id: UUID, *, reason: str) -> WorkerChange:
    """Answer for a change that somebody else proposed, with how it was made sure that the worker wants it.

    A doubtful name is settled by it too. The change is adopted once its time has passed. Raises NotAllowedError `four_eyes`, ProblemError
    `change_state`, `destination_unchecked` or `destination_refused`.
    """
    actor.require(Permission.APPROVE)
    change = await _locked(session, change_id)
    require_other(actor, *_makers(change))
    if change.confirmed_by is not None:
        raise ProblemError("change_state", "This change has been confirmed already.")
    if change.destination_id is not None:
        await _settle_name(session, change, actor, reason)
    at = services.clock()
    change.confirmed_by, change.confirmed_at, change.reason = actor.name, at, _text(reason)
    await session.flush()
    data = {"worker": str(change.worker_id), "what": change.what}
    await record(session, at, Event(actor=actor.name, action="change.confirmed", subject=f"change:{change_id}", data=data))
    await drop_alarm(session, change_id, at)
    return change


async def approve_early(session: AsyncSession, services: Services, actor: Actor, change_id: UUID, *, reason: str) -> WorkerChange:
    """The approval of its own that a change needs to be paid within days of its proposal: by a third person. It shortens no wait."""
    if Permission.RELEASE not in actor.permissions:
        actor.require(Permission.APPROVE)
    change = await _locked(session, change_id)
    if change.confirmed_by is None:
        raise ProblemError(
            "change_state", "Another person must confirm this change first; then a third one can approve it for this payday."
        )
    require_other(actor, *_makers(change), change.confirmed_by)
    _text(reason)
    at = services.clock()
    change.second_by, change.second_at = actor.name, at
    await session.flush()
    data = {"worker": str(change.worker_id), "what": change.what}
    await record(session, at, Event(actor=actor.name, action="change.approved_early", subject=f"change:{change_id}", data=data))
    return change


async def refuse(session: AsyncSession, services: Services, actor: Actor, change_id: UUID, *, reason: str) -> WorkerChange:
    """Say no to a change: it was not she, or it is not hers. Whoever works on paydays may stop one; she keeps what she has."""
    if not actor.permissions & {Permission.PREPARE, Permission.APPROVE, Permission.RELEASE}:
        actor.require(Permission.APPROVE)
    change = await _locked(session, change_id)
    at = services.clock()
    change.state, change.ended_at, change.ended_by, change.reason = "refused", at, actor.name, _text(reason)
    await session.flush()
    if change.destination_id is not None:
        proposed = await session.get_one(Destination, (change.factory_id, change.destination_id), with_for_update=True)
        proposed.state = "retired"
        await session.flush()
    await record(session, at, Event(actor=actor.name, action="change.refused", subject=f"change:{change_id}"))
    await drop_alarm(session, change_id, at)
    return change


async def old_is_wrong(session: AsyncSession, services: Services, actor: Actor, change_id: UUID, *, reason: str) -> WorkerChange:
    """HR knows that the account she has must not be paid any more (lost, closed, not hers): she is held until the new one is adopted."""
    actor.require(Permission.PREPARE)
    change = await _locked(session, change_id)
    if change.what != "account":
        raise ProblemError("change_state", "This is about her phone, not her account.")
    at = services.clock()
    current = await session.scalar(
        select(Destination)
        .where(Destination.worker_id == change.worker_id, Destination.state != "retired", Destination.is_proposal.is_(False))
        .with_for_update()
    )
    if current is None:
        raise NotFoundError("payout destination")
    current.state, current.decided_by, current.detail = "refused", actor.name, _text(reason)
    await session.flush()
    data = {"worker": str(change.worker_id), "change": str(change_id)}
    await record(session, at, Event(actor=actor.name, action="destination.refused", subject=f"destination:{current.id}", data=data))
    return change


def _text(reason: str) -> str:
    if len(reason.strip()) < _SHORTEST_REASON:
        raise InvalidError(
            "Write how you made sure, for example: called her on the old number.", fields=[{"field": "reason", "problem": "too short"}]
        )
    return reason.strip()


def _makers(change: WorkerChange) -> list[str]:
    return [change.proposed_by, *(str(maker) for maker in change.makers)]


async def _locked(session: AsyncSession, change_id: UUID) -> WorkerChange:
    change = await session.get(WorkerChange, (factory_of(session), change_id), with_for_update=True, populate_existing=True)
    if change is None:
        raise NotFoundError("change")
    if change.state != "proposed":
        raise ProblemError("change_state", f"This change is {change.state}: nothing more can be decided about it.")
    return change


async def _settle_name(session: AsyncSession, change: WorkerChange, actor: Actor, reason: str) -> None:
    proposed = await session.get_one(Destination, (change.factory_id, change.destination_id), with_for_update=True, populate_existing=True)
    if proposed.state == "proposed":
        raise ProblemError("destination_unchecked", "The provider is still being asked about this account. Confirm it when that is done.")
    if proposed.state == "refused":
        raise ProblemError("destination_refused", "The provider says that this account does not exist. Ask the worker for the right one.")
    if proposed.state == "doubtful":
        proposed.state, proposed.decided_by, proposed.detail = "confirmed", actor.name, _text(reason)
        await session.flush()
