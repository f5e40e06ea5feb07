"""Slips and what became of them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from payroll_api.db.base import Base, OfFactory
from payroll_api.encryption.column import Ciphertext, Encrypted


class Slip(OfFactory, Base):
    """One worker's slip for one confirmed payment: at most one, to the number that stood when it was composed."""

    __tablename__ = "slips"
    __table_args__ = (
        CheckConstraint("state in ('composed', 'sending', 'sent', 'delivered', 'failed', 'unknown', 'no_phone')", name="state"),
        ForeignKeyConstraint(["factory_id", "payment_id"], ["payments.factory_id", "payments.id"]),
        ForeignKeyConstraint(["factory_id", "worker_id"], ["workers.factory_id", "workers.id"]),
        UniqueConstraint("factory_id", "payment_id"),
        # The next to send are found in their order, and not behind all that were sent.
        Index("ix_slips_run_state", "factory_id", "run_id", "state", "id"),
        UniqueConstraint("factory_id", "reference"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID]
    payment_id: Mapped[UUID]
    worker_id: Mapped[UUID]
    reference: Mapped[str]
    phone: Mapped[Ciphertext | None] = mapped_column(Encrypted)
    body: Mapped[Ciphertext] = mapped_column(Encrypted)
    segments: Mapped[int]
    state: Mapped[str]
    code: Mapped[str | None]
    gateway_reference: Mapped[str | None]
    composed_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
