"""Keys of a factory's own systems. The key is shown once; its SHA-256 is kept. A key prepares and reads, and never approves."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import KEY_PERMISSIONS, Actor, Permission
from payroll_api.access.four_eyes import require_person
from payroll_api.access.means import Means
from payroll_api.access.models import ApiKey
from payroll_api.access.sessions import Live, digest, factory_in
from payroll_api.audit import journal
from payroll_api.db.base import new_id
from payroll_api.db.session import factory_of
from payroll_api.errors import NotFoundError, NotSignedInError

PREFIX = "gw"


class NewKey(NamedTuple):
    """A key as it is shown once."""

    key: ApiKey
    secret: str

    def __repr__(self) -> str:
        return f"NewKey({self.key.id})"


async def create(session: AsyncSession, services: Means, actor: Actor, *, name: str) -> NewKey:
    """A new key of the actor's factory. Raises NotAllowedError for anybody but a person who administers."""
    actor.require(Permission.ADMINISTER)
    require_person(actor)
    now = services.clock()
    secret = f"{PREFIX}_{actor.factory_id.hex}_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        factory_id=actor.factory_id,
        id=new_id(),
        name=name,
        key_hash=digest(secret),
        created_by=actor.user_id,
        created_at=now,
        revoked_at=None,
    )
    session.add(key)
    await session.flush()
    await journal.record(session, now, journal.Event(actor=actor.name, action="api_key.created", subject=f"key:{key.id}"))
    return NewKey(key, secret)


async def list_keys(session: AsyncSession, actor: Actor) -> Sequence[ApiKey]:
    """All keys, also revoked ones, newest first."""
    actor.require(Permission.ADMINISTER)
    return (await session.scalars(select(ApiKey).order_by(ApiKey.id.desc()))).all()


async def revoke(session: AsyncSession, services: Means, actor: Actor, key_id: UUID) -> None:
    """End a key; the next request with it is refused. Nothing happens for one that is revoked already."""
    actor.require(Permission.ADMINISTER)
    key = await session.scalar(select(ApiKey).where(ApiKey.id == key_id).with_for_update())
    if key is None:
        raise NotFoundError("API key")
    if key.revoked_at is None:
        key.revoked_at = services.clock()
        await session.flush()
        await journal.record(session, services.clock(), journal.Event(actor=actor.name, action="api_key.revoked", subject=f"key:{key.id}"))


async def persons_behind(session: AsyncSession, names: Collection[str]) -> set[str]:
    """The names, and for each that is a key, the person who made it: what her key did she did herself."""
    ids = [UUID(name.removeprefix("key:")) for name in names if name.startswith("key:")]
    owners = await session.scalars(select(ApiKey.created_by).where(ApiKey.id.in_(ids))) if ids else ()
    return {*names, *(f"user:{owner}" for owner in owners)}


def factory_of_key(secret: str) -> UUID | None:
    """The factory that a key names, or None if it is no key. Nothing is proven by it."""
    prefix, _, rest = secret.partition("_")
    return factory_in(rest.partition("_")[0]) if prefix == PREFIX else None


async def resolve(services: Means, secret: str) -> Live:
    """Which key this is, in a transaction of its own. Raises NotSignedInError as `find` does."""
    factory_id = factory_of_key(secret)
    if factory_id is None:
        raise NotSignedInError
    async with services.database.factory(factory_id) as session:
        return await find(session, secret)


async def find(session: AsyncSession, secret: str) -> Live:
    """Which key this is. Raises NotSignedInError when it is unknown or revoked."""
    key_id = await session.scalar(select(ApiKey.id).where(ApiKey.key_hash == digest(secret), ApiKey.revoked_at.is_(None)))
    if key_id is None:
        raise NotSignedInError("This API key is unknown or was revoked. Ask your administrator for a new one.")
    return Live(actor=Actor(factory_id=factory_of(session), name=f"key:{key_id}", permissions=KEY_PERMISSIONS))
