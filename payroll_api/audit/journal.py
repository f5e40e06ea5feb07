"""Write audit events in the caller's transaction. They hold ids, codes and sums, never personal data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.audit import chain
from payroll_api.db.bulk import copy_in
from payroll_api.db.session import factory_of

SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened: `actor` did `action` to `subject` (for example `payment:<id>`)."""

    actor: str  # "user:<id>", "key:<id>", "system", "provider:<name>"
    action: str  # "run.approved"
    subject: str
    data: Mapping[str, object] = field(default_factory=dict)


async def record(session: AsyncSession, at: datetime, *events: Event) -> None:
    """Write events; they exist exactly when the caller's transaction commits."""
    await record_many(session, at, events)


async def record_many(session: AsyncSession, at: datetime, events: Iterable[Event]) -> None:
    """The same for any number, by one COPY."""
    factory_id = factory_of(session)
    moment = at.isoformat()
    start = f'{{"v":1,"factory":"{factory_id}","at":"{moment}",'
    records = []
    for event in events:
        told = {"actor": event.actor, "action": event.action, "subject": event.subject, "data": event.data}
        content = (start + chain.text(told)[1:]).encode()
        records.append((factory_id, event.subject, event.action, content, chain.leaf(content)))
    if records:
        await copy_in(session, "audit_events", ("factory_id", "subject", "action", "body", "leaf"), records)


def read(content: bytes) -> dict[str, object]:
    """An event's stored bytes as an object, for showing. What was hashed stays the bytes."""
    event: dict[str, object] = json.loads(content)
    return event
