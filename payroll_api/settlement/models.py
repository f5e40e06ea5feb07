"""Statements, their lines, and breaks."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from payroll_api.db.base import Base, Json, OfFactory
from payroll_api.encryption.column import Ciphertext, Encrypted


class StatementFile(OfFactory, Base):
    """A statement as it came. The same bytes are taken once."""

    __tablename__ = "statement_files"
    __table_args__ = (
        CheckConstraint("state in ('received', 'matched', 'refused')", name="state"),
        ForeignKeyConstraint(["factory_id", "provider_account_id"], ["provider_accounts.factory_id", "provider_accounts.id"]),
        UniqueConstraint("factory_id", "provider_account_id", "content_hash"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_account_id: Mapped[UUID]
    file_name: Mapped[str]
    content: Mapped[Ciphertext] = mapped_column(Encrypted)
    content_hash: Mapped[str]
    state: Mapped[str]
    detail: Mapped[str]
    identification: Mapped[str]
    summary: Mapped[Json | None]
    uploaded_by: Mapped[str]
    uploaded_at: Mapped[datetime]


class BookedLine(OfFactory, Base):
    """What one line of a statement, or one part of a batch's line, turned out to be. A line that comes again is taken once."""

    __tablename__ = "statement_lines"
    __table_args__ = (
        ForeignKeyConstraint(["factory_id", "statement_id"], ["statement_files.factory_id", "statement_files.id"]),
        ForeignKeyConstraint(["factory_id", "payment_id"], ["payments.factory_id", "payments.id"]),
        Index("uq_statement_lines_payment", "factory_id", "payment_id", unique=True, postgresql_where=text("kind = 'matched'")),
        UniqueConstraint("factory_id", "line_key"),
    )

    statement_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line_key: Mapped[bytes]  # of account, entry, reference, amount, direction, day and part
    entry: Mapped[str]
    direction: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int]  # the part of the line that this verdict explains
    booked_on: Mapped[date]
    reference: Mapped[str | None]
    account_key: Mapped[bytes | None]
    verdict: Mapped[str]
    kind: Mapped[str]
    payment_id: Mapped[UUID | None]


class SettlementBreak(OfFactory, Base):
    """Something that does not fit, until a person or a later line explains it."""

    __tablename__ = "settlement_breaks"
    __table_args__ = (
        CheckConstraint("state in ('open', 'closed')", name="state"),
        ForeignKeyConstraint(["factory_id", "statement_id"], ["statement_files.factory_id", "statement_files.id"]),
        ForeignKeyConstraint(["factory_id", "payment_id"], ["payments.factory_id", "payments.id"]),
        Index("uq_settlement_breaks_open", "factory_id", "payment_id", "kind", unique=True, postgresql_where=text("state = 'open'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    statement_id: Mapped[UUID]
    position: Mapped[int | None]
    payment_id: Mapped[UUID | None]
    kind: Mapped[str]
    reason: Mapped[str]
    currency: Mapped[str | None]
    difference_minor: Mapped[int | None]
    state: Mapped[str]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    closed_reason: Mapped[str | None]
