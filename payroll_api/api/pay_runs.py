"""Pay runs: made from a checked file, submitted, approved by another person, released."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from importers.period import RunKind
from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Amount, AnyText, Cursor, Input, Limit, Output, Page, Reason, after_id, amount, page
from payroll_api.runs.balances import ask_balances
from payroll_api.runs.build import create_run
from payroll_api.runs.decide import approve, reject, release, submit
from payroll_api.runs.find import get_run, list_runs
from payroll_api.runs.models import PayRun
from payroll_api.runs.pay_day import concerns
from payroll_api.runs.rail_days import rail_days

router = APIRouter(prefix=f"{API}/pay-runs", tags=["pay-runs"], route_class=StepRoute)
NOT_FOUND = (404, "not_found")
RUN_STATE = (409, "run_state")


class Total(Output):
    """A count and a sum that people approve: of one kind of account, one currency, paid or held back."""

    kind: str = Field(examples=["bank_account"])
    held: bool
    count: int = Field(examples=[212])
    sum: Amount


class RunOut(Output):
    """A pay run. `content_hash` is over every worker, account and amount: the approver approves exactly that."""

    id: UUID
    file_id: UUID
    pay_period: str = Field(examples=["2026-11"])
    kind: RunKind
    pay_on: date
    state: str = Field(examples=["submitted"])
    content_hash: str | None = Field(examples=["5a1f…"])
    totals: list[Total]
    created_by: str
    created_at: datetime
    submitted_by: str | None
    submitted_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    rejected_by: str | None
    rejected_at: datetime | None
    rejected_reason: str | None
    released_by: str | None
    released_at: datetime | None
    completed_at: datetime | None


class NewRun(Input):
    """From which file, and when it is to be paid."""

    file_id: UUID = Field(examples=["0190f5fe-7c00-7a00-8000-000000000003"])
    pay_on: date | None = Field(default=None, description="A day in Phnom Penh; today if absent", examples=["2026-12-10"])


class Approval(Input):
    """What the approver saw."""

    content_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(description="`content_hash` of the run")


class Rejection(Input):
    """Why the run goes back."""

    reason: Reason = Field(examples=["Overtime of line 4 is missing"])


class Release(Input):
    """Needed only where a provider that tells balances does not answer."""

    funds_reason: AnyText = Field(
        default="", description="How you made sure that the money is there", examples=["Seen on the bank's own page at 9:10"]
    )


def shape(row: PayRun) -> RunOut:
    """A run as it is sent."""
    lines: Any = row.totals.get("lines", [])
    same = {name: getattr(row, name) for name in RunOut.model_fields if name not in {"pay_period", "kind", "totals"}}
    totals = [
        Total(kind=line["kind"], held=line["held"], count=line["count"], sum=amount(line["minor"], line["currency"])) for line in lines
    ]
    return RunOut(pay_period=row.period, kind=RunKind(row.kind), totals=totals, **same)


@router.post(
    "",
    operation_id="createPayRun",
    status_code=201,
    summary="Make a pay run of a checked file",
    **operation(Permission.PREPARE, creates=True, errors=[NOT_FOUND, (409, "file_not_ready"), (409, "run_exists")]),
)
async def create(body: NewRun, session: InSession, services: InServices, actor: InActor) -> RunOut:
    """A draft: nothing is fixed before it is submitted."""
    return shape(await create_run(session, services, actor, body.file_id, pay_on=body.pay_on))


@router.get("", operation_id="listPayRuns", summary="Pay runs, the newest first", **operation(Permission.READ))
async def runs(session: InSession, cursor: Cursor = None, limit: Limit = 50) -> Page[RunOut]:
    """All pay runs of the factory."""
    return page(await list_runs(session, before=after_id(cursor), limit=limit + 1), limit, shape, lambda row: row.id)


@router.get("/{run_id}", operation_id="getPayRun", summary="One pay run", **operation(Permission.READ, errors=[NOT_FOUND]))
async def run(run_id: UUID, session: InSession) -> RunOut:
    """A run's state, its sums, and who decided what."""
    return shape(await get_run(session, run_id))


class ConcernOut(Output):
    """Why the law has something against a pay day."""

    kind: str = Field(
        description="day_off, too_far, no_first_half, final_late; no_calendar: only Sundays were looked at", examples=["day_off"]
    )
    by: date | None = Field(description="The last day that the law allows, where it names one", examples=["2026-11-28"])
    article: str = Field(examples=["Labour Law of 13 March 1997, payment of wages, arts. 113 to 116"])


@router.get(
    "/{run_id}/pay-day",
    operation_id="getPayDayConcerns",
    summary="What the law has against the pay day of a run",
    **operation(Permission.READ, errors=[NOT_FOUND]),
)
async def pay_day(run_id: UUID, session: InSession, services: InServices) -> list[ConcernOut]:
    """Nothing where the day is as it should be. A warning: whether to pay later than the law asks is for people to decide."""
    found = await concerns(session, services, await get_run(session, run_id))
    return [ConcernOut(kind=one.kind, by=one.by, article=str(one.citation)) for one in found]


class RailDayOut(Output):
    """When one account of a run executes it."""

    provider_account_id: UUID
    name: str = Field(examples=["Bank"])
    executed_on: date = Field(description="For a run that is released now; it may lie after the pay day", examples=["2026-12-10"])
    best: date = Field(description="The last working day up to the pay day", examples=["2026-12-10"])
    release_by: datetime = Field(description="What is released until then is executed on `best`")


@router.get(
    "/{run_id}/rail-days",
    operation_id="getRailDays",
    summary="When banks and wallets with hours of their own execute a run",
    **operation(Permission.READ, errors=[NOT_FOUND]),
)
async def rails(run_id: UUID, session: InSession, services: InServices) -> list[RailDayOut]:
    """Accounts that work at any hour are not listed. Choose an earlier pay day where `executed_on` lies after it."""
    found = await rail_days(session, services, await get_run(session, run_id))
    return [RailDayOut(**asdict(one)) for one in found]


@router.post(
    "/{run_id}/submit",
    operation_id="submitPayRun",
    summary="Freeze a run and send it for approval",
    **operation(
        Permission.PREPARE,
        errors=[NOT_FOUND, RUN_STATE, (409, "discrepancies_open"), (409, "destinations_unchecked"), (409, "nothing_to_pay")],
    ),
)
async def submit_run(run_id: UUID, session: InSession, services: InServices, actor: InActor) -> RunOut:
    """Amounts and accounts are fixed from now on."""
    return shape(await submit(session, services, actor, run_id))


@router.post(
    "/{run_id}/approve",
    operation_id="approvePayRun",
    summary="Approve a run",
    **operation(Permission.APPROVE, errors=[NOT_FOUND, RUN_STATE, (409, "content_changed"), (403, "four_eyes")]),
)
async def approve_run(run_id: UUID, body: Approval, session: InSession, services: InServices, actor: InActor) -> RunOut:
    """By another person than who made or submitted it; exactly what `content_hash` stands for."""
    return shape(await approve(session, services, actor, run_id, content_hash=body.content_hash))


@router.post(
    "/{run_id}/reject",
    operation_id="rejectPayRun",
    summary="Send a run back",
    **operation(Permission.APPROVE, errors=[NOT_FOUND, RUN_STATE]),
)
async def reject_run(run_id: UUID, body: Rejection, session: InSession, services: InServices, actor: InActor) -> RunOut:
    """Nothing was paid; another run can be made of the file."""
    return shape(await reject(session, services, actor, run_id, reason=body.reason))


@router.post(
    "/{run_id}/release",
    operation_id="releasePayRun",
    summary="Let an approved run be paid",
    **operation(Permission.RELEASE, asks=True, errors=[NOT_FOUND, RUN_STATE, (409, "funds_short"), (409, "funds_unknown")]),
)
async def release_run(run_id: UUID, services: InServices, actor: InActor, body: Release | None = None) -> RunOut:
    """From now on money moves. Providers that tell balances are asked first: a known shortage refuses it, see `getPayRunFunds`."""
    await ask_balances(services, actor.factory_id, run_id)
    async with services.database.factory(actor.factory_id) as session:
        return shape(await release(session, services, actor, run_id, funds_reason=body.funds_reason if body else ""))
