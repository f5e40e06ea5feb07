"""Seal events into blocks, in order of transactions that can no longer change, so that none is ever skipped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.audit import chain, signing
from payroll_api.audit.models import AuditBlock
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of
from payroll_api.failpoints import failpoint, failpoint_now

# An event's transaction is below the horizon only when every transaction up to it has ended: sequence order is not commit order.
_HORIZON = "select (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint"
_EVENTS = "select leaf, id from audit_events where factory_id = $1 and xid >= $2 and xid < $3 and id > $4 order by xid, id"
# In a cluster that was restored from a dump, transaction ids begin anew, lower than those that were sealed; event ids go on. An event with
# a later id and an earlier transaction than what was sealed cannot be of the same cluster.
_STRAY = "select id from audit_events where factory_id = $1 and id > $2 and xid < $3 order by id limit 1"
_TAIL = "select max(xid) from audit_events where factory_id = $1 and id > $2 and id < $3 and xid >= $4"
_HIGHEST = "select coalesce(max(id), 0) from audit_events where factory_id = $1 and xid < $2 and id > $3"
_LOCK = "select pg_advisory_xact_lock(hashtextextended('audit-seal|' || $1::text, 0))"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """Which events a block is to take: transactions from `from_xid` up to before `to_xid`, ids after `after_id` and before `before_id`."""

    from_xid: int
    to_xid: int
    after_id: int
    before_id: int | None = None


async def _next(session: AsyncSession, factory_id: UUID, last: AuditBlock | None) -> _Stretch:
    horizon = int((await fetch(session, _HORIZON))[0][0])
    if last is None:
        return _Stretch(from_xid=0, to_xid=horizon, after_id=0)
    last_id = last.last_id or (await fetch(session, _HIGHEST, factory_id, last.to_xid, last.after_id))[0][0]
    stray = await fetch(session, _STRAY, factory_id, last_id, last.to_xid)
    if not stray:
        return _Stretch(from_xid=last.to_xid, to_xid=horizon, after_id=last.after_id)
    # First what the old cluster had written and not sealed: it is all here, the dump holds only what was committed.
    tail = (await fetch(session, _TAIL, factory_id, last.after_id, stray[0][0], last.to_xid))[0][0]
    if tail is not None:
        return _Stretch(from_xid=last.to_xid, to_xid=tail + 1, after_id=last.after_id, before_id=stray[0][0])
    return _Stretch(from_xid=0, to_xid=horizon, after_id=stray[0][0] - 1)


async def seal(session: AsyncSession, signer: signing.Signer, at: datetime) -> signing.Checkpoint | None:
    """Seal what has been written since the last block. Gives the signed head to remember outside, or None if nothing was new.

    Only one sealer of a factory works at a time; the lock is the transaction's.
    """
    factory_id = factory_of(session)
    await fetch(session, _LOCK, str(factory_id))
    last = await session.scalar(select(AuditBlock).order_by(AuditBlock.number.desc()).limit(1))
    stretch = await _next(session, factory_id, last)
    rows = await fetch(session, _EVENTS, factory_id, stretch.from_xid, stretch.to_xid, stretch.after_id)
    rows = [row for row in rows if stretch.before_id is None or row[1] < stretch.before_id]
    leaves = [bytes(row[0]) for row in rows]
    if not leaves:
        return None
    number = last.number + 1 if last else 1
    size = (last.size if last else 0) + len(leaves)
    previous = last.head if last else chain.GENESIS
    root = chain.root(leaves)
    head = chain.head(
        factory_id=factory_id,
        number=number,
        previous=previous,
        merkle_root=root,
        count=len(leaves),
        size=size,
        from_xid=stretch.from_xid,
        to_xid=stretch.to_xid,
    )
    checkpoint = signer.sign(factory=str(factory_id), number=number, size=size, head=head)
    await failpoint("E2")
    session.add(
        AuditBlock(
            factory_id=factory_id,
            number=number,
            from_xid=stretch.from_xid,
            to_xid=stretch.to_xid,
            after_id=stretch.after_id,
            last_id=max(last.last_id if last else 0, *(row[1] for row in rows)),
            count=len(leaves),
            size=size,
            root=root,
            previous=previous,
            head=head,
            sealed_at=at,
            key_id=checkpoint.key_id,
            signature=checkpoint.signature.encode(),
        )
    )
    await session.flush()
    return checkpoint


def remember(path: Path, checkpoint: signing.Checkpoint | None) -> None:
    """Write the head outside the database, after its block has been committed."""
    if checkpoint is not None:
        failpoint_now("E2")
        signing.append(path, checkpoint)
