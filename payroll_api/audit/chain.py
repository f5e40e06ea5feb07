"""The arithmetic of the chain: leaves, Merkle roots, heads, proofs. Pure, so that an outsider can run it on an export."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from uuid import UUID

_LEAF = b"\x00"
_NODE = b"\x01"
GENESIS = bytes(32)
EMPTY_ROOT = hashlib.sha256(b"").digest()


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def text(event: Mapping[str, object]) -> str:
    """The canonical text of an event: JSON with sorted keys and no spaces."""
    return _canonical(event)


def body(event: Mapping[str, object]) -> bytes:
    """The canonical bytes of an event: its text in UTF-8. Made once and stored."""
    return text(event).encode()


def leaf(content: bytes) -> bytes:
    """The hash of one event (RFC 9162 leaf: a 0x00 prefix keeps leaves and nodes apart)."""
    return hashlib.sha256(_LEAF + content).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        level = levels[-1]
        paired = [_node(level[index], level[index + 1]) for index in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            paired.append(level[-1])
        levels.append(paired)
    return levels


def root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle root of the leaves, as RFC 9162 has it (a lone node at a level's end moves up unchanged)."""
    return _levels(leaves)[-1][0] if leaves else EMPTY_ROOT


def proof(leaves: Sequence[bytes], index: int) -> list[tuple[str, bytes]]:
    """The path from one leaf to the root: which side each neighbour stands on, and its hash."""
    path: list[tuple[str, bytes]] = []
    for level in _levels(leaves)[:-1]:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(("left" if sibling < index else "right", level[sibling]))
        index //= 2
    return path


def climb(content: bytes, path: Sequence[tuple[str, bytes]]) -> bytes:
    """The root that an event and its path lead to: equal to the block's root exactly when the event is in it."""
    current = leaf(content)
    for side, neighbour in path:
        current = _node(neighbour, current) if side == "left" else _node(current, neighbour)
    return current


def head(*, factory_id: UUID, number: int, previous: bytes, merkle_root: bytes, count: int, size: int, from_xid: int, to_xid: int) -> bytes:
    """The hash that identifies a block and everything before it. Fields are of fixed length, so nothing can slide between them."""
    fields = b"".join(value.to_bytes(8) for value in (number, count, size, from_xid, to_xid))
    return hashlib.sha256(b"garment-wages/block/1" + factory_id.bytes + previous + merkle_root + fields).digest()
