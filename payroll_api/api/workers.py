"""Workers and where they are paid. Personal values are masked unless the reader may see them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StrictBool

from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Cursor, Input, Limit, Output, Page, Reason, after_text, page
from payroll_api.people.destinations import decide
from payroll_api.people.find import get_worker, list_workers

router = APIRouter(prefix=API, tags=["workers"], route_class=StepRoute)
NOT_FOUND = (404, "not_found")


class WorkerOut(Output):
    """A worker of the register."""

    id: UUID
    worker_code: str = Field(examples=["A-0173"])
    name: str | None = Field(examples=["ស្រី មុំ"])
    name_latin: str | None = Field(examples=["SREY MOM"])
    phone: str | None = Field(description="Masked unless you may see it", examples=["*********678"])
    national_id: str | None
    sex: str | None
    department: str | None
    joined_on: date | None
    left_on: date | None


class DestinationOut(Output):
    """Where a worker is paid, or was."""

    id: UUID
    kind: str = Field(examples=["wallet"])
    bank: str | None
    account: str | None
    holder: str | None
    state: str = Field(description="proposed, verified, confirmed, doubtful, refused or retired", examples=["verified"])
    is_proposal: bool = Field(description="A changed account that is not hers yet: see `/worker-changes`")
    name_match: str | None = Field(examples=["MTCH"])
    detail: str
    checked_at: datetime | None
    created_at: datetime


class WorkerWithDestinations(WorkerOut):
    """A worker with where she is paid, now and before."""

    destinations: list[DestinationOut]


class DestinationDecision(Input):
    """A person vouches for an account, or refuses it."""

    confirmed: StrictBool
    reason: Reason = Field(examples=["Seen her bank book"])


class DestinationState(Output):
    """What became of a destination."""

    id: UUID
    worker_id: UUID
    state: str = Field(examples=["confirmed"])


@router.get("/workers", operation_id="listWorkers", summary="Workers by code", **operation(Permission.READ))
async def workers(session: InSession, services: InServices, actor: InActor, cursor: Cursor = None, limit: Limit = 50) -> Page[WorkerOut]:
    """The register of the factory."""
    found = await list_workers(session, services, actor, after=after_text(cursor), limit=limit + 1)
    return page(found, limit, WorkerOut.model_validate, lambda row: row["worker_code"])


@router.get("/workers/{worker_id}", operation_id="getWorker", summary="One worker", **operation(Permission.READ, errors=[NOT_FOUND]))
async def worker(worker_id: UUID, session: InSession, services: InServices, actor: InActor) -> WorkerWithDestinations:
    """Reading unmasked data is an audit event."""
    return WorkerWithDestinations.model_validate(await get_worker(session, services, actor, worker_id))


@router.post(
    "/destinations/{destination_id}/decision",
    operation_id="decideDestination",
    summary="Vouch for an account that the provider could not settle, or refuse it",
    **operation(Permission.PREPARE, errors=[NOT_FOUND, (409, "destination_refused")]),
)
async def decision(
    destination_id: UUID, body: DestinationDecision, session: InSession, services: InServices, actor: InActor
) -> DestinationState:
    """Nobody can vouch for an account that the provider says does not exist."""
    row = await decide(session, services, actor, destination_id, confirmed=body.confirmed, reason=body.reason)
    return DestinationState(id=row.id, worker_id=row.worker_id, state=row.state)
