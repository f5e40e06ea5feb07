"""Entitlements and discrepancies of a payroll file."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from payroll_api.db.base import Base, Json, OfFactory


class FileEntitlement(OfFactory, Base):
    """What the law owes one worker of a file. `lines` hold line, side, amount and formula; articles stand once in the file's review."""

    __tablename__ = "file_entitlements"
    __table_args__ = (
        ForeignKeyConstraint(["factory_id", "file_id"], ["payroll_files.factory_id", "payroll_files.id"]),
        Index("ix_file_entitlements_worker", "factory_id", "worker_id", "file_id"),
    )

    file_id: Mapped[UUID] = mapped_column(primary_key=True)
    worker_code: Mapped[str] = mapped_column(primary_key=True)
    worker_id: Mapped[UUID]
    destination_id: Mapped[UUID | None]
    currency: Mapped[str]
    gross_minor: Mapped[int]
    deductions_minor: Mapped[int]
    net_minor: Mapped[int]  # the law's figure
    stated_minor: Mapped[int]  # the sheet's figure
    lines: Mapped[list[object]]


class FileReview(OfFactory, Base):
    """The check of one file as a whole: which law book, and the articles behind each kind of line."""

    __tablename__ = "file_reviews"
    __table_args__ = (ForeignKeyConstraint(["factory_id", "file_id"], ["payroll_files.factory_id", "payroll_files.id"]),)

    file_id: Mapped[UUID] = mapped_column(primary_key=True)
    law_version: Mapped[str]
    citations: Mapped[Json]  # by line
    made_at: Mapped[datetime]


class Discrepancy(OfFactory, Base):
    """One difference, and what a person decided about it."""

    __tablename__ = "discrepancies"
    __table_args__ = (
        ForeignKeyConstraint(["factory_id", "file_id"], ["payroll_files.factory_id", "payroll_files.id"]),
        Index("ix_discrepancies_file", "factory_id", "file_id", "position"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    file_id: Mapped[UUID]
    position: Mapped[int]
    worker_id: Mapped[UUID | None]
    worker_code: Mapped[str]
    sheet: Mapped[str]
    row: Mapped[int]
    code: Mapped[str]
    severity: Mapped[str]
    subject: Mapped[str]
    currency: Mapped[str | None]
    stated_minor: Mapped[int | None]
    lawful_minor: Mapped[int | None]
    basis: Mapped[str]
    message: Mapped[str]
    message_km: Mapped[str]
    resolutions: Mapped[list[object]]
    citations: Mapped[list[object]]
    asked: Mapped[str | None]  # a decision that waits for a second person; until then nothing is decided
    asked_by: Mapped[str | None]
    asked_at: Mapped[datetime | None]
    resolution: Mapped[str | None]
    reason: Mapped[str | None]
    resolved_by: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
    agreed_by: Mapped[str | None]  # the second person
