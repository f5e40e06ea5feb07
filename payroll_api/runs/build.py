"""Make a pay run from a checked file. Nothing is fixed yet: amounts and destinations are frozen when it is submitted."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.audit.journal import Event, record
from payroll_api.clock import pay_day
from payroll_api.db.base import new_id
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.intake.models import PayrollFile
from payroll_api.runs.models import PayRun
from payroll_api.services import Services


async def create_run(session: AsyncSession, services: Services, actor: Actor, file_id: UUID, *, pay_on: date | None) -> PayRun:
    """A draft run of a checked file, to be paid on `pay_on` (a Phnom Penh day; today when None).

    Raises ProblemError `file_not_ready` or `run_exists`, InvalidError for a pay day in the past, NotFoundError.
    """
    actor.require(Permission.PREPARE)
    # A later file may be taking this one's place: it takes the same lock.
    file = await session.get(PayrollFile, (actor.factory_id, file_id), with_for_update=True, populate_existing=True)
    if file is None:
        raise NotFoundError("payroll file")
    if file.state != "reconciled":
        raise ProblemError(
            "file_not_ready",
            f"The file is {file.state}: a run can be made once its columns are confirmed and its rows are checked against the law.",
        )
    now = services.clock()
    today = pay_day(now)
    if pay_on is not None and pay_on < today:
        raise InvalidError(
            f"The pay day {pay_on} has passed; choose {today} or later.", fields=[{"field": "pay_on", "problem": "in the past"}]
        )
    existing = await session.scalar(select(PayRun.id).where(PayRun.file_id == file_id, PayRun.state != "rejected"))
    if existing is not None:
        raise ProblemError("run_exists", "There is a run of this file already. Open that one.", extra={"run_id": str(existing)})
    pay_run = PayRun(
        factory_id=actor.factory_id,
        id=new_id(),
        file_id=file_id,
        period=file.period,
        kind=file.kind,
        pay_on=pay_on or today,
        state="draft",
        totals={},
        created_by=actor.name,
        created_at=now,
    )
    session.add(pay_run)
    file.review_frozen = False
    try:
        await session.flush()
    except IntegrityError:
        raise ProblemError("run_exists", "There is a run of this file already. Open that one.") from None
    await record(session, now, Event(actor=actor.name, action="run.created", subject=f"run:{pay_run.id}", data={"file": str(file_id)}))
    return pay_run
