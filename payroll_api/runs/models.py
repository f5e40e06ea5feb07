"""Pay runs and their items."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from payroll_api.db.base import Base, Json, OfFactory

RUN_STATES = ("draft", "submitted", "approved", "rejected", "released", "completed")


class PayRun(OfFactory, Base):
    """One payday's decision. Its maker and its approver are different people: the database refuses anything else."""

    __tablename__ = "pay_runs"
    __table_args__ = (
        CheckConstraint(f"state in {RUN_STATES}", name="state"),
        CheckConstraint("approved_by is null or (approved_by <> created_by and approved_by <> submitted_by)", name="four_eyes"),
        CheckConstraint(
            "state not in ('approved', 'released', 'completed') or (approved_by is not null and content_hash is not null)", name="approved"
        ),
        ForeignKeyConstraint(["factory_id", "file_id"], ["payroll_files.factory_id", "payroll_files.id"]),
        Index("uq_pay_runs_file", "factory_id", "file_id", unique=True, postgresql_where=text("state <> 'rejected'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    file_id: Mapped[UUID]
    period: Mapped[str]
    kind: Mapped[str]
    pay_on: Mapped[date]
    state: Mapped[str]
    content_hash: Mapped[str | None]
    totals: Mapped[Json]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    submitted_by: Mapped[str | None]
    submitted_at: Mapped[datetime | None]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    rejected_by: Mapped[str | None]
    rejected_at: Mapped[datetime | None]
    rejected_reason: Mapped[str | None]
    released_by: Mapped[str | None]
    released_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]


class RunItem(OfFactory, Base):
    """One worker in a frozen run: the amount and the destination that people approve. Held ones are not paid."""

    __tablename__ = "run_items"
    __table_args__ = (
        CheckConstraint("amount_minor >= 0", name="not_negative"),
        ForeignKeyConstraint(["factory_id", "run_id"], ["pay_runs.factory_id", "pay_runs.id"]),
        ForeignKeyConstraint(["factory_id", "worker_id"], ["workers.factory_id", "workers.id"]),
        ForeignKeyConstraint(["factory_id", "destination_id"], ["destinations.factory_id", "destinations.id"]),
        ForeignKeyConstraint(["factory_id", "provider_account_id"], ["provider_accounts.factory_id", "provider_accounts.id"]),
        UniqueConstraint("factory_id", "run_id", "worker_code"),
    )

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    worker_id: Mapped[UUID] = mapped_column(primary_key=True)
    worker_code: Mapped[str]
    destination_id: Mapped[UUID | None]
    provider_account_id: Mapped[UUID | None]
    account_key: Mapped[bytes | None]  # the account that was approved: another one later is refused
    currency: Mapped[str]
    amount_minor: Mapped[int]
    held_reason: Mapped[str | None]


class RailBalance(OfFactory, Base):
    """What an account was said to hold in one currency: told by its provider, stated by a person, or answered for by a releaser.

    Rows are added and never changed. An `assumed` one has no amount: whoever released said that the money is there.
    """

    __tablename__ = "rail_balances"
    __table_args__ = (
        CheckConstraint("source in ('told', 'stated', 'assumed')", name="source"),
        CheckConstraint("(source = 'assumed') = (amount_minor is null)", name="amount"),
        ForeignKeyConstraint(["factory_id", "provider_account_id"], ["provider_accounts.factory_id", "provider_accounts.id"]),
        Index("ix_rail_balances_newest", "factory_id", "provider_account_id", "currency", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_account_id: Mapped[UUID]
    currency: Mapped[str]
    source: Mapped[str]
    amount_minor: Mapped[int | None]
    holds_on: Mapped[date]  # the pay day that it is for (Phnom Penh)
    reason: Mapped[str]  # a person's words; empty where a provider told it
    author: Mapped[str]  # "provider:<name>" or "user:<id>"
    at: Mapped[datetime]
