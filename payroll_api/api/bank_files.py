"""Files for banks' portals: made once, released by a second person, downloaded, and their result files."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, UploadFile
from pydantic import Field
from starlette.responses import Response

from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Amount, Input, Output, amount
from payroll_api.payments.bank_files import bank_files_of, download_file, make_file, release_file, take_result
from payroll_api.payments.models import BankFile, BankFileResult
from payroll_api.runs.find import get_run

router = APIRouter(prefix=API, tags=["payments"], route_class=StepRoute)
NOT_FOUND = (404, "not_found")
STANDING = [(409, "sending_stopped"), (409, "sending_locked"), (409, "file_outdated")]


class BankFileState(StrEnum):
    """Made by one person, released by another, answered by the bank."""

    MADE = "made"
    RELEASED = "released"
    ANSWERED = "answered"


class BankFileOut(Output):
    """The file of one message to a bank. It is made once; its content never changes."""

    id: UUID
    run_id: UUID
    provider_account_id: UUID
    dispatch_id: UUID
    name: str = Field(examples=["GB4K3M9QX2ABCDEFGH01.xlsx"])
    content_hash: str = Field(description="SHA-256 of the file, as the audit trail has it")
    count: int = Field(examples=[412])
    total: Amount
    state: BankFileState
    made_by: str
    made_at: datetime
    released_by: str | None
    released_at: datetime | None
    downloads: int


class FilePart(Output):
    """Payments that travel together in one file, made or not yet."""

    dispatch_id: UUID
    provider_account_id: UUID
    count: int = Field(description="Payments that wait for the bank's word", examples=[412])
    file: BankFileOut | None


class FileParts(Output):
    """All files of a run."""

    items: list[FilePart]


class Making(Input):
    """Which message the file is made of."""

    dispatch_id: UUID


class ResultOut(Output):
    """What a result file said."""

    id: UUID
    file_name: str
    named: int = Field(description="Payments that it names", examples=[410])
    problems: list[str] = Field(examples=[["row 17: another amount than was sent"]])
    uploaded_by: str
    uploaded_at: datetime


def shape(row: BankFile) -> BankFileOut:
    """A file as it is sent, without its content."""
    own = {"total": amount(row.amount_minor, row.currency)}
    return BankFileOut.model_validate(own | {name: getattr(row, name) for name in BankFileOut.model_fields if name not in own})


def _result(row: BankFileResult) -> ResultOut:
    return ResultOut.model_validate({name: getattr(row, name) for name in ResultOut.model_fields})


@router.get(
    "/pay-runs/{run_id}/bank-files",
    operation_id="listBankFiles",
    summary="The files of a run for banks' portals",
    **operation(Permission.READ, errors=[NOT_FOUND]),
)
async def files(run_id: UUID, session: InSession, services: InServices) -> FileParts:
    """One for each message to a bank that takes files; none where the run has no such bank."""
    await get_run(session, run_id)
    parts = await bank_files_of(session, services, run_id)
    return FileParts(
        items=[
            FilePart(
                dispatch_id=part.dispatch_id,
                provider_account_id=part.provider_account_id,
                count=part.waiting,
                file=None if part.file is None else shape(part.file),
            )
            for part in parts
        ]
    )


@router.post(
    "/bank-files",
    operation_id="makeBankFile",
    status_code=201,
    summary="Make the file of a message",
    **operation(
        Permission.RELEASE, creates=True, errors=[NOT_FOUND, (409, "no_file_here"), (409, "file_not_ready"), (409, "file_refused")]
    ),
)
async def make(body: Making, session: InSession, services: InServices, actor: InActor) -> BankFileOut:
    """Once: asking again gives the same file."""
    return shape(await make_file(session, services, actor, body.dispatch_id))


@router.post(
    "/bank-files/{file_id}/release",
    operation_id="releaseBankFile",
    summary="Let a file be taken to the bank",
    **operation(Permission.RELEASE, errors=[NOT_FOUND, (403, "four_eyes"), (409, "file_state"), *STANDING]),
)
async def release(file_id: UUID, session: InSession, services: InServices, actor: InActor) -> BankFileOut:
    """By another person than the one who made it."""
    return shape(await release_file(session, services, actor, file_id))


@router.get(
    "/bank-files/{file_id}/content",
    operation_id="downloadBankFile",
    summary="The file itself",
    response_class=Response,
    **operation(Permission.RELEASE, errors=[NOT_FOUND, (409, "file_not_released"), *STANDING]),
)
async def content(file_id: UUID, session: InSession, services: InServices, actor: InActor) -> Response:
    """Always the same bytes. Each download stands in the audit trail."""
    return as_download(*await download_file(session, services, actor, file_id))


def as_download(file: BankFile, found: bytes) -> Response:
    """The file as a browser keeps it, under its one name."""
    headers = {"content-disposition": f'attachment; filename="{file.name}"', "x-content-hash": file.content_hash}
    return Response(found, media_type=file.media_type, headers=headers)


@router.post(
    "/bank-files/{file_id}/results",
    operation_id="uploadBankFileResult",
    status_code=201,
    summary="Read the bank's result file",
    **operation(
        Permission.SETTLE,
        creates=True,
        errors=[
            NOT_FOUND, (409, "file_not_released"), (409, "result_refused"), (409, "result_already_uploaded"), (413, "file_too_large"),
            (413, "body_too_large"),
        ],
    ),
)  # fmt: skip
async def result(
    file_id: UUID,
    session: InSession,
    services: InServices,
    actor: InActor,
    file: Annotated[UploadFile, File(description="The result file as the portal gives it, at most 16 MiB")],
) -> ResultOut:
    """Account and amount of each payment are compared; what does not fit is told by its row, and stays open."""
    found = await file.read()
    return _result(await take_result(session, services, actor, file_id, file_name=file.filename or "result", content=found))
