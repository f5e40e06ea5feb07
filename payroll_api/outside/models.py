"""How far this database has come with sending, the checks after it turned out to be older, and what was sent that it does not know."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from payroll_api.db.base import Base, Json, OfFactory

REASONS = ("database_older", "journal_missing", "journal_other", "journal_cut")


class SendGuard(OfFactory, Base):
    """One row of each factory: its number of sendings. The journal outside must never know a higher one."""

    __tablename__ = "send_guards"

    epoch: Mapped[int]  # sendings so far, in step with the journal's lines
    journal_id: Mapped[UUID]  # the journal this database has written to
    journaled: Mapped[int]  # the highest number that was seen in it


class RestoreCheck(OfFactory, Base):
    """Nothing is sent while one of these is open: the database and the journal disagree about what was sent."""

    __tablename__ = "restore_checks"
    __table_args__ = (
        CheckConstraint(f"reason in {REASONS}", name="reason"),
        CheckConstraint("closed_by is null or closed_by <> asked_to_open_by", name="four_eyes"),
        Index("uq_restore_checks_open", "factory_id", unique=True, postgresql_where=text("closed_at is null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    reason: Mapped[str]
    epoch_inside: Mapped[int]
    epoch_outside: Mapped[int]
    opened_at: Mapped[datetime]
    known_until: Mapped[datetime | None]  # the newest thing that the database remembers
    asked_at: Mapped[datetime | None]  # when the providers were last asked
    found: Mapped[Json]  # counts by what became of the sendings that the database did not know
    asked_to_open_by: Mapped[str | None]
    asked_to_open_at: Mapped[datetime | None]
    note: Mapped[str | None]
    closed_by: Mapped[str | None]
    closed_at: Mapped[datetime | None]


class SentOutside(OfFactory, Base):
    """An order that the journal says was sent and this database did not know. While it may have been paid, nobody pays it again."""

    __tablename__ = "sent_outside"
    __table_args__ = (
        UniqueConstraint("factory_id", "payment_id", "number"),
        Index("ix_sent_outside_worker", "factory_id", "worker_code", "period", "kind"),
    )

    reference: Mapped[str] = mapped_column(primary_key=True)
    dispatch_id: Mapped[UUID]
    dispatch_reference: Mapped[str]
    sent_at: Mapped[datetime]
    provider_account_id: Mapped[UUID]
    payment_id: Mapped[UUID]
    number: Mapped[int]
    worker_code: Mapped[str]
    period: Mapped[str]
    kind: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int]
    payload_hash: Mapped[bytes]
    status: Mapped[str]  # as the provider last said; `unasked` before
    provider_reference: Mapped[str | None]
    on_statement: Mapped[bool]  # a statement since then shows it
    adopted_at: Mapped[datetime | None]  # when it became an attempt of this database again
