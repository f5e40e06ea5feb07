"""Take a bank's or wallet's statement as it is, and match it in the background."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.audit.journal import Event, record
from payroll_api.db.base import new_id
from payroll_api.errors import ProblemError
from payroll_api.factories.provider_accounts import get_account
from payroll_api.intake.upload import safe_name
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.services import Services
from payroll_api.settlement.models import StatementFile

LARGEST_STATEMENT = 64 * 1024 * 1024


async def upload_statement(
    session: AsyncSession, services: Services, actor: Actor, *, provider_account_id: UUID, file_name: str, content: bytes
) -> StatementFile:
    """Keep a statement and ask for it to be matched; one that was refused is read once more.

    Raises ProblemError `file_too_large` or `statement_already_uploaded` (`statement_id` names the earlier one), NotFoundError.
    """
    actor.require(Permission.SETTLE)
    if len(content) > LARGEST_STATEMENT:
        raise ProblemError("file_too_large", "The statement has more than 64 MiB. Ask the bank for one file for each day.", status=413)
    await get_account(session, provider_account_id)
    digest = hashlib.sha256(content).hexdigest()
    query = select(StatementFile).where(StatementFile.provider_account_id == provider_account_id, StatementFile.content_hash == digest)
    earlier = await session.scalar(query.with_for_update())
    if earlier is not None and earlier.state != "refused":
        raise _already(str(earlier.id))
    now, statement_id = services.clock(), new_id()
    if earlier is not None:
        return await _read_again(session, actor, earlier, now)
    vault = await services.keys.vault(session)
    statement = StatementFile(
        factory_id=actor.factory_id,
        id=statement_id,
        provider_account_id=provider_account_id,
        file_name=safe_name(file_name),
        content=vault.seal(content, "statement_files", statement_id, "content"),
        content_hash=digest,
        state="received",
        detail="",
        identification="",
        uploaded_by=actor.name,
        uploaded_at=now,
    )
    session.add(statement)
    try:
        await session.flush()
    except IntegrityError:
        raise _already(None) from None
    data = {"content": digest, "size": len(content), "provider": str(provider_account_id)}
    await record(session, now, Event(actor=actor.name, action="statement.received", subject=f"statement:{statement_id}", data=data))
    await enqueue(session, Job.MATCH_STATEMENT, {"statement": str(statement_id)}, once=str(statement_id))
    return statement


async def _read_again(session: AsyncSession, actor: Actor, earlier: StatementFile, now: datetime) -> StatementFile:
    """A statement that could not be read may be readable by now: its layout was written down since, or we learned its format."""
    earlier.state, earlier.detail = "received", ""
    await session.flush()
    data = {"content": earlier.content_hash, "again": True}
    await record(session, now, Event(actor=actor.name, action="statement.received", subject=f"statement:{earlier.id}", data=data))
    await enqueue(session, Job.MATCH_STATEMENT, {"statement": str(earlier.id)}, once=f"{earlier.id}|{now.isoformat()}")
    return earlier


def _already(statement_id: str | None) -> ProblemError:
    return ProblemError(
        "statement_already_uploaded",
        "This very statement was uploaded before: nothing changes by taking it again. Open the earlier one.",
        extra={"statement_id": statement_id} if statement_id else None,
    )
