"""The lists of a run: its workers, payments and slips; and one payment."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select

from payroll_api.errors import InvalidError
from payroll_api.factories.models import ProviderAccount
from payroll_api.payments.find import count_by_state, get_payment, list_payments
from payroll_api.payments.hold import cancel, hold, unhold
from payroll_api.payments.proposals import list_proposals
from payroll_api.payments.states import STATES, TRANSITIONS
from payroll_api.payments.verdict import FAILED
from payroll_api.payslips.find import count_by_state as slips_by_state
from payroll_api.payslips.find import list_slips
from payroll_api.runs.find import get_run, items
from payroll_api.web import names
from payroll_api.web.lists import cursor, page_of
from payroll_api.web.page import Doer, Reader
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAGE = 50
_LONGEST_CODE = 64


@router.get("/runs/{run_id}/people")
async def people(page: Reader, run_id: UUID) -> Response:
    """What each worker of a frozen run is paid, and who is held back and why."""
    only_held = bool(page.request.query_params.get("held"))
    after = page.request.query_params.get("after", "")[:_LONGEST_CODE]
    async with page.session() as session:
        run = await get_run(session, run_id)
        found = await items(session, run_id, after=after, limit=_PAGE + 1, only_held=only_held)
        kinds = {account.id: account.kind for account in await session.scalars(select(ProviderAccount))}
    shown, more = page_of(found, _PAGE)
    last = shown[-1].worker_code if more else None
    return page.show("run_people.html", run=run, items=shown, kinds=kinds, only_held=only_held, cursor=last)


@router.get("/runs/{run_id}/payments")
async def payments(page: Reader, run_id: UUID) -> Response:
    """The payments of a run, all or those in one state."""
    state = page.request.query_params.get("state")
    if state is not None and state not in STATES:
        raise InvalidError("There is no such state of a payment. Choose one from the list.")
    after = cursor(page.request.query_params.get("after"))
    async with page.session() as session:
        run = await get_run(session, run_id)
        found = await list_payments(session, run_id=run_id, state=state, after=after, limit=_PAGE + 1)
        counts = await count_by_state(session, run_id)
    shown, more = page_of(found, _PAGE)
    return page.show("run_payments.html", run=run, items=shown, state=state, counts=counts, cursor=shown[-1].id if more else None)


@router.get("/payments/{payment_id}")
async def payment(page: Reader, payment_id: UUID) -> Response:
    """One payment with its tries."""
    async with page.session() as session:
        found, attempts = await get_payment(session, payment_id)
        proposals = await list_proposals(session, subject=f"payment:{payment_id}")
    open_ = found.state in ("submitting", "accepted", "unknown") or any(attempt.contradicted_by for attempt in attempts)
    ways = TRANSITIONS[found.state]
    return page.show(
        "payment.html",
        payment=found,
        attempts=attempts,
        may_hold=page.may("prepare") and "held" in ways,
        may_unhold=page.may("release") and found.state == "held",
        may_cancel=page.may("release") and "cancelled" in ways,
        proposals=proposals,
        dispatch_id=attempts[-1].dispatch_id if attempts else None,
        may_find=page.may("settle") and open_,
        may_repay=page.may("prepare") and found.state in FAILED,
        may_correct=page.may("prepare") and found.state == "paid" and found.corrects is None,
    )


@router.post("/payments/{payment_id}")
async def decide(page: Doer, payment_id: UUID) -> Response:
    """Hold a payment back, let it go on, or give it up."""
    steps = {"hold": (hold, "held"), "unhold": (unhold, "unheld"), "cancel": (cancel, "cancelled")}
    if page.typed("action") not in steps:
        raise InvalidError("Choose what to do with the payment.")
    step, done = steps[page.typed("action")]
    async with page.session() as session:
        await step(session, page.services, page.actor, payment_id, reason=page.typed("reason"))
    return page.go(f"/payments/{payment_id}", done)


@router.get("/runs/{run_id}/slips")
async def slips(page: Reader, run_id: UUID) -> Response:
    """The slips of a run with the text as sent, for those who may read it."""
    after = cursor(page.request.query_params.get("after"))
    async with page.session() as session:
        run = await get_run(session, run_id)
        found = await list_slips(session, page.services, page.actor, run_id=run_id, after=after, limit=_PAGE + 1)
        counts = await slips_by_state(session, run_id)
        codes = await names.worker_codes(session, [UUID(str(slip["worker_id"])) for slip in found])
    shown, more = page_of(found, _PAGE)
    return page.show("run_slips.html", run=run, slips=shown, codes=codes, counts=counts, cursor=shown[-1]["id"] if more else None)
