"""Transfers. One row debits one account and credits another, so the books balance by construction."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from payroll_api.db.base import Base, OfFactory


class LedgerTransfer(OfFactory, Base):
    """`amount_minor` minor units of `currency` moved from `credit` to `debit` (accounts such as `wages_payable`).

    `cause` says what it was for; the same cause of the same payment and attempt, or of the same line of a statement, is booked once.
    `booked_on` is the day it counts for: the bank's where its statement shows it, else the Phnom Penh day of posting.
    """

    __tablename__ = "ledger_transfers"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="positive"),
        CheckConstraint("debit <> credit", name="two_accounts"),
        # Everything happens once to an attempt, except that it may become uncertain and certain again: those have their own turns.
        UniqueConstraint("factory_id", "payment_id", "attempt", "cause", "turn", name="uq_ledger_transfers_once"),
        Index(
            "uq_ledger_transfers_line",
            "factory_id",
            "line_key",
            "cause",
            unique=True,
            postgresql_where=text("line_key is not null"),
        ),
        Index("ix_ledger_transfers_run", "factory_id", "run_id"),
        Index("ix_ledger_transfers_fees", "factory_id", "booked_on", postgresql_where=text("debit = 'fees'")),
        Index("ix_ledger_transfers_opening", "factory_id", "currency", postgresql_where=text("cause = 'opening'")),
        # What a rail holds on a day is asked often, of years of paydays: the index alone answers it.
        Index(
            "ix_ledger_transfers_from_bank",
            "factory_id",
            "credit",
            "currency",
            "booked_on",
            postgresql_include=["amount_minor"],
            postgresql_where=text("credit like 'bank:%'"),
        ),
        Index(
            "ix_ledger_transfers_to_bank",
            "factory_id",
            "debit",
            "currency",
            "booked_on",
            postgresql_include=["amount_minor"],
            postgresql_where=text("debit like 'bank:%'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID | None]
    payment_id: Mapped[UUID | None]
    attempt: Mapped[int | None]
    cause: Mapped[str]
    debit: Mapped[str]
    credit: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int]
    posted_at: Mapped[datetime]
    booked_on: Mapped[date]
    line_key: Mapped[bytes | None]
    turn: Mapped[int] = mapped_column(server_default=text("0"))


class RailSum(OfFactory, Base):
    """What one statement that posted transfers moved on a rail's account on one day: `amount_minor` minor units, in is positive.

    The database writes it itself, in the statement that writes the transfers, so that it cannot be forgotten; one row for each such
    statement, so that no two that post at the same time wait for each other. `other` is `funding`, `fees`, `returns`, `other` or `wages`.
    """

    __tablename__ = "rail_sums"
    __table_args__ = (
        Index("ix_rail_sums_day", "factory_id", "account", "currency", "booked_on", postgresql_include=["other", "amount_minor"]),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account: Mapped[str]
    other: Mapped[str]
    currency: Mapped[str]
    booked_on: Mapped[date]
    amount_minor: Mapped[int]
    transfers: Mapped[int]
