"""The factory that tests work in: one person of each role, kept apart from every other factory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from payroll_api.access.models import User
from payroll_api.factories.provider_accounts import add_provider_account
from payroll_api.services import Services

if TYPE_CHECKING:
    from tests.conftest import SampleFactory


async def test_each_factory_sees_its_own_people_only(services: Services, factory: SampleFactory, other_factory: SampleFactory) -> None:
    async with services.database.factory(factory.id) as session:
        assert await session.scalar(select(func.count()).select_from(User)) == len(factory.people)
        assert await session.scalar(select(User.id).where(User.id == other_factory.preparer.user_id)) is None
    async with services.database.nobody() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 0


async def test_connectors_are_built_from_the_factorys_accounts(services: Services, factory: SampleFactory) -> None:
    async with services.database.factory(factory.id) as session:
        cash = await add_provider_account(
            session, services, factory.administrator, name="Cash desk", kind="cash", connector="cash", config={}
        )
        assert (await services.connectors.payout(session, cash.id)).profile.name == "cash"
        assert await services.connectors.gateway(session) is None
