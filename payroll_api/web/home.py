"""The list of paydays, what waits for the reader, and the upload of a payroll file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from importers.blank import blank_template
from importers.period import PayPeriod, PeriodError, RunKind
from payroll_api.clock import pay_day
from payroll_api.errors import InvalidError, ProblemError
from payroll_api.intake.control import typed_control
from payroll_api.intake.find import list_files
from payroll_api.intake.models import PayrollFile
from payroll_api.intake.questions import open_questions
from payroll_api.intake.upload import LARGEST_FILE, upload
from payroll_api.review.find import open_counts
from payroll_api.runs.models import PayRun
from payroll_api.web import formats
from payroll_api.web.lists import cursor
from payroll_api.web.page import Doer, Page, Reader
from payroll_api.web.problem import Told, mistake, told
from payroll_api.web.route import PageRoute
from payroll_api.web.way import is_confirmed

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAGE = 25
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Payday:
    """One line of the list: a file, and its run once there is one. `amounts` is net pay by currency as decimal text."""

    path: str
    period: str
    kind: str
    family: str  # whose words name the state: file_state or run_state
    state: str
    workers: int | None
    amounts: Mapping[str, object]
    uploaded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Something that waits for the reader, and where."""

    path: str
    text: str


@router.get("/")
async def show(page: Reader) -> Response:
    """The home page."""
    return await _home(page)


@router.post("/files")
async def take(page: Doer) -> Response:
    """Take a payroll file and go to its page. A refusal shows the form again as it was filled in."""
    try:
        period, kind = PayPeriod.parse(page.typed("period")), RunKind(page.typed("kind"))
    except PeriodError:
        return await _home(page, mistake(page.words, "period_wrong"), status=422)
    except ValueError:
        return await _home(page, mistake(page.words, "kind_wrong"), status=422)
    sent = page.sent_file("file")
    if sent is None:
        return await _home(page, mistake(page.words, "file_missing"), status=422)
    content = await sent.read(LARGEST_FILE + 1)
    try:
        control = typed_on(page)
        async with page.session() as session:
            file = await upload(
                session,
                page.services,
                page.actor,
                file_name=sent.filename or "",
                content=content,
                period=period,
                kind=kind,
                control=control,
            )
    except ProblemError as error:
        return await _home(page, told(page.words, error), status=error.status)
    return page.go(f"/files/{file.id}", "uploaded")


def typed_on(page: Page) -> dict[str, Any] | None:
    """The control totals in a form. Raises InvalidError in the reader's words for what is no figure."""
    try:
        return typed_control(page.typed("workers"), {"USD": page.typed("net_usd"), "KHR": page.typed("net_khr")})
    except InvalidError:
        raise InvalidError(f"{page.words('error.control_wrong')} {page.words('error.control_wrong_todo')}") from None


@router.get("/template.xlsx")
async def template(page: Reader) -> Response:
    """The empty form to fill in, for this month."""
    today = pay_day(page.services.clock())
    content = blank_template(PayPeriod(today.year, today.month))
    name = f"payroll-{today:%Y-%m}.xlsx"
    return Response(content, media_type=XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"'})


async def _home(page: Page, problem: Told | None = None, status: int = 200) -> Response:
    today = pay_day(page.services.clock())
    form = {
        "period": page.typed("period") or f"{today:%Y-%m}",
        "kind": page.typed("kind") or RunKind.BALANCE.value,
        **{name: page.typed(name) for name in ("workers", "net_usd", "net_khr")},
    }
    before = cursor(page.request.query_params.get("before"))
    async with page.session() as session:
        files = await list_files(session, before=before, limit=PAGE + 1)
        shown = files[:PAGE]
        runs = await _runs_of(session, [file.id for file in shown])
        waiting = await _waiting(session, page, shown, runs)
    return page.show(
        "home.html",
        status=status,
        problem=problem,
        form=form,
        kinds=list(RunKind),
        largest=LARGEST_FILE // _MIB,
        waiting=waiting,
        paydays=[_payday(file, runs.get(file.id)) for file in shown],
        cursor=shown[-1].id if len(files) > PAGE else None,
    )


async def _runs_of(session: AsyncSession, file_ids: Sequence[UUID]) -> dict[UUID, PayRun]:
    """The newest run of each file; one that was sent back counts only where there is no other."""
    runs = await session.scalars(select(PayRun).where(PayRun.file_id.in_(file_ids)).order_by(PayRun.id))
    return {run.file_id: run for run in runs}


def _payday(file: PayrollFile, run: PayRun | None) -> Payday:
    summary: Any = file.summary or {}
    return Payday(
        path=f"/runs/{run.id}" if run else f"/files/{file.id}",
        period=file.period,
        kind=file.kind,
        family="run_state" if run else "file_state",
        state=run.state if run else _file_state(file),
        workers=summary["counts"]["accepted"] if summary else None,
        amounts=summary["totals"]["accepted"] if summary else {},
        uploaded_at=file.uploaded_at,
    )


def _file_state(file: PayrollFile) -> str:
    if questions := open_questions(file):
        return questions[0]
    if file.state != "read":
        return file.state
    return "checking" if is_confirmed(file) else "columns"


async def _waiting(session: AsyncSession, page: Page, files: Sequence[PayrollFile], runs: Mapping[UUID, PayRun]) -> list[Waiting]:
    found = []
    for file in files:
        run = runs.get(file.id)
        step = _run_step(page, run) if run else await _file_step(session, page, file)
        if step:
            path = f"/runs/{run.id}" if run else f"/files/{file.id}"
            text = page.words(f"home.waiting_{step}", file=file.file_name, period=formats.period(file.period, page.words))
            found.append(Waiting(path=path, text=text))
    return found


def _run_step(page: Page, run: PayRun) -> str | None:
    if run.state == "submitted" and page.may("approve") and page.actor.name not in {run.created_by, run.submitted_by}:
        return "approve"
    if run.state == "approved" and page.may("release"):
        return "release"
    return "send" if run.state == "draft" and page.may("prepare") else None


async def _file_step(session: AsyncSession, page: Page, file: PayrollFile) -> str | None:
    if not page.may("prepare"):
        return None
    if questions := open_questions(file):
        return questions[0]
    if file.state != "reconciled":
        return None
    return "differences" if (await open_counts(session, file.id)).get("blocks") else "send"
