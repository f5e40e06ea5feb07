"""Files for banks' portals: made once, released by a second person, and their result files read back."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import FileResult, PayoutOrder, WritesFiles
from importers.guard import RefusedFileError
from importers.workbook import open_grids, text_of
from payroll_api.access.actor import Actor, Permission
from payroll_api.access.four_eyes import require_other, require_person
from payroll_api.audit.journal import Event, record
from payroll_api.clock import pay_day
from payroll_api.db.base import new_id
from payroll_api.db.bulk import fetch, run
from payroll_api.db.session import factory_of
from payroll_api.errors import NotFoundError, ProblemError
from payroll_api.intake.upload import safe_name
from payroll_api.outside.guard import may_claim
from payroll_api.payments.gate import is_stopped
from payroll_api.payments.intent import batch_of
from payroll_api.payments.models import BankFile, BankFileResult, Dispatch
from payroll_api.payments.orders import orders_of
from payroll_api.payments.outcomes import record_words
from payroll_api.payments.verdict import Source, Word
from payroll_api.services import Services

LARGEST_RESULT = 16 * 1024 * 1024
_WAITING = "select reference from attempts where factory_id = $1 and dispatch_id = $2 and state = 'accepted'"
_PARTS = """
select d.id, d.provider_account_id, count(*) filter (where a.state = 'accepted')
from dispatches d join attempts a on a.factory_id = d.factory_id and a.dispatch_id = d.id
where d.factory_id = $1 and d.run_id = $2 group by 1, 2 order by 1
"""
_RELEASE = (
    "update bank_files set state = 'released', released_by = $3, released_at = $4 where factory_id = $1 and id = $2 and state = 'made'"
)


async def make_file(session: AsyncSession, services: Services, actor: Actor, dispatch_id: UUID) -> BankFile:
    """The file of one dispatch, made the first time and the same ever after: never the same orders under a second name.

    Raises ProblemError `no_file_here` for an account whose connector writes none, `file_not_ready`, `file_refused`.
    """
    actor.require(Permission.RELEASE)
    require_person(actor)
    dispatch = await session.get(Dispatch, (actor.factory_id, dispatch_id), with_for_update=True)
    if dispatch is None:
        raise NotFoundError("message to a bank")
    made = await session.scalar(select(BankFile).where(BankFile.dispatch_id == dispatch_id))
    if made is not None:
        return made
    writer = await _writer(session, services, dispatch.provider_account_id)
    orders = await _waiting(session, services, dispatch)
    try:
        file = writer.write_file(batch_of(dispatch.id, orders, pay_day(dispatch.created_at)))
    except ValueError as error:
        raise ProblemError("file_refused", f"The file was not made: {error}.") from None
    now, file_id = services.clock(), new_id()
    vault = await services.keys.vault(session)
    made = BankFile(
        factory_id=actor.factory_id,
        id=file_id,
        run_id=dispatch.run_id,
        provider_account_id=dispatch.provider_account_id,
        dispatch_id=dispatch_id,
        name=file.name,
        media_type=file.media_type,
        content=vault.seal(file.content, "bank_files", file_id, "content"),
        content_hash=file.content_hash,
        count=len(orders),
        amount_minor=sum(order.amount.minor for order in orders),
        currency=orders[0].amount.currency.code,
        state="made",
        made_by=actor.name,
        made_at=now,
        released_by=None,
        released_at=None,
        downloads=0,
    )
    session.add(made)
    await session.flush()
    data = {"content": file.content_hash, "dispatch": str(dispatch_id), "count": len(orders), "amount": made.amount_minor}
    await record(session, now, Event(actor=actor.name, action="bank_file.made", subject=f"bank_file:{file_id}", data=data))
    return made


async def _writer(session: AsyncSession, services: Services, provider_account_id: UUID) -> WritesFiles:
    writer = (await services.connectors.payout(session, provider_account_id)).files
    if writer is None:
        raise ProblemError("no_file_here", "This account is not paid through a file: its payments travel by themselves.")
    return writer


async def _waiting(session: AsyncSession, services: Services, dispatch: Dispatch) -> list[PayoutOrder]:
    """The orders of the dispatch that wait to be paid, exactly as they were committed."""
    waiting = {row[0] for row in await fetch(session, _WAITING, dispatch.factory_id, dispatch.id)}
    orders, changed = await orders_of(session, await services.keys.vault(session), dispatch)
    found = [order for order in orders if order.reference in waiting]
    if dispatch.state == "intent" or not found or waiting & set(changed):
        raise ProblemError("file_not_ready", "The payments of this file are still being prepared, or none is left. Load the page again.")
    return found


async def _require_standing(session: AsyncSession, services: Services, file: BankFile) -> None:
    """A file that people carry asks at its gate as a message that travels by itself does, under the dispatch's lock.

    Raises ProblemError `sending_stopped`, `sending_locked`, or `file_outdated` where a payment in it no longer waits for this file.
    """
    dispatch = await session.get_one(Dispatch, (file.factory_id, file.dispatch_id), with_for_update=True, populate_existing=True)
    if await is_stopped(session, dispatch):
        raise ProblemError("sending_stopped", "Payments are stopped here. Two people lift the stop before anything leaves.")
    if not await may_claim(session, services):
        raise ProblemError("sending_locked", "Nothing leaves now: this database may be older than what was sent. See the page Restore.")
    waiting = len(await fetch(session, _WAITING, file.factory_id, file.dispatch_id))
    if waiting != file.count:
        raise ProblemError(
            "file_outdated",
            f"Of the {file.count} payments in this file {waiting} still wait for it: the others were settled otherwise, and the bank would"
            " pay them again. Do not take it to the bank. Find out about the rest on the run's page, and pay them again from there.",
        )


async def release_file(session: AsyncSession, services: Services, actor: Actor, file_id: UUID) -> BankFile:
    """Let the file be taken to the portal, by another person than its maker.

    Raises NotAllowedError, ProblemError `file_state`, and what `_require_standing` raises.
    """
    actor.require(Permission.RELEASE)
    file = await get_file(session, actor, file_id)
    require_other(actor, file.made_by)
    await _require_standing(session, services, file)
    now = services.clock()
    if await run(session, _RELEASE, actor.factory_id, file_id, actor.name, now) != 1:
        raise ProblemError("file_state", "The file is released already. Load the page again.")
    await session.refresh(file)
    data = {"content": file.content_hash, "made_by": file.made_by}
    await record(session, now, Event(actor=actor.name, action="bank_file.released", subject=f"bank_file:{file_id}", data=data))
    return file


async def download_file(session: AsyncSession, services: Services, actor: Actor, file_id: UUID) -> tuple[BankFile, bytes]:
    """The file's bytes, the same each time. Raises ProblemError `file_not_released`; the first time, what `_require_standing` raises."""
    actor.require(Permission.RELEASE)
    require_person(actor)
    file = await get_file(session, actor, file_id, lock=True)
    if file.state == "made":
        raise ProblemError("file_not_released", "Another person must release this file before it is taken to the bank.")
    if file.downloads == 0:
        await _require_standing(session, services, file)
    vault = await services.keys.vault(session)
    content = vault.open_bytes(file.content, "bank_files", file.id, "content")
    if hashlib.sha256(content).hexdigest() != file.content_hash:
        raise ProblemError("file_changed", "The stored file is not the one that was made. Do not use it; call the operator.", status=500)
    file.downloads += 1
    await session.flush()
    data = {"content": file.content_hash, "time": file.downloads}
    await record(
        session, services.clock(), Event(actor=actor.name, action="bank_file.downloaded", subject=f"bank_file:{file_id}", data=data)
    )
    return file, content


async def take_result(
    session: AsyncSession, services: Services, actor: Actor, file_id: UUID, *, file_name: str, content: bytes
) -> BankFileResult:
    """Read the bank's result file: each payment that it names, with account and amount compared.

    Raises ProblemError `file_too_large`, `file_not_released`, `result_refused` (nothing was changed), `result_already_uploaded`.
    """
    actor.require(Permission.SETTLE)
    require_person(actor)
    file = await get_file(session, actor, file_id, lock=True)
    if len(content) > LARGEST_RESULT:
        raise ProblemError("file_too_large", "The result file has more than 16 MiB. Is it the right one?", status=413)
    if file.state == "made":
        raise ProblemError("file_not_released", "This file was never released, so the bank cannot have answered it.")
    dispatch = await session.get_one(Dispatch, (actor.factory_id, file.dispatch_id), with_for_update=True)
    connector = await services.connectors.payout(session, file.provider_account_id)
    orders, _ = await orders_of(session, await services.keys.vault(session), dispatch)
    result = await _read(await _writer(session, services, file.provider_account_id), orders, file_name, content)
    now, result_id = services.clock(), new_id()
    vault = await services.keys.vault(session)
    digest = hashlib.sha256(content).hexdigest()
    kept = BankFileResult(
        factory_id=actor.factory_id,
        id=result_id,
        bank_file_id=file_id,
        file_name=safe_name(file_name),
        content=vault.seal(content, "bank_file_results", result_id, "content"),
        content_hash=digest,
        named=len(result.outcomes),
        problems=list(result.problems),
        uploaded_by=actor.name,
        uploaded_at=now,
    )
    session.add(kept)
    try:
        await session.flush()
    except IntegrityError:
        raise ProblemError(
            "result_already_uploaded", "This very result file was read before: nothing changes by reading it again."
        ) from None
    # The bank's own file is its books, as its statement is; account and amount were compared in the connector.
    words = [Word(outcome=outcome, source=Source.STATEMENT) for outcome in result.outcomes]
    await record_words(session, dispatch, words, connector.profile, actor=actor.name, at=now)
    file.state = "answered"
    await session.flush()
    data = {"content": digest, "named": len(result.outcomes), "problems": len(result.problems), "file": file.content_hash}
    await record(session, now, Event(actor=actor.name, action="bank_file.answered", subject=f"bank_file:{file_id}", data=data))
    return kept


async def _read(writer: WritesFiles, orders: Sequence[PayoutOrder], file_name: str, content: bytes) -> FileResult:
    """The result of the sheet that names payments. The file is somebody else's: it is opened in a limited process."""
    try:
        sheets = await asyncio.to_thread(_sheets, content, file_name)
    except RefusedFileError as error:
        raise ProblemError("result_refused", f"The result file cannot be read ({error}). Download it from the portal again.") from None
    results = [writer.read_result(rows, orders) for rows in sheets]
    named = [result for result in results if result.outcomes]
    if len(named) == 1:
        return named[0]
    problems = "; ".join(problem for result in results for problem in result.problems[:3]) or "it holds no sheet"
    why = "two of its sheets name payments" if named else problems
    raise ProblemError("result_refused", f"The result file was not taken, and nothing changed: {why}.")


def _sheets(content: bytes, file_name: str) -> list[list[list[str]]]:
    with open_grids(content, file_name) as opened:
        if opened.second_opinion():
            raise RefusedFileError("unreadable")  # two readings of the file do not agree
        return [[[text_of(cell) for cell in row] for row in grid.rows] for grid in opened.grids]


async def get_file(session: AsyncSession, actor: Actor, file_id: UUID, *, lock: bool = False) -> BankFile:
    """One file. Raises NotFoundError."""
    file = await session.get(BankFile, (actor.factory_id, file_id), with_for_update=True if lock else None)
    if file is None:
        raise NotFoundError("file for the bank")
    return file


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A dispatch to a bank that takes files, and its file once it is made."""

    dispatch_id: UUID
    provider_account_id: UUID
    waiting: int
    file: BankFile | None


async def bank_files_of(session: AsyncSession, services: Services, run_id: UUID) -> list[Part]:
    """The parts of a run that travel in files, in the order of their dispatches."""
    rows = await fetch(session, _PARTS, factory_of(session), run_id)
    made = {file.dispatch_id: file for file in await session.scalars(select(BankFile).where(BankFile.run_id == run_id))}
    writes = {
        account: (await services.connectors.payout(session, account)).files is not None for account in sorted({row[1] for row in rows})
    }
    return [
        Part(dispatch_id=row[0], provider_account_id=row[1], waiting=row[2], file=made.get(row[0]))
        for row in rows
        if writes[row[1]] and (row[2] or row[0] in made)
    ]


async def results_of(session: AsyncSession, file_ids: Sequence[UUID]) -> dict[UUID, list[BankFileResult]]:
    """The result files of these files, the newest first."""
    query = select(BankFileResult).where(BankFileResult.bank_file_id.in_(file_ids)).order_by(BankFileResult.uploaded_at.desc())
    found: dict[UUID, list[BankFileResult]] = {}
    for result in await session.scalars(query):
        found.setdefault(result.bank_file_id, []).append(result)
    return found
