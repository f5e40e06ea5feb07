"""What is known of statements that come by themselves: which days a provider was asked for, and which files lay in a folder."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.audit.journal import SYSTEM
from payroll_api.db.session import factory_of
from payroll_api.errors import ProblemError
from payroll_api.services import Services
from payroll_api.settlement.models import StatementArrival
from payroll_api.settlement.upload import upload_statement


async def arrivals_of(session: AsyncSession, provider_account_id: UUID) -> dict[str, StatementArrival]:
    """What is remembered of an account, by source (`day:2026-11-30`, `folder:<name>`)."""
    rows = await session.scalars(select(StatementArrival).where(StatementArrival.provider_account_id == provider_account_id))
    return {row.source: row for row in rows}


async def remember(
    session: AsyncSession,
    at: datetime,
    provider_account_id: UUID,
    source: str,
    *,
    state: str,
    detail: str = "",
    statement_id: UUID | None = None,
) -> None:
    """Note what became of a source. `asked` counts the looks at it since it was last new."""
    values = {"state": state, "detail": detail, "statement_id": statement_id, "seen_at": at}
    entry = insert(StatementArrival).values(
        factory_id=factory_of(session), provider_account_id=provider_account_id, source=source, asked=1, **values
    )
    keys = ["factory_id", "provider_account_id", "source"]
    await session.execute(entry.on_conflict_do_update(index_elements=keys, set_={**values, "asked": StatementArrival.asked + 1}))


async def take(
    session: AsyncSession, services: Services, provider_account_id: UUID, *, file_name: str, content: bytes
) -> tuple[str, UUID | None]:
    """Take a statement nobody uploaded: `taken`, or `known` where its very bytes came before, with the statement's id."""
    own = Actor(factory_id=factory_of(session), name=SYSTEM, permissions=frozenset({Permission.SETTLE}))
    try:
        made = await upload_statement(session, services, own, provider_account_id=provider_account_id, file_name=file_name, content=content)
    except ProblemError as error:
        if error.code != "statement_already_uploaded":
            raise
        earlier = error.extra.get("statement_id")
        return "known", UUID(str(earlier)) if earlier else None
    return "taken", made.id
