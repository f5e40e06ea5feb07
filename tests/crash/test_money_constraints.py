"""What the database refuses by itself, whatever the code around it does: the last net under paying once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from payroll_api.db.base import new_id
from payroll_api.db.bulk import run
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import few, released, settle_down

# A row like one that is there, but for what is named: whatever columns a table may get.
_AGAIN = "insert into {table} select (jsonb_populate_record(t, $2::jsonb)).* from {table} t where t.factory_id = $1 order by 1, 2 limit 1"


async def test_the_database_itself_refuses_a_second_open_attempt(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await settle_down(told, clock)
        again = {
            "attempts": {"number": 2, "reference": "GW0ANOTHERREFERENCE0", "state": "intent"},
            "payments": {"id": str(new_id()), "state": "ready"},
            "ledger_transfers": {"id": str(new_id())},
        }
        for table, other in again.items():
            with pytest.raises(Exception, match="duplicate key") as refused:
                async with told.services.database.factory(factory.id) as session:
                    await run(session, _AGAIN.format(table=table), factory.id, json.dumps(other))
            assert type(refused.value).__name__ == "UniqueViolationError", table


async def test_the_maker_of_a_run_cannot_stand_as_its_approver(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        with pytest.raises(IntegrityError, match="four_eyes"):
            async with told.services.database.factory(factory.id) as session:
                await session.execute(text("update pay_runs set approved_by = created_by"))
