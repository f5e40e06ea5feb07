"""Alarms. One is open for a kind and a subject at a time; it closes when its cause is gone, not when somebody has read it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from payroll_api.db.base import Base, Json, OfFactory


class AlarmRow(OfFactory, Base):
    """Something that waits for a person. `data` holds ids, codes, days and sums, nothing personal."""

    __tablename__ = "alarms"
    __table_args__ = (
        CheckConstraint("(acknowledged_by is null) = (acknowledged_at is null)", name="acknowledged"),
        Index("uq_alarms_open", "factory_id", "kind", "subject", unique=True, postgresql_where=text("cleared_at is null")),
        Index("ix_alarms_due", "factory_id", "due_at", postgresql_where=text("cleared_at is null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str]  # "payment:<id>", as audit events name things
    owner: Mapped[str]  # the role that sees to it
    data: Mapped[Json]
    sounded_at: Mapped[datetime]
    due_at: Mapped[datetime]  # by when a person should have dealt with it
    acknowledged_by: Mapped[str | None]
    acknowledged_at: Mapped[datetime | None]
    note: Mapped[str | None]
    cleared_at: Mapped[datetime | None]
