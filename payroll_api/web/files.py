"""A payroll file's page: what was read, what the columns mean, what is wrong, and sending it for approval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select

from importers.contract import Meaning
from payroll_api.errors import InvalidError
from payroll_api.intake.annotated import annotated
from payroll_api.intake.find import chosen_sheets, get_file, problems
from payroll_api.intake.layout import confirm_layout
from payroll_api.intake.models import PayrollFile
from payroll_api.intake.questions import open_questions
from payroll_api.payslips.progress import run_progress
from payroll_api.review.find import discrepancies, open_counts
from payroll_api.review.resolve import resolve
from payroll_api.runs.build import create_run
from payroll_api.runs.decide import submit
from payroll_api.runs.models import PayRun
from payroll_api.web import formats
from payroll_api.web.file_questions import questions_shown
from payroll_api.web.home import XLSX
from payroll_api.web.lists import number
from payroll_api.web.page import Doer, Page, Reader
from payroll_api.web.route import PageRoute
from payroll_api.web.way import is_confirmed, way
from payroll_api.web.words import Words

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PROBLEMS = 50
_COLUMN = "column."
_SURE = "0.75"


@router.get("/files/{file_id}")
async def show(page: Reader, file_id: UUID) -> Response:
    """The page of a file."""
    return await _show(page, file_id)


async def _show(page: Page, file_id: UUID) -> Response:
    position = number(page.request.query_params.get("problems"), -1)
    async with page.session() as session:
        file = await get_file(session, file_id)
        run = await session.scalar(select(PayRun).where(PayRun.file_id == file_id).order_by(PayRun.id.desc()).limit(1))
        found = await problems(session, page.services, page.actor, file_id, after=position, limit=_PROBLEMS + 1)
        open_ = {"blocks": 0, "warns": 0, "informs": 0, **await open_counts(session, file_id)}
        any_differences = bool(await discrepancies(session, file_id, after=-1, limit=1))
        progress = await run_progress(session, run.id) if run else None
        asked = await questions_shown(session, page, file)
    columns = _columns(file)
    changing = [letter for letter in page.request.query_params.get("change", "").split(",") if letter.isalpha()][: len(columns)]
    live_run = run if run and run.state != "rejected" else None
    shown = found[:_PROBLEMS]
    return page.show(
        "file.html",
        {**_figures(file, page.words), **asked},
        file=file,
        run=live_run,
        steps=way(file, live_run, open_, progress),
        is_working=_is_working(file),
        needs_columns=file.state == "read" and not is_confirmed(file),
        is_decidable=file.state == "reconciled",
        columns=columns,
        changing=changing,
        asked=[column for column in columns if not column["is_sure"] or column["column"] in changing],
        settled=[column for column in columns if column["is_sure"] and column["column"] not in changing],
        meanings=[meaning.value for meaning in Meaning],
        open=open_,
        any_differences=any_differences,
        problems=shown,
        next_problems=shown[-1]["position"] if len(found) > _PROBLEMS else None,
    )


def _is_working(file: PayrollFile) -> bool:
    return file.state in {"received", "reading"} or (file.state == "read" and is_confirmed(file) and not open_questions(file))


def _columns(file: PayrollFile) -> list[dict[str, object]]:
    layout: Any = file.layout or {}
    columns = layout.get("columns", ())
    return [{**column, "is_sure": column["meaning"] is not None and column["score"] >= _SURE} for column in columns]


def _figures(file: PayrollFile, words: Words) -> dict[str, object]:
    summary: Any = file.summary or {}
    totals: Sequence[Any] = summary.get("control_totals", ())
    return {
        "counts": summary.get("counts") if file.state in {"read", "reconciled", "refused"} else None,
        "totals": summary.get("totals", {}),
        "refusal": _refusal(summary, words) if file.state == "refused" else None,
        "waiting": _waiting(summary, words) if file.state == "read" else None,
        "control_totals": [
            {
                "meaning": total["meaning"],
                "cell": f"{total['sheet']}!{total['cell']}" if len(chosen_sheets(file)) > 1 else total["cell"],
                "agrees": total["stated"] == total["added"],
                "stated": formats.money_text(total["stated"], total["currency"]),
                "added": formats.money_text(total["added"], total["currency"]),
            }
            for total in totals
        ],
    }


def _waiting(summary: Mapping[str, Any], words: Words) -> Mapping[str, str] | None:
    waiting: Any = summary.get("waiting")
    if not waiting:
        return None
    key = f"problem.{waiting['code']}"
    return {"what": words.known(f"{key}.what", waiting["message"]), "todo": words.known(f"{key}.todo", "")}


def _refusal(summary: Mapping[str, Any], words: Words) -> Mapping[str, Any] | None:
    refusal: Any = summary.get("refusal")
    return {**refusal, "message": words.known(f"refusal.{refusal['code']}", refusal["message"])} if refusal else None


@router.get("/files/{file_id}/annotated.xlsx")
async def marked(page: Reader, file_id: UUID) -> Response:
    """The same workbook with each problem marked in its cell."""
    async with page.session() as session:
        content = await annotated(session, page.services, page.actor, file_id)
    headers = {"Content-Disposition": f'attachment; filename="annotated-{file_id}.xlsx"', "Cache-Control": "no-store"}
    return Response(content, media_type=XLSX, headers=headers)


@router.post("/files/{file_id}/layout")
async def columns(page: Doer, file_id: UUID) -> Response:
    """Confirm what the columns mean, with those corrected that were changed."""
    async with page.session() as session:
        proposed = {column["column"]: column["meaning"] for column in _columns(await get_file(session, file_id))}
        chosen = {
            name.removeprefix(_COLUMN): value for name, value in page.form.items() if name.startswith(_COLUMN) and isinstance(value, str)
        }
        # Column letters are ours: a name that the sheet does not have is refused by the step, whatever the form says.
        corrected = {letter: meaning for letter, meaning in chosen.items() if meaning and meaning != proposed.get(letter)}
        await confirm_layout(session, page.services, page.actor, file_id, corrected)
    return page.go(f"/files/{file_id}", "columns")


@router.post("/files/{file_id}/send")
async def send(page: Doer, file_id: UUID) -> Response:
    """Accept the warnings that are open, freeze the run and send it for approval: one decision, one transaction."""
    pay_on: date | None = None
    if text := page.typed("pay_on"):
        try:
            pay_on = date.fromisoformat(text)
        except ValueError:
            raise InvalidError(page.words("error.day_wrong") + " " + page.words("error.day_wrong_todo")) from None
    async with page.session() as session:
        if resolution := page.typed("resolution"):
            await resolve(
                session, page.services, page.actor, file_id, discrepancy_ids=None, resolution=resolution, reason=page.typed("reason")
            )
        draft = await session.scalar(select(PayRun).where(PayRun.file_id == file_id, PayRun.state == "draft"))
        run = draft or await create_run(session, page.services, page.actor, file_id, pay_on=pay_on)
        await submit(session, page.services, page.actor, run.id)
    return page.go(f"/runs/{run.id}", "sent")
