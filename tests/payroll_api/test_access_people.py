"""An administrator looks after people and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from payroll_api.access import api_keys, four_eyes, sessions, users
from payroll_api.access.actor import KEY_PERMISSIONS, Actor, Permission, Role
from payroll_api.access.models import ApiKey, User
from payroll_api.access.sign_in import sign_in
from payroll_api.audit.find import events
from payroll_api.db.base import new_id
from payroll_api.errors import InvalidError, NotAllowedError, NotFoundError, NotSignedInError, ProblemError
from payroll_api.services import Services
from tests.payroll_api.callers import open_session

if TYPE_CHECKING:
    from tests.conftest import SampleFactory

PASSWORD = "nine small boats on the tonle sap"


async def add(services: Services, factory: SampleFactory, login: str) -> User:
    async with services.database.factory(factory.id) as session:
        return await users.create_user(
            session, services, factory.administrator, login=login, display_name="ចាន់ធី", password=PASSWORD, roles=[Role.FINANCE]
        )


async def test_a_new_person_signs_in_and_her_name_is_sealed(services: Services, factory: SampleFactory) -> None:
    login = f"chanthy.{factory.slug}"
    user = await add(services, factory, login)
    assert (await sign_in(services, login, PASSWORD)).actor.user_id == user.id
    async with services.database.factory(factory.id) as session:
        stored = await session.scalar(select(User).where(User.id == user.id))
        assert stored
        assert "ចាន់ធី".encode() not in bytes(stored.display_name)
        assert login.encode() not in bytes(stored.login)
        listed = await users.list_users(session, services, factory.administrator)
        assert (listed[-1].login, listed[-1].display_name, listed[-1].roles) == (login, "ចាន់ធី", (Role.FINANCE,))
        assert "ចាន់ធី" not in repr(listed[-1])
        told = await events(session, subject=f"user:{user.id}", before=None, limit=9)
    assert [event["action"] for event in told] == ["session.started", "user.created"]
    assert "ចាន់ធី" not in str(told)


async def test_a_login_is_one_persons_over_all_factories(services: Services, factory: SampleFactory, other_factory: SampleFactory) -> None:
    await add(services, factory, f"chanthy.{factory.slug}")
    with pytest.raises(ProblemError, match="login_taken"):
        await add(services, other_factory, f"Chanthy.{factory.slug}")


@pytest.mark.parametrize(
    ("login", "name", "roles", "field"),
    [("a b", "A", [Role.AUDITOR], "login"), ("abc", "", [Role.AUDITOR], "display_name"), ("abc", "A", [], "roles")],
)
async def test_what_is_wrong_is_named(
    services: Services, factory: SampleFactory, login: str, name: str, roles: list[Role], field: str
) -> None:
    async with services.database.factory(factory.id) as session:
        with pytest.raises(InvalidError) as refusal:
            await users.create_user(session, services, None, login=login, display_name=name, password=PASSWORD, roles=roles)
    assert field in str(refusal.value.extra)


async def test_the_last_administrator_stays(services: Services, factory: SampleFactory) -> None:
    boss = factory.administrator
    assert boss.user_id
    async with services.database.factory(factory.id) as session:
        with pytest.raises(ProblemError, match="last_administrator"):
            await users.disable(session, services, boss, boss.user_id)
        with pytest.raises(ProblemError, match="last_administrator"):
            await users.change_roles(session, services, boss, boss.user_id, [Role.AUDITOR])
        assert factory.auditor.user_id
        await users.change_roles(session, services, boss, factory.auditor.user_id, [Role.ADMINISTRATOR])
        await users.disable(session, services, boss, boss.user_id)


async def test_other_roles_and_a_new_password_end_sessions(services: Services, factory: SampleFactory) -> None:
    for change in ("roles", "password"):
        token, _ = await open_session(services, factory.preparer)
        assert factory.preparer.user_id
        async with services.database.factory(factory.id) as session:
            if change == "roles":
                await users.change_roles(session, services, factory.administrator, factory.preparer.user_id, [Role.FINANCE])
            else:
                await users.set_password(session, services, factory.administrator, factory.preparer.user_id, PASSWORD)
        with pytest.raises(NotSignedInError):
            await sessions.resolve(services, token)


async def test_only_administrators_look_after_people(services: Services, factory: SampleFactory) -> None:
    for role in set(Role) - {Role.ADMINISTRATOR}:
        async with services.database.factory(factory.id) as session:
            with pytest.raises(NotAllowedError):
                await users.list_users(session, services, factory.people[role])
            with pytest.raises(NotAllowedError):
                await api_keys.create(session, services, factory.people[role], name="ERP")


async def test_another_factorys_person_is_not_found(services: Services, factory: SampleFactory, other_factory: SampleFactory) -> None:
    assert other_factory.preparer.user_id
    async with services.database.factory(factory.id) as session:
        with pytest.raises(NotFoundError):
            await users.disable(session, services, factory.administrator, other_factory.preparer.user_id)


async def test_a_key_is_shown_once_prepares_and_never_approves(services: Services, factory: SampleFactory) -> None:
    async with services.database.factory(factory.id) as session:
        key, secret = made = await api_keys.create(session, services, factory.administrator, name="ERP")
    assert secret.startswith(f"gw_{factory.id.hex}_")
    assert secret not in repr(made)
    live = await api_keys.resolve(services, secret)
    assert live.actor == Actor(factory_id=factory.id, name=f"key:{key.id}", permissions=KEY_PERMISSIONS)
    assert not live.actor.permissions & {Permission.APPROVE, Permission.RELEASE, Permission.ADMINISTER, Permission.READ_PERSONAL}
    async with services.database.factory(factory.id) as session:
        stored = (await session.scalars(select(ApiKey))).one()
        assert stored.key_hash == sessions.digest(secret)
        await api_keys.revoke(session, services, factory.administrator, key.id)
    with pytest.raises(NotSignedInError):
        await api_keys.resolve(services, secret)


def test_a_maker_does_not_approve_and_neither_does_a_key() -> None:
    factory_id = new_id()
    dara = Actor(factory_id=factory_id, name="user:1", permissions=frozenset(Permission), user_id=new_id())
    four_eyes.require_other(dara, "user:2", None)
    with pytest.raises(NotAllowedError) as refusal:
        four_eyes.require_other(dara, "user:2", "user:1")
    assert refusal.value.code == "four_eyes"
    with pytest.raises(NotAllowedError):
        four_eyes.require_other(Actor(factory_id=factory_id, name="key:1", permissions=KEY_PERMISSIONS), "user:2")
