"""After a restore: what was found, and the two people who open sending again."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Input, Output, Page, Reason
from payroll_api.outside import unlock
from payroll_api.outside.models import RestoreCheck

router = APIRouter(prefix=f"{API}/restore-checks", tags=["payments"], route_class=StepRoute)
NOT_FOUND = (404, "not_found")
STATE = (409, "restore_state")


class RestoreCheckOut(Output):
    """Nothing is sent while one of these is open."""

    id: UUID
    reason: str = Field(description="database_older, journal_missing, journal_other or journal_cut", examples=["database_older"])
    epoch_inside: int = Field(description="Sendings that the database knew")
    epoch_outside: int = Field(description="Sendings that the journal knew")
    opened_at: datetime
    asked_at: datetime | None = Field(description="When the providers were last asked")
    found: dict[str, Any] = Field(description="Orders by what became of them, those taken back, strangers on statements, who was not asked")
    asked_to_open_by: str | None
    note: str | None
    closed_by: str | None
    closed_at: datetime | None

    @classmethod
    def of(cls, row: RestoreCheck) -> RestoreCheckOut:
        """A check as it is sent."""
        return cls.model_validate({name: getattr(row, name) for name in cls.model_fields})


class Opening(Input):
    """An administrator asks to send again."""

    note: Reason = Field(examples=["All four providers answered; two orders are with the bank"])


@router.get("", operation_id="listRestoreChecks", summary="Times when sending was locked", **operation(Permission.READ))
async def listed(session: InSession) -> Page[RestoreCheckOut]:
    """The newest first."""
    return Page(items=[RestoreCheckOut.of(row) for row in await unlock.checks(session)], next=None)


@router.post(
    "/{check_id}/opening",
    operation_id="askToOpenSending",
    summary="Ask to send again after what was found",
    **operation(Permission.ADMINISTER, errors=[NOT_FOUND, STATE, (409, "restore_unreconciled"), (403, "person_required")]),
)
async def opening(check_id: UUID, body: Opening, session: InSession, services: InServices, actor: InActor) -> RestoreCheckOut:
    """By an administrator; a second person opens."""
    return RestoreCheckOut.of(await unlock.ask_to_open(session, services, actor, check_id, note=body.note))


@router.post(
    "/{check_id}/release",
    operation_id="openSending",
    summary="Open sending again",
    **operation(Permission.ADMINISTER, Permission.RELEASE, errors=[NOT_FOUND, STATE, (409, "restore_unreconciled"), (403, "four_eyes")]),
)
async def release(check_id: UUID, session: InSession, services: InServices, actor: InActor) -> RestoreCheckOut:
    """By another person than the administrator who asked. Orders that may have been paid stay blocked one by one."""
    return RestoreCheckOut.of(await unlock.open_again(session, services, actor, check_id))
