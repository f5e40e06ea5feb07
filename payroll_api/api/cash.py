"""Envelopes of a run: who signed for them, and what is counted back."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Input, Output, WorkerCode
from payroll_api.errors import InvalidError
from payroll_api.payments.cash import Pile, confirm_cash, count_back
from payroll_api.runs.find import get_run
from payroll_api.typed_money import typed_money

router = APIRouter(prefix=API + "/pay-runs/{run_id}", tags=["pay-runs"], route_class=StepRoute)
NOT_FOUND = (404, "not_found")


class Envelopes(Input):
    """Which envelopes workers have signed for; null means all of the run."""

    worker_codes: Annotated[list[WorkerCode], Field(min_length=1, max_length=5000)] | None = Field(examples=[["A-0173", "A-0188"]])


class Confirmed(Output):
    """How many envelopes were counted as paid."""

    confirmed: int = Field(examples=[14])


class PileIn(Input):
    """What lies on the table in one currency."""

    envelopes: Annotated[int, Field(ge=0, le=999_999)] = Field(examples=[3])
    amount: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,13}(\.[0-9]{1,2})?$")] = Field(examples=["615.30"])
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = Field(examples=["USD"])


class CountedBack(Input):
    """What is left on the table when paying out is over: everything, each currency once."""

    piles: Annotated[list[PileIn], Field(min_length=1, max_length=2)]


class TakenBack(Output):
    """How many envelopes were taken back."""

    taken_back: int = Field(examples=[3])


@router.post(
    "/cash-confirmations",
    operation_id="confirmCash",
    status_code=201,
    summary="Count envelopes as paid that workers have signed for",
    **operation(Permission.SETTLE, creates=True, errors=[NOT_FOUND]),
)
async def cash(run_id: UUID, body: Envelopes, session: InSession, services: InServices, actor: InActor) -> Confirmed:
    """An envelope is counted once; repeating changes nothing."""
    await get_run(session, run_id)
    return Confirmed(confirmed=await confirm_cash(session, services, actor, run_id, body.worker_codes))


@router.post(
    "/cash-returns",
    operation_id="countCashBack",
    status_code=201,
    summary="Count back the envelopes that nobody came for",
    **operation(Permission.SETTLE, creates=True, errors=[NOT_FOUND, (409, "envelopes_differ")]),
)
async def back(run_id: UUID, body: CountedBack, session: InSession, services: InServices, actor: InActor) -> TakenBack:
    """The count must be what the list says is left. Their wages stay owed; people decide how they are paid."""
    await get_run(session, run_id)
    return TakenBack(taken_back=await count_back(session, services, actor, run_id, _piles(body)))


def _piles(body: CountedBack) -> dict[str, Pile]:
    piles: dict[str, Pile] = {}
    for number, pile in enumerate(body.piles):
        if pile.currency in piles:
            problem = {"field": f"piles.{number}.currency", "problem": "named twice"}
            raise InvalidError("Name each currency once.", fields=[problem])
        piles[pile.currency] = (pile.envelopes, typed_money(pile.amount, pile.currency, field=f"piles.{number}.amount"))
    return piles
