"""The factory: exchange rates of each month, and its accounts with banks, wallets and gateways."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from fastapi import APIRouter
from fastapi.responses import Response

from importers.period import PayPeriod, PeriodError
from payroll_api.clock import pay_day
from payroll_api.errors import ProblemError
from payroll_api.factories.provider_accounts import list_
from payroll_api.factories.settings import get_factory, rates_of, set_cooling, set_rate
from payroll_api.web import names
from payroll_api.web.page import Doer, Page, Reader
from payroll_api.web.problem import Told, mistake, told
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_SHOWN = 24


@router.get("/factory")
async def show(page: Reader) -> Response:
    """The rates and accounts."""
    return await _show(page)


async def _show(page: Page, problem: Told | None = None, status: int = 200) -> Response:
    today = pay_day(page.services.clock())
    asked = page.typed("period") or page.request.query_params.get("period") or f"{today:%Y-%m}"
    async with page.session() as session:
        factory = await get_factory(session)
        rates = list(await rates_of(session))[:_SHOWN]
        accounts = await list_(session)
        who = await names.actors(session, page, [rate.set_by for rate in rates])
    form = {"period": asked, "purpose": page.typed("purpose"), "rate": page.typed("rate"), "source": page.typed("source")}
    may_set = page.may("prepare") or page.may("administer")
    return page.show(
        "factory.html",
        status=status,
        problem=problem,
        factory=factory,
        rates=rates,
        accounts=accounts,
        names=who,
        form=form,
        may_set=may_set,
    )


@router.post("/factory/rates")
async def rate(page: Doer) -> Response:
    """Set the rate of a month. A refusal shows the form again as it was filled in."""
    try:
        period, value = PayPeriod.parse(page.typed("period")), Decimal(page.typed("rate").replace(",", ""))
    except PeriodError:
        return await _show(page, mistake(page.words, "period_wrong"), status=422)
    except InvalidOperation:
        return await _show(page, mistake(page.words, "rate_wrong"), status=422)
    try:
        async with page.session() as session:
            await set_rate(session, page.services, page.actor, period, page.typed("purpose"), value, page.typed("source"))
    except ProblemError as error:
        return await _show(page, told(page.words, error), status=error.status)
    return page.go("/factory", "rate")


@router.post("/factory/cooling")
async def cooling(page: Doer) -> Response:
    """Set how long a changed account or phone waits."""
    hours = page.typed("hours")
    async with page.session() as session:
        await set_cooling(session, page.services, page.actor, int(hours) if hours.isascii() and hours.isdigit() else 0)
    return page.go("/factory", "cooling")
