"""A check that cannot be made tells why on the file, and goes on by itself once a person has added what was missing."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete, text

from importers.period import PayPeriod, RunKind
from payroll_api.factories.models import ExchangeRate
from payroll_api.factories.settings import set_rate
from payroll_api.intake.layout import confirm_layout
from payroll_api.intake.models import PayrollFile
from payroll_api.intake.upload import upload
from payroll_api.services import Services
from tests.conftest import SampleFactory
from tests.payroll_api.payday_story import PERIOD, Story, story

SHEET = (
    b"Worker code,Name (Khmer),Name (Latin),Join date,Basic wage ($),Net pay ($),Pay method,Account no.\n"
    b"G-1,Sok Dara,SOK DARA,2020-01-06,210.00,205.10,cash,\n"
)


async def the_file(told: Story, file_id: UUID) -> PayrollFile:
    async with told.services.database.factory(told.factory.id) as session:
        return await session.get_one(PayrollFile, (told.factory.id, file_id))


async def uploaded(told: Story, period: PayPeriod) -> UUID:
    async with told.services.database.factory(told.factory.id) as session:
        file = await upload(
            session, told.services, told.factory.preparer, file_name="p.csv", content=SHEET, period=period, kind=RunKind.BALANCE
        )
    await told.work()
    async with told.services.database.factory(told.factory.id) as session:
        await confirm_layout(session, told.services, told.factory.preparer, file.id, {})
    await told.work()
    return file.id


async def test_a_missing_exchange_rate_is_told_and_the_check_goes_on_once_it_is_set(
    services: Services, factory: SampleFactory, tmp_path: Path
) -> None:
    async with story(services, factory, tmp_path, accounts=None) as told:
        async with told.services.database.factory(factory.id) as session:
            await session.execute(delete(ExchangeRate))
        file_id = await uploaded(told, PERIOD)
        waiting = await the_file(told, file_id)
        assert waiting.state == "read"
        assert waiting.summary is not None
        assert "2026-11" in str(waiting.summary["waiting"])
        async with told.services.database.factory(factory.id) as session:
            for purpose in ("tax", "nssf"):
                await set_rate(session, told.services, factory.administrator, PERIOD, purpose, Decimal(4000), "a test's rate")
        async with told.services.database.nobody() as session:
            await session.execute(text("update pgqueuer set execute_after = now() where status = 'queued'"))
        await told.work()
        checked = await the_file(told, file_id)
        assert checked.state == "reconciled"
        assert checked.summary is not None
        assert checked.summary["waiting"] is None


async def test_a_month_that_the_law_book_does_not_know_is_refused_with_what_to_add(
    services: Services, factory: SampleFactory, tmp_path: Path
) -> None:
    async with story(services, factory, tmp_path, accounts=None) as told:
        period = PayPeriod(2027, 1)
        async with told.services.database.factory(factory.id) as session:
            for purpose in ("tax", "nssf"):
                await set_rate(session, told.services, factory.administrator, period, purpose, Decimal(4000), "a test's rate")
        refused = await the_file(told, await uploaded(told, period))
        assert refused.state == "refused"
        assert refused.summary is not None
        assert "minimum" in str(refused.summary["refusal"])
