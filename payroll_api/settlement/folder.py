"""A watched folder, also the end of an SFTP drop: statements are taken once they have come to rest, and moved to `done` or `refused`.

    <PAYROLL_STATEMENT_FOLDER>/<factory's short name>/<the account's folder>/statement.xml  ->  done/  or  refused/ with a reason beside it

A file is never read half-written: its size and time must be the same at two looks some seconds apart, and after reading, too; names that
senders use while they write are passed over. It moves only after it was matched or refused, so whatever dies in between, it is still there.
"""

from __future__ import annotations

import asyncio
import re
import stat
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api import logs
from payroll_api.access.actor import Actor, Permission
from payroll_api.audit.journal import Event, record
from payroll_api.errors import InvalidError, ProblemError
from payroll_api.factories.models import FactoryDirectory
from payroll_api.factories.provider_accounts import get_account
from payroll_api.services import Services
from payroll_api.settlement.arrivals import arrivals_of, remember, take
from payroll_api.settlement.models import StatementArrival, StatementFile, StatementFolder
from payroll_api.settlement.upload import LARGEST_STATEMENT

log = logs.get(__name__)

_QUIET = timedelta(seconds=10)
_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,60}$")
_BEING_WRITTEN = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".writing", ".lock", "~")
_MOST = 200  # files of one look


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    path: Path
    size: int
    print: str  # size and time of the last write: another one is another content

    @property
    def source(self) -> str:
        return f"folder:{self.path.name}"


async def set_folder(session: AsyncSession, services: Services, actor: Actor, provider_account_id: UUID, folder: str | None) -> None:
    """Watch a folder for an account's statements, or none. Raises InvalidError, ProblemError `folder_taken` or `no_folders`."""
    actor.require(Permission.ADMINISTER)
    await get_account(session, provider_account_id)
    now = services.clock()
    if folder is not None:
        if services.settings.statement_folder is None:
            raise ProblemError("no_folders", "This service watches no folders. Its operator sets PAYROLL_STATEMENT_FOLDER first.")
        if _NAME.match(folder) is None:
            raise InvalidError(
                "A folder's name is 1 to 61 of a-z, 0-9, - and _.", fields=[{"field": "folder", "problem": "choose another"}]
            )
        other = await session.scalar(
            select(StatementFolder).where(StatementFolder.folder == folder, StatementFolder.provider_account_id != provider_account_id)
        )
        if other is not None:
            raise ProblemError("folder_taken", "Another account's statements lie in this folder. Choose another name.")
        await session.merge(
            StatementFolder(
                factory_id=actor.factory_id, provider_account_id=provider_account_id, folder=folder, set_by=actor.name, set_at=now
            )
        )
    elif (row := await session.get(StatementFolder, (actor.factory_id, provider_account_id))) is not None:
        await session.delete(row)
    await session.flush()
    event = Event(
        actor=actor.name, action="statement_folder.set", subject=f"provider_account:{provider_account_id}", data={"folder": folder}
    )
    await record(session, now, event)


async def folders(session: AsyncSession) -> dict[UUID, str]:
    """The watched folder of each account that has one."""
    return {row.provider_account_id: row.folder for row in await session.scalars(select(StatementFolder))}


async def scan(services: Services, factory_id: UUID) -> None:
    """One look into a factory's folders."""
    root = services.settings.statement_folder
    if root is None:
        return
    async with services.database.nobody() as session:
        slug = await session.scalar(select(FactoryDirectory.slug).where(FactoryDirectory.factory_id == factory_id))
    async with services.database.factory(factory_id) as session:
        watched = await folders(session)
    for account_id, name in watched.items():
        here = root / str(slug) / name
        for file in await asyncio.to_thread(_look, here):
            await _one(services, factory_id, account_id, file)


def _look(here: Path) -> list[_File]:
    here.mkdir(parents=True, exist_ok=True)
    found = []
    for path in sorted(here.iterdir()):
        if path.name.startswith(".") or path.name.casefold().endswith(_BEING_WRITTEN):
            continue
        file = _seen(path)
        if file is not None:
            found.append(file)
    return found[:_MOST]


def _seen(path: Path) -> _File | None:
    """A plain file as it is now; nothing for folders, links and what has gone meanwhile."""
    try:
        told = path.stat(follow_symlinks=False)
    except OSError:
        return None
    if not stat.S_ISREG(told.st_mode):
        return None
    return _File(path=path, size=told.st_size, print=f"{told.st_size}|{told.st_mtime_ns}")


async def _one(services: Services, factory_id: UUID, account_id: UUID, file: _File) -> None:
    async with services.database.factory(factory_id) as session:
        known = (await arrivals_of(session, account_id)).get(file.source)
        now = services.clock()
        if known is None or known.state not in {"waiting", "taken"} or not known.detail.startswith(file.print):
            await remember(session, now, account_id, file.source, state="waiting", detail=file.print)
            return
        if known.state == "taken":
            await _finish(session, services, account_id, file, known)
            return
        if now - known.seen_at < _QUIET:
            return
        if file.size > LARGEST_STATEMENT:
            await _move(session, services, account_id, file, "refused", "The file has more than 64 MiB. Ask for one file for each day.")
            return
        content = await asyncio.to_thread(file.path.read_bytes)
        if (again := await asyncio.to_thread(_seen, file.path)) is None or again.print != file.print:
            return  # it changed while it was read: the next look begins anew
        state, statement = await take(session, services, account_id, file_name=file.path.name, content=content)
        if state == "known":
            await _move(session, services, account_id, file, "done", "This very statement came before; nothing changed by it.", statement)
        else:
            await remember(session, now, account_id, file.source, state="taken", detail=file.print, statement_id=statement)


async def _finish(session: AsyncSession, services: Services, account_id: UUID, file: _File, known: StatementArrival) -> None:
    """Move a file whose statement was matched or refused meanwhile."""
    if known.statement_id is None:
        return
    statement = await session.get_one(StatementFile, (known.factory_id, known.statement_id))
    if statement.state == "matched":
        await _move(session, services, account_id, file, "done", "", statement.id)
    elif statement.state == "refused":
        await _move(session, services, account_id, file, "refused", statement.detail, statement.id)


async def _move(
    session: AsyncSession, services: Services, account_id: UUID, file: _File, place: str, reason: str, statement: UUID | None = None
) -> None:
    """The move first: if the note of it is lost, the file is gone from here and nothing is read twice."""
    now = services.clock()
    target = file.path.parent / place / f"{now:%Y%m%dT%H%M%SZ}-{file.path.name}"
    await asyncio.to_thread(_put, file.path, target, reason)
    state = "refused" if place == "refused" else "known"
    await remember(session, now, account_id, file.source, state=state, detail=reason or "matched", statement_id=statement)
    log.info("statement_file_moved", provider_account=str(account_id), place=place)


def _put(source: Path, target: Path, reason: str) -> None:
    target.parent.mkdir(exist_ok=True)
    if reason:
        target.with_name(f"{target.name}.reason.txt").write_text(reason + "\n", encoding="utf-8")
    source.replace(target)
