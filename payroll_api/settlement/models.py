"""Statements, their lines and balances, breaks, and what a factory has agreed about them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from payroll_api.db.base import Base, Json, OfFactory
from payroll_api.encryption.column import Ciphertext, Encrypted


class StatementFile(OfFactory, Base):
    """A statement as it came. The same bytes are taken once. `uploaded_by` is a person, a key, or the way in (`poll`, `folder`)."""

    __tablename__ = "statement_files"
    __table_args__ = (
        CheckConstraint("state in ('received', 'matched', 'refused')", name="state"),
        ForeignKeyConstraint(["factory_id", "provider_account_id"], ["provider_accounts.factory_id", "provider_accounts.id"]),
        UniqueConstraint("factory_id", "provider_account_id", "content_hash"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_account_id: Mapped[UUID]
    file_name: Mapped[str]
    content: Mapped[Ciphertext] = mapped_column(Encrypted, deferred=True)  # megabytes: only who reads the statement loads them
    content_hash: Mapped[str]
    state: Mapped[str]
    detail: Mapped[str]
    identification: Mapped[str]
    summary: Mapped[Json | None]
    uploaded_by: Mapped[str]
    uploaded_at: Mapped[datetime]


class StatementBalance(OfFactory, Base):
    """What a bank says it holds for the factory at the two ends of one statement, in minor units; None where it does not say."""

    __tablename__ = "statement_balances"
    __table_args__ = (
        ForeignKeyConstraint(["factory_id", "statement_id"], ["statement_files.factory_id", "statement_files.id"]),
        Index("ix_statement_balances_day", "factory_id", "provider_account_id", "currency", "closed_on"),
    )

    statement_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    provider_account_id: Mapped[UUID]
    currency: Mapped[str]
    opened_on: Mapped[date]
    closed_on: Mapped[date]
    opening_minor: Mapped[int | None]
    closing_minor: Mapped[int | None]


class BookedLine(OfFactory, Base):
    """What one line of a statement, or one part of a batch's line, turned out to be. A line that comes again is taken once."""

    __tablename__ = "statement_lines"
    __table_args__ = (
        ForeignKeyConstraint(["factory_id", "statement_id"], ["statement_files.factory_id", "statement_files.id"]),
        ForeignKeyConstraint(["factory_id", "payment_id"], ["payments.factory_id", "payments.id"]),
        Index("uq_statement_lines_payment", "factory_id", "payment_id", unique=True, postgresql_where=text("kind = 'matched'")),
        Index("ix_statement_lines_payment", "factory_id", "payment_id", postgresql_where=text("payment_id is not null")),
        Index(
            "ix_statement_lines_returned",
            "factory_id",
            "booked_on",
            postgresql_where=text("kind in ('returned', 'partial_return')"),
        ),
        # A day's end sums the many that arrived as ordered by the index alone, and looks at the few others one by one.
        Index(
            "ix_statement_lines_day",
            "factory_id",
            "provider_account_id",
            "currency",
            "booked_on",
            postgresql_include=["kind", "direction", "amount_minor", "payment_id"],
        ),
        Index(
            "ix_statement_lines_others",
            "factory_id",
            "provider_account_id",
            "currency",
            "booked_on",
            postgresql_where=text("kind not in ('matched', 'seen')"),
        ),
        UniqueConstraint("factory_id", "line_key"),
    )

    statement_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    provider_account_id: Mapped[UUID]
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
    """Something that does not fit, until a person or a later line explains it.

    It has an owner (a person, or nobody yet) and a day by which it should be dealt with. Over the factory's limit one person proposes
    a way out and another closes it. `amount_minor` is the money that is not explained, `difference_minor` statement less order.
    """

    __tablename__ = "settlement_breaks"
    __table_args__ = (
        CheckConstraint("state in ('open', 'proposed', 'closed')", name="state"),
        CheckConstraint("state <> 'proposed' or (proposed_by is not null and way_out is not null)", name="proposed"),
        CheckConstraint("state <> 'closed' or (closed_by is not null and closed_reason is not null)", name="closed"),
        CheckConstraint("proposed_by is null or closed_by is null or proposed_by <> closed_by", name="two_people"),
        ForeignKeyConstraint(["factory_id", "statement_id"], ["statement_files.factory_id", "statement_files.id"]),
        ForeignKeyConstraint(["factory_id", "payment_id"], ["payments.factory_id", "payments.id"]),
        ForeignKeyConstraint(["factory_id", "provider_account_id"], ["provider_accounts.factory_id", "provider_accounts.id"]),
        Index(
            "uq_settlement_breaks_missing",
            "factory_id",
            "payment_id",
            unique=True,
            postgresql_where=text("state <> 'closed' and kind = 'missing'"),
        ),
        Index("uq_settlement_breaks_line", "factory_id", "statement_id", "position", unique=True),
        Index("ix_settlement_breaks_state", "factory_id", "state", "due_on", "id"),
        Index("ix_settlement_breaks_payment", "factory_id", "payment_id", postgresql_where=text("payment_id is not null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    statement_id: Mapped[UUID]
    position: Mapped[int | None]
    provider_account_id: Mapped[UUID]
    payment_id: Mapped[UUID | None]
    kind: Mapped[str]
    reason: Mapped[str]
    currency: Mapped[str | None]
    amount_minor: Mapped[int | None]
    difference_minor: Mapped[int | None]
    state: Mapped[str]
    opened_at: Mapped[datetime]
    due_on: Mapped[date]
    owner: Mapped[str | None]
    way_out: Mapped[str | None]
    proposed_by: Mapped[str | None]
    proposed_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    closed_reason: Mapped[str | None]


class SettlementRules(OfFactory, Base):
    """The factory's choices (`rules.Rules`) as JSON."""

    __tablename__ = "settlement_rules"

    rules: Mapped[Json]
    set_by: Mapped[str]
    set_at: Mapped[datetime]


class StatementArrival(OfFactory, Base):
    """A day for which a provider was asked for its statement, or a file of a watched folder: so that each is taken once, and why not."""

    __tablename__ = "statement_arrivals"
    __table_args__ = (
        CheckConstraint("state in ('waiting', 'taken', 'known', 'refused')", name="state"),
        ForeignKeyConstraint(["factory_id", "provider_account_id"], ["provider_accounts.factory_id", "provider_accounts.id"]),
    )

    provider_account_id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)  # "day:2026-11-30" or "folder:<name>"
    state: Mapped[str]
    detail: Mapped[str]
    asked: Mapped[int]
    statement_id: Mapped[UUID | None]
    seen_at: Mapped[datetime]


class StatementFolder(OfFactory, Base):
    """Where a provider account's statements are dropped, relative to the folder that the operator opened for drops."""

    __tablename__ = "statement_folders"
    __table_args__ = (
        ForeignKeyConstraint(["factory_id", "provider_account_id"], ["provider_accounts.factory_id", "provider_accounts.id"]),
    )

    provider_account_id: Mapped[UUID] = mapped_column(primary_key=True)
    folder: Mapped[str]
    set_by: Mapped[str]
    set_at: Mapped[datetime]


class StatementLayout(OfFactory, Base):
    """Which columns stand where in a provider account's CSV or workbook (`layouts.read_layout`)."""

    __tablename__ = "statement_layouts"
    __table_args__ = (
        ForeignKeyConstraint(["factory_id", "provider_account_id"], ["provider_accounts.factory_id", "provider_accounts.id"]),
    )

    provider_account_id: Mapped[UUID] = mapped_column(primary_key=True)
    layout: Mapped[Json]
    set_by: Mapped[str]
    set_at: Mapped[datetime]
