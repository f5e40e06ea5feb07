"""Sound alarms and clear them, in the caller's transaction. Sounding one that is open already changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api import logs
from payroll_api.alarms.kinds import KINDS
from payroll_api.audit.journal import SYSTEM, Event, record_many
from payroll_api.db.base import new_id
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of

log = logs.get(__name__)

_SOUND = """
insert into alarms (factory_id, id, kind, subject, owner, data, sounded_at, due_at)
select $1, n.id, n.kind, n.subject, n.owner, n.data::jsonb, $2, n.due_at
from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[]) as n(id, kind, subject, owner, data, due_at)
order by n.kind, n.subject
on conflict (factory_id, kind, subject) where cleared_at is null do nothing
returning id, kind, subject
"""
_CLEAR = (
    "update alarms set cleared_at = $2 where factory_id = $1 and kind = $3 and cleared_at is null"
    " and ($4::text[] is null or subject = any($4)) and ($5::text[] is null or subject <> all($5)) returning subject"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What is wrong, about what (`payment:<id>`), and by when a person should have dealt with it. `data`: ids, codes, sums; no person."""

    kind: str
    subject: str
    due_at: datetime
    data: Mapping[str, int | str] = field(default_factory=dict)


async def sound(session: AsyncSession, at: datetime, *alarms: Alarm) -> None:
    """Sound alarms that are not open yet. Raises ValueError for a kind that `KINDS` does not have."""
    await sound_many(session, at, alarms)


async def sound_many(session: AsyncSession, at: datetime, alarms: Iterable[Alarm]) -> int:
    """The same for any number, by one statement; gives how many were new. Each new one is an audit event and a line `alarm` in the log."""
    # One statement may not meet the same row twice, and one order for all keeps two sounders from waiting in a circle.
    distinct = {(alarm.kind, alarm.subject): alarm for alarm in alarms}
    if unknown := sorted({alarm.kind for alarm in distinct.values()} - set(KINDS)):
        raise ValueError(f"there is no alarm {', '.join(unknown)}: add it to alarms/kinds.py and to docs/operations.md")
    if not distinct:
        return 0
    wanted = list(distinct.values())
    rows = await fetch(
        session,
        _SOUND,
        factory_of(session),
        at,
        [new_id() for _ in wanted],
        [alarm.kind for alarm in wanted],
        [alarm.subject for alarm in wanted],
        [KINDS[alarm.kind] for alarm in wanted],
        [json.dumps(dict(alarm.data)) for alarm in wanted],
        [alarm.due_at for alarm in wanted],
    )
    events = []
    for alarm_id, kind, subject in rows:
        due_at = distinct[(kind, subject)].due_at.isoformat()
        log.error("alarm", kind=kind, subject=subject, factory=str(factory_of(session)), due_at=due_at, alarm=str(alarm_id))
        events.append(Event(actor=SYSTEM, action="alarm.sounded", subject=subject, data={"kind": kind, "alarm": str(alarm_id)}))
    await record_many(session, at, events)
    return len(rows)


async def clear(session: AsyncSession, at: datetime, *, kind: str, subject: str) -> None:
    """Close the open alarm about a subject, if there is one: its cause is gone."""
    await _clear(session, at, kind, [subject], None)


async def sound_only(session: AsyncSession, at: datetime, kind: str, alarms: Iterable[Alarm]) -> None:
    """Make the open alarms of a kind exactly these: sound the new ones, clear those whose cause is gone. For checks that look at all."""
    now = list(alarms)
    await sound_many(session, at, now)
    await _clear(session, at, kind, None, [alarm.subject for alarm in now])


async def _clear(session: AsyncSession, at: datetime, kind: str, only: list[str] | None, keep: list[str] | None) -> None:
    rows = await fetch(session, _CLEAR, factory_of(session), at, kind, only, keep)
    events = (Event(actor=SYSTEM, action="alarm.cleared", subject=subject, data={"kind": kind}) for (subject,) in rows)
    await record_many(session, at, events)
