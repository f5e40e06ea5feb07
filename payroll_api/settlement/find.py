"""Look statements and breaks up."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.db.session import factory_of
from payroll_api.errors import NotFoundError
from payroll_api.settlement.models import SettlementBreak, StatementFile


async def get_statement(session: AsyncSession, statement_id: UUID) -> StatementFile:
    """A statement. Raises NotFoundError."""
    statement = await session.get(StatementFile, (factory_of(session), statement_id))
    if statement is None:
        raise NotFoundError("statement")
    return statement


async def list_statements(session: AsyncSession, *, before: UUID | None, limit: int) -> list[StatementFile]:
    """Statements, the newest first, from before the one named."""
    query = select(StatementFile).order_by(StatementFile.id.desc()).limit(limit)
    if before is not None:
        query = query.where(StatementFile.id < before)
    return list(await session.scalars(query))


async def breaks(session: AsyncSession, *, state: str, after: UUID | None, limit: int) -> list[SettlementBreak]:
    """Breaks that are `open` or `closed`, the oldest first, from after one."""
    query = select(SettlementBreak).where(SettlementBreak.state == state).order_by(SettlementBreak.id).limit(limit)
    if after is not None:
        query = query.where(SettlementBreak.id > after)
    return list(await session.scalars(query))
