"""What the API remembers of requests that create, so that a repeated one has no second effect."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from payroll_api.db.base import Base, OfFactory


class IdempotentRequest(OfFactory, Base):
    """The first answer to a request under an Idempotency-Key of one caller. Written in the transaction of its effect."""

    __tablename__ = "idempotent_requests"

    actor: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]  # of method, path and body: the key with another request is refused
    status: Mapped[int]
    answer: Mapped[bytes]
    created_at: Mapped[datetime]
