"""Payments: where each one stands, every attempt to make it, and stopping a single one."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from importers.period import RunKind
from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Amount, Cursor, Input, Limit, Output, Page, Reason, after_id, amount, page
from payroll_api.payments.find import get_payment, list_payments
from payroll_api.payments.hold import cancel, hold, unhold
from payroll_api.payments.models import Attempt, Payment
from payroll_api.payments.states import STATES

router = APIRouter(prefix=f"{API}/payments", tags=["payments"], route_class=StepRoute)
ERRORS = [(404, "not_found"), (409, "payment_state"), (409, "already_handed_over")]

State = StrEnum("State", {state.upper(): state for state in STATES})  # type: ignore[misc]  # the states stand in one place
PaymentState = Annotated[State | None, Query(description="Only payments in this state")]


class PaymentOut(Output):
    """One worker's payment. It is paid only when the provider's look-up or statement has confirmed it."""

    id: UUID
    run_id: UUID
    worker_id: UUID
    worker_code: str = Field(examples=["A-0173"])
    pay_period: str = Field(examples=["2026-11"])
    kind: RunKind
    amount: Amount
    state: str = Field(examples=["paid"])
    state_since: datetime
    provider_account_id: UUID
    attempt: int = Field(description="Number of the latest attempt; 0 before the first", examples=[1])
    code: str | None = Field(description="Why it failed or is not known", examples=["account_closed"])
    detail: str
    paid_at: datetime | None
    settled_on: date | None = Field(description="The day on which the statement shows it")
    decision_id: UUID | None = Field(description="The confirmed proposal that pays it again, or that made this correction")
    corrects: UUID | None = Field(description="The earlier payment that this one makes up for")


class AttemptOut(Output):
    """One try, under a reference that the provider sees and that is never used again."""

    number: int
    reference: str = Field(examples=["GW7K3M9QX2"])
    state: str
    provider_reference: str | None
    code: str | None
    detail: str
    created_at: datetime
    changed_at: datetime
    dispatch_id: UUID = Field(description="The message that carried it")
    contradicted_by: str | None = Field(description="A later word of the provider that cannot be so", examples=["paid"])


class PaymentWithAttempts(PaymentOut):
    """A payment and every attempt to make it."""

    attempts: list[AttemptOut]


class Why(Input):
    """The reason of a decision."""

    reason: Reason = Field(examples=["She left on the 20th; her file is being corrected"])


def _fields(row: Payment) -> dict[str, object]:
    own = {"pay_period": row.period, "kind": RunKind(row.kind), "amount": amount(row.amount_minor, row.currency)}
    return own | {name: getattr(row, name) for name in PaymentOut.model_fields if name not in own}


def shape(row: Payment) -> PaymentOut:
    """A payment as it is sent."""
    return PaymentOut.model_validate(_fields(row))


def _attempt(row: Attempt) -> AttemptOut:
    return AttemptOut.model_validate({name: getattr(row, name) for name in AttemptOut.model_fields})


@router.get("", operation_id="listPayments", summary="Payments of all runs", **operation(Permission.READ))
async def payments(
    session: InSession,
    cursor: Cursor = None,
    limit: Limit = 50,
    run_id: Annotated[UUID | None, Query(description="Only of this run")] = None,
    state: PaymentState = None,
) -> Page[PaymentOut]:
    """In the order in which they were made."""
    found = await list_payments(session, run_id=run_id, state=state, after=after_id(cursor), limit=limit + 1)
    return page(found, limit, shape, lambda row: row.id)


@router.get("/{payment_id}", operation_id="getPayment", summary="One payment", **operation(Permission.READ, errors=ERRORS[:1]))
async def payment(payment_id: UUID, session: InSession) -> PaymentWithAttempts:
    """With every attempt to make it."""
    row, attempts = await get_payment(session, payment_id)
    return PaymentWithAttempts.model_validate({**_fields(row), "attempts": [_attempt(entry) for entry in attempts]})


@router.post("/{payment_id}/hold", operation_id="holdPayment", summary="Stop one payment", **operation(Permission.PREPARE, errors=ERRORS))
async def hold_payment(payment_id: UUID, body: Why, session: InSession, services: InServices, actor: InActor) -> PaymentOut:
    """Only before it was sent; the others go on."""
    return shape(await hold(session, services, actor, payment_id, reason=body.reason))


@router.post(
    "/{payment_id}/unhold", operation_id="unholdPayment", summary="Let a held payment go on", **operation(Permission.RELEASE, errors=ERRORS)
)
async def unhold_payment(payment_id: UUID, body: Why, session: InSession, services: InServices, actor: InActor) -> PaymentOut:
    """It is sent with the next message to its provider."""
    return shape(await unhold(session, services, actor, payment_id, reason=body.reason))


@router.post(
    "/{payment_id}/cancel",
    operation_id="cancelPayment",
    summary="Give a payment up",
    **operation(Permission.RELEASE, errors=[*ERRORS, (409, "contradicted")]),
)
async def cancel_payment(payment_id: UUID, body: Why, session: InSession, services: InServices, actor: InActor) -> PaymentOut:
    """Only one that was not sent, or failed for sure. A corrected file can then pay the worker."""
    return shape(await cancel(session, services, actor, payment_id, reason=body.reason))
