"""What the law owes each worker of a run: line by line, with the sum in words and numbers and the article."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from importers.money import KHR
from payroll_api.access.actor import Actor, Permission
from payroll_api.api.route import API, InActor, InSession, StepRoute, operation
from payroll_api.api.shapes import Amount, Cursor, Limit, Output, Page, WorkerCode, after_text, amount, page
from payroll_api.review.find import entitlements
from payroll_api.review.models import FileEntitlement, FileReview
from payroll_api.review.private import articles_for, lines_for
from payroll_api.runs.find import get_run
from reconciliation.formula_km import in_khmer

router = APIRouter(prefix=API + "/pay-runs/{run_id}", tags=["pay-runs"], route_class=StepRoute)
NOT_FOUND = (404, "not_found")


class EntitlementLineOut(Output):
    """One line as the law has it."""

    line: str = Field(examples=["overtime_pay"])
    side: str = Field(description="earning, deduction, or employer: what the employer pays beside the wage", examples=["earning"])
    amount: Amount
    riel: Amount | None = Field(description="The exact riel of a line that the law states in riel")
    formula: str = Field(examples=["10.5 h x 1.0096 USD x 150 %"])
    formula_km: str
    citations: list[Any] = Field(description="The articles")


class EntitlementOut(Output):
    """What one worker is owed. The totals are sums of the rounded lines."""

    worker_id: UUID
    worker_code: str = Field(examples=["A-0173"])
    lines: list[EntitlementLineOut]
    gross: Amount
    deductions: Amount
    net: Amount
    stated: Amount = Field(description="The net of the sheet")
    law_version: str = Field(description="The content hash of the law book by which it was computed")


def _shape(actor: Actor, found: tuple[FileEntitlement, FileReview]) -> EntitlementOut:
    owed, review = found
    lines: Sequence[Mapping[str, Any]] = owed.lines  # type: ignore[assignment]
    citations: Mapping[str, Sequence[Mapping[str, str]]] = review.citations  # type: ignore[assignment]
    articles = articles_for(actor, citations)
    return EntitlementOut(
        worker_id=owed.worker_id,
        worker_code=owed.worker_code,
        lines=[
            EntitlementLineOut(
                line=line["line"],
                side=line["side"],
                amount=amount(line["minor"], line["currency"]),
                riel=amount(line["riel"], KHR.code) if "riel" in line else None,
                formula=line["formula"],
                formula_km=in_khmer(line["formula"]),
                citations=list(articles.get(line["line"], ())),
            )
            for line in lines_for(actor, lines)
        ],
        gross=amount(owed.gross_minor, owed.currency),
        deductions=amount(owed.deductions_minor, owed.currency),
        net=amount(owed.net_minor, owed.currency),
        stated=amount(owed.stated_minor, owed.currency),
        law_version=review.law_version,
    )


@router.get(
    "/entitlements",
    operation_id="listEntitlements",
    summary="What the law owes each worker, line by line with the article",
    **operation(Permission.READ, errors=[NOT_FOUND]),
)
async def entitlements_(
    run_id: UUID,
    session: InSession,
    actor: InActor,
    cursor: Cursor = None,
    limit: Limit = 50,
    worker_code: Annotated[WorkerCode | None, Query(description="Of this worker alone")] = None,
) -> Page[EntitlementOut]:
    """By worker code. Union dues, sickness and maternity have lines of their own for those alone who may read personal data."""
    file_id = (await get_run(session, run_id)).file_id
    found = await entitlements(session, file_id, after=after_text(cursor), limit=limit + 1, worker_code=worker_code)
    return page(found, limit, lambda one: _shape(actor, one), lambda one: one[0].worker_code)
