"""What a pay run consists of: differences, items, payments."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from payroll_api.access.actor import Actor, Permission
from payroll_api.api.payments import PaymentOut, PaymentState
from payroll_api.api.payments import shape as payment_shape
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import (
    Amount,
    AnyText,
    Cursor,
    Input,
    Limit,
    Output,
    Page,
    after_id,
    after_number,
    after_text,
    amount,
    amount_or_none,
    page,
)
from payroll_api.payments.find import list_payments
from payroll_api.review.find import discrepancies
from payroll_api.review.models import Discrepancy
from payroll_api.review.private import told
from payroll_api.review.resolve import resolve
from payroll_api.review.second_person import agree
from payroll_api.runs.find import get_run, items
from payroll_api.runs.models import RunItem
from reconciliation.contract import Resolution

router = APIRouter(prefix=API + "/pay-runs/{run_id}", tags=["pay-runs"], route_class=StepRoute)
NOT_FOUND = (404, "not_found")


class DiscrepancyOut(Output):
    """One difference between the sheet and the law or the register, and what was decided about it."""

    id: UUID
    position: int
    worker_id: UUID | None
    worker_code: str = Field(examples=["A-0173"])
    sheet: str
    row: int
    code: str = Field(examples=["underpaid"])
    severity: str = Field(examples=["blocks"])
    subject: str = Field(description="The pay-slip line or the rule", examples=["overtime"])
    stated: Amount | None = Field(description="The sheet's figure")
    lawful: Amount | None = Field(description="The law's figure")
    difference: Amount | None = Field(description="Sheet minus law: negative means that she would get too little")
    basis: str = Field(description="The hours or days behind it", examples=["10.5 h x 1.0096 USD x 150 %"])
    message: str
    message_km: str
    resolutions: list[str] = Field(description="What can be decided")
    citations: list[Any] = Field(description="The articles")
    asked: str | None = Field(description="A decision that waits for a second person; until then nothing is decided")
    asked_by: str | None
    resolution: str | None
    reason: str | None = Field(description="As typed; where it speaks of days away or deductions, for those who may read personal data")
    resolved_by: str | None
    resolved_at: datetime | None
    agreed_by: str | None = Field(description="The second person")


class Decision(Input):
    """What is decided about differences; `discrepancy_ids` null means every open one that only warns."""

    discrepancy_ids: Annotated[list[UUID], Field(min_length=1, max_length=5000)] | None
    resolution: Resolution
    reason: AnyText = Field(default="", examples=["Agreed piece rate, see the agreement of 3 November"])


class Agreed(Input):
    """Decisions that wait for a second person."""

    discrepancy_ids: Annotated[list[UUID], Field(min_length=1, max_length=5000)]


class Decided(Output):
    """How many differences were decided, or wait for a second person."""

    decided: int = Field(examples=[12])


class ItemOut(Output):
    """One worker in a frozen run."""

    worker_id: UUID
    worker_code: str
    destination_id: UUID | None
    provider_account_id: UUID | None
    amount: Amount
    held_reason: str | None = Field(examples=["destination_doubtful"])


def _discrepancy(actor: Actor, row: Discrepancy) -> DiscrepancyOut:
    both = row.stated_minor is not None and row.lawful_minor is not None
    figures = {
        "stated": amount_or_none(row.stated_minor, row.currency),
        "lawful": amount_or_none(row.lawful_minor, row.currency),
        "difference": amount_or_none((row.stated_minor or 0) - (row.lawful_minor or 0), row.currency) if both else None,
        "resolutions": [str(name) for name in row.resolutions],
    }
    words = asdict(told(actor, row))
    same = {name: getattr(row, name) for name in DiscrepancyOut.model_fields if name not in figures and name not in words}
    return DiscrepancyOut(**figures, **words, **same)


def _item(row: RunItem) -> ItemOut:
    same = {name: getattr(row, name) for name in ItemOut.model_fields if name != "amount"}
    return ItemOut(amount=amount(row.amount_minor, row.currency), **same)


@router.get(
    "/discrepancies",
    operation_id="listDiscrepancies",
    summary="Differences between the sheet and the law or the register",
    **operation(Permission.READ, errors=[NOT_FOUND]),
)
async def discrepancies_(
    run_id: UUID,
    session: InSession,
    actor: InActor,
    cursor: Cursor = None,
    limit: Limit = 50,
    only_open: Annotated[bool, Query(description="Only those that wait for a decision")] = False,
) -> Page[DiscrepancyOut]:
    """In the order of the check. Why days were not worked is told to those alone who may read personal data."""
    file_id = (await get_run(session, run_id)).file_id
    found = await discrepancies(session, file_id, after=after_number(cursor), limit=limit + 1, only_open=only_open)
    return page(found, limit, partial(_discrepancy, actor), lambda row: row.position)


@router.post(
    "/discrepancies/resolve",
    operation_id="resolveDiscrepancies",
    summary="Decide about differences",
    **operation(Permission.PREPARE, errors=[NOT_FOUND, (409, "review_frozen"), (409, "file_not_ready")]),
)
async def resolve_(run_id: UUID, body: Decision, session: InSession, services: InServices, actor: InActor) -> Decided:
    """One decision for one, several, or all warnings."""
    file_id = (await get_run(session, run_id)).file_id
    count = await resolve(
        session,
        services,
        actor,
        file_id,
        discrepancy_ids=body.discrepancy_ids,
        resolution=body.resolution.value,
        reason=body.reason,
    )
    return Decided(decided=count)


@router.post(
    "/discrepancies/agree",
    operation_id="agreeDiscrepancies",
    summary="Agree as the second person that the sheet's figure is kept",
    **operation(
        Permission.PREPARE,
        Permission.APPROVE,
        errors=[NOT_FOUND, (409, "review_frozen"), (403, "four_eyes"), (403, "person_required")],
    ),
)
async def agree_(run_id: UUID, body: Agreed, session: InSession, services: InServices, actor: InActor) -> Decided:
    """Over the factory's limit one person asks and another agrees; until then the difference stops payment as before."""
    file_id = (await get_run(session, run_id)).file_id
    return Decided(decided=await agree(session, services, actor, file_id, discrepancy_ids=body.discrepancy_ids))


@router.get(
    "/items",
    operation_id="listPayRunItems",
    summary="Who is paid what by a run, and who is held back",
    **operation(Permission.READ, errors=[NOT_FOUND]),
)
async def items_(run_id: UUID, session: InSession, cursor: Cursor = None, limit: Limit = 50) -> Page[ItemOut]:
    """By worker code; empty until the run is submitted."""
    await get_run(session, run_id)
    return page(await items(session, run_id, after=after_text(cursor), limit=limit + 1), limit, _item, lambda row: row.worker_code)


@router.get(
    "/payments",
    operation_id="listPayRunPayments",
    summary="The payments of a run",
    **operation(Permission.READ, errors=[NOT_FOUND]),
)
async def payments(
    run_id: UUID, session: InSession, cursor: Cursor = None, limit: Limit = 50, state: PaymentState = None
) -> Page[PaymentOut]:
    """In the order in which they were made."""
    await get_run(session, run_id)
    found = await list_payments(session, run_id=run_id, state=state, after=after_id(cursor), limit=limit + 1)
    return page(found, limit, payment_shape, lambda row: row.id)
