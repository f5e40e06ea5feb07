"""What a file asks before it is checked: which sheets, control totals, workers who stand in another file too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.errors import InvalidError
from payroll_api.intake.answer import choose_sheets, set_control
from payroll_api.intake.find import chosen_sheets, get_file
from payroll_api.intake.models import PayrollFile
from payroll_api.intake.overlap import other_files, overlapping_workers
from payroll_api.intake.questions import open_questions
from payroll_api.runs.give_way import OverlapAnswer, answer_overlap
from payroll_api.web import formats, names
from payroll_api.web.home import typed_on
from payroll_api.web.lists import number
from payroll_api.web.page import Doer, Page, Reader
from payroll_api.web.route import PageRoute
from payroll_api.web.words import Words

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAGE = 50
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


async def questions_shown(session: AsyncSession, page: Page, file: PayrollFile) -> dict[str, object]:
    """What the file's page shows of its questions."""
    summary: Any = file.summary or {}
    control, overlap = summary.get("control"), summary.get("overlap")
    answers = {name: found["answer"] for name, found in (("control", control), ("overlap", overlap)) if found and found["answer"]}
    who = await names.actors(session, page, [answer["by"] for answer in answers.values()])
    return {
        "questions": open_questions(file),
        "sheets": _sheets(file, summary),
        "control": _control(control, summary, page.words),
        "overlap": overlap,
        "answered": {
            name: page.words("control.by", by=who[answer["by"]], when=formats.moment(datetime.fromisoformat(answer["at"]), page.words))
            for name, answer in answers.items()
        },
    }


def _sheets(file: PayrollFile, summary: Mapping[str, Any]) -> dict[str, object]:
    """The sheets to choose from; those with the same columns bear the same letter."""
    choices: Sequence[Any] = summary.get("choices", ())
    kinds = {choice["kind"] for choice in choices}
    chosen = chosen_sheets(file)
    known = {choice["name"]: choice for choice in choices}
    shown = [
        {
            "name": name,
            "rows": known[name]["rows"] if name in known else None,
            "letter": _LETTERS[known[name]["kind"] % len(_LETTERS)] if name in known and len(kinds) > 1 else "",
            "chosen": name in chosen,
        }
        for name in (known or summary.get("sheets", ()))
    ]
    gave_way = "file_id" in (summary.get("refusal") or {})
    return {"shown": shown, "choosable": len(shown) > 1 and file.state in {"read", "refused"} and not gave_way}


def _control(control: Mapping[str, Any] | None, summary: Mapping[str, Any], words: Words) -> dict[str, object] | None:
    """Every figure that was typed beside what the file holds."""
    if control is None:
        return None
    typed, differ = control["typed"], {found["currency"]: found for found in control["differences"]}
    lines = []
    if typed["workers"] is not None:
        counts, found = summary["counts"], differ.get(None)
        whole = (counts["read"], counts["accepted"])
        lines.append(_line(words("control.workers"), typed["workers"], whole, agrees=found is None, write=formats.number))
    for code in sorted({*typed["net"], *(code for code in differ if code)}, reverse=True):
        accepted = summary["totals"]["accepted"].get(code, "0")
        found = differ.get(code)
        whole = (found["found"], found["accepted"]) if found else (accepted, accepted)
        label = words(f"control.net_{code.lower()}")
        lines.append(
            _line(
                label,
                typed["net"].get(code, "0"),
                whole,
                agrees=found is None,
                write=lambda amount, code=code: formats.money_text(amount, code),
            )
        )
    form = {"workers": typed["workers"] or "", "net_usd": typed["net"].get("USD", ""), "net_khr": typed["net"].get("KHR", "")}
    return {"lines": lines, "answer": control["answer"], "form": form}


def _line(what: str, typed: object, held: tuple[object, object], *, agrees: bool, write: Any) -> dict[str, object]:  # noqa: ANN401  one of two formats
    return {"what": what, "typed": write(typed), "found": write(held[0]), "accepted": write(held[1]), "agrees": agrees}


@router.get("/files/{file_id}/overlap")
async def show(page: Reader, file_id: UUID) -> Response:
    """Worker by worker, a page at a time."""
    position = number(page.request.query_params.get("after"), -1)
    async with page.session() as session:
        file = await get_file(session, file_id)
        found = await overlapping_workers(session, file_id, after=position, limit=_PAGE + 1)
        others = {other.id: other.file_name for other in await other_files(session, file)}
    workers = found[:_PAGE]
    cursor = workers[-1].position if len(found) > _PAGE else None
    return page.show("overlap.html", file=file, workers=workers, names=others, cursor=cursor)


@router.post("/files/{file_id}/overlap")
async def decide(page: Doer, file_id: UUID) -> Response:
    """Say which of the files is meant."""
    try:
        answer = OverlapAnswer(page.typed("answer"))
    except ValueError:
        raise InvalidError(page.words("error.answer_missing")) from None
    async with page.session() as session:
        await answer_overlap(session, page.services, page.actor, file_id, answer=answer, reason=page.typed("reason"))
    return page.go(f"/files/{file_id}", "resolved")


@router.post("/files/{file_id}/control")
async def control(page: Doer, file_id: UUID) -> Response:
    """Type the control totals anew, or explain why the file holds others."""
    typed = None if page.typed("explain") else typed_on(page)
    async with page.session() as session:
        await set_control(session, page.services, page.actor, file_id, control=typed, reason=page.typed("reason"))
    return page.go(f"/files/{file_id}", "resolved")


@router.post("/files/{file_id}/sheets")
async def choose(page: Doer, file_id: UUID) -> Response:
    """Say which sheets of the workbook are the payroll."""
    async with page.session() as session:
        await choose_sheets(session, page.services, page.actor, file_id, page.chosen("sheet"))
    return page.go(f"/files/{file_id}", "sheets")
