"""Every page that a person works with, furnished, in both languages: it fits a phone and a desk, is read, and is used by keyboard."""

from __future__ import annotations

import os
from datetime import date
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

import pytest

from connectors.faulty_server import serving
from importers.period import PayPeriod, RunKind
from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.clock import pay_day
from payroll_api.intake.upload import upload
from payroll_api.runs.balances import state_balance
from payroll_api.runs.build import create_run
from payroll_api.runs.decide import approve, submit
from payroll_api.services import Services
from payroll_api.settlement.layouts import set_layout
from payroll_api.settlement.upload import upload_statement
from tests.browser.checks import CONTRAST, KEYBOARD, WIDE, axe, complaints_of_axe, sign_in
from tests.browser.chromium import Tab, installed, tab
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import few, payments_of, payroll, released, settle_down
from tests.payroll_api.furnished import furnish
from tests.payroll_api.payday_story import Story

AXE = axe()
# The build installs both and says CI: there the walk must run.
pytestmark = pytest.mark.skipif(
    (installed() is None or AXE is None) and "CI" not in os.environ, reason="install chromium and axe to run it"
)

SUNDAY = date(2026, 11, 29)
LAYOUT = {"date": "Date", "amount": "Amount", "references": ["Reference"], "currency": "USD", "date_format": "%d/%m/%Y"}


async def _paid_and_settled(told: Story) -> tuple[UUID, UUID]:
    """A payday that is over, with the bank's own statement of it and a table's layout. Gives the run and the bank's account."""
    services, factory = told.services, told.factory
    paid = (await payments_of(told))[0]
    async with services.database.factory(factory.id) as session:
        connector = await services.connectors.payout(session, paid.provider_account_id)
    content = await connector.fetch_statement(pay_day(services.clock()))
    assert content is not None
    async with services.database.factory(factory.id) as session:
        await set_layout(session, services, factory.administrator, paid.provider_account_id, LAYOUT)
        await upload_statement(
            session, services, factory.finance, provider_account_id=paid.provider_account_id, file_name="day.xml", content=content
        )
    await told.work()
    return paid.run_id, paid.provider_account_id


async def _short_of_funds(told: Story, bank: UUID) -> UUID:
    """A run for a Sunday, approved, that the bank's account cannot pay."""
    services, factory = told.services, told.factory
    async with services.database.factory(factory.id) as session:
        file = await upload(
            session,
            services,
            factory.preparer,
            file_name="half.csv",
            content=payroll(net="110.40"),
            period=PayPeriod(2026, 11),
            kind=RunKind.FIRST_HALF,
        )
    await told.work()
    await told.decide(file.id)
    async with services.database.factory(factory.id) as session:
        run = await create_run(session, services, factory.preparer, file.id, pay_on=SUNDAY)
        sent = await submit(session, services, factory.preparer, run.id)
        await approve(session, services, factory.approver, run.id, content_hash=sent.content_hash or "")
    async with services.database.factory(factory.id) as session:
        await state_balance(
            session,
            services,
            factory.finance,
            bank,
            amount="100",
            unit="USD",
            holds_on=pay_day(services.clock()),
            reason="seen at the bank",
        )
    return run.id


async def _faults(page: Tab) -> list[str]:
    """What is wrong with the page that is open, at a phone's width and at a desk's."""
    found = ["wider than a phone"] if await page.run(WIDE) else []
    found += [f"contrast {one}" for one in await page.run(CONTRAST)]
    found += await page.run(KEYBOARD)
    if await page.run("document.documentElement.lang") == "km":  # both languages have one structure
        found += await complaints_of_axe(page, AXE or "")
    await page.width(1440)
    found += ["wider than a desk"] if await page.run(WIDE) else []
    await page.width(360)
    return found


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_every_page_fits_is_read_and_is_used_by_keyboard_in_both_languages(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await settle_down(told, clock)
        run, bank = await _paid_and_settled(told)
        short = await _short_of_funds(told, bank)
        ids = await furnish(told.services, factory)
        payment = (await payments_of(told))[0]
        days = f"first={pay_day(clock())}&last={pay_day(clock())}"
        finance = [
            *("/", "/workers", f"/workers/{payment.worker_id}", "/changes", "/statements", "/decisions", "/decisions?all=1", "/alarms"),
            *(f"/settlement?{days}", f"/settlement/day-end?account={bank}&currency=USD&{days}", f"/settlement/run?run={run}"),
            *(f"/settlement/{name}?{days}" for name in ("unpaid", "returned", "breaks", "charges")),
            *("/breaks", f"/breaks/{ids['breaks']}", "/reports", "/messages", f"/messages/{ids['provider-messages']}"),
            *(f"/runs/{short}", f"/runs/{run}", f"/runs/{run}/payments", f"/runs/{run}/people", f"/runs/{run}/slips"),
            *(f"/runs/{ids['pay-runs']}/files", f"/payments/{payment.id}", f"/files/{ids['payroll-files']}"),
        ]
        administrator = ["/restore", "/settlement-rules", "/factory", "/factory/law", "/factory/policies", "/factory/what-if"]
        faults: dict[str, None] = {}
        async with serving(create_app(told.services)) as base, tab(tmp_path) as page:
            await page.width(360)
            for role, paths in ((Role.FINANCE, finance), (Role.ADMINISTRATOR, administrator)):
                await page.send("Network.clearBrowserCookies")
                await sign_in(page, base, factory.logins[role])
                for path in paths:
                    for language in ("en", "km"):
                        await page.open(f"{base}{path}{'&' if '?' in path else '?'}lang={language}")
                        assert await page.run("performance.getEntriesByType('navigation')[0].responseStatus") == HTTPStatus.OK, path
                        assert await page.run("document.querySelector('h1') !== null"), path
                        faults |= {f"{path} {language}: {fault}": None for fault in await _faults(page)}
            faults |= {f"the answer of what-if: {fault}": None for fault in await _ask_what_if(page, base)}
            assert not faults, "\n".join(faults)
            await page.open(f"{base}/factory")
            await page.key("Tab")
            assert await page.run("document.activeElement.className") == "skip"
            await page.key("Enter")
            assert await page.run("location.hash") == "#main"
            assert page.complaints == []


async def _ask_what_if(page: Tab, base: str) -> list[str]:
    """The answer stands on the page that asked the question."""
    await page.open(f"{base}/factory/what-if?lang=km")
    await page.run("document.getElementById('value-1').value = '220'; document.getElementById('value-2').value = '218'")
    await page.run("[...document.querySelectorAll('main form button')].at(-1).click()")
    await page.until("document.getElementById('answer') && document.readyState === 'complete'")
    return await _faults(page)
