"""Paydays have deadlines that are sounded before and after; and a confirmed spelling of a name lets the account check pass."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from payroll_api.access.api_keys import create
from payroll_api.alarms.models import AlarmRow
from payroll_api.clock import pay_day
from payroll_api.errors import NotAllowedError
from payroll_api.payments.deadlines import due_at, watch_paydays
from payroll_api.people.alias import confirm_alias
from payroll_api.people.models import Destination, Worker
from payroll_api.runs.build import create_run
from payroll_api.runs.decide import approve, release, submit
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import PEOPLE, few, payroll, settle_down
from tests.payroll_api.payday_story import Story, story


async def sounding(told: Story) -> dict[str, bool]:
    """The open alarms about runs, and whether each is late."""
    now = told.services.clock()
    async with told.services.database.factory(told.factory.id) as session:
        await watch_paydays(session, now)
        rows = await session.scalars(select(AlarmRow).where(AlarmRow.cleared_at.is_(None), AlarmRow.subject.like("run:%")))
        return {alarm.kind: alarm.due_at < now for alarm in rows}


def test_deadlines_are_counted_back_from_the_pay_day_in_phnom_penh() -> None:
    early = datetime(2026, 12, 1, tzinfo=UTC)
    assert due_at(date(2026, 12, 10), "draft", early) == datetime(2026, 12, 8, 10, tzinfo=UTC)
    assert due_at(date(2026, 12, 10), "approved", early) == datetime(2026, 12, 10, 2, tzinfo=UTC)
    late = datetime(2026, 12, 10, 12, tzinfo=UTC)
    assert due_at(date(2026, 12, 10), "draft", late) == late + timedelta(hours=2)


async def test_every_stage_of_a_payday_sounds_before_it_is_late_and_is_quiet_when_it_is_done(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        here = told.services
        file = await told.upload(payroll(), "payroll.csv")
        await told.decide(file)
        day = pay_day(clock()) + timedelta(days=6)
        async with here.database.factory(factory.id) as session:
            run_id = (await create_run(session, here, factory.preparer, file, pay_on=day)).id
        assert await sounding(told) == {}
        clock.now = due_at(day, "draft", clock.now) - timedelta(hours=1)
        assert await sounding(told) == {"run_unsubmitted": False}
        clock.advance(hours=2)
        assert await sounding(told) == {"run_unsubmitted": True}
        async with here.database.factory(factory.id) as session:
            submitted = await submit(session, here, factory.preparer, run_id)
        assert await sounding(told) == {}
        clock.now = due_at(day, "submitted", clock.now) + timedelta(minutes=1)
        assert await sounding(told) == {"run_unapproved": True}
        async with here.database.factory(factory.id) as session:
            await approve(session, here, factory.approver, run_id, content_hash=submitted.content_hash or "")
        clock.now = due_at(day, "approved", clock.now) + timedelta(minutes=1)
        assert await sounding(told) == {"run_unreleased": True}
        async with here.database.factory(factory.id) as session:
            await release(session, here, factory.approver, run_id)
        clock.now = due_at(day, "released", clock.now) + timedelta(minutes=1)
        await told.work(at_most=1)
        assert await sounding(told) == {"run_unpaid": True}
        assert await settle_down(told, clock) == Counter({"paid": len(PEOPLE)})
        assert await sounding(told) == {}


async def test_a_khmer_name_passes_only_by_a_spelling_that_another_person_confirmed(
    services: Services, factory: SampleFactory, tmp_path: Path
) -> None:
    accounts = tmp_path / "accounts.json"
    accounts.write_text(json.dumps({"bank": [{"account": "000123456", "holder": "SREY MOM", "status": "open"}], "wallet": []}))
    sheet = (
        "Worker code,Name (Khmer),Join date,Basic wage ($),Net pay ($),Pay method,Account no.\n"
        "K-1,ស្រី មុំ,2020-01-06,210.00,205.10,bank,000123456\n"
    )
    async with story(services, factory, tmp_path, accounts=accounts) as told:
        await told.upload(sheet.encode(), "payroll.csv")

        async def answer() -> tuple[str, str | None]:
            async with services.database.factory(factory.id) as session:
                one = (await session.scalars(select(Destination))).one()
                return one.state, one.name_match

        assert await answer() == ("doubtful", "NOAP")
        async with services.database.factory(factory.id) as session:
            worker = (await session.scalars(select(Worker))).one()
            with pytest.raises(NotAllowedError):
                await confirm_alias(session, services, factory.preparer, worker.id, alias="SREY MOM", reason="seen her card")
            # A key brought her account; the person who made that key would confirm her own work.
            key = (await create(session, services, factory.administrator, name="HR system")).key
            (one,) = await session.scalars(select(Destination))
            brought_by, one.created_by = one.created_by, f"key:{key.id}"
            await session.flush()
            owner = dataclasses.replace(factory.administrator, permissions=factory.approver.permissions)
            with pytest.raises(NotAllowedError, match="four_eyes"):
                await confirm_alias(session, services, owner, worker.id, alias="SREY MOM", reason="seen her card")
            one.created_by = brought_by
            await confirm_alias(session, services, factory.approver, worker.id, alias="SREY MAO", reason="seen her card")
        await told.work()
        assert (await answer())[0] == "doubtful"
        async with services.database.factory(factory.id) as session:
            await confirm_alias(session, services, factory.approver, worker.id, alias="Srey  Mom", reason="seen her card")
        await told.work()
        assert await answer() == ("verified", "MTCH")
