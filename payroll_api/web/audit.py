"""The audit trail in plain sentences, and whether its chain is intact."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select

from payroll_api.access.actor import Permission
from payroll_api.audit.find import events
from payroll_api.audit.models import AuditBlock
from payroll_api.audit.signing import remembered
from payroll_api.audit.verify import verify
from payroll_api.web import names
from payroll_api.web.lists import page_of
from payroll_api.web.page import Reader
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAGE = 50
_LONGEST_SUBJECT = 120
_SHORT = 13  # of an id: the part that differs within a day


@router.get("/audit")
async def show(page: Reader) -> Response:
    """Events, the newest first; `?check=1` verifies the whole chain first."""
    page.actor.require(Permission.AUDIT)
    subject = page.request.query_params.get("subject", "")[:_LONGEST_SUBJECT] or None
    before = page.request.query_params.get("after") or None
    services = page.services
    report = None
    async with page.session() as session:
        if page.request.query_params.get("check"):
            outside = remembered(services.settings.checkpoint_file)
            report = await verify(session, services.signer.key_id, outside)
        last = await session.scalar(select(AuditBlock).order_by(AuditBlock.number.desc()).limit(1))
        found = await events(session, subject=subject, before=before, limit=_PAGE + 1)
        who = await names.actors(session, page, [event["actor"] for event in found])
    shown, more = page_of(found, _PAGE)
    return page.show(
        "audit.html",
        report=report,
        last=last,
        subject=subject,
        events=[
            {**event, "at": datetime.fromisoformat(str(event["at"])), "who": who[event["actor"]], "about": _about(str(event["subject"]))}
            for event in shown
        ],
        cursor=shown[-1]["cursor"] if more else None,
    )


def _about(subject: str) -> str:
    kind, _, rest = subject.partition(":")
    return f"{kind} {rest[:_SHORT]}" if rest else kind
