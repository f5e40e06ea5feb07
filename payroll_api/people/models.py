"""Workers and their payout destinations. Everything personal is sealed; keyed hashes find equal values."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from payroll_api.db.base import Base, OfFactory
from payroll_api.encryption.column import Ciphertext, Encrypted

DESTINATION_STATES = ("proposed", "verified", "confirmed", "doubtful", "refused", "retired")


class Worker(OfFactory, Base):
    """A worker of the factory, known by her work-card code."""

    __tablename__ = "workers"
    __table_args__ = (UniqueConstraint("factory_id", "worker_code"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    worker_code: Mapped[str]
    name: Mapped[Ciphertext] = mapped_column(Encrypted)
    name_latin: Mapped[Ciphertext | None] = mapped_column(Encrypted)
    phone: Mapped[Ciphertext | None] = mapped_column(Encrypted)
    national_id: Mapped[Ciphertext | None] = mapped_column(Encrypted)
    name_key: Mapped[bytes]
    phone_key: Mapped[bytes | None]
    national_id_key: Mapped[bytes | None]
    sex: Mapped[str | None]
    department: Mapped[str | None]
    joined_on: Mapped[date | None]
    left_on: Mapped[date | None]
    in_run_since: Mapped[datetime | None]  # since then a file no longer overwrites her data
    created_at: Mapped[datetime]


class Destination(OfFactory, Base):
    """Where one worker is paid. Money goes only to one that the provider verified or a person confirmed."""

    __tablename__ = "destinations"
    __table_args__ = (
        CheckConstraint(f"state in {DESTINATION_STATES}", name="state"),
        CheckConstraint("kind in ('bank_account', 'wallet', 'cash')", name="kind"),
        ForeignKeyConstraint(["factory_id", "worker_id"], ["workers.factory_id", "workers.id"]),
        Index("uq_destinations_current", "factory_id", "worker_id", unique=True, postgresql_where=text("state <> 'retired'")),
        Index("ix_destinations_account", "factory_id", "account_key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    worker_id: Mapped[UUID]
    kind: Mapped[str]
    bank: Mapped[str | None]
    account: Mapped[Ciphertext] = mapped_column(Encrypted)
    holder: Mapped[Ciphertext] = mapped_column(Encrypted)
    account_key: Mapped[bytes]
    state: Mapped[str]
    name_match: Mapped[str | None]  # MTCH, CMTC, NMTC, NOAP
    detail: Mapped[str]
    checked_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
