"""What does not fit: the list, one break with its ways out, and the letter to the bank."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from payroll_api.clock import pay_day
from payroll_api.errors import InvalidError
from payroll_api.factories.provider_accounts import list_
from payroll_api.payments.proposals import list_proposals
from payroll_api.reports.letter import bank_letter
from payroll_api.settlement import close as step
from payroll_api.settlement.find import breaks, count_open, get_break
from payroll_api.settlement.letter import Letter, draft
from payroll_api.settlement.ways import WayOut, ways_out
from payroll_api.web import names
from payroll_api.web.lists import cursor, page_of
from payroll_api.web.page import Doer, Page, Reader
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_PAGE = 25
_STATES = ("open", "proposed", "closed")


@router.get("/breaks")
async def show(page: Reader) -> Response:
    """Whatever is due first; of one state, and of one kind where asked."""
    asked = page.request.query_params
    state = asked.get("state", "open")
    state = state if state in _STATES else "open"
    kind = asked.get("kind") or None
    async with page.session() as session:
        found = await breaks(session, state=state, after=cursor(asked.get("after")), limit=_PAGE + 1, kind=kind)
        accounts = {account.id: account.name for account in await list_(session)}
        counts = await count_open(session)
        who = await names.actors(session, page, [item.owner for item in found])
    shown, more = page_of(found, _PAGE)
    return page.show(
        "breaks.html",
        breaks=shown,
        states=_STATES,
        state=state,
        kind=kind,
        counts=counts,
        accounts=accounts,
        who=who,
        today=pay_day(page.services.clock()),
        cursor=shown[-1].id if more else None,
    )


@router.get("/breaks/{break_id}")
async def one(page: Reader, break_id: UUID) -> Response:
    """A break, and what can be done about it."""
    return await _one(page, break_id)


async def _one(page: Page, break_id: UUID, letter: Letter | None = None) -> Response:
    async with page.session() as session:
        found = await get_break(session, break_id)
        accounts = {account.id: account.name for account in await list_(session)}
        who = await names.actors(session, page, [found.owner, found.proposed_by, found.closed_by])
        about = f"payment:{found.payment_id}"
        proposals = await list_proposals(session, only_open=False, subject=about, limit=5) if found.payment_id else []
    return page.show(
        "break.html",
        item=found,
        account=accounts.get(found.provider_account_id, "–"),
        who=who,
        ways=ways_out(found.kind)
        if found.state == "open"
        else [WayOut(found.way_out)]
        if found.state == "proposed" and found.way_out
        else [],
        may_close=found.state == "open" or (found.state == "proposed" and found.proposed_by != page.actor.name),
        today=pay_day(page.services.clock()),
        letter=letter,
        proposals=proposals,
    )


@router.post("/breaks/{break_id}/close")
async def close(page: Doer, break_id: UUID) -> Response:
    """Close it with what was found out, or propose how."""
    way = page.typed("way") or WayOut.EXPLAINED.value
    if way not in set(WayOut):
        raise InvalidError("This is no way out of a break. Choose one from the list.")
    async with page.session() as session:
        found = await step.close_break(session, page.services, page.actor, break_id, reason=page.typed("reason"), way=WayOut(way))
    return page.go(f"/breaks/{break_id}", "closed" if found.state == "closed" else "proposed")


@router.post("/breaks/{break_id}/turn-down")
async def turn_down(page: Doer, break_id: UUID) -> Response:
    """Open it again."""
    async with page.session() as session:
        await step.turn_down(session, page.services, page.actor, break_id, reason=page.typed("reason"))
    return page.go(f"/breaks/{break_id}", "turned_down")


@router.post("/breaks/{break_id}/wait")
async def wait(page: Doer, break_id: UUID) -> Response:
    """Move its day."""
    days = page.typed("days")
    async with page.session() as session:
        await step.wait_for(
            session, page.services, page.actor, break_id, days=int(days) if days in {str(n) for n in range(1, 11)} else 0,
            reason=page.typed("reason"),
        )  # fmt: skip
    return page.go(f"/breaks/{break_id}", "waits")


@router.post("/breaks/{break_id}/take-on")
async def take_on(page: Doer, break_id: UUID) -> Response:
    """Make it one's own."""
    async with page.session() as session:
        await step.take_on(session, page.services, page.actor, break_id, note=page.typed("note"))
    return page.go(f"/breaks/{break_id}", "taken_on")


@router.post("/breaks/{break_id}/letter")
async def letter(page: Doer, break_id: UUID) -> Response:
    """The draft of a letter, to copy."""
    async with page.session() as session:
        drafted = await draft(session, page.services, page.actor, break_id)
    return await _one(page, break_id, drafted)


@router.post("/breaks/{break_id}/letter.pdf")
async def letter_pdf(page: Doer, break_id: UUID) -> Response:
    """The same on paper."""
    async with page.session() as session:
        made = await bank_letter(session, page.services, page.actor, break_id)
    return Response(made.content, media_type=made.media_type, headers=made.headers)
