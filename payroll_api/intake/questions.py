"""What a person must answer before a read file is checked. Once nothing is open, the check's job goes in the same transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor
from payroll_api.db.session import factory_of
from payroll_api.errors import InvalidError, NotFoundError
from payroll_api.intake.control import control_of
from payroll_api.intake.models import FileAnswer, PayrollFile
from payroll_api.intake.overlap import overlap_of
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.services import Services

SHEETS, COLUMNS, CONTROL, OVERLAP = "sheets", "columns", "control", "overlap"
_SHORTEST_REASON = 5


def open_questions(file: PayrollFile) -> tuple[str, ...]:
    """The questions that wait for a person, in the order in which she meets them."""
    summary: Any = file.summary or {}
    return tuple(summary.get("questions", ()))


async def alone_in_period(session: AsyncSession, period: str, kind: str) -> None:
    """Until the transaction's end, no other file of this period and kind is read or decided about: each sees the others' rows."""
    key = f"{factory_of(session)}|{period}|{kind}"
    await session.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 3))"), {"key": key})


async def locked(session: AsyncSession, file_id: UUID) -> PayrollFile:
    """A file, alone in its period, for an answer about it. Raises NotFoundError."""
    factory_id = factory_of(session)
    found = await session.get(PayrollFile, (factory_id, file_id))
    if found is None:
        raise NotFoundError("payroll file")
    await alone_in_period(session, found.period, found.kind)
    return await session.get_one(PayrollFile, (factory_id, file_id), with_for_update=True, populate_existing=True)


async def weigh(session: AsyncSession, file: PayrollFile) -> None:
    """Work out what is open for a file that is `read` and locked; with nothing open, ask for the check."""
    answers = {found.question: found for found in await session.scalars(select(FileAnswer).where(FileAnswer.file_id == file.id))}
    control, overlap = control_of(file), await overlap_of(session, file)
    before: Any = (file.summary or {}).get("overlap")
    if overlap is None and before and _answered(answers, OVERLAP, before):
        overlap = before  # the other files gave way: what was decided stays on the page
    open_ = [] if file.layout and file.layout.get("confirmed") else [COLUMNS]
    if control and control["differences"] and not _answered(answers, CONTROL, control):
        open_.append(CONTROL)
    if overlap and overlap["holds"] and not _answered(answers, OVERLAP, overlap):
        open_.append(OVERLAP)
    file.summary = {
        **(file.summary or {}),
        "questions": open_,
        "control": _with_answer(answers, CONTROL, control),
        "overlap": _with_answer(answers, OVERLAP, overlap),
    }
    await session.flush()
    if not open_:
        await enqueue(session, Job.RECONCILE_FILE, {"file": str(file.id)}, once=str(file.id))


def _answered(answers: Mapping[str, FileAnswer], question: str, figures: Mapping[str, Any]) -> bool:
    found = answers.get(question)
    return found is not None and found.about == about(figures)


def _with_answer(answers: Mapping[str, FileAnswer], question: str, figures: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if figures is None or not _answered(answers, question, figures):
        return None if figures is None else {**figures, "answer": None}
    found = answers[question]
    answer = {"answer": found.answer, "reason": found.reason, "by": found.answered_by, "at": found.answered_at.isoformat()}
    return {**figures, "answer": answer}


def about(figures: Mapping[str, Any]) -> str:
    """What identifies the figures that were asked about. Hex SHA-256."""
    plain = {name: value for name, value in figures.items() if name != "answer"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


async def keep_answer(
    session: AsyncSession, services: Services, actor: Actor, file: PayrollFile, question: str, answer: str, reason: str
) -> None:
    """Keep an answer to the figures as they stand. Raises InvalidError without a reason."""
    if len(reason.strip()) < _SHORTEST_REASON:
        raise InvalidError(
            "Write a reason that the approver and an inspector would understand.", fields=[{"field": "reason", "problem": "too short"}]
        )
    figures: Any = (control_of(file) if question == CONTROL else await overlap_of(session, file)) or {}
    await session.merge(
        FileAnswer(
            factory_id=actor.factory_id,
            file_id=file.id,
            question=question,
            answer=answer,
            reason=reason.strip(),
            about=about(figures),
            answered_by=actor.name,
            answered_at=services.clock(),
        )
    )
    await session.flush()
