"""Alarms: what waits for a person, by when, and who has taken it on."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from payroll_api.alarms.find import list_alarms
from payroll_api.factories.acknowledge import MAY_ACKNOWLEDGE, acknowledge
from payroll_api.web import names
from payroll_api.web.lists import cursor, page_of
from payroll_api.web.page import Doer, Reader
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAGE = 25
# Where a subject has a page of its own.
_PLACES = {
    "payment": "/payments/{}",
    "run": "/runs/{}",
    "worker": "/workers/{}",
    "break": "/breaks/{}",
    "file": "/files/{}",
    "message": "/messages/{}",
    "stop": "/decisions#stop-{}",
}


@router.get("/alarms")
async def show(page: Reader) -> Response:
    """Open alarms, the newest first; `?all=1` also those that are over."""
    everything = bool(page.request.query_params.get("all"))
    before = cursor(page.request.query_params.get("after"))
    async with page.session() as session:
        found = await list_alarms(session, only_open=not everything, before=before, limit=_PAGE + 1)
        who = await names.actors(session, page, [alarm.acknowledged_by for alarm in found])
    shown, more = page_of(found, _PAGE)
    return page.show(
        "alarms.html",
        alarms=shown,
        places={alarm.id: place_of(alarm.subject) for alarm in shown},
        who=who,
        everything=everything,
        now=page.services.clock(),
        may=bool(MAY_ACKNOWLEDGE & page.actor.permissions),
        cursor=shown[-1].id if more else None,
    )


def place_of(subject: str) -> str | None:
    """The address of the page about a subject, if it has one."""
    kind, _, rest = subject.partition(":")
    return _PLACES[kind].format(rest) if kind in _PLACES else None


@router.post("/alarms/{alarm_id}/acknowledge")
async def take(page: Doer, alarm_id: UUID) -> Response:
    """A person takes an alarm on, with a note."""
    async with page.session() as session:
        await acknowledge(session, page.services, page.actor, alarm_id, note=page.typed("note"))
    return page.go("/alarms", "acknowledged")
