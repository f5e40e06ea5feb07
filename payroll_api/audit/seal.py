"""Seal events into blocks, in order of transactions that can no longer change, so that none is ever skipped."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.audit import chain, signing
from payroll_api.audit.models import AuditBlock
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of
from payroll_api.failpoints import failpoint, failpoint_now

# An event's transaction is below the horizon only when every transaction up to it has ended: sequence order is not commit order.
_HORIZON = "select (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint"
_EVENTS = "select leaf from audit_events where factory_id = $1 and xid >= $2 and xid < $3 order by xid, id"
_LOCK = "select pg_advisory_xact_lock(hashtextextended('audit-seal|' || $1::text, 0))"


async def seal(session: AsyncSession, signer: signing.Signer, at: datetime) -> signing.Checkpoint | None:
    """Seal what has been written since the last block. Gives the signed head to remember outside, or None if nothing was new.

    Only one sealer of a factory works at a time; the lock is the transaction's.
    """
    factory_id = factory_of(session)
    await fetch(session, _LOCK, str(factory_id))
    last = await session.scalar(select(AuditBlock).order_by(AuditBlock.number.desc()).limit(1))
    from_xid = last.to_xid if last else 0
    horizon = int((await fetch(session, _HORIZON))[0][0])
    if horizon <= from_xid:
        return None
    leaves = [bytes(row[0]) for row in await fetch(session, _EVENTS, factory_id, from_xid, horizon)]
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
        from_xid=from_xid,
        to_xid=horizon,
    )
    checkpoint = signer.sign(factory=str(factory_id), number=number, size=size, head=head)
    await failpoint("E2")
    session.add(
        AuditBlock(
            factory_id=factory_id,
            number=number,
            from_xid=from_xid,
            to_xid=horizon,
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
