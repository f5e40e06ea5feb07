"""Statements of banks and wallets, and the breaks that they show."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, UploadFile
from pydantic import Field

from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Amount, Cursor, Input, Limit, Output, Page, Reason, after_id, amount_or_none, page
from payroll_api.settlement.close import close_break
from payroll_api.settlement.find import breaks, get_statement, list_statements
from payroll_api.settlement.models import SettlementBreak, StatementFile
from payroll_api.settlement.upload import upload_statement

router = APIRouter(prefix=API, tags=["settlement"], route_class=StepRoute)
NOT_FOUND = (404, "not_found")


class BreakState(StrEnum):
    """Whether somebody must still look at it."""

    OPEN = "open"
    CLOSED = "closed"


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


class BreakOut(Output):
    """Something in a statement that does not fit a payment, or a payment that a statement should show and does not."""

    id: UUID
    statement_id: UUID
    position: int | None = Field(description="The line of the statement")
    payment_id: UUID | None
    kind: str = Field(examples=["amount_differs"])
    reason: str
    difference: Amount | None
    state: BreakState
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    closed_reason: str | None


class Closing(Input):
    """What explains a break."""

    reason: Reason = Field(examples=["Bank's fee, see its letter of 12 December"])


def _statement(row: StatementFile) -> StatementOut:
    return StatementOut.model_validate({name: getattr(row, name) for name in StatementOut.model_fields})


def _break(row: SettlementBreak) -> BreakOut:
    own = {"difference": amount_or_none(row.difference_minor, row.currency)}
    return BreakOut.model_validate(own | {name: getattr(row, name) for name in BreakOut.model_fields if name not in own})


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


@router.get("/settlement/breaks", operation_id="listBreaks", summary="Breaks, the oldest first", **operation(Permission.READ))
async def list_breaks(
    session: InSession,
    cursor: Cursor = None,
    limit: Limit = 50,
    state: Annotated[BreakState, Query(description="Open or closed ones")] = BreakState.OPEN,
) -> Page[BreakOut]:
    """What does not fit, with the reason."""
    return page(await breaks(session, state=state.value, after=after_id(cursor), limit=limit + 1), limit, _break, lambda row: row.id)


@router.post(
    "/settlement/breaks/{break_id}/close",
    operation_id="closeBreak",
    summary="Close a break",
    **operation(Permission.SETTLE, errors=[NOT_FOUND, (409, "break_closed")]),
)
async def close(break_id: UUID, body: Closing, session: InSession, services: InServices, actor: InActor) -> BreakOut:
    """With what explains it, so that an auditor understands."""
    return _break(await close_break(session, services, actor, break_id, reason=body.reason))
