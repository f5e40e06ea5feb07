"""The day's end and the settlement's reports, for programs of accountants."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Amount, Output, amount, amount_or_none
from payroll_api.clock import pay_day
from payroll_api.errors import NotFoundError
from payroll_api.factories.provider_accounts import get_account
from payroll_api.reports.document import Form
from payroll_api.reports.export import export
from payroll_api.reports.settlement import Wanted, document, period_of
from payroll_api.reports.words import words_of
from payroll_api.settlement.day_end import DayEnd, View, day_end, rails

router = APIRouter(prefix=f"{API}/settlement", tags=["settlement"], route_class=StepRoute)
NOT_FOUND = (404, "not_found")
Day = Annotated[date | None, Query(description="Without it: the month of the other day, or this month so far", examples=["2026-11-30"])]
Unit = Annotated[str, Query(pattern="^[A-Z]{3}$", examples=["USD"])]


class RailOut(Output):
    """An account and currency that has a statement."""

    provider_account_id: UUID
    name: str
    currency: str


class Rails(Output):
    """All of them."""

    items: list[RailOut]


class ViewOut(Output):
    """One side's figures; money that left is negative."""

    opening: Amount | None
    moved: dict[str, Amount] = Field(description="funded, paid, fees, returned, other")
    closing: Amount | None


class BetweenOut(Output):
    """One thing that is in one view and not, or otherwise, in the other: bank less ledger."""

    what: str
    reference: str | None
    amount: Amount
    payment_id: UUID | None
    break_id: UUID | None


class DayEndOut(Output):
    """The bank's view and the ledger's, side by side. The parts of `difference` are `carried`, `not_adding_up`, and what is named."""

    first: date
    last: date
    bank: ViewOut
    ledger: ViewOut
    difference: Amount | None
    carried: Amount | None
    not_adding_up: Amount | None
    named: list[BetweenOut]
    in_transit: Amount
    is_explained: bool


def _view(view: View, code: str) -> ViewOut:
    moved = {name: amount(minor, code) for name, minor in view.moved.items()}
    return ViewOut(opening=amount_or_none(view.opening, code), moved=moved, closing=amount_or_none(view.closing, code))


def _shape(found: DayEnd) -> DayEndOut:
    code = found.currency
    return DayEndOut(
        first=found.first,
        last=found.last,
        bank=_view(found.bank, code),
        ledger=_view(found.ledger, code),
        difference=amount_or_none(found.difference, code),
        carried=amount_or_none(found.carried, code),
        not_adding_up=amount_or_none(found.not_adding_up, code),
        named=[
            BetweenOut(
                what=one.what, reference=one.reference, amount=amount(one.minor, code), payment_id=one.payment_id, break_id=one.break_id
            )
            for one in found.named
        ],
        in_transit=amount(found.in_transit, code),
        is_explained=found.is_explained,
    )


@router.get("/rails", operation_id="listRails", summary="Accounts and currencies with statements", **operation(Permission.READ))
async def list_rails(session: InSession) -> Rails:
    """Each has a day's end."""
    found = await rails(session)
    return Rails(items=[RailOut(provider_account_id=account, name=name, currency=code) for account, name, code in found])


@router.get(
    "/rails/{provider_account_id}/day-end",
    operation_id="getDayEnd",
    summary="The end of a day or a month",
    **operation(Permission.READ, errors=[NOT_FOUND]),
)
async def one(
    provider_account_id: UUID,
    session: InSession,
    services: InServices,
    currency: Unit = "USD",
    first: Day = None,
    last: Day = None,
) -> DayEndOut:
    """What the account held, what moved, what it holds: the bank's word beside our books, the difference named line by line."""
    await get_account(session, provider_account_id)
    begins, ends = period_of(first, last, pay_day(services.clock()))
    return _shape(await day_end(session, provider_account_id, currency, begins, ends))


@router.get(
    "/reports/{report}",
    operation_id="getSettlementReport",
    summary="A report as a file",
    response_class=Response,
    **operation(Permission.READ, errors=[NOT_FOUND, (409, "too_long_for_paper")]),
)
async def file_(
    report: str,
    session: InSession,
    services: InServices,
    actor: InActor,
    first: Day = None,
    last: Day = None,
    account: Annotated[UUID | None, Query(description="Of a day's end")] = None,
    currency: Annotated[str | None, Query(pattern="^[A-Z]{3}$", description="Of a day's end")] = None,
    run: Annotated[UUID | None, Query(description="Of a run's settlement, or of what is unpaid in it")] = None,
    language: Annotated[str, Query(pattern="^(en|km)$")] = "en",
) -> Response:
    """`day-end`, `run`, `unpaid`, `returned`, `breaks` or `charges`, with `.xlsx`, `.csv` or `.pdf` behind it."""
    name, _, form = report.partition(".")
    if form not in set(Form):
        raise NotFoundError("report")
    begins, ends = period_of(first, last, pay_day(services.clock()))
    wanted = Wanted(words=words_of(language), first=begins, last=ends, account=account, currency=currency, run=run)
    sent = await export(session, services, actor, await document(session, services, name, wanted), Form(form))
    return Response(sent.content, media_type=sent.media_type, headers=sent.headers)
