"""What people do about a break: take it on, wait, close it with a way out and a reason; over the factory's limit two people close it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import PayoutStatus
from payroll_api.access.actor import Actor, Permission
from payroll_api.access.four_eyes import require_other, require_person
from payroll_api.alarms.sound import clear
from payroll_api.audit.journal import Event, record
from payroll_api.clock import pay_day
from payroll_api.db.bulk import fetch
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.services import Services
from payroll_api.settlement.models import SettlementBreak
from payroll_api.settlement.pay_again import propose_from
from payroll_api.settlement.postings import post_way_out
from payroll_api.settlement.rules import rules_of
from payroll_api.settlement.tell import lock_messages, tell
from payroll_api.settlement.ways import WayOut, ways_out

ALARM = "break_overdue"
_SHORTEST_REASON = 5
_LONGEST_WAIT = 10  # working days
_CONFIRM = (
    "update payments set settled_on = l.booked_on from statement_lines l where payments.factory_id = $1 and payments.id = $2"
    " and payments.settled_on is null and l.factory_id = $1 and l.statement_id = $3 and l.position = $4 returning l.booked_on"
)


async def close_break(
    session: AsyncSession, services: Services, actor: Actor, break_id: UUID, *, reason: str, way: WayOut = WayOut.EXPLAINED
) -> SettlementBreak:
    """Close an open break, or propose how where the factory wants two people for so much money; another person then closes it so.

    Raises InvalidError without a reason or for a way that is none of this kind, ProblemError `break_closed` or `break_proposed`,
    NotAllowedError `four_eyes`, NotFoundError; for a way out that pays again, what `pay_again.propose_from` raises.
    """
    found = await _changed(session, actor, break_id, reason)
    if way not in ways_out(found.kind):
        known = ", ".join(ways_out(found.kind))
        raise InvalidError(
            f"This is no way out of a break of this kind. Ways are: {known}.", fields=[{"field": "way", "problem": "choose"}]
        )
    rules = await rules_of(session)
    if found.state == "proposed":
        require_other(actor, found.proposed_by)
        if way.value != found.way_out:
            raise ProblemError("break_proposed", f"The proposal is {found.way_out}. Close it so, or turn the proposal down first.")
    elif rules.takes_two(_size(found), found.currency):
        return await _propose(session, services, actor, found, way, reason)
    return await _close(session, services, actor, found, way, reason)


async def turn_down(session: AsyncSession, services: Services, actor: Actor, break_id: UUID, *, reason: str) -> SettlementBreak:
    """Open a proposed break again; also the proposer may. Raises InvalidError, ProblemError `break_not_proposed`, NotFoundError."""
    found = await _changed(session, actor, break_id, reason)
    if found.state != "proposed":
        raise ProblemError("break_not_proposed", "Nobody has proposed how to close this break.")
    found.state, found.way_out, found.proposed_by, found.proposed_at, found.closed_reason = "open", None, None, None, None
    return await _told(session, services, actor, found, "break.turned_down", {"reason": reason.strip()})


async def wait_for(session: AsyncSession, services: Services, actor: Actor, break_id: UUID, *, days: int, reason: str) -> SettlementBreak:
    """Move the deadline to `days` working days from now: the bank was asked, or the next statement will tell. No alarm till then."""
    found = await _changed(session, actor, break_id, reason)
    if not 1 <= days <= _LONGEST_WAIT:
        raise InvalidError(f"Wait 1 to {_LONGEST_WAIT} working days.", fields=[{"field": "days", "problem": f"1 to {_LONGEST_WAIT}"}])
    now = services.clock()
    found.due_on = (await rules_of(session)).add_working_days(pay_day(now), days)
    found.owner = actor.name
    await clear(session, now, kind=ALARM, subject=f"break:{break_id}")
    return await _told(session, services, actor, found, "break.waits", {"until": found.due_on.isoformat(), "reason": reason.strip()})


async def take_on(session: AsyncSession, services: Services, actor: Actor, break_id: UUID, *, note: str) -> SettlementBreak:
    """Make a break this person's own, who says what she is going to do. Raises InvalidError, ProblemError `break_closed`, NotFoundError."""
    found = await _changed(session, actor, break_id, note)
    found.owner = actor.name
    return await _told(session, services, actor, found, "break.taken_on", {"reason": note.strip()})


async def _changed(session: AsyncSession, actor: Actor, break_id: UUID, reason: str) -> SettlementBreak:
    """A break that is not closed, locked for a change by a person."""
    actor.require(Permission.SETTLE)
    require_person(actor)
    if len(reason.strip()) < _SHORTEST_REASON:
        raise InvalidError(
            "Write what explains this break, so that an auditor understands it.", fields=[{"field": "reason", "problem": "too short"}]
        )
    found = await session.get(SettlementBreak, (actor.factory_id, break_id), with_for_update=True)
    if found is None:
        raise NotFoundError("break")
    if found.state == "closed":
        raise ProblemError("break_closed", "This break is closed already.")
    return found


def _size(found: SettlementBreak) -> int | None:
    """The money that a decision is about: what was booked, or what is missing."""
    sizes = [abs(minor) for minor in (found.amount_minor, found.difference_minor) if minor is not None]
    return max(sizes, default=None)


async def _propose(
    session: AsyncSession, services: Services, actor: Actor, found: SettlementBreak, way: WayOut, reason: str
) -> SettlementBreak:
    found.state, found.way_out, found.proposed_by, found.proposed_at = "proposed", way.value, actor.name, services.clock()
    found.closed_reason, found.owner = reason.strip(), found.owner or actor.name
    return await _told(session, services, actor, found, "break.proposed", {"way": way.value, "reason": reason.strip()})


async def _close(
    session: AsyncSession, services: Services, actor: Actor, found: SettlementBreak, way: WayOut, reason: str
) -> SettlementBreak:
    proposal = await propose_from(session, services, actor, found, way, reason)  # first: what cannot be paid again stays open
    now = services.clock()
    found.state, found.way_out, found.closed_at, found.closed_by = "closed", way.value, now, actor.name
    found.closed_reason = f"{found.closed_reason} / {reason.strip()}" if found.proposed_by else reason.strip()
    await session.flush()
    if way is WayOut.CONFIRMED and found.payment_id is not None:
        await lock_messages(session, [found.payment_id])
        rows = await fetch(session, _CONFIRM, actor.factory_id, found.payment_id, found.statement_id, found.position)
        for (day,) in rows:
            await tell(session, [found.payment_id], PayoutStatus.PAID, actor=actor.name, at=now, booked_on=day)
    else:
        await post_way_out(session, found, way, now)
    for alarm in (ALARM, "paid_twice"):
        await clear(session, now, kind=alarm, subject=f"break:{found.id}")
    data: dict[str, object] = {"way": way.value, "reason": reason.strip()}
    return await _told(session, services, actor, found, "break.closed", data | ({"proposal": str(proposal.id)} if proposal else {}))


async def _told(
    session: AsyncSession, services: Services, actor: Actor, found: SettlementBreak, action: str, data: dict[str, object]
) -> SettlementBreak:
    await session.flush()
    event = Event(actor=actor.name, action=action, subject=f"break:{found.id}", data={"kind": found.kind, **data})
    await record(session, services.clock(), event)
    return found
