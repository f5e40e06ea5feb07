"""Sign in with a login and a password. Whether the login or the password was wrong is never told, nor can it be timed."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from payroll_api import logs
from payroll_api.access import passwords, sessions
from payroll_api.access.actor import Actor
from payroll_api.access.attempts import Attempts
from payroll_api.access.means import Means
from payroll_api.access.models import LoginDirectory, User
from payroll_api.audit import journal
from payroll_api.errors import ProblemError

log = logs.get(__name__)

_attempts = Attempts()


class SignedIn(NamedTuple):
    """A new session: its token (shown once), who it is, and the token that forms must send back."""

    token: str
    actor: Actor
    csrf_token: str

    def __repr__(self) -> str:
        return f"SignedIn({self.actor.name})"


class SignInFailedError(ProblemError):
    """The login, the password or both are wrong, or the person was disabled. One answer for all."""

    def __init__(self) -> None:
        super().__init__(
            "sign_in_failed", "The login or the password is wrong. Check both; your administrator can give you a new password.", status=401
        )


async def sign_in(services: Means, login: str, password: str, *, address: str = "", attempts: Attempts = _attempts) -> SignedIn:
    """Open a session. `address` is the client's, for counting failures.

    Raises SignInFailedError, or TooManyAttemptsError after ten failures of one login from one address in a quarter of an hour.
    """
    index = services.keys.login_index(login)
    attempts.check_and_count(index, address, services.clock())
    async with services.database.nobody() as directory:
        entry = await directory.scalar(select(LoginDirectory).where(LoginDirectory.login_index == index))
    hashed = None if entry is None else await _hash_of(services, entry.factory_id, entry.user_id)
    # No transaction is open while the hash is computed: slow guesses must not hold the database's connections.
    right = await passwords.fits(password, hashed)
    if entry is None or hashed is None or not right:
        await _note_failure(services, entry)
        raise SignInFailedError
    renewed = await passwords.hash_new(password) if passwords.outdated(hashed) else None
    now = services.clock()
    async with services.database.factory(entry.factory_id) as session:
        user = await session.scalar(select(User).where(User.id == entry.user_id).with_for_update())
        if user is None or user.disabled_at is not None or user.password_hash != hashed:
            raise SignInFailedError
        if renewed is not None:
            user.password_hash = renewed
        token, csrf = await sessions.open_session(session, user, now)
        actor = sessions.actor_of(user)
    attempts.succeeded(index, address)
    return SignedIn(token, actor, csrf)


async def _hash_of(services: Means, factory_id: UUID, user_id: UUID) -> str | None:
    async with services.database.factory(factory_id) as session:
        return await session.scalar(select(User.password_hash).where(User.id == user_id, User.disabled_at.is_(None)))


async def _note_failure(services: Means, entry: LoginDirectory | None) -> None:
    log.warning("sign_in_failed", known=entry is not None)
    if entry is None:
        return
    async with services.database.factory(entry.factory_id) as session:
        event = journal.Event(actor=journal.SYSTEM, action="session.refused", subject=f"user:{entry.user_id}")
        await journal.record(session, services.clock(), event)
