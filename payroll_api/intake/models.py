"""Payroll files, the rows read from them, and what is wrong with them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from payroll_api.db.base import Base, Json, OfFactory
from payroll_api.encryption.column import Ciphertext, Encrypted

FILE_STATES = ("received", "reading", "read", "reconciled", "refused")


class PayrollFile(OfFactory, Base):
    """An uploaded payroll file. The same bytes for the same period and kind are taken once."""

    __tablename__ = "payroll_files"
    __table_args__ = (
        CheckConstraint(f"state in {FILE_STATES}", name="state"),
        Index(
            "uq_payroll_files_content",
            "factory_id",
            "period",
            "kind",
            "content_hash",
            unique=True,
            postgresql_where=text("state <> 'refused'"),
        ),
        Index("ix_payroll_files_period", "factory_id", "period", "kind"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    file_name: Mapped[str]
    period: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str]
    size: Mapped[int]
    # Megabytes: read by who reads the sheet, not by everybody who asks how far it is. `await session.refresh(file, ["content"])` reads it.
    content: Mapped[Ciphertext] = mapped_column(Encrypted, deferred=True)
    content_hash: Mapped[str]
    canonical_hash: Mapped[str | None]
    uploaded_by: Mapped[str]
    uploaded_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    rows_done: Mapped[int]
    rows_total: Mapped[int]
    layout: Mapped[Json | None]
    control: Mapped[Json | None]  # what HR typed: the number of workers, the sum of net pay by currency
    chosen_sheets: Mapped[list[object] | None]  # where several could be meant
    summary: Mapped[Json | None]  # counts, totals by currency, control totals, sheets, questions that wait for a person
    law_version: Mapped[str | None]
    review_frozen: Mapped[bool]  # once its run is sent for approval, nobody decides about its differences


class FileRow(OfFactory, Base):
    """One worker's line of a file: figures in the clear, personal values sealed together, keyed hashes to compare."""

    __tablename__ = "file_rows"
    __table_args__ = (
        ForeignKeyConstraint(["factory_id", "file_id"], ["payroll_files.factory_id", "payroll_files.id"]),
        Index("ix_file_rows_worker", "factory_id", "file_id", "worker_code"),
    )

    file_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sheet: Mapped[str]
    row: Mapped[int]
    worker_code: Mapped[str]
    net_minor: Mapped[int]
    currency: Mapped[str]
    figures: Mapped[Json]  # amounts, time, dates, status: nothing personal
    person: Mapped[Ciphertext] = mapped_column(Encrypted)  # JSON: names, phone, national id, account
    name_key: Mapped[bytes | None]
    phone_key: Mapped[bytes | None]
    account_key: Mapped[bytes | None]
    national_id_key: Mapped[bytes | None]


class FileProblem(OfFactory, Base):
    """Something wrong in a file: where, what, how far it reaches, and what HR can do."""

    __tablename__ = "file_problems"
    __table_args__ = (ForeignKeyConstraint(["factory_id", "file_id"], ["payroll_files.factory_id", "payroll_files.id"]),)

    file_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sheet: Mapped[str]
    cell: Mapped[str]
    meaning: Mapped[str | None]
    value: Mapped[Ciphertext] = mapped_column(Encrypted)  # as written: may be personal
    code: Mapped[str]
    severity: Mapped[str]
    message: Mapped[str]
    remedy: Mapped[str]
    remedy_km: Mapped[str]


class FileAnswer(OfFactory, Base):
    """What a person answered to a question about a file. `about` identifies the figures she saw: others ask again."""

    __tablename__ = "file_answers"
    __table_args__ = (ForeignKeyConstraint(["factory_id", "file_id"], ["payroll_files.factory_id", "payroll_files.id"]),)

    file_id: Mapped[UUID] = mapped_column(primary_key=True)
    question: Mapped[str] = mapped_column(primary_key=True)  # control or overlap
    answer: Mapped[str]
    reason: Mapped[str]
    about: Mapped[str]
    answered_by: Mapped[str]
    answered_at: Mapped[datetime]


class KnownLayout(OfFactory, Base):
    """A mapping of columns that a person of this factory has confirmed, found again by the header's fingerprint."""

    __tablename__ = "known_layouts"

    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    layout: Mapped[Json]
    confirmed_by: Mapped[str]
    confirmed_at: Mapped[datetime]
