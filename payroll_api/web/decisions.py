"""Decisions by two people: what waits for a second one, the kill switch, and what can be proposed about a payment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.errors import InvalidError
from payroll_api.factories.models import ProviderAccount
from payroll_api.payments.confirm import confirm
from payroll_api.payments.correct import propose_correction
from payroll_api.payments.find import get_payment
from payroll_api.payments.findings import Evidence, Found, Result, propose_finding
from payroll_api.payments.models import Payment, Proposal
from payroll_api.payments.proposals import PERMISSIONS, list_proposals, refuse
from payroll_api.payments.repay import Way, propose_repay
from payroll_api.payments.stops import list_stops, press, propose_lift
from payroll_api.runs.models import PayRun
from payroll_api.typed_money import typed_money
from payroll_api.web import formats, names
from payroll_api.web.lists import cursor, page_of
from payroll_api.web.page import Doer, Page, Reader
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAGE = 25
_SHOWN = 20  # workers named in one proposal


@router.get("/decisions")
async def show(page: Reader) -> Response:
    """What is stopped and what waits for a second person; `?all=1` also what was decided."""
    everything = bool(page.request.query_params.get("all"))
    before = cursor(page.request.query_params.get("after"))
    async with page.session() as session:
        found = await list_proposals(session, only_open=not everything, before=before, limit=_PAGE + 1)
        stops = await list_stops(session)
        accounts = [one for one in await session.scalars(select(ProviderAccount).order_by(ProviderAccount.name)) if one.kind != "sms"]
        runs = list(await session.scalars(select(PayRun).where(PayRun.state == "released").order_by(PayRun.id.desc()).limit(20)))
        people = [one.proposed_by for one in found] + [one.decided_by for one in found] + [stop.pressed_by for stop in stops]
        who = await names.actors(session, page, people)
        shown, more = page_of(found, _PAGE)
        told = await _told(session, shown, accounts)
    return page.show(
        "decisions.html",
        proposals=shown,
        told=told,
        stops=stops,
        accounts={account.id: account.name for account in accounts},
        runs=runs,
        who=who,
        everything=everything,
        may_confirm={one.id: page.may(PERMISSIONS[one.kind][1]) and one.proposed_by != page.actor.name for one in shown},
        cursor=shown[-1].id if more else None,
    )


async def _told(session: AsyncSession, proposals: Iterable[Proposal], accounts: Iterable[ProviderAccount]) -> Mapping[UUID, Any]:
    """What each proposal would do, in figures and workers' codes."""
    rails = {str(account.id): account.name for account in accounts}
    items: dict[UUID, list[dict[str, Any]]] = {}
    for one in proposals:
        content: Any = one.content
        items[one.id] = content.get("items") or ([content] if "minor" in content else [])
    ids = {UUID(item["payment"]) for found in items.values() for item in found[:_SHOWN]}
    rows = await session.execute(select(Payment.id, Payment.worker_code).where(Payment.id.in_(ids)))
    codes = {str(payment): code for payment, code in rows}
    return {
        one: {
            "count": len(found),
            "sum": formats.sum_of((item["minor"], item["currency"]) for item in found),
            "workers": [(item["payment"], codes.get(item["payment"], "")) for item in found[:_SHOWN]],
            "rails": sorted({rails.get(item["rail"], "") for item in found if "rail" in item}),
        }
        for one, found in items.items()
    }


@router.post("/decisions/{proposal_id}")
async def decide(page: Doer, proposal_id: UUID) -> Response:
    """The second person's yes to exactly what the page showed, or anybody's no."""
    is_yes = page.typed("action") == "confirm"
    async with page.session() as session:
        if is_yes:
            await confirm(session, page.services, page.actor, proposal_id, shown=page.typed("content_hash"))
        else:
            await refuse(session, page.services, page.actor, proposal_id, reason=page.typed("reason"))
    return page.go("/decisions", "confirmed" if is_yes else "refused")


@router.post("/stops")
async def stop(page: Doer) -> Response:
    """Press the kill switch."""
    kind, _, one = page.typed("what").partition(":")
    async with page.session() as session:
        await press(
            session,
            page.services,
            page.actor,
            run_id=_id(one) if kind == "run" else None,
            provider_account_id=_id(one) if kind == "rail" else None,
            reason=page.typed("reason"),
        )
    return page.go("/decisions", "stopped")


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidError("Choose what to stop from the list.") from None


@router.post("/stops/{stop_id}/lift")
async def lift(page: Doer, stop_id: UUID) -> Response:
    """Propose to send again."""
    async with page.session() as session:
        await propose_lift(session, page.services, page.actor, stop_id, reason=page.typed("reason"))
    return page.go("/decisions", "proposed")


@router.post("/payments/{payment_id}/propose")
async def propose(page: Doer, payment_id: UUID) -> Response:
    """Say what became of a payment, pay it again, or correct it: whichever its form was for."""
    action, reason = page.typed("action"), page.typed("reason")
    async with page.session() as session:
        if action == "finding":
            found = _found(page)
            await propose_finding(session, page.services, page.actor, found, payment_id=payment_id, reason=reason)
        elif action in ("repay_current", "repay_cash"):
            way = Way(action.removeprefix("repay_"))
            await propose_repay(session, page.services, page.actor, [payment_id], way=way, reason=reason)
        elif action == "correction":
            payment, _ = await get_payment(session, payment_id)
            minor = typed_money(page.typed("amount"), payment.currency).minor
            await propose_correction(session, page.services, page.actor, payment_id, minor=minor, reason=reason)
        else:
            raise InvalidError("Choose what to do with the payment.")
    return page.go("/decisions", "proposed")


@router.post("/dispatches/{dispatch_id}/propose")
async def propose_message(page: Doer, dispatch_id: UUID) -> Response:
    """Say what became of a whole message."""
    async with page.session() as session:
        await propose_finding(session, page.services, page.actor, _found(page), dispatch_id=dispatch_id, reason=page.typed("reason"))
    return page.go("/decisions", "proposed")


@router.post("/runs/{run_id}/repay")
async def repay_run(page: Doer, run_id: UUID) -> Response:
    """Propose to pay again everything of a run that failed for sure, in one proposal."""
    way = Way.CASH if page.typed("action") == "repay_cash" else Way.CURRENT
    async with page.session() as session:
        failed = list(
            await session.scalars(select(Payment.id).where(Payment.run_id == run_id, Payment.state.in_(("rejected", "returned"))))
        )
        await propose_repay(session, page.services, page.actor, failed, way=way, reason=page.typed("reason"))
    return page.go("/decisions", "proposed")


def _found(page: Page) -> Found:
    try:
        return Found(
            result=Result(page.typed("result")), evidence=Evidence(page.typed("evidence")), reference=page.typed("evidence_reference")
        )
    except ValueError:
        raise InvalidError("Choose what became of it and how you know.") from None
