"""Transfers. One row debits one account and credits another, so the books balance by construction."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from payroll_api.db.base import Base, OfFactory


class LedgerTransfer(OfFactory, Base):
    """`amount_minor` minor units of `currency` moved from `credit` to `debit` (accounts such as `wages_payable`).

    `cause` says what it was for; the same cause of the same payment and attempt is booked once.
    """

    __tablename__ = "ledger_transfers"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="positive"),
        CheckConstraint("debit <> credit", name="two_accounts"),
        # A payment may become uncertain and certain again more than once; everything else happens once to an attempt.
        Index(
            "uq_ledger_transfers_once",
            "factory_id",
            "payment_id",
            "attempt",
            "cause",
            unique=True,
            postgresql_where=text("cause not in ('uncertain', 'certain')"),
        ),
        Index("ix_ledger_transfers_run", "factory_id", "run_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID]
    payment_id: Mapped[UUID]
    attempt: Mapped[int]
    cause: Mapped[str]
    debit: Mapped[str]
    credit: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int]
    posted_at: Mapped[datetime]
