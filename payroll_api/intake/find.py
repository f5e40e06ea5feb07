"""Look files and their problems up."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.db.session import factory_of
from payroll_api.errors import NotFoundError
from payroll_api.intake.models import FileProblem, PayrollFile
from payroll_api.services import Services


async def get_file(session: AsyncSession, file_id: UUID) -> PayrollFile:
    """A payroll file. Raises NotFoundError."""
    file = await session.get(PayrollFile, (factory_of(session), file_id))
    if file is None:
        raise NotFoundError("payroll file")
    return file


def chosen_sheets(file: PayrollFile) -> list[str]:
    """The sheets of the workbook that a person chose; none where it was clear."""
    return list(map(str, file.chosen_sheets or ()))


async def list_files(session: AsyncSession, *, before: UUID | None, limit: int) -> list[PayrollFile]:
    """Files, the newest first, from before the one named."""
    query = select(PayrollFile).order_by(PayrollFile.id.desc()).limit(limit)
    if before is not None:
        query = query.where(PayrollFile.id < before)
    return list(await session.scalars(query))


async def problems(
    session: AsyncSession, services: Services, actor: Actor, file_id: UUID, *, after: int, limit: int
) -> list[dict[str, object]]:
    """A file's problems in the order of the sheet, from after a position; each with the cell's value as written.

    A cell may hold a name or an account: only those who may read them see what stands there.
    """
    await get_file(session, file_id)
    vault = await services.keys.vault(session)
    may_read = Permission.READ_PERSONAL in actor.permissions
    rows = await session.scalars(
        select(FileProblem).where(FileProblem.file_id == file_id, FileProblem.position > after).order_by(FileProblem.position).limit(limit)
    )
    return [
        {
            "position": row.position,
            "sheet": row.sheet,
            "cell": row.cell,
            "column": row.meaning,
            "value": _shown(vault.open(row.value, "file_problems", f"{file_id}:{row.position}", "value"), may_read=may_read),
            "code": row.code,
            "severity": row.severity,
            "message": row.message,
            "remedy": row.remedy,
            "remedy_km": row.remedy_km,
        }
        for row in rows
    ]


def _shown(value: str, *, may_read: bool) -> str:
    return value if may_read or not value else "•••"
