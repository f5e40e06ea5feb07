"""A person says what the columns mean; the factory's next file with the same headers is read the same way."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.contract import Meaning
from importers.layouts import apply_corrections, layout_from_json, layout_to_json
from payroll_api.access.actor import Actor, Permission
from payroll_api.audit.journal import Event, record
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.intake.models import KnownLayout, PayrollFile
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.services import Services


async def confirm_layout(session: AsyncSession, services: Services, actor: Actor, file_id: UUID, columns: Mapping[str, str]) -> PayrollFile:
    """Confirm a file's mapping, with `columns` (letter -> meaning) corrected, and read the file again by it.

    Raises InvalidError for an unknown meaning or column, ProblemError `layout_not_ready` when the file has none to confirm.
    """
    actor.require(Permission.PREPARE)
    file = await session.get(PayrollFile, (actor.factory_id, file_id), with_for_update=True)
    if file is None:
        raise NotFoundError("payroll file")
    if file.state not in {"read", "refused"} or file.layout is None:
        raise ProblemError(
            "layout_not_ready", "The file is still being read, or its columns are confirmed already. Open it again in a moment."
        )
    layout = layout_from_json(file.layout)
    letters = {reading.column for reading in layout.columns}
    if unknown := sorted(set(columns) - letters):
        raise InvalidError(f"The sheet has no column {unknown[0]}. Name one of its columns: {', '.join(sorted(letters))}.")
    try:
        corrections = {letter: Meaning(meaning) for letter, meaning in columns.items()}
    except ValueError:
        raise InvalidError("One of the meanings is not in the dictionary of columns: see GET /api/v1/columns.") from None
    confirmed = apply_corrections(layout, corrections)
    now = services.clock()
    await session.merge(
        KnownLayout(
            factory_id=actor.factory_id,
            fingerprint=confirmed.fingerprint,
            layout=layout_to_json(confirmed),
            confirmed_by=actor.name,
            confirmed_at=now,
        )
    )
    file.state = "received"
    await session.flush()
    data = {"fingerprint": confirmed.fingerprint, "corrected": sorted(columns)}
    await record(session, now, Event(actor=actor.name, action="layout.confirmed", subject=f"file:{file_id}", data=data))
    await enqueue(session, Job.READ_FILE, {"file": str(file_id)})
    return file
