"""A person answers what a file asks: which sheets, and why its figures are not those she typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.audit.journal import Event, record
from payroll_api.errors import InvalidError, ProblemError
from payroll_api.intake.control import control_of
from payroll_api.intake.models import PayrollFile
from payroll_api.intake.questions import CONTROL, keep_answer, locked, weigh
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.services import Services

_MOST_SHEETS = 100


async def set_control(
    session: AsyncSession, services: Services, actor: Actor, file_id: UUID, *, control: dict[str, Any] | None, reason: str
) -> PayrollFile:
    """Type a file's control totals anew, or keep them (`control` None) and explain why the file holds others.

    Raises ProblemError `control_closed` once the file is checked, InvalidError when there is nothing to explain or no reason.
    """
    actor.require(Permission.PREPARE)
    file = await locked(session, file_id)
    if file.state not in {"received", "reading", "read"}:
        raise ProblemError(
            "control_closed", "The file's check has begun or it was not taken: its control totals stand. Upload the corrected file."
        )
    now = services.clock()
    if control is not None:
        file.control = control
        await session.flush()
        event = Event(actor=actor.name, action="control.typed", subject=f"file:{file_id}", data={"typed": control})
    else:
        differences: Any = (control_of(file) or {}).get("differences")
        if file.state != "read" or not differences:
            raise InvalidError("There is no difference to explain: type the control totals, or wait until the file is read.")
        await keep_answer(session, services, actor, file, CONTROL, "explained", reason)
        event = Event(actor=actor.name, action="control.explained", subject=f"file:{file_id}", data={"differences": len(differences)})
    await record(session, now, event)
    if file.state == "read":
        await weigh(session, file)
    return file


async def choose_sheets(session: AsyncSession, services: Services, actor: Actor, file_id: UUID, names: Sequence[str]) -> PayrollFile:
    """Say which sheets of the workbook are the payroll, and read the file again by them. Several must have the same columns.

    Raises InvalidError for a sheet that the workbook does not have, ProblemError `sheets_closed` once the file is checked.
    """
    actor.require(Permission.PREPARE)
    file = await locked(session, file_id)
    summary: Any = file.summary or {}
    known = summary.get("sheets", [])
    refusal: Any = summary.get("refusal")
    if file.state not in {"read", "refused"} or not known or (refusal and "file_id" in refusal):
        raise ProblemError("sheets_closed", "The file is still being read, is checked already, or gave way to another file.")
    chosen = list(dict.fromkeys(names))
    if not chosen or len(chosen) > _MOST_SHEETS or any(name not in known for name in chosen):
        raise InvalidError(
            f"Choose one or more of the workbook's sheets: {', '.join(known)}.", fields=[{"field": "sheets", "problem": "not there"}]
        )
    file.chosen_sheets, file.state, file.rows_done = list(chosen), "received", 0
    try:
        await session.flush()
    except IntegrityError:
        raise ProblemError(
            "file_already_uploaded", "This very file was uploaded again meanwhile for the same period and kind. Open that one."
        ) from None
    event = Event(actor=actor.name, action="sheets.chosen", subject=f"file:{file_id}", data={"sheets": len(chosen), "of": len(known)})
    await record(session, services.clock(), event)
    await enqueue(session, Job.READ_FILE, {"file": str(file_id)})
    return file
