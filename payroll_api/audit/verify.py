"""Check a factory's chain: every event's bytes against its leaf, every block against its events, every head against what was signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.audit import chain
from payroll_api.audit.models import AuditBlock
from payroll_api.audit.signing import Checkpoint, signed_well
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of

_EVENTS = (
    "select xid, id, body, leaf from audit_events where factory_id = $1 and xid >= $2 and xid < $3 and id > $4"
    " and ($5::bigint is null or id <= $5) order by xid, id"
)
_COUNT = "select count(*) from audit_events where factory_id = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReport:
    """What a check found. `broken` names the first thing that is wrong, in words; None means that everything fits."""

    events: int
    blocks: int
    unsealed: int
    broken: str | None = None
    event: str | None = None  # "xid/id" of the first broken event, where one can be named

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return self.broken is None


class _BrokenError(Exception):
    """The check found something: why, and which event."""

    def __init__(self, why: str, event: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.event = event


async def verify(session: AsyncSession, key_id: str, outside: Sequence[Checkpoint]) -> ChainReport:
    """Check the session's factory. `key_id` is the pinned public key; `outside` are checkpoints kept outside the database."""
    factory_id = factory_of(session)
    blocks = list(await session.scalars(select(AuditBlock).order_by(AuditBlock.number)))
    size = 0
    before: AuditBlock | None = None
    try:
        for position, block in enumerate(blocks, start=1):
            _check_order(block, before, position)
            leaves = await _leaves(session, block, min((one.after_id for one in blocks if one.after_id > block.after_id), default=None))
            size += len(leaves)
            _check_content(block, leaves, factory_id, size, key_id)
            before = block
        _check_outside(blocks, factory_id, key_id, outside)
    except _BrokenError as error:
        return ChainReport(events=size, blocks=len(blocks), unsealed=0, broken=error.why, event=error.event)
    everything = (await fetch(session, _COUNT, factory_id))[0][0]
    return ChainReport(events=size, blocks=len(blocks), unsealed=int(everything) - size)


def _check_order(block: AuditBlock, before: AuditBlock | None, position: int) -> None:
    if block.number != position:
        raise _BrokenError(f"block {position} is missing")
    begins_anew = before is None or block.after_id > before.after_id  # in another cluster
    goes_on = before is None or block.after_id >= before.after_id
    expected = 0 if begins_anew or before is None else before.to_xid
    if block.previous != (before.head if before else chain.GENESIS) or block.from_xid != expected or not goes_on:
        raise _BrokenError(f"block {position} does not follow the block before it")


async def _leaves(session: AsyncSession, block: AuditBlock, up_to: int | None) -> list[bytes]:
    leaves: list[bytes] = []
    for xid, number, body, leaf in await fetch(session, _EVENTS, block.factory_id, block.from_xid, block.to_xid, block.after_id, up_to):
        if chain.leaf(body) != leaf:
            raise _BrokenError(f"event {xid}/{number} of block {block.number} was changed", f"{xid}/{number}")
        leaves.append(leaf)
    return leaves


def _check_content(block: AuditBlock, leaves: Sequence[bytes], factory_id: UUID, size: int, key_id: str) -> None:
    if len(leaves) != block.count:
        raise _BrokenError(f"block {block.number} sealed {block.count} events, {len(leaves)} are there")
    if chain.root(leaves) != block.root:
        raise _BrokenError(f"the events of block {block.number} are not those that were sealed: one was replaced, moved or re-ordered")
    if problem := _head_problem(block, factory_id, size, key_id):
        raise _BrokenError(f"block {block.number}: {problem}")


def _head_problem(block: AuditBlock, factory_id: UUID, size: int, key_id: str) -> str | None:
    head = chain.head(
        factory_id=factory_id,
        number=block.number,
        previous=block.previous,
        merkle_root=block.root,
        count=block.count,
        size=size,
        from_xid=block.from_xid,
        to_xid=block.to_xid,
    )
    if head != block.head or size != block.size:
        return "its head does not fit its content"
    if not signed_well(_checkpoint(block, factory_id), key_id):
        return "its head is not signed by this service's key"
    return None


def _check_outside(blocks: Sequence[AuditBlock], factory_id: UUID, key_id: str, outside: Sequence[Checkpoint]) -> None:
    inside = {block.number: block.head.hex() for block in blocks}
    for checkpoint in outside:
        if checkpoint.factory != str(factory_id) or not signed_well(checkpoint, key_id):
            continue
        if checkpoint.number not in inside:
            raise _BrokenError(
                f"block {checkpoint.number} was signed and remembered outside, but is gone from the database: the end was cut off"
            )
        if inside[checkpoint.number] != checkpoint.head:
            raise _BrokenError(f"block {checkpoint.number} is not the one that was signed and remembered outside: the chain was rewritten")


def _checkpoint(block: AuditBlock, factory_id: UUID) -> Checkpoint:
    return Checkpoint(
        factory=str(factory_id),
        number=block.number,
        size=block.size,
        head=block.head.hex(),
        key_id=block.key_id,
        signature=block.signature.decode(),
    )
