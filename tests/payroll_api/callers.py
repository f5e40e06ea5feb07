"""Who calls the API in these tests: people with a session of their own, and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from payroll_api.access import api_keys, sessions
from payroll_api.access.actor import Actor
from payroll_api.access.models import User
from payroll_api.services import Services

if TYPE_CHECKING:
    from tests.conftest import SampleFactory


async def open_session(services: Services, actor: Actor) -> tuple[str, str]:
    """A session of a person, without the time that a password takes: token and CSRF token."""
    async with services.database.factory(actor.factory_id) as session:
        user = await session.get_one(User, {"id": actor.user_id, "factory_id": actor.factory_id})
        return await sessions.open_session(session, user, services.clock())


async def bearer(services: Services, actor: Actor) -> dict[str, str]:
    """The headers of a program that a person has signed in."""
    return {"Authorization": f"Bearer {(await open_session(services, actor))[0]}"}


async def key_bearer(services: Services, factory: SampleFactory) -> dict[str, str]:
    """The headers of the factory's ERP."""
    async with services.database.factory(factory.id) as session:
        return {"Authorization": f"Bearer {(await api_keys.create(session, services, factory.administrator, name='ERP')).secret}"}


def fresh() -> dict[str, str]:
    """An Idempotency-Key of its own."""
    return {"Idempotency-Key": str(uuid4())}
