"""Changed accounts and phones: what she has beside what is proposed, and what must still happen. And accounts that two workers share."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select

from payroll_api.errors import InvalidError
from payroll_api.people import changes, share
from payroll_api.people.alias import confirm_alias
from payroll_api.people.find_changes import list_changes
from payroll_api.people.models import Worker
from payroll_api.people.propose import by_person, propose_account, propose_phone
from payroll_api.people.typed import person_with, typed_phone
from payroll_api.runs.find import workers_of
from payroll_api.web import names
from payroll_api.web.lists import cursor, page_of
from payroll_api.web.page import Doer, Reader
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAGE = 25
_DECISIONS = {
    "confirm": (changes.confirm, "change_confirmed"),
    "early": (changes.approve_early, "change_early"),
    "refuse": (changes.refuse, "change_refused"),
    "old_wrong": (changes.old_is_wrong, "change_old_wrong"),
}


@router.get("/changes")
async def show(page: Reader) -> Response:
    """Changes that wait, the newest first; `?all=1` also what is over; `?run=` those of a run's workers, as its approver looks at them."""
    run_id = cursor(page.request.query_params.get("run"))
    everything = bool(page.request.query_params.get("all")) or run_id is not None
    before = cursor(page.request.query_params.get("after"))
    async with page.session() as session:
        workers = None if run_id is None else await workers_of(session, run_id)
        found = await list_changes(
            session, page.services, page.actor, only_open=not everything, workers=workers, before=before, limit=_PAGE + 1
        )
        sharings = await share.list_sharings(session)
        people = [change[name] for change in found for name in ("proposed_by", "confirmed_by", "second_by")]
        who = await names.actors(session, page, [*people, *(one.proposed_by for one in sharings), *(one.approved_by for one in sharings)])
        codes = await names.worker_codes(session, [worker for one in sharings for worker in (one.worker_a, one.worker_b)])
    shown, more = page_of(found, _PAGE)
    return page.show(
        "changes.html",
        changes=shown,
        sharings=sharings,
        codes=codes,
        who=who,
        everything=everything,
        run_id=run_id,
        cursor=shown[-1]["id"] if more else None,
    )


@router.post("/changes/{change_id}")
async def decide(page: Doer, change_id: UUID) -> Response:
    """Confirm, approve early, refuse, or say that the old account is wrong."""
    if page.typed("decision") not in _DECISIONS:
        raise InvalidError("Choose one of the possibilities.")
    step, done = _DECISIONS[page.typed("decision")]
    async with page.session() as session:
        await step(session, page.services, page.actor, change_id, reason=page.typed("reason"))
    return page.go("/changes", done)


@router.post("/workers/{worker_id}/changes")
async def propose(page: Doer, worker_id: UUID) -> Response:
    """Propose another account, or another phone, for a worker."""
    services, origin = page.services, by_person(page.actor, "page")
    async with page.session() as session:
        if page.typed("what") == "phone":
            await propose_phone(session, services, worker_id, typed_phone(page.typed("phone")), origin)
        else:
            kind, bank, account = page.typed("kind"), page.typed("bank"), page.typed("account")
            person = await person_with(session, services, page.actor, worker_id, kind=kind, bank=bank, account=account)
            await propose_account(session, services, worker_id, person, origin)
    return page.go(f"/workers/{worker_id}", "change_proposed")


@router.post("/workers/{worker_id}/aliases")
async def alias(page: Doer, worker_id: UUID) -> Response:
    """Confirm another spelling of a worker's name."""
    async with page.session() as session:
        await confirm_alias(session, page.services, page.actor, worker_id, alias=page.typed("alias"), reason=page.typed("reason"))
    return page.go(f"/workers/{worker_id}", "alias_confirmed")


@router.post("/shared-accounts")
async def propose_sharing(page: Doer) -> Response:
    """Propose, by their codes, that two workers may use their one account."""
    codes = [page.typed("first"), page.typed("second")]
    async with page.session() as session:
        ids = {
            code: found for found, code in await session.execute(select(Worker.id, Worker.worker_code).where(Worker.worker_code.in_(codes)))
        }
        if missing := [code for code in codes if code not in ids]:
            raise InvalidError(f"There is no worker {missing[0][:40] or '(empty)'}. Write the codes of two workers.")
        await share.propose_sharing(session, page.services, page.actor, ids[codes[0]], ids[codes[1]], reason=page.typed("reason"))
    return page.go("/changes", "sharing_proposed")


@router.post("/shared-accounts/{sharing_id}")
async def settle_sharing(page: Doer, sharing_id: UUID) -> Response:
    """Agree to a proposal, or take one back."""
    is_agreed = page.typed("decision") == "agree"
    async with page.session() as session:
        step = share.agree if is_agreed else share.revoke
        await step(session, page.services, page.actor, sharing_id)
    return page.go("/changes", "sharing_agreed" if is_agreed else "sharing_revoked")
