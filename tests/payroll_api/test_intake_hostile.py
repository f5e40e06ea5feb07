"""Files that mean harm, through the service itself: each ends in a refusal with its reason, and the next honest file is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from payroll_api.intake.models import PayrollFile
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.importers.test_hostile_files import HOSTILE
from tests.payroll_api.few_workers import few, payroll


@pytest.mark.timeout(300)
async def test_hostile_files_are_refused_and_an_honest_one_is_read_after_them(
    services: Services, factory: SampleFactory, clock: SettableClock, tmp_path: Path
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        for name, (build, code) in HOSTILE.items():
            if code is None:
                continue  # odd, but honest, and the same payroll each time
            file_id = await told.upload(build(), "payroll.xlsx")
            async with services.database.factory(factory.id) as session:
                file = await session.get_one(PayrollFile, (factory.id, file_id))
                assert file.state == "refused", name
        honest = await told.upload(payroll(), "payroll.csv")
        async with services.database.factory(factory.id) as session:
            assert (await session.get_one(PayrollFile, (factory.id, honest))).state == "reconciled"
