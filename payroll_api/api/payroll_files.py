"""Payroll files: upload, see what was read and what is wrong, confirm the columns."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, Response, UploadFile
from pydantic import Field, StringConstraints

from importers.contract import Meaning, Severity
from importers.period import PayPeriod, RunKind
from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Cursor, Input, Limit, Output, Page, PeriodText, after_id, after_number, page
from payroll_api.intake.annotated import annotated
from payroll_api.intake.control import MOST_WORKERS, typed_control
from payroll_api.intake.find import get_file, list_files, problems
from payroll_api.intake.layout import confirm_layout
from payroll_api.intake.models import PayrollFile
from payroll_api.intake.questions import open_questions
from payroll_api.intake.upload import upload

router = APIRouter(prefix=f"{API}/payroll-files", tags=["payroll-files"], route_class=StepRoute)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NOT_FOUND = (404, "not_found")

Count = Annotated[int, Field(ge=1, le=MOST_WORKERS)]
Figure = Annotated[str, StringConstraints(max_length=40, pattern=r"^[^\x00-\x1f\x7f]*$")]
ColumnLetter = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,3}$")]


class FileOut(Output):
    """A payroll file: received, reading, read (columns wait for a person), reconciled (checked against the law), or refused."""

    id: UUID
    file_name: str = Field(examples=["2026-11 payroll.xlsx"])
    pay_period: str = Field(examples=["2026-11"])
    kind: RunKind
    state: str = Field(examples=["reconciled"])
    size: int = Field(description="Bytes", examples=[48213])
    rows_done: int = Field(examples=[300])
    rows_total: int = Field(examples=[300])
    uploaded_by: str = Field(examples=["user:0190f5fe-7c00-7a00-8000-000000000002"])
    uploaded_at: datetime
    read_at: datetime | None
    summary: dict[str, Any] | None = Field(
        description="Counts of rows, sums by currency as text, control totals of the sheet beside those typed, overlap with other files,"
        " sheets to choose from, and why a file was refused"
    )
    questions: list[str] = Field(
        description="What a person must answer before the file is checked: sheets, columns, control, overlap", examples=[["control"]]
    )
    layout: dict[str, Any] | None = Field(description="What each column was taken for, and whether a person has confirmed it")
    law_version: str | None = Field(description="The law book of the check")


class FileProblemOut(Output):
    """Something wrong in the sheet: where, what stands there, and what to do."""

    position: int
    sheet: str = Field(examples=["November"])
    cell: str = Field(examples=["M17"])
    column: Meaning | None
    value: str = Field(examples=["2l0.00"])
    code: str = Field(examples=["not_an_amount"])
    severity: Severity
    message: str
    remedy: str
    remedy_km: str


class Columns(Input):
    """What columns mean, by letter; columns that are not named stay as proposed."""

    columns: dict[ColumnLetter, Meaning] = Field(default_factory=dict, max_length=300, examples=[{"M": "net", "N": "ignored"}])


def shape(row: PayrollFile) -> FileOut:
    """A file as it is sent."""
    return FileOut(
        id=row.id,
        file_name=row.file_name,
        pay_period=row.period,
        kind=RunKind(row.kind),
        state=row.state,
        size=row.size,
        rows_done=row.rows_done,
        rows_total=row.rows_total,
        uploaded_by=row.uploaded_by,
        uploaded_at=row.uploaded_at,
        read_at=row.read_at,
        summary=row.summary,
        questions=list(open_questions(row)),
        layout=row.layout,
        law_version=row.law_version,
    )


@router.post(
    "",
    operation_id="uploadPayrollFile",
    status_code=201,
    summary="Upload a payroll file",
    **operation(
        Permission.PREPARE, creates=True, errors=[(409, "file_already_uploaded"), (413, "file_too_large"), (413, "body_too_large")]
    ),
)
async def upload_file(
    session: InSession,
    services: InServices,
    actor: InActor,
    file: Annotated[UploadFile, File(description=".xlsx, .xls, .ods, .csv or .tsv, at most 10 MiB")],
    pay_period: Annotated[PeriodText, Form(examples=["2026-11"])],
    kind: Annotated[RunKind, Form()] = RunKind.BALANCE,
    workers: Annotated[Count | None, Form(description="Control total: how many workers the file pays")] = None,
    net_usd: Annotated[Figure | None, Form(description="Control total: the sum of net pay in US dollars", examples=["61234.50"])] = None,
    net_khr: Annotated[Figure | None, Form(description="Control total: the sum of net pay in riel", examples=["4120000"])] = None,
) -> FileOut:
    """The file is kept as it came and read in the background; ask for its state.

    Control totals may be left out; a file that does not hold them is not checked before somebody corrects or explains that.
    """
    content = await file.read()
    name = file.filename or "payroll"
    control = typed_control(workers, {"USD": net_usd or "", "KHR": net_khr or ""})
    period = PayPeriod.parse(pay_period)
    return shape(await upload(session, services, actor, file_name=name, content=content, period=period, kind=kind, control=control))


@router.get("", operation_id="listPayrollFiles", summary="Payroll files, the newest first", **operation(Permission.READ))
async def files(session: InSession, cursor: Cursor = None, limit: Limit = 50) -> Page[FileOut]:
    """All payroll files of the factory."""
    return page(await list_files(session, before=after_id(cursor), limit=limit + 1), limit, shape, lambda row: row.id)


@router.get("/{file_id}", operation_id="getPayrollFile", summary="One payroll file", **operation(Permission.READ, errors=[NOT_FOUND]))
async def file_(file_id: UUID, session: InSession) -> FileOut:
    """A file's state, counts and sums."""
    return shape(await get_file(session, file_id))


@router.get(
    "/{file_id}/problems",
    operation_id="listPayrollFileProblems",
    summary="What is wrong in the sheet",
    **operation(Permission.PREPARE, Permission.READ_PERSONAL, errors=[NOT_FOUND]),
)
async def file_problems(
    file_id: UUID, session: InSession, services: InServices, actor: InActor, cursor: Cursor = None, limit: Limit = 50
) -> Page[FileProblemOut]:
    """Each problem with its cell. Cells may hold personal data: what stands there is masked for who may not read it, such as a key."""
    found = await problems(session, services, actor, file_id, after=after_number(cursor), limit=limit + 1)
    return page(found, limit, FileProblemOut.model_validate, lambda row: row["position"])


@router.get(
    "/{file_id}/annotated.xlsx",
    operation_id="getAnnotatedPayrollFile",
    summary="The workbook with each problem marked in its cell",
    response_class=Response,
    **operation(Permission.PREPARE, Permission.READ_PERSONAL, errors=[NOT_FOUND]),
)
async def annotated_file(file_id: UUID, session: InSession, services: InServices, actor: InActor) -> Response:
    """For whoever corrects the sheet."""
    content = await annotated(session, services, actor, file_id)
    headers = {"Content-Disposition": f'attachment; filename="{file_id}-annotated.xlsx"'}
    return Response(content, media_type=XLSX, headers=headers)


@router.post(
    "/{file_id}/layout",
    operation_id="confirmPayrollFileLayout",
    summary="Confirm what the columns mean",
    **operation(Permission.PREPARE, errors=[NOT_FOUND, (409, "layout_not_ready")]),
)
async def layout(file_id: UUID, body: Columns, session: InSession, services: InServices, actor: InActor) -> FileOut:
    """With an empty `columns` the proposal is confirmed as it is. The next file with these headers needs no confirmation."""
    columns = {letter: meaning.value for letter, meaning in body.columns.items()}
    return shape(await confirm_layout(session, services, actor, file_id, columns))
