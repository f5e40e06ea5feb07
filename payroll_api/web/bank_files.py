"""Files for banks' portals: make one, have it released, download it, and give back what the bank answered."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from payroll_api.errors import NotFoundError, ProblemError
from payroll_api.factories.provider_accounts import list_
from payroll_api.payments.bank_files import (
    LARGEST_RESULT,
    bank_files_of,
    download_file,
    get_file,
    make_file,
    release_file,
    results_of,
    take_result,
)
from payroll_api.runs.find import get_run
from payroll_api.web import names
from payroll_api.web.page import Doer, Page, Reader
from payroll_api.web.problem import Told, mistake, told
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/runs/{run_id}/files")
async def show(page: Reader, run_id: UUID) -> Response:
    """Every file of the run, and what is to be done with it."""
    return await _show(page, run_id)


async def _show(page: Page, run_id: UUID, problem: Told | None = None, status: int = 200) -> Response:
    async with page.session() as session:
        run = await get_run(session, run_id)
        parts = await bank_files_of(session, page.services, run_id)
        accounts = {account.id: account.name for account in await list_(session)}
        results = await results_of(session, [part.file.id for part in parts if part.file is not None])
        people = await names.actors(session, page, [part.file.made_by for part in parts if part.file is not None])
    return page.show(
        "bank_files.html",
        status=status,
        problem=problem,
        run=run,
        parts=parts,
        account_names=accounts,
        results=results,
        people=people,
    )


@router.post("/runs/{run_id}/files")
async def make(page: Doer, run_id: UUID) -> Response:
    """Make the file of one message."""
    try:
        dispatch = UUID(page.typed("dispatch"))
    except ValueError:
        raise NotFoundError("message to a bank") from None
    async with page.session() as session:
        await make_file(session, page.services, page.actor, dispatch)
    return page.go(f"/runs/{run_id}/files", "file_made")


@router.post("/files/{file_id}/release")
async def release(page: Doer, file_id: UUID) -> Response:
    """Let it be taken to the bank."""
    async with page.session() as session:
        file = await release_file(session, page.services, page.actor, file_id)
        run_id = file.run_id
    return page.go(f"/runs/{run_id}/files", "file_released")


@router.get("/files/{file_id}/content")
async def content(page: Reader, file_id: UUID) -> Response:
    """The file itself."""
    async with page.session() as session:
        file, found = await download_file(session, page.services, page.actor, file_id)
    headers = {"content-disposition": f'attachment; filename="{file.name}"'}
    return Response(found, media_type=file.media_type, headers=headers)


@router.post("/files/{file_id}/results")
async def take(page: Doer, file_id: UUID) -> Response:
    """Read what the bank answered."""
    async with page.session() as session:
        run_id = (await get_file(session, page.actor, file_id)).run_id
    sent = page.sent_file("file")
    if sent is None:
        return await _show(page, run_id, mistake(page.words, "file_missing"), status=422)
    found = await sent.read(LARGEST_RESULT + 1)
    try:
        async with page.session() as session:
            await take_result(session, page.services, page.actor, file_id, file_name=sent.filename or "", content=found)
    except ProblemError as error:
        return await _show(page, run_id, told(page.words, error), status=error.status)
    return page.go(f"/runs/{run_id}/files", "file_answered")
