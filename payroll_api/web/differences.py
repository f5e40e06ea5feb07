"""The differences of a file: each with its figures, its article and what can be decided."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select

from payroll_api.errors import InvalidError
from payroll_api.intake.find import get_file
from payroll_api.review.find import discrepancies, open_counts
from payroll_api.review.private import told
from payroll_api.review.resolve import resolve
from payroll_api.review.second_person import agree
from payroll_api.runs.models import PayRun
from payroll_api.web import names
from payroll_api.web.lists import number
from payroll_api.web.page import Doer, Reader
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAGE = 20


@router.get("/files/{file_id}/differences")
async def show(page: Reader, file_id: UUID) -> Response:
    """The list, a page at a time."""
    only_open = bool(page.request.query_params.get("open"))
    position = number(page.request.query_params.get("after"), -1)
    async with page.session() as session:
        file = await get_file(session, file_id)
        found = await discrepancies(session, file_id, after=position, limit=_PAGE + 1, only_open=only_open)
        open_ = {"blocks": 0, "warns": 0, "informs": 0, **await open_counts(session, file_id)}
        sent = await session.scalar(select(PayRun.id).where(PayRun.file_id == file_id, PayRun.state.not_in(("draft", "rejected"))).limit(1))
        who = await names.actors(session, page, [by for item in found for by in (item.resolved_by, item.asked_by, item.agreed_by)])
    items = found[:_PAGE]
    return page.show(
        "differences.html",
        file=file,
        items=items,
        told={item.id: told(page.actor, item) for item in items},
        open=open_,
        only_open=only_open,
        after="" if position < 0 else position,
        names=who,
        may_decide=page.may("prepare") and sent is None,
        may_agree=(page.may("prepare") or page.may("approve")) and sent is None,
        me=page.actor.name,
        cursor=items[-1].position if len(found) > _PAGE else None,
    )


@router.post("/files/{file_id}/differences")
async def decide(page: Doer, file_id: UUID) -> Response:
    """Decide one difference, or, when none is named, every open one that only warns."""
    try:
        chosen = [UUID(text) for text in page.chosen("difference")]
    except ValueError:
        raise InvalidError("One of these differences is not of this file. Load the list again.") from None
    async with page.session() as session:
        await resolve(
            session,
            page.services,
            page.actor,
            file_id,
            discrepancy_ids=chosen or None,
            resolution=page.typed("resolution"),
            reason=page.typed("reason"),
        )
        left = await open_counts(session, file_id)
    if not left.get("blocks") and not left.get("warns"):
        return page.go(f"/files/{file_id}", "resolved")
    after = number(page.typed("after"), -1)
    query = {"open": "1" if page.typed("open") or not chosen else "", "after": "" if after < 0 else str(after)}
    return page.go(f"/files/{file_id}/differences", "resolved", **query)


@router.post("/files/{file_id}/differences/agree")
async def second(page: Doer, file_id: UUID) -> Response:
    """The second person agrees to what another asked for."""
    try:
        chosen = [UUID(text) for text in page.chosen("difference")]
    except ValueError:
        raise InvalidError("One of these differences is not of this file. Load the list again.") from None
    async with page.session() as session:
        await agree(session, page.services, page.actor, file_id, discrepancy_ids=chosen)
    after = number(page.typed("after"), -1)
    return page.go(f"/files/{file_id}/differences", "agreed", after="" if after < 0 else str(after))
