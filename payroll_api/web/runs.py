"""A run's page: what is paid, the decision on it, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Permission
from payroll_api.errors import ProblemError
from payroll_api.intake.find import get_file
from payroll_api.intake.models import PayrollFile
from payroll_api.payments.bank_files import bank_files_of
from payroll_api.payments.find import list_payments
from payroll_api.payments.models import Payment
from payroll_api.payslips.progress import run_progress
from payroll_api.review.find import open_counts
from payroll_api.runs.balances import ask_balances
from payroll_api.runs.decide import approve, reject, release, submit
from payroll_api.runs.find import get_run
from payroll_api.runs.funds import funds_of, without_word
from payroll_api.runs.models import PayRun
from payroll_api.runs.pay_day import concerns
from payroll_api.runs.rail_days import late, rail_days
from payroll_api.web import formats, names
from payroll_api.web.page import Doer, Page, Reader
from payroll_api.web.problem import told
from payroll_api.web.route import PageRoute
from payroll_api.web.way import STEPS, way

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_FAILED_SHOWN = 10
_BEFORE_RELEASE = ("submitted", "approved")
_BEFORE_PAYING = ("draft", *_BEFORE_RELEASE)
_FAILED = ("rejected", "returned")


@router.get("/runs/{run_id}")
async def show(page: Reader, run_id: UUID) -> Response:
    """The page of a run."""
    return await _show(page, run_id)


async def _show(page: Page, run_id: UUID, refusal: ProblemError | None = None) -> Response:
    """The page of a run; with the `refusal` of a release on it, where its figures are."""
    async with page.session() as session:
        run = await get_run(session, run_id)
        file = await get_file(session, run.file_id)
        progress = await run_progress(session, run_id)
        open_ = await open_counts(session, file.id)
        funds = await funds_of(session, page.services, run) if run.state in _BEFORE_RELEASE else []
        too_late = await concerns(session, page.services, run) if run.state in _BEFORE_PAYING else []
        rails = await rail_days(session, page.services, run) if run.state in _BEFORE_PAYING else []
        acted = [run.created_by, run.submitted_by, run.approved_by, run.rejected_by, run.released_by]
        who = await names.actors(session, page, [*acted, *(rail.author for rail in funds)])
        failed = await _failed(session, run_id, progress)
        has_files = bool(await bank_files_of(session, page.services, run_id))
    view = _view(page, run, file, open_, progress)
    return page.show(
        "run.html",
        view,
        run=run,
        file=file,
        names=who,
        failed=failed,
        has_files=has_files,
        funds=funds,
        too_late=too_late,
        rails=rails,
        rails_late=late(rails, run.pay_on),
        nobody_knows=without_word(funds),
        refusal=refusal,
        problem_told=told(page.words, refusal) if refusal else None,
        status=refusal.status if refusal else 200,
    )


async def _failed(session: AsyncSession, run_id: UUID, progress: Mapping[str, Any]) -> Sequence[Payment]:
    found: list[Payment] = []
    for state in _FAILED:
        if state in progress["payments"]:
            found += await list_payments(session, run_id=run_id, state=state, after=None, limit=_FAILED_SHOWN)
    return found[:_FAILED_SHOWN]


def _view(page: Page, run: PayRun, file: PayrollFile, open_: Mapping[str, int], progress: Mapping[str, Any]) -> dict[str, object]:
    totals: Any = run.totals
    lines = totals.get("lines", [])
    paying = [line for line in lines if not line["held"]]
    stages = {stage["name"]: stage for stage in progress["stages"]}
    payments = progress["payments"]
    is_moving = any(stages[name]["done"] < stages[name]["total"] for name in ("pay", "confirm", "settle", "slips"))
    return {
        "steps": way(file, run, open_, progress),
        "is_live": run.state == "released" or (run.state == "completed" and is_moving),
        "lines": lines,
        "paying": {
            "count": sum(line["count"] for line in paying),
            "sum": formats.sum_of((line["minor"], line["currency"]) for line in paying),
        },
        "held_count": sum(line["count"] for line in lines if line["held"]),
        "may_approve": page.may("approve") and page.actor.name not in {run.created_by, run.submitted_by, file.uploaded_by},
        "progress": progress,
        "stages": [stages[name] for name in STEPS if name in stages and name in {"pay", "confirm", "settle", "slips"}],
        "payments": payments,
        "payments_total": sum(found["count"] for found in payments.values()),
        "paid": payments.get("paid", {}).get("count", 0),
        "matched": stages["settle"],
        "slips": progress["slips"],
        "has_cash": any(line["kind"] == "cash" for line in paying),
    }


@router.post("/runs/{run_id}/submit")
async def send(page: Doer, run_id: UUID) -> Response:
    """Freeze a draft and send it for approval."""
    async with page.session() as session:
        await submit(session, page.services, page.actor, run_id)
    return page.go(f"/runs/{run_id}", "sent")


@router.post("/runs/{run_id}/approve")
async def decide(page: Doer, run_id: UUID) -> Response:
    """Approve exactly the content that the page showed; with `release`, let it be paid in the same decision."""
    is_released = bool(page.typed("release"))
    if is_released:
        page.actor.require(Permission.RELEASE)
    async with page.session() as session:
        await approve(session, page.services, page.actor, run_id, content_hash=page.typed("content_hash"))
    # The approval stands also where the money turns out to be missing: nobody needs to approve the same run again.
    return await _release(page, run_id, "approved_released") if is_released else page.go(f"/runs/{run_id}", "approved")


@router.post("/runs/{run_id}/reject")
async def send_back(page: Doer, run_id: UUID) -> Response:
    """Send a run back with a reason."""
    async with page.session() as session:
        await reject(session, page.services, page.actor, run_id, reason=page.typed("reason"))
    return page.go(f"/runs/{run_id}", "rejected")


@router.post("/runs/{run_id}/release")
async def let_go(page: Doer, run_id: UUID) -> Response:
    """Release an approved run: from here on money moves."""
    return await _release(page, run_id, "released")


async def _release(page: Page, run_id: UUID, done: str) -> Response:
    page.actor.require(Permission.RELEASE)
    await ask_balances(page.services, page.actor.factory_id, run_id)
    try:
        async with page.session() as session:
            await release(session, page.services, page.actor, run_id, funds_reason=page.typed("funds_reason"))
    except ProblemError as error:
        if error.code not in ("funds_short", "funds_unknown"):
            raise
        return await _show(page, run_id, error)
    return page.go(f"/runs/{run_id}", done)
