"""Pay days and the law: not on a day off, twice a month, at most sixteen days apart, final pay in 48 hours; told before approval."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import httpx
from sqlalchemy import select, update

from importers.period import RunKind
from payroll_api import periodic
from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.clock import pay_day
from payroll_api.people.models import Worker
from payroll_api.runs.build import create_run
from payroll_api.runs.models import PayRun
from payroll_api.runs.pay_day import concerns
from payroll_api.services import Services
from tests.conftest import PASSWORD, SampleFactory, SettableClock
from tests.payroll_api.callers import bearer
from tests.payroll_api.few_workers import few, payroll, settle_down, states_of
from tests.payroll_api.payday_story import Story
from tests.payroll_api.plain_browser import PlainBrowser

# 29 and 30 November 2026 are a Sunday and a Monday; of 2026 no list of holidays is in the book, of 2024 there is one.
SUNDAY, MONDAY = date(2026, 11, 29), date(2026, 11, 30)


async def _found(told: Story, run_id: UUID, **changed: object) -> list[tuple[str, date | None]]:
    """What is told about a run with another kind or day, which nobody keeps."""
    async with told.services.database.factory(told.factory.id) as session:
        run = await session.get_one(PayRun, (told.factory.id, run_id))
        for name, value in changed.items():
            setattr(run, name, value)
        found = [(one.kind, one.by) for one in await concerns(session, told.services, run) if one.kind != "no_calendar"]
        await session.rollback()
    return found


async def test_a_pay_day_that_the_law_does_not_allow_is_told_before_anybody_approves_it(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        file_id = await told.upload(payroll(), "payroll.csv")
        async with services.database.factory(factory.id) as session:
            run = await create_run(session, services, factory.preparer, file_id, pay_on=SUNDAY)
        day_off, half = ("day_off", date(2026, 11, 28)), ("no_first_half", None)
        assert await _found(told, run.id) == [day_off, half]
        assert await _found(told, run.id, pay_on=MONDAY) == [half]
        # the Water Festival of 2024 was on 14 to 16 November, Thursday to Saturday, before a Sunday
        assert (await _found(told, run.id, pay_on=date(2024, 11, 17)))[0] == ("day_off", date(2024, 11, 13))
        async with services.database.factory(factory.id) as session:
            missing = [one.kind for one in await concerns(session, services, run)]
        assert missing == ["day_off", "no_calendar", "no_first_half"]

        answer = await client.get(f"/api/v1/pay-runs/{run.id}/pay-day", headers=await bearer(services, factory.approver))
        assert [one["by"] for one in answer.json()] == ["2026-11-28", None, None]
        async with PlainBrowser(create_app(services)) as browser:
            await browser.sign_in(factory.logins[Role.PREPARER], PASSWORD)
            text = (await browser.open(f"/runs/{run.id}")).text
        assert "is a day off" in text
        assert "at least twice a month" in text
        assert "arts. 113 to 116" in text

        second = await _first_half(told, file_id, run.id, date(2026, 11, 13))
        assert await _found(told, second, pay_on=MONDAY) == [("too_far", MONDAY.replace(day=29))]
        assert await _found(told, second, pay_on=date(2026, 11, 28)) == []

        async with services.database.factory(factory.id) as session:
            worker = await session.scalar(select(Worker.id).order_by(Worker.worker_code).limit(1))
            await session.execute(update(Worker).where(Worker.id == worker).values(left_on=date(2026, 11, 27)))
        final = RunKind.FINAL_PAY.value
        assert await _found(told, second, kind=final, pay_on=MONDAY) == [("final_late", SUNDAY)]
        assert await _found(told, second, kind=final, pay_on=date(2026, 11, 28)) == []


async def _first_half(told: Story, file_id: UUID, run_id: UUID, pay_on: date) -> UUID:
    """Make the run that there is the first half of the month, paid on a day, and give the run of a second file: the balance."""
    async with told.services.database.factory(told.factory.id) as session:
        first = await session.get_one(PayRun, (told.factory.id, run_id))
        first.kind, first.pay_on = RunKind.FIRST_HALF.value, pay_on
    other = await told.upload(payroll(net="205.11"), "balance.csv")
    assert other != file_id
    async with told.services.database.factory(told.factory.id) as session:
        return (await create_run(session, told.services, told.factory.preparer, other, pay_on=MONDAY)).id


async def test_nothing_is_sent_before_its_pay_day(services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock) -> None:
    """Released early, a run waits: the money may not be on the account before, and the law names the day."""
    async with few(services, factory, tmp_path, clock) as told:
        file_id = await told.upload(payroll(), "payroll.csv")
        await told.decide(file_id)
        async with services.database.factory(factory.id) as session:
            run = await create_run(session, told.services, factory.preparer, file_id, pay_on=pay_day(clock.now) + timedelta(days=2))
        await told.to_be_paid(run.id)
        for _ in range(2):
            await told.work()
            assert set(await states_of(told)) == {"ready"}
            assert told.credits() == []
            clock.advance(days=1)
            await periodic.look_up(told.services, factory.id)
        assert set(await settle_down(told, clock)) == {"paid"}
        assert len(told.credits()) == 4
