"""Before anything is sent: is this database as new as what was sent? A restored one stays silent until it is reconciled.

The number of sendings is kept twice: in the database, and in the journal outside it, whose line is on disk before a byte leaves. An
older database knows a smaller number than the journal; then nothing is sent by any worker.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api import logs
from payroll_api.alarms.sound import Alarm, sound
from payroll_api.audit.journal import SYSTEM, Event, record
from payroll_api.db.base import new_id
from payroll_api.db.bulk import fetch, run
from payroll_api.db.session import factory_of
from payroll_api.outside.journal import Journal, Sending, SentOrder, journal_at
from payroll_api.services import Services

log = logs.get(__name__)

_GUARD = "select epoch, journal_id, journaled from send_guards where factory_id = $1"
_LOCKED = "select from restore_checks where factory_id = $1 and closed_at is null"
_ADVANCE = """
insert into send_guards as g (factory_id, epoch, journal_id, journaled) values ($1, 1, $2, $3)
on conflict (factory_id) do update set epoch = g.epoch + 1, journaled = greatest(g.journaled, excluded.journaled) returning epoch
"""
_DISPATCH = "select provider_account_id, reference, fence from dispatches where factory_id = $1 and id = $2"
_ORDERS = """
select a.reference, p.id, a.number, p.worker_code, p.period, p.kind, p.currency, p.amount_minor, a.payload_hash
from attempts a join payments p on p.factory_id = a.factory_id and p.id = a.payment_id
where a.factory_id = $1 and a.dispatch_id = $2 order by p.id
"""
_OPEN = """
insert into restore_checks (factory_id, id, reason, epoch_inside, epoch_outside, opened_at, known_until, found)
select $1, $2, $3, $4, $5, $6,
  greatest((select max(created_at) from dispatches where factory_id = $1), (select max(sealed_at) from audit_blocks where factory_id = $1)),
  '{}'
on conflict (factory_id) where closed_at is null do nothing returning id
"""


async def may_claim(session: AsyncSession, services: Services) -> bool:
    """Whether payments may be taken for sending now. To be asked in the transaction that claims them.

    When the database turns out to be older than the journal, it is locked in this same transaction and an alarm sounds.
    """
    factory_id = factory_of(session)
    if await fetch(session, _LOCKED, factory_id):
        return False
    journal = journal_at(services.settings.journal_file)
    # Another worker may send at this moment: it counts in the database first and in the journal then. So the journal is read before the
    # database to see whether that is older, and once more after it to see whether lines are missing.
    before = journal.newest(factory_id)
    guard = await fetch(session, _GUARD, factory_id)
    reason = _trouble(guard[0] if guard else None, journal, factory_id, before)
    if reason is None:
        return True
    await _lock(session, reason, guard[0][0] if guard else 0, journal.newest(factory_id), services.clock())
    return False


async def may_send(services: Services, factory_id: UUID, dispatch_id: UUID) -> bool:
    """To be asked right before `connector.submit`, every time: writes the sending into the journal, on disk before this returns True.

    False: nothing may be sent. The dispatch stays as it is and is looked up later.
    """
    journal = journal_at(services.settings.journal_file)
    async with services.database.factory(factory_id) as session:
        dispatch = await fetch(session, _DISPATCH, factory_id, dispatch_id)
        if not dispatch or not await may_claim(session, services):
            log.error("sending_refused", dispatch=str(dispatch_id))
            return False
        orders = await fetch(session, _ORDERS, factory_id, dispatch_id)
        identity = await asyncio.to_thread(journal.begin)
        epoch = (await fetch(session, _ADVANCE, factory_id, identity, journal.newest(factory_id)))[0][0]
        at = services.clock()
    account, reference, fence = dispatch[0]
    sending = Sending(
        factory_id=factory_id,
        epoch=epoch,
        at=at,
        provider_account_id=account,
        dispatch_id=dispatch_id,
        dispatch=reference,
        fence=fence,
        orders=[_order(row) for row in orders],
    )
    # After the commit: the journal may know less than the database, never more, unless the database is an older one.
    await asyncio.to_thread(journal.append, services.keys, sending)
    return True


async def check_guard(services: Services, factory_id: UUID) -> bool:
    """Look before anything is to be sent, as a worker does when it starts. Whether sending is allowed."""
    async with services.database.factory(factory_id) as session:
        return await may_claim(session, services)


async def reopen(session: AsyncSession, services: Services) -> None:
    """Bring the guard up to the journal as it is now. Only the unlocking of a reconciled database calls this."""
    journal = journal_at(services.settings.journal_file)
    identity = await asyncio.to_thread(journal.begin)
    newest = journal.newest(factory_of(session))
    await run(
        session,
        "insert into send_guards as g (factory_id, epoch, journal_id, journaled) values ($1, $3, $2, $3)"
        " on conflict (factory_id) do update set epoch = greatest(g.epoch, $3), journal_id = $2, journaled = $3",
        factory_of(session),
        identity,
        newest,
    )


def _trouble(guard: tuple[Any, ...] | None, journal: Journal, factory_id: UUID, before: int) -> str | None:
    """Why nothing may be sent: a code of `REASONS`, or None. `before` is the journal's newest number from before the guard was read."""
    if guard is None:
        return "database_older" if before else None
    epoch, journal_id, journaled = guard
    if (identity := journal.identity()) is None:
        return "journal_missing"
    if identity != journal_id:
        return "journal_other"
    if before > epoch:
        return "database_older"
    return "journal_cut" if journal.newest(factory_id) < journaled else None


async def _lock(session: AsyncSession, reason: str, inside: int, outside: int, at: datetime) -> None:
    factory_id, check_id = factory_of(session), new_id()
    if not await fetch(session, _OPEN, factory_id, check_id, reason, inside, outside, at):
        return
    log.error("sending_locked", factory=str(factory_id), reason=reason, inside=inside, outside=outside)
    data = {"reason": reason, "epoch_inside": inside, "epoch_outside": outside}
    await record(session, at, Event(actor=SYSTEM, action="sending.locked", subject=f"restore:{check_id}", data=data))
    await sound(session, at, Alarm(kind="sending_locked", subject=f"restore:{check_id}", due_at=at, data={"reason": reason}))


def _order(row: tuple[Any, ...]) -> SentOrder:
    reference, payment, number, code, period, kind, unit, minor, payload = row
    return SentOrder(
        reference=reference,
        payment_id=payment,
        number=number,
        worker_code=code,
        period=period,
        kind=kind,
        currency=unit,
        amount_minor=minor,
        payload_hash=payload,
    )
