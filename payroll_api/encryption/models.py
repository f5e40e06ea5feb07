"""Each factory's data keys, wrapped under the master key."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from payroll_api.db.base import Base, OfFactory


class DataKey(OfFactory, Base):
    """A wrapped 256-bit key: `column` keys encrypt, the `index` key makes blind indexes."""

    __tablename__ = "data_keys"
    __table_args__ = (CheckConstraint("purpose in ('column', 'index')", name="purpose"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    purpose: Mapped[str]
    master_name: Mapped[str]
    wrapped: Mapped[bytes]
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None]
