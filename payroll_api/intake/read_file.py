"""Read a kept file in the background: rows, problems, sums. Runs again safely: what it writes replaces what it wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from importers.contract import ImportedSheet, Layout
from importers.layouts import layout_from_json, layout_to_json
from importers.period import PayPeriod
from importers.read import read_sheet
from payroll_api.audit.journal import SYSTEM, Event, record
from payroll_api.db.bulk import copy_in, run
from payroll_api.intake import contents
from payroll_api.intake.models import KnownLayout, PayrollFile
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.services import Services

_PROGRESS_SECONDS = 0.5


async def read_file(services: Services, factory_id: UUID, payload: Mapping[str, str]) -> None:
    """The job READ_FILE."""
    file_id = UUID(payload["file"])
    async with services.database.factory(factory_id) as session:
        file = await session.get_one(PayrollFile, (factory_id, file_id))
        if file.state not in {"received", "reading"}:
            return
        file.state = "reading"
        vault = await services.keys.vault(session)
        content = vault.open_bytes(file.content, "payroll_files", file_id, "content")
        layouts = [
            layout_from_json(stored.layout) for stored in await session.scalars(select(KnownLayout).order_by(KnownLayout.confirmed_at))
        ]
    async with _progress(services, factory_id, file_id) as progress:
        sheet = await asyncio.to_thread(_read, content, file.file_name, PayPeriod.parse(file.period), layouts, progress)
    async with services.database.factory(factory_id) as session:
        await keep_read(session, services, factory_id, file_id, sheet)
    await services.database.analyze("file_rows", "file_problems")


def _read(content: bytes, name: str, period: PayPeriod, layouts: list[Layout], progress: list[int]) -> ImportedSheet:
    def tell(done: int, total: int) -> None:
        progress[:] = [done, total]

    newest = layouts[-1] if layouts else None
    sheet = read_sheet(content, file_name=name, period=period, layout=newest, progress=tell)
    if sheet.layout is None or sheet.layout.confirmed:
        return sheet
    known = next((layout for layout in layouts if layout.fingerprint == sheet.layout.fingerprint), None)
    return sheet if known is None else read_sheet(content, file_name=name, period=period, layout=known, progress=tell)


@asynccontextmanager
async def _progress(services: Services, factory_id: UUID, file_id: UUID) -> AsyncIterator[list[int]]:
    """Write how far the reader is, twice a second, so that a page can show it."""
    done_total = [0, 0]

    async def write() -> None:
        while True:
            await asyncio.sleep(_PROGRESS_SECONDS)
            async with services.database.factory(factory_id) as session:
                await session.execute(
                    update(PayrollFile).where(PayrollFile.id == file_id).values(rows_done=done_total[0], rows_total=done_total[1])
                )

    writer = asyncio.create_task(write())
    try:
        yield done_total
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)


async def keep_read(session: AsyncSession, services: Services, factory_id: UUID, file_id: UUID, sheet: ImportedSheet) -> None:
    """Write what was read of a file that still waits for it."""
    now = services.clock()
    vault = await services.keys.vault(session)
    file = await session.get_one(PayrollFile, (factory_id, file_id), with_for_update=True)
    if file.state not in {"received", "reading"}:
        return  # a reader that was frozen wakes up: another one finished this file, and people may have decided about it
    await run(session, "delete from file_rows where factory_id = $1 and file_id = $2", factory_id, file_id)
    await run(session, "delete from file_problems where factory_id = $1 and file_id = $2", factory_id, file_id)
    await copy_in(session, "file_problems", contents.PROBLEM_COLUMNS, contents.problems_to_records(vault, factory_id, file_id, sheet))
    twin = await _twin(session, file, sheet)
    refusal = _refusal(sheet, twin)
    if refusal is None:
        await copy_in(session, "file_rows", contents.ROW_COLUMNS, contents.rows_to_records(vault, factory_id, file_id, sheet.rows))
    file.state = "read" if refusal is None else "refused"
    file.read_at = now
    file.rows_done = file.rows_total = sheet.counts.read
    file.canonical_hash = sheet.canonical_hash
    file.layout = layout_to_json(sheet.layout) if sheet.layout else None
    file.summary = _summary(sheet, refusal)
    await session.flush()
    data = {
        "read": sheet.counts.read,
        "accepted": sheet.counts.accepted,
        "rejected": sheet.counts.rejected,
        "problems": len(sheet.problems),
    }
    action = "file.read" if refusal is None else "file.refused"
    await record(session, now, Event(actor=SYSTEM, action=action, subject=f"file:{file_id}", data=data))
    if refusal is None and sheet.layout is not None and sheet.layout.confirmed:
        await enqueue(session, Job.RECONCILE_FILE, {"file": str(file_id)}, once=str(file_id))


async def _twin(session: AsyncSession, file: PayrollFile, sheet: ImportedSheet) -> PayrollFile | None:
    """An earlier file with the same payroll: re-saved, re-ordered, renamed, or as another format."""
    if not sheet.rows:
        return None
    found: PayrollFile | None = await session.scalar(
        select(PayrollFile)
        .where(
            PayrollFile.canonical_hash == sheet.canonical_hash,
            PayrollFile.period == file.period,
            PayrollFile.kind == file.kind,
            PayrollFile.id != file.id,
            PayrollFile.state != "refused",
        )
        .limit(1)
    )
    return found


def _refusal(sheet: ImportedSheet, twin: PayrollFile | None) -> dict[str, object] | None:
    if sheet.refused is not None:
        problem = sheet.refused
        return {"code": problem.code, "message": problem.message, "remedy": problem.remedy, "remedy_km": problem.remedy_km}
    if twin is not None:
        return {
            "code": "same_payroll_again",
            "message": f"This is the payroll of {twin.file_name}, uploaded before, in another form: the same workers and amounts.",
            "remedy": "Work with the earlier file. If it was wrong, correct the sheet and upload that.",
            "remedy_km": "សូមប្រើឯកសារមុន។ បើវាខុស សូមកែតារាង រួចបញ្ចូលម្ដងទៀត។",
            "file_id": str(twin.id),
        }
    return None


def _summary(sheet: ImportedSheet, refusal: dict[str, object] | None) -> dict[str, object]:
    return {
        "counts": {"read": sheet.counts.read, "accepted": sheet.counts.accepted, "rejected": sheet.counts.rejected},
        "totals": {"accepted": contents.money_json(sheet.net_accepted), "rejected": contents.money_json(sheet.net_rejected)},
        "control_totals": [
            {
                "meaning": total.meaning.value,
                "cell": total.cell,
                "currency": total.stated.currency.code,
                "stated": str(total.stated.amount),
                "added": str(total.added.amount),
            }
            for total in sheet.control_totals
        ],
        "sheets": list(sheet.sheets),
        "refusal": refusal,
    }
