"""Audit events and the blocks that seal them. Both are append-only by trigger and by grant."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Identity, Index
from sqlalchemy.dialects.postgresql import BIGINT
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import text

from payroll_api.db.base import Base, OfFactory


class AuditEvent(OfFactory, Base):
    """One event: `body` is the exact canonical JSON that was hashed; nothing is ever serialised again.

    `xid` is the transaction that wrote it: the sealer takes only events of transactions that can no longer change anything.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_order", "factory_id", "xid", "id"),
        Index("ix_audit_events_subject", "factory_id", "subject", "id"),
    )

    id: Mapped[int] = mapped_column(BIGINT, Identity(always=False), primary_key=True)
    xid: Mapped[int] = mapped_column(server_default=text("(pg_current_xact_id()::text)::bigint"))
    subject: Mapped[str]  # "payment:<id>", to find a thing's history
    action: Mapped[str]
    body: Mapped[bytes]
    leaf: Mapped[bytes]


class AuditBlock(OfFactory, Base):
    """A stretch of a factory's events, chained to the one before and signed.

    It holds the events with `from_xid <= xid < to_xid` and ids after `after_id`, ordered by (xid, id), up to where a newer cluster begins.
    """

    __tablename__ = "audit_blocks"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    from_xid: Mapped[int]
    to_xid: Mapped[int]
    after_id: Mapped[int]  # events of a newer cluster, whose transaction ids begin anew, have ids beyond this
    last_id: Mapped[int]  # the highest event id that was sealed up to and with this block; 0 where it was not kept yet
    count: Mapped[int]
    size: Mapped[int]  # events sealed up to and with this block
    root: Mapped[bytes]
    previous: Mapped[bytes]
    head: Mapped[bytes]
    sealed_at: Mapped[datetime]
    key_id: Mapped[str]
    signature: Mapped[bytes]
