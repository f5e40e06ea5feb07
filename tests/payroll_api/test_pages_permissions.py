"""A page allows nothing that the API forbids, and a program sees no more of a person than a page would show it."""

from __future__ import annotations

from pathlib import Path

import httpx

from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.services import Services
from tests.conftest import PASSWORD, SampleFactory, SettableClock
from tests.payroll_api.callers import bearer, key_bearer
from tests.payroll_api.few_workers import few
from tests.payroll_api.plain_browser import PlainBrowser

WRONG = "Worker code,Name,Net pay ($),Pay method,Account no.\nA-1,Sok Dara,later,bank,000111001\nA-2,Chan Thida,200.00,bank,12345-SECRET\n"


async def test_the_journal_is_for_the_same_people_on_the_page_and_by_program(
    services: Services, factory: SampleFactory, client: httpx.AsyncClient
) -> None:
    for role in Role:
        by_program = await client.get("/api/v1/pay-periods/2026-11/journal", headers=await bearer(services, factory.people[role]))
        async with PlainBrowser(create_app(services)) as browser:
            await browser.sign_in(factory.logins[role], PASSWORD)
            await browser.open("/reports/journal.csv?period=2026-11")
            assert (browser.answer.status_code == 403) is (by_program.status_code == 403) is (role is Role.APPROVER), role


async def test_a_key_that_checks_a_sheet_does_not_see_what_stands_in_its_cells(
    services: Services, factory: SampleFactory, client: httpx.AsyncClient, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        file_id = await told.upload(WRONG.encode(), "payroll.csv")
    url = f"/api/v1/payroll-files/{file_id}/problems"
    seen = (await client.get(url, headers=await bearer(services, factory.preparer))).json()["items"]
    by_key = (await client.get(url, headers=await key_bearer(services, factory))).json()["items"]
    assert "later" in {item["value"] for item in seen}
    assert {item["value"] for item in by_key} <= {"•••", ""}
    assert [item["cell"] for item in by_key] == [item["cell"] for item in seen]
