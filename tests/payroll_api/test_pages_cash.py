"""The cash list on its page: the notes to fetch, and only those are confirmed who stood on the list that was shown."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.payments.hold import confirm_cash
from payroll_api.services import Services
from tests.conftest import PASSWORD, SampleFactory, SettableClock
from tests.payroll_api.payday_story import story
from tests.payroll_api.plain_browser import PlainBrowser

SHEET = """\
Worker code,Name (Khmer),Name (Latin),Join date,Basic wage ($),Net pay ($),Pay method,Account no.
C-001,សុខ ដារ៉ា,Sok Dara,2020-01-06,210.00,205.10,cash,
C-002,ចាន់ ធីតា,Chan Thida,2020-01-06,210.00,205.10,cash,
"""


async def test_the_list_names_its_notes_and_a_stale_one_confirms_nobody(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    clock.now = datetime.now(UTC)
    async with story(services, factory, tmp_path, accounts=None) as told, PlainBrowser(create_app(services)) as browser:
        file_id = await told.upload(SHEET.encode(), "payroll.csv")
        await told.decide(file_id)
        run_id = await told.approved_run(file_id)
        await told.work()
        await browser.sign_in(factory.logins[Role.FINANCE], PASSWORD)
        page = await browser.open(f"/runs/{run_id}/cash")
        assert "Notes for the envelopes (USD): 4 × $100.00" in page.text  # two envelopes of 222.45 each
        assert "Without a note: $0.90 in all" in page.text
        async with services.database.factory(factory.id) as session:
            assert await confirm_cash(session, services, factory.finance, run_id, ["C-001"]) == 1
        page = await browser.press("Everybody on this list")
        assert browser.answer.status_code == 409
        assert "The list has changed since it was shown" in page.text
        await browser.open(f"/runs/{run_id}/cash")
        page = await browser.press("Everybody on this list")
        assert "The cash payments are confirmed" in page.text
        assert "Notes for the envelopes" not in page.text
