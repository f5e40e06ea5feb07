"""Money goes where people decided that it goes, only while the factory lets it, and not before its day."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

from importers.period import PayPeriod, RunKind
from payroll_api import periodic
from payroll_api.clock import pay_day
from payroll_api.factories.provider_accounts import disable
from payroll_api.intake.upload import upload
from payroll_api.jobs.names import Job
from payroll_api.runs.build import create_run
from payroll_api.runs.decide import approve, release, submit
from payroll_api.runs.find import items
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import NEW_ACCOUNT, PEOPLE, few, payments_of, payroll, released, settle_down, states_of
from tests.payroll_api.payday_story import Story


def _paid_accounts(told: Story) -> Counter[str]:
    return Counter(line["account"] for line in told.bank.books.journal if line["kind"] == "credit")


async def test_a_bank_account_that_was_switched_off_pays_nothing_more(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await told.work(only=[Job.PREPARE_RUN])
        bank = (await payments_of(told))[0].provider_account_id
        async with told.services.database.factory(factory.id) as session:
            await disable(session, told.services, factory.administrator, bank)
        await settle_down(told, clock, rounds=3)
        assert told.credits() == []
        assert await states_of(told) == Counter({"ready": 4})


async def test_a_run_is_not_paid_before_the_day_that_was_approved(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        file_id = await told.upload(payroll(), "payroll.csv")
        await told.decide(file_id)
        here, day = told.services, pay_day(clock()) + timedelta(days=3)
        async with here.database.factory(factory.id) as session:
            made = await create_run(session, here, factory.preparer, file_id, pay_on=day)
            submitted = await submit(session, here, factory.preparer, made.id)
            assert submitted.content_hash is not None
            await approve(session, here, factory.approver, made.id, content_hash=submitted.content_hash)
            await release(session, here, factory.approver, made.id)
        await settle_down(told, clock, rounds=3)
        assert told.credits() == []
        clock.advance(days=3)
        await periodic.look_up(here, factory.id)
        assert await settle_down(told, clock) == Counter({"paid": 4})


async def test_payments_whose_job_was_lost_are_sent_all_the_same(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    """Jobs were counted for large chunks; then the service starts again with smaller ones, or a job was given up."""
    async with few(services, factory, tmp_path, clock, chunk=4) as told:
        await released(told)
        await told.work(only=[Job.PREPARE_RUN])
        told.services.settings.chunk_size = 1
        await told.work()
        assert (await states_of(told))["ready"] == 3
        for _ in range(4):
            clock.advance(minutes=2)
            await periodic.look_up(told.services, factory.id)
            await told.work()
        assert await settle_down(told, clock) == Counter({"paid": 4})
        assert len(told.credits()) == 4


async def test_an_account_that_changes_between_the_check_and_the_submission_keeps_her_back(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    """Two files of one worker wait at the same time. What was checked for one is not silently replaced by the other."""
    async with few(services, factory, tmp_path, clock) as told:
        balance = await told.upload(payroll(), "payroll.csv")
        await told.decide(balance)
        moved = [(*PEOPLE[0][:3], NEW_ACCOUNT), PEOPLE[1]]
        async with told.services.database.factory(factory.id) as session:
            await upload(
                session,
                told.services,
                factory.preparer,
                file_name="correction.csv",
                content=payroll(moved),
                period=PayPeriod(2026, 11),
                kind=RunKind.CORRECTION,
            )
        await told.work()
        run_id = await told.approved_run(balance)
        async with told.services.database.factory(factory.id) as session:
            held = {item.worker_code: item.held_reason for item in await items(session, run_id, after="", limit=10)}
        assert held == {"R-01": "destination_doubtful", "R-02": None, "R-03": None, "R-04": None}
        assert await settle_down(told, clock) == Counter({"paid": 3})
        assert NEW_ACCOUNT not in _paid_accounts(told)
        assert json.dumps(sorted(_paid_accounts(told).values())) == "[1, 1, 1]"
