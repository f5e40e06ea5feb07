"""Banks that keep hours: a pay day on which the bank is closed, or a release after its cut-off, is told while it can still be changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import httpx

from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.clock import PHNOM_PENH
from payroll_api.factories.provider_accounts import add_provider_account
from payroll_api.runs.build import create_run
from payroll_api.runs.rail_days import RailDay, late, rail_days
from payroll_api.services import Services
from tests.conftest import PASSWORD, SampleFactory, SettableClock
from tests.payroll_api.callers import bearer
from tests.payroll_api.few_workers import few, payroll
from tests.payroll_api.payday_story import BANK_SECRET, BANK_WEBHOOK
from tests.payroll_api.plain_browser import PlainBrowser

FRIDAY, SUNDAY, MONDAY = date(2027, 1, 15), date(2027, 1, 17), date(2027, 1, 18)
CUT_OFF = time(15, 30)
BANK = {
    "base_url": "http://127.0.0.1:9",
    "credential": BANK_SECRET,
    "signing_secret": BANK_SECRET,
    "webhook_secrets": [BANK_WEBHOOK],
    "debtor_name": "Angkor Sample Garments",
    "debtor_account": "000100201",
    "bank_bic": "ABAAKHPP",
    "currency": "USD",
    "hours": {"cut_off": "15:30", "holidays": ["2027-01-14"]},
}


async def test_a_pay_day_on_which_the_bank_is_closed_is_told_before_anybody_approves_it(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        file_id = await told.upload(payroll(), "payroll.csv")
        async with services.database.factory(factory.id) as session:
            run = await create_run(session, services, factory.preparer, file_id, pay_on=SUNDAY)
            assert await rail_days(session, services, run) == []  # the others work at any hour
        async with services.database.factory(factory.id) as session:
            admin = factory.administrator
            await add_provider_account(session, services, admin, name="Old bank", kind="bank_account", connector="iso20022", config=BANK)

        async def days(pay_on: date, now: datetime) -> list[RailDay]:
            clock.now = now.astimezone(UTC)
            async with services.database.factory(factory.id) as session:
                run.pay_on = pay_on
                return await rail_days(session, services, run)

        noon = datetime.combine(FRIDAY, time(12), PHNOM_PENH)
        (day,) = await days(SUNDAY, noon)
        assert (day.executed_on, day.best) == (MONDAY, FRIDAY)
        assert day.release_by == datetime.combine(FRIDAY, CUT_OFF, PHNOM_PENH)
        assert late([day], SUNDAY) == [day]
        (day,) = await days(FRIDAY, noon)
        assert (day.executed_on, late([day], FRIDAY)) == (FRIDAY, [])
        (day,) = await days(FRIDAY, noon + timedelta(hours=4))  # half past four: after the cut-off
        assert (day.executed_on, day.best, late([day], FRIDAY)) == (MONDAY, FRIDAY, [day])
        (day,) = await days(date(2027, 1, 14), noon - timedelta(days=3))  # a holiday of this bank
        assert (day.executed_on, day.best) == (FRIDAY, date(2027, 1, 13))

        clock.now = datetime.now(UTC)
        answer = await client.get(f"/api/v1/pay-runs/{run.id}/rail-days", headers=await bearer(services, factory.approver))
        assert [(one["name"], one["executed_on"], one["best"]) for one in answer.json()] == [("Old bank", "2027-01-18", "2027-01-15")]
        async with PlainBrowser(create_app(services)) as browser:
            await browser.sign_in(factory.logins[Role.PREPARER], PASSWORD)
            text = (await browser.open(f"/runs/{run.id}")).text
        assert "Old bank would pay on 18 January 2027, even if the run were released now." in text
        assert "Make the run again for 15 January 2027, and release it by" in text
