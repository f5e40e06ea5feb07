"""Which workers of a file already stand in another file of the same period and kind of run, shown before anything happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import Money, currency
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of
from payroll_api.intake.find import get_file
from payroll_api.intake.models import PayrollFile

HOLDS_FROM = 30  # percent of the smaller file's workers: a corrected file sent again, or the same wages twice
LIVE = ("read", "reconciled")

# How many workers each other file shares with this one, how many of them with the same net, and how many it has in all.
_BY_FILE = (
    "select o.file_id, count(*), count(*) filter (where o.net_minor = r.net_minor and o.currency = r.currency),"
    " (select count(*) from file_rows a where a.factory_id = $1 and a.file_id = o.file_id)"
    " from file_rows r join file_rows o on o.factory_id = r.factory_id and o.worker_code = r.worker_code and o.file_id = any($3)"
    " where r.factory_id = $1 and r.file_id = $2 group by o.file_id order by o.file_id"
)
_IN_ALL = (
    "select count(*), count(*) filter (where found.same), (select count(*) from file_rows where factory_id = $1 and file_id = $2)"
    " from (select bool_and(o.net_minor = r.net_minor and o.currency = r.currency) as same"
    " from file_rows r join file_rows o on o.factory_id = r.factory_id and o.worker_code = r.worker_code and o.file_id = any($3)"
    " where r.factory_id = $1 and r.file_id = $2 group by r.position) found"
)
_WORKERS = (
    "select r.position, r.sheet, r.row, r.worker_code, r.net_minor, r.currency,"
    " array_agg(o.file_id order by o.file_id), array_agg(o.net_minor order by o.file_id), array_agg(o.currency order by o.file_id)"
    " from file_rows r join file_rows o on o.factory_id = r.factory_id and o.worker_code = r.worker_code and o.file_id = any($3)"
    " where r.factory_id = $1 and r.file_id = $2 and r.position > $4"
    " group by r.position, r.sheet, r.row, r.worker_code, r.net_minor, r.currency order by r.position limit $5"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlappingWorker:
    """A worker of this file with her net here and in each other file (by its id)."""

    position: int
    sheet: str
    row: int
    worker_code: str
    net: Money
    elsewhere: tuple[tuple[UUID, Money], ...]

    @property
    def is_same(self) -> bool:
        """Whether every other file says the same net."""
        return all(net == self.net for _, net in self.elsewhere)


async def other_files(session: AsyncSession, file: PayrollFile) -> list[PayrollFile]:
    """The other files of the file's period and kind from which workers can be paid, the oldest first."""
    return list(
        await session.scalars(
            select(PayrollFile)
            .where(PayrollFile.period == file.period, PayrollFile.kind == file.kind, PayrollFile.id != file.id, PayrollFile.state.in_(LIVE))
            .order_by(PayrollFile.id)
        )
    )


async def overlap_of(session: AsyncSession, file: PayrollFile) -> dict[str, Any] | None:
    """How much of a file stands elsewhere; None where no worker does. `share` is percent of the smaller of two files."""
    others = {other.id: other for other in await other_files(session, file)}
    if not others:
        return None
    at = (factory_of(session), file.id, list(others))
    found = await fetch(session, _BY_FILE, *at)
    if not found:
        return None
    ((workers, same, here),) = await fetch(session, _IN_ALL, *at)
    share = max(100 * shared // max(min(here, there), 1) for _, shared, _, there in found)
    return {
        "workers": workers,
        "same": same,
        "different": workers - same,
        "new": here - workers,
        "share": share,
        "holds": share >= HOLDS_FROM,
        "files": [
            {"file_id": str(id_), "file_name": others[id_].file_name, "workers": shared, "same": alike, "only_there": there - shared}
            for id_, shared, alike, there in found
        ],
    }


async def overlapping_workers(session: AsyncSession, file_id: UUID, *, after: int, limit: int) -> list[OverlappingWorker]:
    """Worker by worker, in the order of the sheet, from after a position. Raises NotFoundError."""
    file = await get_file(session, file_id)
    others = [other.id for other in await other_files(session, file)]
    if not others:
        return []
    return [
        OverlappingWorker(
            position=position,
            sheet=sheet,
            row=row,
            worker_code=code,
            net=Money(minor, currency(unit)),
            elsewhere=tuple((id_, Money(m, currency(u))) for id_, m, u in zip(ids, minors, units, strict=True)),
        )
        for position, sheet, row, code, minor, unit, ids, minors, units in await fetch(
            session, _WORKERS, factory_of(session), file_id, others, after, limit
        )
    ]
