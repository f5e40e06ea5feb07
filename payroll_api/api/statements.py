"""Statements of banks and wallets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, UploadFile
from pydantic import Field

from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Cursor, Limit, Output, Page, after_id, page
from payroll_api.settlement.find import get_statement, list_statements
from payroll_api.settlement.models import StatementFile
from payroll_api.settlement.upload import upload_statement

router = APIRouter(prefix=API, tags=["settlement"], route_class=StepRoute)
NOT_FOUND = (404, "not_found")


class StatementOut(Output):
    """A statement: received, matched, or refused with the reason in `detail`."""

    id: UUID
    provider_account_id: UUID
    file_name: str = Field(examples=["camt053-2026-12-10.xml"])
    state: str = Field(examples=["matched"])
    detail: str
    identification: str = Field(description="As the bank names it")
    summary: dict[str, Any] | None = Field(description="Counts of lines matched and broken, and sums as text")
    uploaded_by: str
    uploaded_at: datetime


def _statement(row: StatementFile) -> StatementOut:
    return StatementOut.model_validate({name: getattr(row, name) for name in StatementOut.model_fields})


@router.post(
    "/statements",
    operation_id="uploadStatement",
    status_code=201,
    summary="Upload a statement",
    **operation(
        Permission.SETTLE,
        creates=True,
        errors=[NOT_FOUND, (409, "statement_already_uploaded"), (413, "file_too_large"), (413, "body_too_large")],
    ),
)
async def upload(
    session: InSession,
    services: InServices,
    actor: InActor,
    file: Annotated[UploadFile, File(description="camt.053, camt.054, MT940 or CSV, at most 64 MiB")],
    provider_account: Annotated[UUID, Form(examples=["0190f5fe-7c00-7a00-8000-000000000004"])],
) -> StatementOut:
    """The file is kept as it came and matched in the background; ask for its state."""
    content = await file.read()
    name = file.filename or "statement"
    return _statement(
        await upload_statement(session, services, actor, provider_account_id=provider_account, file_name=name, content=content)
    )


@router.get("/statements", operation_id="listStatements", summary="Statements, the newest first", **operation(Permission.READ))
async def statements(session: InSession, cursor: Cursor = None, limit: Limit = 50) -> Page[StatementOut]:
    """All statements of the factory."""
    return page(await list_statements(session, before=after_id(cursor), limit=limit + 1), limit, _statement, lambda row: row.id)


@router.get(
    "/statements/{statement_id}", operation_id="getStatement", summary="One statement", **operation(Permission.READ, errors=[NOT_FOUND])
)
async def statement(statement_id: UUID, session: InSession) -> StatementOut:
    """Its state, and how many lines were matched."""
    return _statement(await get_statement(session, statement_id))
