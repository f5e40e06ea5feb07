"""The audit trail: who did what, when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InSession, StepRoute, operation
from payroll_api.api.shapes import Cursor, Limit, Output, Page, after_text, page
from payroll_api.audit.find import events
from payroll_api.errors import InvalidError

router = APIRouter(prefix=f"{API}/audit", tags=["audit"], route_class=StepRoute)

Subject = Annotated[
    Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}:[A-Za-z0-9:-]{1,80}$")] | None,
    Query(description="Only of this thing", examples=["run:0190f5fe-7c00-7a00-8000-000000000003"]),
]
_LARGEST = 2**63


class EventOut(Output):
    """An event. `leaf` is the hash of its exact bytes; `block` the number of the block that seals it, null until it is sealed."""

    cursor: str
    at: datetime
    actor: str = Field(examples=["user:0190f5fe-7c00-7a00-8000-000000000002"])
    action: str = Field(examples=["run.approved"])
    subject: str = Field(examples=["run:0190f5fe-7c00-7a00-8000-000000000003"])
    data: dict[str, Any]
    leaf: str
    block: int | None


@router.get("/events", operation_id="listAuditEvents", summary="Audit events, the newest first", **operation(Permission.AUDIT))
async def audit_events(session: InSession, cursor: Cursor = None, limit: Limit = 50, subject: Subject = None) -> Page[EventOut]:
    """Of one subject where asked. Events hold ids, codes and sums, no personal data."""
    before = after_text(cursor) or None
    if before is not None and not all(part.isascii() and part.isdigit() and int(part) < _LARGEST for part in before.split("-")):
        raise InvalidError("This cursor is not one of ours. Begin the list without a cursor.", code="cursor_invalid")
    found = await events(session, subject=subject, before=before, limit=limit + 1)
    return page(found, limit, EventOut.model_validate, lambda row: row["cursor"])
