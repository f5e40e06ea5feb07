"""Is the money there: what a run needs of each account, and what each account holds."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Amount, AnyText, Input, Output, amount
from payroll_api.runs.balances import ask_balances, state_balance
from payroll_api.runs.find import get_run
from payroll_api.runs.funds import RailFunds, funds_of

router = APIRouter(prefix=API, tags=["pay-runs"], route_class=StepRoute)
NOT_FOUND = (404, "not_found")


class FundsOut(Output):
    """One account and currency of a run: what it needs, and what is known to be there."""

    provider_account_id: UUID
    name: str = Field(examples=["Bank"])
    needed: Amount = Field(description="By this run")
    others: Amount = Field(description="By other released runs that are not sent yet")
    available: Amount | None = Field(description="What the account can pay; null where nobody has said")
    missing: Amount | None = Field(description="By how much it is too little; null where it is enough or not known")
    source: str = Field(
        description="told by the provider, stated by a person, counted by hand (cash), silent (it tells balances, but not now), or unknown",
        examples=["told"],
    )
    at: datetime | None
    author: str | None = Field(examples=["provider:iso20022"])

    @classmethod
    def of(cls, rail: RailFunds) -> FundsOut:
        """A rail's funds as they are sent."""
        return cls(
            provider_account_id=rail.provider_account_id,
            name=rail.name,
            needed=Amount.of(rail.needed),
            others=Amount.of(rail.others),
            available=None if rail.available is None else Amount.of(rail.available),
            missing=None if rail.missing is None else Amount.of(rail.missing),
            source=rail.source,
            at=rail.at,
            author=rail.author,
        )


class BalanceIn(Input):
    """What a person sees at the bank."""

    amount: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,13}(\.[0-9]{1,2})?$")] = Field(examples=["12500.00"])
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = Field(examples=["USD"])
    holds_on: date = Field(description="The pay day it is for; it holds on that day and the day before", examples=["2026-12-10"])
    reason: AnyText = Field(default="", examples=["As the bank's own page shows it"])


class BalanceOut(Output):
    """A stated balance."""

    id: UUID
    balance: Amount
    holds_on: date
    author: str
    at: datetime


@router.get(
    "/pay-runs/{run_id}/funds",
    operation_id="getPayRunFunds",
    summary="Whether the money for a run is there",
    **operation(Permission.READ, errors=[NOT_FOUND]),
)
async def funds(run_id: UUID, session: InSession, services: InServices) -> list[FundsOut]:
    """As far as it was told or stated; empty until the run is submitted. Nobody is asked."""
    return [FundsOut.of(rail) for rail in await funds_of(session, services, await get_run(session, run_id))]


@router.post(
    "/pay-runs/{run_id}/funds/ask",
    operation_id="askPayRunFunds",
    summary="Ask the providers for the balances now",
    **operation(Permission.RELEASE, Permission.SETTLE, asks=True, errors=[NOT_FOUND]),
)
async def ask(run_id: UUID, services: InServices, actor: InActor) -> list[FundsOut]:
    """Those that tell balances; a release asks by itself."""
    await ask_balances(services, actor.factory_id, run_id)
    async with services.database.factory(actor.factory_id) as session:
        return [FundsOut.of(rail) for rail in await funds_of(session, services, await get_run(session, run_id))]


@router.post(
    "/provider-accounts/{account_id}/balances",
    operation_id="stateBalance",
    status_code=201,
    summary="State what an account holds for a pay day",
    **operation(Permission.RELEASE, Permission.SETTLE, creates=True, errors=[NOT_FOUND, (403, "person_required")]),
)
async def state(account_id: UUID, body: BalanceIn, session: InSession, services: InServices, actor: InActor) -> BalanceOut:
    """For accounts whose provider cannot be asked. Only a person states it; the newest word counts."""
    row = await state_balance(
        session, services, actor, account_id, amount=body.amount, unit=body.currency, holds_on=body.holds_on, reason=body.reason
    )
    return BalanceOut(id=row.id, balance=amount(row.amount_minor or 0, row.currency), holds_on=row.holds_on, author=row.author, at=row.at)
