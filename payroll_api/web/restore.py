"""After a restore: why nothing is sent, what was found, and the two people who open sending again."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from payroll_api.outside import unlock
from payroll_api.web import names
from payroll_api.web.page import Doer, Reader
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/restore")
async def show(page: Reader) -> Response:
    """Every time that sending was locked, the newest first."""
    async with page.session() as session:
        checks = await unlock.checks(session)
        who = await names.actors(session, page, [name for check in checks for name in (check.asked_to_open_by, check.closed_by)])
    return page.show("restore.html", checks=checks, who=who)


@router.post("/restore/{check_id}")
async def decide(page: Doer, check_id: UUID) -> Response:
    """An administrator asks to open; another person opens."""
    opens = page.typed("decision") == "open"
    async with page.session() as session:
        if opens:
            await unlock.open_again(session, page.services, page.actor, check_id)
        else:
            await unlock.ask_to_open(session, page.services, page.actor, check_id, note=page.typed("note"))
    return page.go("/restore", "sending_opened" if opens else "sending_asked")
