"""Workers, and one worker: where she is paid, what she was owed, paid and told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor
from payroll_api.errors import InvalidError
from payroll_api.factories.settings import get_factory
from payroll_api.intake.find import get_file
from payroll_api.intake.models import PayrollFile
from payroll_api.payments.models import Payment
from payroll_api.payslips.find import list_slips
from payroll_api.people.destinations import decide
from payroll_api.people.find import get_worker, list_workers
from payroll_api.people.find_changes import list_changes
from payroll_api.people.models import Worker
from payroll_api.review.models import FileEntitlement, FileReview
from payroll_api.review.private import articles_for, lines_for
from payroll_api.web.lists import cursor, page_of
from payroll_api.web.page import Doer, Reader
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAGE = 50
_LATEST = 12
_LONGEST_CODE = 64


@router.get("/workers")
async def show(page: Reader) -> Response:
    """The list by code. Looking for a code leads straight to its worker."""
    code = page.request.query_params.get("code", "").strip()[:_LONGEST_CODE]
    after = page.request.query_params.get("after", "")[:_LONGEST_CODE]
    async with page.session() as session:
        if code and (found := await session.scalar(select(Worker.id).where(Worker.worker_code == code))):
            return page.go(f"/workers/{found}")
        workers = await list_workers(session, page.services, page.actor, after=after, limit=_PAGE + 1)
    shown, more = page_of(workers, _PAGE)
    return page.show(
        "workers.html",
        workers=shown,
        code=code,
        not_found=bool(code),
        masked=not page.may("read_personal"),
        cursor=shown[-1]["worker_code"] if more else None,
    )


@router.get("/workers/{worker_id}")
async def one(page: Reader, worker_id: UUID) -> Response:
    """One worker. `?file=` shows what the law owes her in that file; without it, in the latest."""
    file_id = cursor(page.request.query_params.get("file"))
    async with page.session() as session:
        worker = await get_worker(session, page.services, page.actor, worker_id)
        changes = await list_changes(session, page.services, page.actor, workers=[worker_id])
        cooling_hours = (await get_factory(session)).cooling_hours
        owed = await _owed(session, worker_id, file_id)
        payments = list(
            await session.scalars(select(Payment).where(Payment.worker_id == worker_id).order_by(Payment.id.desc()).limit(_LATEST))
        )
        slips = await list_slips(session, page.services, page.actor, run_id=None, worker_id=worker_id, after=None, limit=_LATEST)
    destinations: Any = worker["destinations"]
    return page.show(
        "worker.html",
        _entitlement(owed, page.actor),
        worker=worker,
        place=next((item for item in destinations if item["state"] != "retired" and not item["is_proposal"]), None),
        earlier=[item for item in destinations if item["state"] == "retired"],
        masked=not page.may("read_personal"),
        payments=payments,
        changes=changes,
        cooling_hours=cooling_hours,
        slips=[slip for slip in reversed(slips) if slip["text"]],
    )


async def _owed(session: AsyncSession, worker_id: UUID, file_id: UUID | None) -> tuple[FileEntitlement, FileReview, PayrollFile] | None:
    query = select(FileEntitlement).where(FileEntitlement.worker_id == worker_id).order_by(FileEntitlement.file_id.desc()).limit(1)
    if file_id is not None:
        query = query.where(FileEntitlement.file_id == file_id)
    owed = await session.scalar(query)
    if owed is None:
        return None
    review = await session.get_one(FileReview, (owed.factory_id, owed.file_id))
    return owed, review, await get_file(session, owed.file_id)


def _entitlement(found: tuple[FileEntitlement, FileReview, PayrollFile] | None, actor: Actor) -> dict[str, object]:
    if found is None:
        return {"owed": None, "articles": {}, "file": None, "lines": []}
    owed, review, file = found
    articles: Mapping[str, Sequence[Mapping[str, str]]] = review.citations  # type: ignore[assignment]
    lines: Sequence[Mapping[str, Any]] = owed.lines  # type: ignore[assignment]
    return {"owed": owed, "articles": articles_for(actor, articles), "file": file, "lines": lines_for(actor, lines)}


@router.post("/workers/{worker_id}/destination")
async def vouch(page: Doer, worker_id: UUID) -> Response:
    """A person vouches for an account that the provider could not settle, or refuses it."""
    destination = cursor(page.typed("destination"))
    if destination is None:
        raise InvalidError("Choose the account to decide about.")
    async with page.session() as session:
        confirmed = bool(page.typed("confirmed"))
        await decide(session, page.services, page.actor, destination, confirmed=confirmed, reason=page.typed("reason"))
    return page.go(f"/workers/{worker_id}", "decided")
