"""What a payroll file asks before it is checked: which sheets, control totals, overlap with other files."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from importers.money import CURRENCIES
from payroll_api.access.actor import Permission
from payroll_api.api.payroll_files import NOT_FOUND, Count, Figure, FileOut, shape
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Amount, Cursor, Input, Limit, Output, Page, Reason, after_number, page
from payroll_api.intake.answer import choose_sheets, set_control
from payroll_api.intake.control import typed_control
from payroll_api.intake.overlap import OverlappingWorker, overlapping_workers
from payroll_api.runs.give_way import OverlapAnswer, answer_overlap

router = APIRouter(prefix=f"{API}/payroll-files/{{file_id}}", tags=["payroll-files"], route_class=StepRoute)

CurrencyCode = Annotated[str, StringConstraints(pattern=f"^({'|'.join(CURRENCIES)})$")]
SheetName = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class Sheets(Input):
    """The sheets of the workbook that are the payroll."""

    sheets: list[SheetName] = Field(min_length=1, max_length=100, examples=[["Sewing", "Cutting"]])


class Control(Input):
    """Control totals typed anew; or none of them and a `reason` that explains why the file holds others."""

    workers: Count | None = Field(default=None, examples=[300])
    net: dict[CurrencyCode, Figure] = Field(default_factory=dict, examples=[{"USD": "61234.50"}])
    reason: Reason | None = Field(default=None, examples=["Two workers are paid in cash from another list."])


class OverlapDecision(Input):
    """What becomes of two files that hold the same workers."""

    answer: OverlapAnswer
    reason: Reason = Field(examples=["The corrected file: two nets were wrong in the first one."])


class Elsewhere(Output):
    """The same worker in another file."""

    file_id: UUID
    net: Amount


class OverlappingOut(Output):
    """A worker of this file who stands in another file of its period and kind."""

    position: int
    sheet: str = Field(examples=["November"])
    row: int = Field(examples=[17])
    worker_code: str = Field(examples=["GW-00017"])
    net: Amount
    same: bool = Field(description="Whether every other file says the same net")
    elsewhere: list[Elsewhere]


def _shape(found: OverlappingWorker) -> OverlappingOut:
    return OverlappingOut(
        position=found.position,
        sheet=found.sheet,
        row=found.row,
        worker_code=found.worker_code,
        net=Amount.of(found.net),
        same=found.is_same,
        elsewhere=[Elsewhere(file_id=file_id, net=Amount.of(net)) for file_id, net in found.elsewhere],
    )


@router.post(
    "/sheets",
    operation_id="choosePayrollFileSheets",
    summary="Choose the sheets of the workbook that are the payroll",
    **operation(Permission.PREPARE, errors=[NOT_FOUND, (409, "sheets_closed"), (409, "file_already_uploaded")]),
)
async def sheets(file_id: UUID, body: Sheets, session: InSession, services: InServices, actor: InActor) -> FileOut:
    """The file is read again by them. Several are read as one payroll where their columns are the same; the choice is remembered."""
    return shape(await choose_sheets(session, services, actor, file_id, body.sheets))


@router.post(
    "/control",
    operation_id="setPayrollFileControl",
    summary="Type the control totals, or explain a difference",
    **operation(Permission.PREPARE, errors=[NOT_FOUND, (409, "control_closed")]),
)
async def control(file_id: UUID, body: Control, session: InSession, services: InServices, actor: InActor) -> FileOut:
    """Figures that are sent replace those typed before; with a `reason` alone, the difference stands and is explained."""
    typed = typed_control(body.workers, body.net)
    return shape(await set_control(session, services, actor, file_id, control=typed, reason=body.reason or ""))


@router.get(
    "/overlap",
    operation_id="listPayrollFileOverlap",
    summary="Workers who stand in another file of the period too",
    **operation(Permission.READ, errors=[NOT_FOUND]),
)
async def overlap(file_id: UUID, session: InSession, cursor: Cursor = None, limit: Limit = 50) -> Page[OverlappingOut]:
    """Worker by worker, with the net here and there. How many there are in all stands in the file's summary."""
    found = await overlapping_workers(session, file_id, after=after_number(cursor), limit=limit + 1)
    return page(found, limit, _shape, lambda worker: worker.position)


@router.post(
    "/overlap",
    operation_id="answerPayrollFileOverlap",
    summary="Decide which of two files with the same workers is meant",
    **operation(Permission.PREPARE, errors=[NOT_FOUND, (409, "no_overlap"), (409, "file_in_run")]),
)
async def decide_overlap(file_id: UUID, body: OverlapDecision, session: InSession, services: InServices, actor: InActor) -> FileOut:
    """`replace`: the earlier files give way. `set_aside`: this one does. `keep_both`: both are meant; nobody is paid twice."""
    return shape(await answer_overlap(session, services, actor, file_id, answer=body.answer, reason=body.reason))
