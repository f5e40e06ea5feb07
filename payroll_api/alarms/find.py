"""Look alarms up."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.alarms.models import AlarmRow


async def list_alarms(session: AsyncSession, *, only_open: bool, before: UUID | None, limit: int) -> list[AlarmRow]:
    """Alarms, the newest first, from before the one named."""
    query = select(AlarmRow).order_by(AlarmRow.id.desc()).limit(limit)
    if only_open:
        query = query.where(AlarmRow.cleared_at.is_(None))
    if before is not None:
        query = query.where(AlarmRow.id < before)
    return list(await session.scalars(query))


async def count_unread(session: AsyncSession) -> int:
    """Open alarms that nobody has acknowledged."""
    query = select(func.count()).where(AlarmRow.cleared_at.is_(None), AlarmRow.acknowledged_at.is_(None))
    return int(await session.scalar(query) or 0)


async def count_open(session: AsyncSession, now: datetime) -> dict[tuple[str, bool, bool], int]:
    """How many are open, by kind, whether acknowledged, and whether their time has passed."""
    acknowledged, late = AlarmRow.acknowledged_at.is_not(None), AlarmRow.due_at < now
    query = (
        select(AlarmRow.kind, acknowledged, late, func.count())
        .where(AlarmRow.cleared_at.is_(None))
        .group_by(AlarmRow.kind, acknowledged, late)
    )
    return {(kind, is_read, is_late): count for kind, is_read, is_late, count in await session.execute(query)}
