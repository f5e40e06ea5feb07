"""Pay slips as they were sent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Cursor, Limit, Output, Page, after_id, page
from payroll_api.payslips.find import list_slips

router = APIRouter(prefix=API, tags=["slips"], route_class=StepRoute)


class SlipOut(Output):
    """One worker's slip of one confirmed payment. Number and words are shown to those who may see them."""

    id: UUID
    payment_id: UUID
    worker_id: UUID
    state: str = Field(examples=["delivered"])
    code: str | None = Field(description="Why it failed", examples=["undeliverable"])
    segments: int = Field(examples=[2])
    phone: str | None = Field(examples=["*********678"])
    text: str | None
    composed_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None


@router.get("/slips", operation_id="listSlips", summary="Pay slips", **operation(Permission.READ))
async def slips(
    session: InSession,
    services: InServices,
    actor: InActor,
    cursor: Cursor = None,
    limit: Limit = 50,
    run_id: Annotated[UUID | None, Query(description="Only of this run")] = None,
    worker_id: Annotated[UUID | None, Query(description="Only of this worker")] = None,
) -> Page[SlipOut]:
    """In the order in which they were composed."""
    found = await list_slips(session, services, actor, run_id=run_id, worker_id=worker_id, after=after_id(cursor), limit=limit + 1)
    return page(found, limit, SlipOut.model_validate, lambda row: row["id"])
