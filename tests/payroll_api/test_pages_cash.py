"""The cash list on its page: the notes to fetch, and only those are confirmed who stood on the list that was shown."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from importers.money import Money, currency
from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.errors import InvalidError
from payroll_api.ledger.book import Account, balances
from payroll_api.payments.cash import confirm_cash, count_back
from payroll_api.payments.invariants import violations
from payroll_api.services import Services
from tests.conftest import PASSWORD, SampleFactory, SettableClock
from tests.payroll_api.few_workers import payments_of, released
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
        run_id = await released(told, SHEET.encode())
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


async def test_envelopes_that_nobody_came_for_are_counted_back_and_stay_owed(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    clock.now = datetime.now(UTC)
    async with story(services, factory, tmp_path, accounts=None) as told, PlainBrowser(create_app(services)) as browser:
        run_id = await released(told, (SHEET + "C-003,ស៊ឹម ស្រីមុំ,Sim Sreymom,2020-01-06,210.00,205.10,cash,\n").encode())
        await told.work()
        await browser.sign_in(factory.logins[Role.FINANCE], PASSWORD)
        await browser.open(f"/runs/{run_id}/cash")
        async with services.database.factory(factory.id) as session:
            await confirm_cash(session, services, factory.finance, run_id, ["C-001"])
        await browser.open(f"/runs/{run_id}/cash")
        # One envelope is missing: it was handed over without a signature, or is lost. Then none comes off the list.
        page = await browser.press("Counted back", count_USD="1", amount_USD="222.45")
        assert browser.answer.status_code == 409
        assert "Envelopes left by the list: 2 (444.90 USD). Counted: 1 (222.45 USD). Nothing was taken back." in page.text
        await browser.open(f"/runs/{run_id}/cash")
        page = await browser.press("Counted back", count_USD="two", amount_USD="444.90")
        assert "Write how many envelopes came back" in page.text
        await browser.open(f"/runs/{run_id}/cash")
        page = await browser.press("Counted back", count_USD="2", amount_USD="444.90")
        assert "The envelopes are counted back" in page.text
        assert page.text.count("Came back") == 2
        assert "Notes for the envelopes" not in page.text
        states = {one.worker_code: (one.state, one.code) for one in await payments_of(told)}
        assert states == {"C-001": ("paid", None), "C-002": ("rejected", "not_collected"), "C-003": ("rejected", "not_collected")}
        async with services.database.factory(factory.id) as session:
            books = await balances(session, run_id)
            assert await violations(session) == []
            with pytest.raises(InvalidError, match="No envelope of this run is left"):
                await count_back(session, services, factory.finance, run_id, {"USD": (2, Money(444_90, currency("USD")))})
        assert books[(Account.WAGES_PAYABLE, "USD")] == -444_90  # still owed


async def test_two_who_count_at_once_take_each_envelope_back_once(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    clock.now = datetime.now(UTC)
    async with story(services, factory, tmp_path, accounts=None) as told:
        run_id = await released(told, SHEET.encode())
        await told.work()

        async def counts() -> int:
            async with services.database.factory(factory.id) as session:
                return await count_back(session, services, factory.finance, run_id, {"USD": (2, Money(444_90, currency("USD")))})

        async def signs() -> int:
            async with services.database.factory(factory.id) as session:
                return await confirm_cash(session, services, factory.finance, run_id, None)

        ends = await asyncio.gather(counts(), counts(), signs(), return_exceptions=True)
        done = [end for end in ends if isinstance(end, int) and end]
        assert done == [2]  # either the envelopes came back, or they were signed for: never both
        async with services.database.factory(factory.id) as session:
            assert await violations(session) == []
