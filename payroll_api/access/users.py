"""People of a factory: made, listed, given roles and disabled by an administrator. Each change is an audit event."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, cast, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access import passwords, sessions
from payroll_api.access.actor import Actor, Permission, Role
from payroll_api.access.means import Means
from payroll_api.access.models import LoginDirectory, User
from payroll_api.audit import journal
from payroll_api.db.base import new_id
from payroll_api.db.session import factory_of
from payroll_api.encryption.vault import Vault
from payroll_api.errors import InvalidError, NotFoundError, ProblemError

LANGUAGES = ("km", "en")
LOGIN = re.compile(r"^[a-z0-9][a-z0-9._@+-]{2,63}$")
LONGEST_NAME = 120
# Whoever runs the service's own commands at its console, before any user exists.
OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user with her personal values opened, for an administrator's eyes."""

    id: UUID
    login: str = field(repr=False)
    display_name: str = field(repr=False)
    roles: tuple[Role, ...]
    language: str
    created_at: datetime
    disabled_at: datetime | None


def _check(login: str, display_name: str, roles: Collection[Role], language: str) -> None:
    wrong = []
    if LOGIN.match(login) is None:
        wrong.append({"field": "login", "problem": "3 to 64 of a-z, 0-9 and . _ @ + -, beginning with a letter or a digit"})
    if not 1 <= len(display_name) <= LONGEST_NAME or any(unicodedata.category(sign) == "Cc" for sign in display_name):
        wrong.append({"field": "display_name", "problem": f"1 to {LONGEST_NAME} characters on one line"})
    if not roles:
        wrong.append({"field": "roles", "problem": f"at least one of {', '.join(Role)}"})
    if language not in LANGUAGES:
        wrong.append({"field": "language", "problem": f"one of {', '.join(LANGUAGES)}"})
    if wrong:
        raise InvalidError("The user was not made: " + "; ".join(f"{entry['field']}: {entry['problem']}" for entry in wrong), fields=wrong)


async def create_user(
    session: AsyncSession,
    services: Means,
    actor: Actor | None,
    *,
    login: str,
    display_name: str,
    password: str,
    roles: Collection[Role],
    language: str = "km",
) -> User:
    """A new person of the session's factory. `actor` None is the operator at the service's own console.

    Raises InvalidError (a field, or `password_refused`), ProblemError `login_taken`, NotAllowedError.
    """
    if actor is not None:
        actor.require(Permission.ADMINISTER)
    login = login.strip().casefold()
    display_name = unicodedata.normalize("NFC", display_name.strip())
    _check(login, display_name, roles, language)
    passwords.check_new(password, context=(login, display_name))
    hashed = await passwords.hash_new(password)
    user_id = new_id()
    factory_id = factory_of(session)
    entry = insert(LoginDirectory).values(login_index=services.keys.login_index(login), factory_id=factory_id, user_id=user_id)
    if (await session.execute(entry.on_conflict_do_nothing().returning(LoginDirectory.user_id))).one_or_none() is None:
        raise ProblemError("login_taken", "This login is taken. Choose another, for example with the factory's name in it.")
    now = services.clock()
    vault = await services.keys.vault(session)
    user = User(
        factory_id=factory_id,
        id=user_id,
        login=vault.seal(login, "users", user_id, "login"),
        display_name=vault.seal(display_name, "users", user_id, "display_name"),
        password_hash=hashed,
        roles=sorted({Role(role).value for role in roles}),
        language=language,
        created_at=now,
        disabled_at=None,
    )
    session.add(user)
    await session.flush()
    await _note(session, actor, now, "user.created", user_id, roles=user.roles)
    return user


async def _note(session: AsyncSession, actor: Actor | None, at: datetime, action: str, user_id: UUID, **data: object) -> None:
    name = OPERATOR if actor is None else actor.name
    await journal.record(session, at, journal.Event(actor=name, action=action, subject=f"user:{user_id}", data=data))


async def _locked(session: AsyncSession, user_id: UUID) -> User:
    user = await session.scalar(select(User).where(User.id == user_id).with_for_update())
    if user is None:
        raise NotFoundError("user")
    return user


async def _keep_an_administrator(session: AsyncSession, without: UUID) -> None:
    """Raises ProblemError when nobody else administers. The rows are locked: two administrators cannot remove each other."""
    role = cast([Role.ADMINISTRATOR.value], ARRAY(Text))
    query = select(User.id).where(User.roles.contains(role), User.disabled_at.is_(None)).order_by(User.id).with_for_update()
    if not set((await session.scalars(query)).all()) - {without}:
        raise ProblemError("last_administrator", "This is the factory's last administrator. Make another person administrator first.")


async def disable(session: AsyncSession, services: Means, actor: Actor, user_id: UUID) -> User:
    """End a person's access and her sessions now. Raises NotFoundError, ProblemError `last_administrator`."""
    actor.require(Permission.ADMINISTER)
    await _keep_an_administrator(session, user_id)
    user = await _locked(session, user_id)
    if user.disabled_at is None:
        user.disabled_at = services.clock()
        await session.flush()
        await sessions.end_all(session, user_id, user.disabled_at)
        await _note(session, actor, user.disabled_at, "user.disabled", user_id)
    return user


async def change_roles(session: AsyncSession, services: Means, actor: Actor, user_id: UUID, roles: Collection[Role]) -> User:
    """Give a person other roles; she signs in again. Raises InvalidError, NotFoundError, ProblemError `last_administrator`."""
    actor.require(Permission.ADMINISTER)
    if not roles:
        raise InvalidError(f"Give at least one of {', '.join(Role)}, or disable the user.")
    if Role.ADMINISTRATOR not in roles:
        await _keep_an_administrator(session, user_id)
    user = await _locked(session, user_id)
    before, user.roles = user.roles, sorted({Role(role).value for role in roles})
    now = services.clock()
    await session.flush()
    await sessions.end_all(session, user_id, now)
    await _note(session, actor, now, "user.roles_changed", user_id, before=before, after=user.roles)
    return user


async def set_password(session: AsyncSession, services: Means, actor: Actor | None, user_id: UUID, password: str) -> None:
    """Give a person a new password and end her sessions. Raises InvalidError `password_refused`, NotFoundError."""
    if actor is not None:
        actor.require(Permission.ADMINISTER)
    user = await _locked(session, user_id)
    vault = await services.keys.vault(session)
    words = [vault.open(getattr(user, column), "users", user_id, column) for column in ("login", "display_name")]
    passwords.check_new(password, context=words)
    user.password_hash = await passwords.hash_new(password)
    now = services.clock()
    await session.flush()
    await sessions.end_all(session, user_id, now)
    await _note(session, actor, now, "user.password_changed", user_id)


def person_of(vault: Vault, user: User) -> Person:
    """A user with her personal values opened."""
    return Person(
        id=user.id,
        login=vault.open(user.login, "users", user.id, "login"),
        display_name=vault.open(user.display_name, "users", user.id, "display_name"),
        roles=tuple(Role(role) for role in user.roles),
        language=user.language,
        created_at=user.created_at,
        disabled_at=user.disabled_at,
    )


async def list_users(session: AsyncSession, services: Means, actor: Actor) -> Sequence[Person]:
    """Everybody of the factory, also the disabled, in the order of their making."""
    actor.require(Permission.ADMINISTER)
    vault = await services.keys.vault(session)
    return [person_of(vault, user) for user in await session.scalars(select(User).order_by(User.id))]


async def get_self(session: AsyncSession, services: Means, actor: Actor) -> Person | None:
    """The person who acts, for showing her own name; None for a key."""
    user = None if actor.user_id is None else await session.get(User, {"id": actor.user_id, "factory_id": actor.factory_id})
    return None if user is None else person_of(await services.keys.vault(session), user)
