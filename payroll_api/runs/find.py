"""Look runs and their items up."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.db.session import factory_of
from payroll_api.errors import NotFoundError
from payroll_api.review.models import FileEntitlement
from payroll_api.runs.models import PayRun, RunItem


async def get_run(session: AsyncSession, run_id: UUID) -> PayRun:
    """A pay run. Raises NotFoundError."""
    pay_run = await session.get(PayRun, (factory_of(session), run_id))
    if pay_run is None:
        raise NotFoundError("pay run")
    return pay_run


async def list_runs(session: AsyncSession, *, before: UUID | None, limit: int) -> list[PayRun]:
    """Runs, the newest first, from before the one named."""
    query = select(PayRun).order_by(PayRun.id.desc()).limit(limit)
    if before is not None:
        query = query.where(PayRun.id < before)
    return list(await session.scalars(query))


async def items(session: AsyncSession, run_id: UUID, *, after: str, limit: int, only_held: bool = False) -> list[RunItem]:
    """The frozen items of a run by worker code, from after one."""
    query = select(RunItem).where(RunItem.run_id == run_id, RunItem.worker_code > after).order_by(RunItem.worker_code).limit(limit)
    if only_held:
        query = query.where(RunItem.held_reason.is_not(None))
    return list(await session.scalars(query))


async def workers_of(session: AsyncSession, run_id: UUID) -> list[UUID]:
    """The workers of a run: of its frozen items, or of its file while it is a draft. Raises NotFoundError."""
    pay_run = await get_run(session, run_id)
    frozen = list(await session.scalars(select(RunItem.worker_id).where(RunItem.run_id == run_id)))
    if frozen:
        return frozen
    owed = await session.scalars(select(FileEntitlement.worker_id).where(FileEntitlement.file_id == pay_run.file_id))
    return list(owed)
