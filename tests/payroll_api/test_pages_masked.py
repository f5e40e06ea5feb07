"""What a page shows to somebody who may not read personal data: figures that add up, and nothing about the person."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.people.models import Worker
from payroll_api.services import Services
from payroll_api.web.workers import without_union
from tests.conftest import PASSWORD, SampleFactory, SettableClock
from tests.payroll_api.few_workers import few
from tests.payroll_api.plain_browser import PlainBrowser

SHEET = b"""Worker code,Name (Latin),Join date,Basic wage ($),Union dues ($),Net pay ($),Pay method,Account no.
R-01,SOK DARA,2020-01-06,210.00,1.25,203.85,bank,000111001
R-02,CHAN THIDA,2020-01-06,210.00,,205.10,bank,000111002
"""


async def test_who_pays_union_dues_is_seen_by_those_alone_who_may_read_personal_data(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await told.upload(SHEET, "payroll.csv")
        async with services.database.factory(factory.id) as session:
            member = await session.scalar(select(Worker.id).where(Worker.worker_code == "R-01"))
        for role, sees in ((Role.PREPARER, True), (Role.AUDITOR, False), (Role.FINANCE, False), (Role.ADMINISTRATOR, False)):
            async with PlainBrowser(create_app(services)) as browser:
                await browser.sign_in(factory.logins[role], PASSWORD)
                text = (await browser.open(f"/workers/{member}")).text
                assert "1.25" in text, role
                assert ("Union" in text) is sees, role
                assert ("Other deduction" in text) is not sees, role


def test_dues_are_folded_into_other_deductions_and_the_sum_stays() -> None:
    def line(name: str, minor: int, currency: str = "USD") -> dict[str, object]:
        return {"line": name, "side": "deduction", "minor": minor, "currency": currency, "formula": "as the factory states"}

    shown = without_union([line("loan", 500), line("union_dues", 125), line("other_deduction", 75)])
    assert [(one["line"], one["minor"]) for one in shown] == [("loan", 500), ("other_deduction", 200)]
    assert without_union([line("loan", 500)]) == [line("loan", 500)]
