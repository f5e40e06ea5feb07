"""Whose account it is, is asked with the worker's own name: what the sheet calls the account's owner proves nothing."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import select

from payroll_api.people.models import Destination
from payroll_api.services import Services
from tests.conftest import SampleFactory
from tests.payroll_api.payday_story import story

SHEET = (
    b"Worker code,Name (Khmer),Name (Latin),Join date,Basic wage ($),Net pay ($),Pay method,Account no.,Account name\n"
    b"G-1,Sok Dara,SOK DARA,2020-01-06,210.00,205.10,bank,000123456,SOK DARA\n"
    b"G-2,Chan Thy,CHAN THY,2020-01-06,210.00,205.10,bank,000999999,SUPERVISOR RICH\n"
)


async def test_a_sheet_that_names_the_real_owner_of_a_foreign_account_does_not_verify_it(
    services: Services, factory: SampleFactory, tmp_path: Path
) -> None:
    accounts = tmp_path / "accounts.json"
    known = [
        {"account": "000123456", "holder": "SOK DARA", "status": "open"},
        {"account": "000999999", "holder": "SUPERVISOR RICH", "status": "open"},
    ]
    accounts.write_text(json.dumps({"bank": known, "wallet": []}))
    async with story(services, factory, tmp_path, accounts=accounts) as told:
        await told.upload(SHEET, "payroll.csv")
        async with told.services.database.factory(factory.id) as session:
            states = {item.name_match: item.state for item in await session.scalars(select(Destination))}
        assert states == {"MTCH": "verified", "NMTC": "doubtful"}
