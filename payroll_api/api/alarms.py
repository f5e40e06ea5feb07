"""Alarms: what waits for a person, and who has taken it on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from payroll_api.access.actor import Permission
from payroll_api.alarms.find import list_alarms
from payroll_api.alarms.models import AlarmRow
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Cursor, Input, Limit, Output, Page, Reason, after_id, page
from payroll_api.factories.acknowledge import MAY_ACKNOWLEDGE, acknowledge

router = APIRouter(prefix=f"{API}/alarms", tags=["alarms"], route_class=StepRoute)


class AlarmOut(Output):
    """An alarm: open until `cleared_at`, which comes when its cause is gone and not when somebody has read it."""

    id: UUID
    kind: str = Field(examples=["payment_unknown"])
    subject: str = Field(examples=["payment:0190f5fe-7c00-7a00-8000-000000000005"])
    owner: str = Field(description="The role that sees to it", examples=["finance"])
    data: dict[str, Any] = Field(description="Ids, codes and sums; nothing personal")
    sounded_at: datetime
    due_at: datetime = Field(description="By when a person should have dealt with it")
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    note: str | None
    cleared_at: datetime | None

    @classmethod
    def of(cls, row: AlarmRow) -> AlarmOut:
        """An alarm as it is sent."""
        return cls.model_validate({name: getattr(row, name) for name in cls.model_fields})


class Acknowledgement(Input):
    """A person takes an alarm on."""

    note: Reason = Field(examples=["Called the bank; they answer by noon"])


OnlyOpen = Annotated[bool, Query(alias="open", description="Only alarms whose cause is not gone")]


@router.get("", operation_id="listAlarms", summary="Alarms, the newest first", **operation(Permission.READ))
async def alarms(session: InSession, only_open: OnlyOpen = True, cursor: Cursor = None, limit: Limit = 50) -> Page[AlarmOut]:
    """What waits for a person, and with `open=false` also what is over."""
    found = await list_alarms(session, only_open=only_open, before=after_id(cursor), limit=limit + 1)
    return page(found, limit, AlarmOut.of, lambda row: row.id)


@router.post(
    "/{alarm_id}/acknowledgement",
    operation_id="acknowledgeAlarm",
    summary="Take an alarm on, with a note",
    **operation(*sorted(MAY_ACKNOWLEDGE), errors=[(404, "not_found"), (409, "alarm_cleared"), (403, "person_required")]),
)
async def acknowledgement(alarm_id: UUID, body: Acknowledgement, session: InSession, services: InServices, actor: InActor) -> AlarmOut:
    """The alarm stays open until its cause is gone."""
    return AlarmOut.of(await acknowledge(session, services, actor, alarm_id, note=body.note))
