"""Whose account is not hers, or cannot be one of its bank, is held when the run is sent for approval, and the others are paid."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import select

from payroll_api.encryption.vault import Vault
from payroll_api.factories.models import ProviderAccount
from payroll_api.runs.build import create_run
from payroll_api.runs.decide import submit
from payroll_api.runs.models import RunItem
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import PEOPLE, few, payroll


async def test_two_who_stand_with_each_other_s_account_and_one_that_cannot_be_an_account_are_held_before_anybody_approves(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        async with told.services.database.factory(factory.id) as session:
            vault: Vault = await told.services.keys.vault(session)
            bank = (await session.scalars(select(ProviderAccount).where(ProviderAccount.kind == "bank_account"))).one()
            config = json.loads(vault.open(bank.config, "provider_accounts", bank.id, "config"))
            config["accounts"] = [{"pattern": "[0-9]{8}[1-3]", "example": "000111001", "source": "the bank's letter of 2026"}]
            bank.config = vault.seal(json.dumps(config), "provider_accounts", bank.id, "config")
        dara, thida, *rest = PEOPLE
        exchanged = ((*dara[:3], thida[3]), (*thida[:3], dara[3]))
        file_id = await told.upload(payroll([*exchanged, *rest]), "payroll.csv")
        await told.decide(file_id)
        async with told.services.database.factory(factory.id) as session:
            made = await create_run(session, told.services, factory.preparer, file_id, pay_on=None)
        async with told.services.database.factory(factory.id) as session:
            await submit(session, told.services, factory.preparer, made.id)
            held = {item.worker_code: item.held_reason for item in await session.scalars(select(RunItem))}
        assert held == {"R-01": "destination_doubtful", "R-02": "destination_doubtful", "R-03": None, "R-04": "account_format"}
