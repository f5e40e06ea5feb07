"""Workers stand in two files of one period: a person says whether one gives way to the other, or both are meant."""

from __future__ import annotations

import enum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.audit.journal import Event, record, record_many
from payroll_api.errors import ProblemError
from payroll_api.intake.models import PayrollFile
from payroll_api.intake.overlap import LIVE, other_files, overlap_of
from payroll_api.intake.questions import OVERLAP, keep_answer, locked, weigh
from payroll_api.runs.models import PayRun
from payroll_api.services import Services


class OverlapAnswer(enum.StrEnum):
    """What becomes of two files that hold the same workers."""

    REPLACE = "replace"  # the earlier files give way to this one
    KEEP_BOTH = "keep_both"  # both are meant; who was paid from one is not paid from the other
    SET_ASIDE = "set_aside"  # this file gives way to the earlier ones


async def answer_overlap(
    session: AsyncSession, services: Services, actor: Actor, file_id: UUID, *, answer: OverlapAnswer, reason: str
) -> PayrollFile:
    """Decide about a file whose workers stand in other files of its period and kind too.

    Raises ProblemError `no_overlap`, `file_in_run` when a file that would give way has a run (`run_id` names it), InvalidError
    without a reason.
    """
    actor.require(Permission.PREPARE)
    file = await locked(session, file_id)
    overlap = await overlap_of(session, file) if file.state in LIVE else None
    if overlap is None:
        raise ProblemError(
            "no_overlap", "No worker of this file stands in another file of its period and kind: nothing needs to be decided."
        )
    shared = {UUID(one["file_id"]) for one in overlap["files"]}
    if answer is OverlapAnswer.KEEP_BOTH:
        await keep_answer(session, services, actor, file, OVERLAP, answer, reason)
        giving_way: list[PayrollFile] = []
    else:
        others = [other for other in await other_files(session, file) if other.id in shared]
        giving_way = others if answer is OverlapAnswer.REPLACE else [file]
        await keep_answer(session, services, actor, file, OVERLAP, answer, reason)
        await _give_way(session, giving_way, file if answer is OverlapAnswer.REPLACE else others[-1])
    now = services.clock()
    data = {"answer": answer.value, "workers": overlap["workers"], "share": overlap["share"], "files": sorted(map(str, shared))}
    await record(session, now, Event(actor=actor.name, action="overlap.answered", subject=f"file:{file_id}", data=data))
    events = [Event(actor=actor.name, action="file.gave_way", subject=f"file:{one.id}", data={"by": str(file_id)}) for one in giving_way]
    await record_many(session, now, events)
    for waiting in [file, *await other_files(session, file)]:
        if waiting.state == "read":
            await weigh(session, waiting)
    return file


async def _give_way(session: AsyncSession, files: list[PayrollFile], to: PayrollFile) -> None:
    """No run can be made from these files any more. Raises ProblemError when one has a run already."""
    for id_ in sorted(file.id for file in files):
        file = await session.get_one(PayrollFile, (to.factory_id, id_), with_for_update=True, populate_existing=True)
        run = await session.scalar(select(PayRun.id).where(PayRun.file_id == id_, PayRun.state != "rejected"))
        if run is not None:
            raise ProblemError(
                "file_in_run",
                f"There is a pay run of {file.file_name}: it cannot give way. Send the run back first, or keep both files.",
                extra={"run_id": str(run)},
            )
        summary: Any = file.summary or {}
        file.state, file.summary = "refused", {**summary, "questions": [], "waiting": None, "refusal": _refusal(to)}
    await session.flush()


def _refusal(to: PayrollFile) -> dict[str, str]:
    return {
        "code": "gave_way",
        "message": f"The file gave way to {to.file_name} of the same month and kind. Nobody is paid from it.",
        "remedy": "Work with the other file. If this one was right after all, upload it again.",
        "remedy_km": "សូមប្រើឯកសារមួយទៀត។ បើឯកសារនេះត្រឹមត្រូវ សូមបញ្ចូលវាម្ដងទៀត។",
        "file_id": str(to.id),
    }
