"""Read a kept file in the background: rows, problems, sums. Runs again safely: what it writes replaces what it wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from importers.contract import ImportedSheet
from importers.layouts import layout_from_json, layout_to_json
from importers.period import PayPeriod
from importers.read import read_sheet
from payroll_api.audit.journal import SYSTEM, Event, record
from payroll_api.db.bulk import copy_in, run
from payroll_api.db.session import factory_of
from payroll_api.intake import contents
from payroll_api.intake.find import chosen_sheets
from payroll_api.intake.models import KnownLayout, PayrollFile
from payroll_api.intake.questions import SHEETS, locked, open_questions, weigh
from payroll_api.services import Services

_PROGRESS_SECONDS = 0.5
_ANALYZED = (
    "file_rows (factory_id, file_id, position, worker_code)",
    "file_problems (factory_id, file_id, position)",
)  # what is looked up by
ASK_SHEETS = frozenset({"ambiguous_sheet", "department_sheets", "sheets_differ", "no_such_sheet"})  # refusals that a choice of sheets ends


async def read_file(services: Services, factory_id: UUID, payload: Mapping[str, str]) -> None:
    """The job READ_FILE."""
    file_id = UUID(payload["file"])
    async with services.database.factory(factory_id) as session:
        file = await session.get_one(PayrollFile, (factory_id, file_id))
        if file.state not in {"received", "reading"}:
            return
        file.state = "reading"
        vault = await services.keys.vault(session)
        await session.refresh(file, ["content"])
        content = vault.open_bytes(file.content, "payroll_files", file_id, "content")
        known = await session.scalars(select(KnownLayout).order_by(KnownLayout.confirmed_at.desc()))
        layouts = [layout_from_json(stored.layout) for stored in known]
    async with _progress(services, factory_id, file_id) as tell:
        sheet = await asyncio.to_thread(
            read_sheet,
            content,
            file_name=file.file_name,
            period=PayPeriod.parse(file.period),
            layouts=layouts,
            sheets=chosen_sheets(file),
            progress=tell,
        )
    async with services.database.factory(factory_id) as session:
        await keep_read(session, services, factory_id, file_id, sheet)
    await services.database.analyze(*_ANALYZED)


@asynccontextmanager
async def _progress(services: Services, factory_id: UUID, file_id: UUID) -> AsyncIterator[Callable[[int, int], None]]:
    """Write how far the reader is, twice a second, so that a page can show it."""
    done_total = [0, 0]

    def tell(done: int, total: int) -> None:
        done_total[:] = [done, total]

    async def write() -> None:
        while True:
            await asyncio.sleep(_PROGRESS_SECONDS)
            async with services.database.factory(factory_id) as session:
                await session.execute(
                    update(PayrollFile).where(PayrollFile.id == file_id).values(rows_done=done_total[0], rows_total=done_total[1])
                )

    writer = asyncio.create_task(write())
    try:
        yield tell
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)


async def keep_read(session: AsyncSession, services: Services, factory_id: UUID, file_id: UUID, sheet: ImportedSheet) -> None:
    """Write what was read of a file that still waits for it."""
    now = services.clock()
    vault = await services.keys.vault(session)
    file = await locked(session, file_id)
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
    await _remember_sheets(session, sheet)
    if refusal is None:
        await weigh(session, file)
    data = {
        "read": sheet.counts.read,
        "accepted": sheet.counts.accepted,
        "rejected": sheet.counts.rejected,
        "problems": len(sheet.problems),
        "questions": list(open_questions(file)),
    }
    action = "file.read" if refusal is None else "file.refused"
    await record(session, now, Event(actor=SYSTEM, action=action, subject=f"file:{file_id}", data=data))


async def _remember_sheets(session: AsyncSession, sheet: ImportedSheet) -> None:
    """A confirmed layout remembers the sheets that were chosen with it the last time."""
    if sheet.layout is None or not sheet.layout.confirmed or not sheet.layout.chosen:
        return
    known = await session.get(KnownLayout, (factory_of(session), sheet.layout.fingerprint))
    if known is not None:
        known.layout = {**known.layout, "chosen": list(sheet.layout.chosen)}


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
                "sheet": total.sheet,
                "cell": total.cell,
                "currency": total.stated.currency.code,
                "stated": str(total.stated.amount),
                "added": str(total.added.amount),
            }
            for total in sheet.control_totals
        ],
        "sheets": list(sheet.sheets),
        "choices": [
            {"name": choice.name, "rows": choice.rows, "kind": choice.kind, "names_period": choice.names_period} for choice in sheet.choices
        ],
        "questions": [SHEETS] if sheet.refused is not None and sheet.refused.code in ASK_SHEETS else [],
        "refusal": refusal,
    }
