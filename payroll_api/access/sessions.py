"""Sessions of people who are signed in: found by their token, ended by time, by themselves, or by an administrator."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import PERMISSIONS, Actor, Permission, Role
from payroll_api.access.means import Means
from payroll_api.access.models import User, UserSession
from payroll_api.audit import journal
from payroll_api.db.session import factory_of
from payroll_api.errors import NotSignedInError

# `seen_at` is written at most this often: a page with twenty requests is one write.
_SEEN_EVERY = timedelta(minutes=1)
_FACTORY_LENGTH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Somebody who is known: as a person in a session, or as a key (then `csrf_token` is None)."""

    actor: Actor
    csrf_token: str | None = field(default=None, repr=False)
    token_hash: bytes | None = field(default=None, repr=False)


def digest(token: str) -> bytes:
    """What is stored of a token: its SHA-256. A token has 256 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(token.encode()).digest()


def new_token(factory_id: UUID) -> str:
    """A new secret that names its factory, so that its row can be found under row-level security."""
    return f"{factory_id.hex}.{secrets.token_urlsafe(32)}"


def factory_in(text: str) -> UUID | None:
    """The factory that a token or key names, or None if it names none. Nothing is proven by it."""
    try:
        return UUID(text) if len(text) == _FACTORY_LENGTH else None
    except ValueError:
        return None


def permissions_of(user: User) -> frozenset[Permission]:
    """What a person may do: all that her roles allow."""
    return frozenset(permission for role in user.roles for permission in PERMISSIONS[Role(role)])


def actor_of(user: User) -> Actor:
    """The person as steps see her."""
    return Actor(
        factory_id=user.factory_id,
        name=f"user:{user.id}",
        permissions=permissions_of(user),
        user_id=user.id,
        language=user.language,
    )


async def open_session(session: AsyncSession, user: User, at: datetime) -> tuple[str, str]:
    """A new session of a person whose password was right: its token, shown once, and its CSRF token."""
    token = new_token(user.factory_id)
    csrf = secrets.token_urlsafe(32)
    session.add(
        UserSession(
            factory_id=user.factory_id, token_hash=digest(token), user_id=user.id, csrf_token=csrf, created_at=at, seen_at=at, ended_at=None
        )
    )
    await session.flush()
    await journal.record(session, at, journal.Event(actor=f"user:{user.id}", action="session.started", subject=f"user:{user.id}"))
    return token, csrf


async def resolve(services: Means, token: str) -> Live:
    """Who holds this token, in a transaction of its own. Raises NotSignedInError as `find` does."""
    factory_id = factory_in(token.partition(".")[0])
    if factory_id is None:
        raise NotSignedInError
    async with services.database.factory(factory_id) as session:
        return await find(session, services, token)


async def find(session: AsyncSession, services: Means, token: str) -> Live:
    """Who holds this token. Raises NotSignedInError when it is unknown, ended or too old, or the person was disabled.

    Roles are read at each request: what was taken away is gone at the next one.
    """
    query = (
        select(UserSession, User)
        .join(User, (User.factory_id == UserSession.factory_id) & (User.id == UserSession.user_id))
        .where(UserSession.token_hash == digest(token), UserSession.ended_at.is_(None), User.disabled_at.is_(None))
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotSignedInError
    live, user = row
    now = services.clock()
    idle = timedelta(minutes=services.settings.session_idle_minutes)
    if now - live.seen_at >= idle or now - live.created_at >= timedelta(hours=services.settings.session_hours):
        raise NotSignedInError("Your session has ended after a time without use. Sign in again; nothing that you saved is lost.")
    if now - live.seen_at >= _SEEN_EVERY:
        live.seen_at = now
    return Live(actor=actor_of(user), csrf_token=live.csrf_token, token_hash=live.token_hash)


async def sign_out(services: Means, live: Live) -> None:
    """End this session. Nothing happens for a key."""
    if live.token_hash is None:
        return
    now = services.clock()
    async with services.database.factory(live.actor.factory_id) as session:
        ending = update(UserSession).where(UserSession.token_hash == live.token_hash, UserSession.ended_at.is_(None))
        await session.execute(ending.values(ended_at=now))
        await journal.record(session, now, journal.Event(actor=live.actor.name, action="session.ended", subject=live.actor.name))


async def end_all(session: AsyncSession, user_id: UUID, at: datetime) -> None:
    """End every session of a person, in the caller's transaction."""
    ending = update(UserSession).where(
        UserSession.factory_id == factory_of(session), UserSession.user_id == user_id, UserSession.ended_at.is_(None)
    )
    await session.execute(ending.values(ended_at=at))
