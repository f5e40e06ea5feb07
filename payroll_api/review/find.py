"""Look up what a check found."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.db.session import factory_of
from payroll_api.intake.models import FileAnswer
from payroll_api.review.models import Discrepancy, FileEntitlement, FileReview


async def discrepancies(session: AsyncSession, file_id: UUID, *, after: int, limit: int, only_open: bool = False) -> list[Discrepancy]:
    """A file's differences in the order of the check, from after a position."""
    query = (
        select(Discrepancy).where(Discrepancy.file_id == file_id, Discrepancy.position > after).order_by(Discrepancy.position).limit(limit)
    )
    if only_open:
        query = query.where(Discrepancy.resolution.is_(None), Discrepancy.severity != "informs")
    return list(await session.scalars(query))


async def open_counts(session: AsyncSession, file_id: UUID) -> dict[str, int]:
    """How many differences wait for a decision, by severity."""
    rows = await session.execute(
        select(Discrepancy.severity, func.count())
        .where(Discrepancy.file_id == file_id, Discrepancy.resolution.is_(None))
        .group_by(Discrepancy.severity)
    )
    return dict(rows.all())


async def deciders(session: AsyncSession, file_id: UUID) -> set[str]:
    """Who decided about differences of a file or answered its questions, as audit events call them."""
    found = await session.scalars(
        select(Discrepancy.resolved_by).where(Discrepancy.file_id == file_id, Discrepancy.resolved_by.is_not(None)).distinct()
    )
    answered = await session.scalars(select(FileAnswer.answered_by).where(FileAnswer.file_id == file_id))
    return {name for name in (*found, *answered) if name is not None}


async def entitlements(
    session: AsyncSession, file_id: UUID, *, after: str, limit: int, worker_code: str | None = None
) -> list[tuple[FileEntitlement, FileReview]]:
    """What the law owes the workers of a file by their codes, from after one, each with the articles; of one worker where asked."""
    review = await session.get(FileReview, (factory_of(session), file_id))
    query = select(FileEntitlement).where(FileEntitlement.file_id == file_id, FileEntitlement.worker_code > after)
    query = query.order_by(FileEntitlement.worker_code).limit(limit)
    if worker_code is not None:
        query = query.where(FileEntitlement.worker_code == worker_code)
    return [] if review is None else [(owed, review) for owed in await session.scalars(query)]
