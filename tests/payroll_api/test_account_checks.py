"""An account that only checks accounts: it is asked where nobody else can tell, and money never goes through it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.payouts.bakong.under_test import under_test
from payroll_api.errors import InvalidError
from payroll_api.factories.provider_accounts import add_provider_account
from payroll_api.people.destinations import provider_of
from payroll_api.people.models import Destination
from payroll_api.services import Services
from tests.conftest import SampleFactory
from tests.payroll_api.payday_story import story

SHEET = """\
Worker code,Name (Khmer),Name (Latin),Join date,Basic wage ($),Net pay ($),Pay method,Account no.
B-001,សុខ ដារ៉ា,Sok Dara 1,2020-01-06,210.00,205.10,wallet,sok_dara_1@aclb
B-002,ចាន់ ធីតា,Chan Thida,2020-01-06,210.00,205.10,wallet,chan_thida@aclb
"""


async def test_an_account_of_bakong_that_exists_waits_for_a_person_and_one_that_does_not_is_refused(
    services: Services, factory: SampleFactory, tmp_path: Path
) -> None:
    async with under_test() as (_, bakong), story(services, factory, tmp_path, accounts=None) as told:
        add = {"name": "Bakong", "connector": "bakong", "config": bakong.settings}
        with pytest.raises(InvalidError, match="for accounts of the kind check"):
            async with services.database.factory(factory.id) as session:
                await add_provider_account(session, services, factory.administrator, kind="wallet", **add)  # type: ignore[arg-type]  # spread
        async with services.database.factory(factory.id) as session:
            await add_provider_account(session, services, factory.administrator, kind="check", **add)  # type: ignore[arg-type]  # spread
        await told.upload(SHEET.encode(), "payroll.csv")
        async with services.database.factory(factory.id) as session:
            found = {item.state: item.name_match for item in await session.scalars(select(Destination))}
            paying = [await provider_of(session, services, kind) for kind in ("bank_account", "wallet")]
        assert found == {"doubtful": "NOAP", "refused": "NOAP"}
        assert all(one is not None and one[1].profile.pays for one in paying)
