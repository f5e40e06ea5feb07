"""Signing in, staying signed in, and losing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from payroll_api.access import sessions, users
from payroll_api.access.actor import Permission, Role
from payroll_api.access.attempts import Attempts, TooManyAttemptsError
from payroll_api.access.models import User, UserSession
from payroll_api.access.sign_in import SignInFailedError, sign_in
from payroll_api.audit.find import events
from payroll_api.errors import NotSignedInError
from payroll_api.services import Services

if TYPE_CHECKING:
    from tests.conftest import SampleFactory, SettableClock

PASSWORD = "seven lotus ponds at dawn"


async def test_sokha_signs_in_and_is_known_by_her_token(services: Services, factory: SampleFactory) -> None:
    token, actor, csrf = await sign_in(services, f" {factory.logins[Role.PREPARER].upper()} ", PASSWORD)
    live = await sessions.resolve(services, token)
    assert live.actor == actor == factory.preparer
    assert live.csrf_token == csrf
    assert token.partition(".")[0] == factory.id.hex
    assert len(token.partition(".")[2]) >= 43  # 256 bits
    async with services.database.factory(factory.id) as session:
        stored = (await session.scalars(select(UserSession))).one()
        assert stored.token_hash == sessions.digest(token)
        assert token.encode() not in stored.token_hash
        assert (await events(session, subject=actor.name, before=None, limit=1))[0]["action"] == "session.started"
    assert token not in repr(live)


async def test_a_wrong_password_and_an_unknown_login_are_told_alike(services: Services, factory: SampleFactory) -> None:
    told = set()
    for login, password in ((factory.logins[Role.PREPARER], "seven lotus ponds at dusk"), ("nobody@nowhere", PASSWORD)):
        with pytest.raises(SignInFailedError) as refusal:
            await sign_in(services, login, password, attempts=Attempts())
        told.add((refusal.value.code, refusal.value.detail, refusal.value.status))
    assert len(told) == 1
    async with services.database.factory(factory.id) as session:
        found = await events(session, subject=factory.preparer.name, before=None, limit=5)
    assert [event["action"] for event in found] == ["session.refused"]


async def test_ten_failures_are_enough(services: Services, factory: SampleFactory) -> None:
    attempts = Attempts()
    for _ in range(10):
        attempts.check_and_count(services.keys.login_index(factory.logins[Role.PREPARER]), "10.0.0.1", services.clock())
    with pytest.raises(TooManyAttemptsError):
        await sign_in(services, factory.logins[Role.PREPARER], PASSWORD, address="10.0.0.1", attempts=attempts)


async def test_a_session_ends_after_half_an_hour_without_use(services: Services, factory: SampleFactory, clock: SettableClock) -> None:
    token = (await sign_in(services, factory.logins[Role.PREPARER], PASSWORD)).token
    for _ in range(4):
        clock.advance(minutes=29)
        await sessions.resolve(services, token)
    clock.advance(minutes=30)
    with pytest.raises(NotSignedInError):
        await sessions.resolve(services, token)


async def test_a_session_ends_after_twelve_hours_of_use(services: Services, factory: SampleFactory, clock: SettableClock) -> None:
    token = (await sign_in(services, factory.logins[Role.PREPARER], PASSWORD)).token
    for _ in range(12 * 3 - 1):
        clock.advance(minutes=20)
        await sessions.resolve(services, token)
    clock.advance(minutes=20)
    with pytest.raises(NotSignedInError):
        await sessions.resolve(services, token)


async def test_signing_out_makes_the_token_worthless(services: Services, factory: SampleFactory) -> None:
    token = (await sign_in(services, factory.logins[Role.PREPARER], PASSWORD)).token
    await sessions.sign_out(services, await sessions.resolve(services, token))
    with pytest.raises(NotSignedInError):
        await sessions.resolve(services, token)


async def test_a_new_role_or_a_lost_account_is_felt_at_the_next_request(services: Services, factory: SampleFactory) -> None:
    token, dara, _ = await sign_in(services, factory.logins[Role.APPROVER], PASSWORD)
    assert dara.user_id
    async with services.database.factory(factory.id) as session:
        # Straight in the database, as if another process had done it: roles are read at every request.
        await session.execute(update(User).where(User.id == dara.user_id).values(roles=["auditor"]))
    assert Permission.APPROVE not in (await sessions.resolve(services, token)).actor.permissions
    async with services.database.factory(factory.id) as session:
        await users.disable(session, services, factory.administrator, dara.user_id)
    with pytest.raises(NotSignedInError):
        await sessions.resolve(services, token)
    with pytest.raises(SignInFailedError):
        await sign_in(services, factory.logins[Role.APPROVER], PASSWORD)


@pytest.mark.parametrize("token", ["", "x", "." * 40, "0" * 32, f"{'0' * 32}.abc", "gw_x_y", "é.é", f"{'f' * 32}.{'a' * 43}"])
async def test_a_made_up_token_is_nobodys(services: Services, token: str) -> None:
    with pytest.raises(NotSignedInError):
        await sessions.resolve(services, token)


async def test_a_token_with_another_factorys_name_is_nobodys(
    services: Services, factory: SampleFactory, other_factory: SampleFactory
) -> None:
    secret = (await sign_in(services, factory.logins[Role.PREPARER], PASSWORD)).token.partition(".")[2]
    with pytest.raises(NotSignedInError):
        await sessions.resolve(services, f"{other_factory.id.hex}.{secret}")
