"""People, their sessions, and the keys of a factory's ERP."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from payroll_api.db.base import Base, OfFactory
from payroll_api.encryption.column import Ciphertext, Encrypted


class LoginDirectory(Base):
    """Which factory a login name belongs to: a keyed hash of the name, and ids."""

    __tablename__ = "login_directory"

    login_index: Mapped[bytes] = mapped_column(primary_key=True)
    factory_id: Mapped[UUID]
    user_id: Mapped[UUID]


class User(OfFactory, Base):
    """A person who works with the service for one factory."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    login: Mapped[Ciphertext] = mapped_column(Encrypted)
    display_name: Mapped[Ciphertext] = mapped_column(Encrypted)
    password_hash: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    language: Mapped[str]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class UserSession(OfFactory, Base):
    """A person who is signed in. `token_hash` is the SHA-256 of what the browser holds."""

    __tablename__ = "sessions"
    __table_args__ = (ForeignKeyConstraint(["factory_id", "user_id"], ["users.factory_id", "users.id"]),)

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    csrf_token: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ApiKey(OfFactory, Base):
    """A key of a factory's own system. It can prepare, never approve."""

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
