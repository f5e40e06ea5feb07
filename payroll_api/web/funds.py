"""Whether the money for a run is there, on the run's page: asked of the bank, or stated by a person."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from payroll_api.access.actor import Permission
from payroll_api.errors import InvalidError
from payroll_api.runs.balances import ask_balances, state_balance
from payroll_api.runs.find import get_run
from payroll_api.web.page import Doer
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.post("/runs/{run_id}/funds/ask")
async def ask(page: Doer, run_id: UUID) -> Response:
    """Ask the providers for the balances now."""
    if not page.may("settle"):
        page.actor.require(Permission.RELEASE)
    await ask_balances(page.services, page.actor.factory_id, run_id)
    return page.go(f"/runs/{run_id}", "funds_asked")


@router.post("/runs/{run_id}/funds/state")
async def state(page: Doer, run_id: UUID) -> Response:
    """What a person sees that an account holds for this run's pay day."""
    account, _, unit = page.typed("rail").partition("|")
    async with page.session() as session:
        pay_on: date = (await get_run(session, run_id)).pay_on
        await state_balance(session, page.services, page.actor, _id(account), amount=page.typed("amount"), unit=unit, holds_on=pay_on)
    return page.go(f"/runs/{run_id}", "funds_stated")


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidError("Choose an account from the list.", fields=[{"field": "rail", "problem": "no account"}]) from None
