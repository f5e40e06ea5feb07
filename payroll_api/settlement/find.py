"""Look statements and breaks up."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select, tuple_
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


async def breaks(session: AsyncSession, *, state: str, after: UUID | None, limit: int, kind: str | None = None) -> list[SettlementBreak]:
    """Breaks that are `open`, `proposed` or `closed`, of one kind where asked, whatever is due first; from after one."""
    order = (SettlementBreak.due_on, SettlementBreak.id)
    query = select(SettlementBreak).where(SettlementBreak.state == state).order_by(*order).limit(limit)
    if kind is not None:
        query = query.where(SettlementBreak.kind == kind)
    if after is not None:
        last = await session.get(SettlementBreak, (factory_of(session), after))
        if last is None:
            return []
        query = query.where(tuple_(*order) > (last.due_on, last.id))
    return list(await session.scalars(query))


async def get_break(session: AsyncSession, break_id: UUID) -> SettlementBreak:
    """One break. Raises NotFoundError."""
    found = await session.get(SettlementBreak, (factory_of(session), break_id))
    if found is None:
        raise NotFoundError("break")
    return found


async def count_open(session: AsyncSession) -> dict[str, int]:
    """How many breaks are not closed, by kind."""
    query = select(SettlementBreak.kind, func.count()).where(SettlementBreak.state != "closed").group_by(SettlementBreak.kind)
    return {kind: count for kind, count in await session.execute(query)}  # noqa: C416 rows are no pairs to a type checker
