"""The same workbook back, each problem marked in its cell."""

from __future__ import annotations

import asyncio
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.annotate import annotate
from importers.layouts import layout_from_json
from importers.period import PayPeriod
from importers.read import read_sheet
from payroll_api.access.actor import Actor, Permission
from payroll_api.audit.journal import Event, record
from payroll_api.intake.find import chosen_sheets, get_file
from payroll_api.services import Services


async def annotated(session: AsyncSession, services: Services, actor: Actor, file_id: UUID) -> bytes:
    """The annotated workbook. Reads the kept file again, so that the marks are those of today's rules. Raises NotFoundError."""
    actor.require(Permission.READ_PERSONAL)
    file = await get_file(session, file_id)
    vault = await services.keys.vault(session)
    await session.refresh(file, ["content"])
    content = vault.open_bytes(file.content, "payroll_files", file_id, "content")
    sheet = await asyncio.to_thread(
        read_sheet,
        content,
        file_name=file.file_name,
        period=PayPeriod.parse(file.period),
        layouts=[layout_from_json(file.layout)] if file.layout else (),
        sheets=chosen_sheets(file),
    )
    await record(session, services.clock(), Event(actor=actor.name, action="file.exported", subject=f"file:{file_id}"))
    return await asyncio.to_thread(annotate, content, sheet)
