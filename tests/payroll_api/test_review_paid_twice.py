"""Nobody is paid twice because a provider forgot, nobody's payment is moved by another provider, and every run comes to its end."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import PayoutOutcome, PayoutStatus, Profile
from importers.layouts import layout_from_json
from importers.read import read_sheet
from payroll_api import periodic
from payroll_api.access import api_keys
from payroll_api.access.actor import KEY_PERMISSIONS, PERMISSIONS, Actor, Role
from payroll_api.db.embedded import Addresses
from payroll_api.db.session import Database
from payroll_api.errors import NotAllowedError
from payroll_api.intake.models import PayrollFile
from payroll_api.intake.read_file import keep_read
from payroll_api.jobs.names import Job, Periodic
from payroll_api.jobs.queue import enqueue
from payroll_api.jobs.worker import Worker
from payroll_api.payments.cash import confirm_cash
from payroll_api.payments.intent import claim
from payroll_api.payments.look_up import confirm
from payroll_api.payments.models import Attempt, Dispatch
from payroll_api.review.models import Discrepancy
from payroll_api.review.resolve import resolve
from payroll_api.runs.build import create_run
from payroll_api.runs.decide import approve, submit
from payroll_api.runs.find import items
from payroll_api.services import Connectors, Services
from tests.conftest import SampleFactory, SettableClock, make_factory
from tests.payroll_api.few_workers import few, hear, payments_of, payroll, released, settle_down, states_of
from tests.payroll_api.payday_story import PERIOD, Story


async def _dispatches(told: Story) -> list[Dispatch]:
    async with told.services.database.factory(told.factory.id) as session:
        return list(await session.scalars(select(Dispatch).order_by(Dispatch.created_at, Dispatch.id)))


async def _say(told: Story, dispatch: Dispatch, status: PayoutStatus) -> None:
    """The provider says the same of every order of a dispatch."""
    async with told.services.database.factory(told.factory.id) as session:
        references = await session.scalars(select(Attempt.reference).where(Attempt.dispatch_id == dispatch.id))
        own = await session.get_one(Dispatch, (told.factory.id, dispatch.id), with_for_update=True)
        outcomes = [PayoutOutcome(reference=reference, status=status) for reference in references]
        await hear(told, session, own, outcomes)


async def _send_intents(told: Story) -> None:
    """Every payment stands in a committed dispatch, and nothing has reached the bank: the senders died."""
    await told.work(only=[Job.PREPARE_RUN])
    one = (await payments_of(told))[0]
    intent: object = True
    while intent is not None:
        async with told.services.database.factory(told.factory.id) as session:
            intent = await claim(
                session,
                await told.services.keys.vault(session),
                run_id=one.run_id,
                provider_account_id=one.provider_account_id,
                unit="USD",
                limit=2,
                period="2026-11",
                at=told.services.clock(),
                look_up_after=timedelta(seconds=1),
            )


@pytest.mark.parametrize("first", [PayoutStatus.ACCEPTED, PayoutStatus.PAID])
async def test_an_order_that_the_bank_had_and_forgot_is_neither_sent_again_nor_called_refused(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock, first: PayoutStatus
) -> None:
    """The bank took the message, says so, and weeks later knows nothing of it: its archive was moved."""
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await _send_intents(told)
        for dispatch in await _dispatches(told):
            await _say(told, dispatch, PayoutStatus.ACCEPTED)
            if first is PayoutStatus.PAID:  # one order of it arrived before the bank forgot
                async with told.services.database.factory(factory.id) as session:
                    reference = (await session.scalars(select(Attempt.reference).where(Attempt.dispatch_id == dispatch.id).limit(1))).one()
                    own = await session.get_one(Dispatch, (factory.id, dispatch.id), with_for_update=True)
                    paid = PayoutOutcome(reference=reference, status=PayoutStatus.PAID)
                    await hear(told, session, own, [paid])
        before = await states_of(told)
        clock.advance(days=40)
        for dispatch in await _dispatches(told):
            await confirm(told.services, factory.id, dispatch.id)
        assert told.credits() == []
        assert await states_of(told) == before
        assert {dispatch.fence for dispatch in await _dispatches(told)} == {1}


async def test_a_providers_message_moves_only_the_payments_it_was_given(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await _send_intents(told)
        mine, other = await _dispatches(told)
        async with told.services.database.factory(factory.id) as session:
            foreign = (await session.scalars(select(Attempt.reference).where(Attempt.dispatch_id == other.id))).all()
            own = await session.get_one(Dispatch, (factory.id, mine.id), with_for_update=True)
            lies = [PayoutOutcome(reference=reference, status=PayoutStatus.REJECTED, code="other") for reference in foreign]
            await hear(told, session, own, lies)
        assert await states_of(told) == Counter({"submitting": 4})


async def test_a_run_whose_last_two_messages_are_answered_in_the_same_moment_is_completed(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await _send_intents(told)
        first, second = await _dispatches(told)
        async with told.services.database.factory(factory.id) as session:
            references = await session.scalars(select(Attempt.reference).where(Attempt.dispatch_id == first.id))
            own = await session.get_one(Dispatch, (factory.id, first.id), with_for_update=True)
            paid = [PayoutOutcome(reference=reference, status=PayoutStatus.PAID) for reference in references]
            await hear(told, session, own, paid)
            # The other answer comes before this one is committed.
            other = asyncio.create_task(_say(told, second, PayoutStatus.PAID))
            await asyncio.sleep(0.3)
        await other
        assert (await told.run(first.run_id)).state == "completed"


class ReversingProvider:
    """A provider that says of every order that the money came back; it keeps what it was asked about."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.asked: list[str] = []

    async def look_up(self, batch_reference: str, references: Sequence[str]) -> list[PayoutOutcome]:
        del batch_reference
        self.asked += references
        return [PayoutOutcome(reference=reference, status=PayoutStatus.RETURNED) for reference in references]


class Pool:
    """The connectors of a factory that works with this provider alone."""

    def __init__(self, provider: ReversingProvider) -> None:
        self._provider = provider

    async def payout(self, _session: AsyncSession, _account: UUID) -> Any:
        return self._provider


async def test_a_wage_that_comes_back_after_it_was_paid_is_heard_of(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    """The provider reverses a payment days later and tells us: she has no money, so her payment is not paid."""
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        assert await settle_down(told, clock) == Counter({"paid": 4})
        one = (await payments_of(told))[0]
        async with told.services.database.factory(factory.id) as session:
            attempt = await session.get_one(Attempt, (factory.id, one.id, 1))
            connector = await told.services.connectors.payout(session, one.provider_account_id)
        provider = ReversingProvider(connector.profile)
        here = dataclasses.replace(told.services, connectors=cast("Connectors", Pool(provider)))
        await confirm(here, factory.id, attempt.dispatch_id)
        assert provider.asked == []  # all is settled, so nobody is asked without a reason
        await confirm(here, factory.id, attempt.dispatch_id, [attempt.reference])
        assert provider.asked == [attempt.reference]
        assert await states_of(told) == Counter({"paid": 3, "returned": 1})


async def test_a_key_is_the_hand_of_whoever_made_it(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    """An administrator who also approves makes a key, lets it prepare her run, and cannot approve it herself."""
    async with few(services, factory, tmp_path, clock) as told:
        here = told.services
        file_id = await told.upload(payroll(), "payroll.csv")
        await told.decide(file_id)
        boss = Actor(
            factory_id=factory.id,
            name=factory.administrator.name,
            user_id=factory.administrator.user_id,
            permissions=PERMISSIONS[Role.ADMINISTRATOR] | PERMISSIONS[Role.APPROVER],
        )
        async with here.database.factory(factory.id) as session:
            made_key = await api_keys.create(session, here, boss, name="ERP")
        key = Actor(factory_id=factory.id, name=f"key:{made_key.key.id}", permissions=KEY_PERMISSIONS)
        async with here.database.factory(factory.id) as session:
            made = await create_run(session, here, key, file_id, pay_on=None)
            submitted = await submit(session, here, key, made.id)
        assert submitted.content_hash is not None
        async with here.database.factory(factory.id) as session:
            with pytest.raises(NotAllowedError, match="four_eyes"):
                await approve(session, here, boss, made.id, content_hash=submitted.content_hash)
        async with here.database.factory(factory.id) as session:
            await approve(session, here, factory.approver, made.id, content_hash=submitted.content_hash)
            with pytest.raises(NotAllowedError, match="person_required"):
                await confirm_cash(session, here, key, made.id, None)


async def test_who_decided_what_is_paid_does_not_approve_it(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        here = told.services
        file_id = await told.upload(payroll(), "payroll.csv")
        both = Actor(
            factory_id=factory.id,
            name=factory.approver.name,
            user_id=factory.approver.user_id,
            permissions=PERMISSIONS[Role.PREPARER] | PERMISSIONS[Role.APPROVER],
        )
        async with here.database.factory(factory.id) as session:
            count = await resolve(
                session, here, both, file_id, discrepancy_ids=None, resolution="pay_sheet", reason="the piece rate was agreed"
            )
            assert count > 0
        await told.decide(file_id)
        async with here.database.factory(factory.id) as session:
            made = await create_run(session, here, factory.preparer, file_id, pay_on=None)
            submitted = await submit(session, here, factory.preparer, made.id)
            assert submitted.content_hash is not None
            with pytest.raises(NotAllowedError, match="four_eyes"):
                await approve(session, here, both, made.id, content_hash=submitted.content_hash)


async def test_a_decision_in_the_moment_of_submission_counts_or_is_refused(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    """HR keeps a worker back while a colleague submits the run: the frozen run must not pay her."""
    async with few(services, factory, tmp_path, clock) as told:
        here = told.services
        file_id = await told.upload(payroll(), "payroll.csv")
        await told.decide(file_id)
        async with here.database.factory(factory.id) as session:
            made = await create_run(session, here, factory.preparer, file_id, pay_on=None)
            one = (await session.scalars(select(Discrepancy).where(Discrepancy.worker_code == "R-01").limit(1))).one()

        async def submits() -> None:
            async with here.database.factory(factory.id) as session:
                await submit(session, here, factory.preparer, made.id)

        async with here.database.factory(factory.id) as session:
            await resolve(
                session, here, factory.preparer, file_id, discrepancy_ids=[one.id], resolution="hold_worker", reason="she left yesterday"
            )
            colleague = asyncio.create_task(submits())
            await asyncio.sleep(0.3)
        await colleague
        async with here.database.factory(factory.id) as session:
            held = {item.worker_code: item.held_reason for item in await items(session, made.id, after="", limit=10)}
        assert held["R-01"] == "held_by_decision"


async def test_a_reader_that_wakes_up_late_does_not_undo_what_people_decided(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        file_id = await told.upload(payroll(), "payroll.csv")
        await told.decide(file_id)
        async with told.services.database.factory(factory.id) as session:
            file = await session.get_one(PayrollFile, (factory.id, file_id))
            assert file.layout is not None
            late = read_sheet(payroll(), file_name="payroll.csv", period=PERIOD, layouts=[layout_from_json(file.layout)])
        async with told.services.database.factory(factory.id) as session:
            await keep_read(session, told.services, factory.id, file_id, late)
        await told.work()
        async with told.services.database.factory(factory.id) as session:
            assert (await session.get_one(PayrollFile, (factory.id, file_id))).state == "reconciled"
            blocked = await session.scalars(select(Discrepancy.resolution).where(Discrepancy.severity == "blocks"))
            assert None not in set(blocked)


async def test_one_factorys_trouble_keeps_no_other_factory_waiting(services: Services, clock: SettableClock) -> None:
    broken, well = await make_factory(services), await make_factory(services)
    done: list[UUID] = []

    async def work(factory_id: UUID) -> None:
        if factory_id == broken.id:
            raise RuntimeError("her account is 000123456")
        done.append(factory_id)

    del clock
    with structlog.testing.capture_logs() as logs:
        await periodic.each_factory(services, Periodic.SEAL_AUDIT, work)
    assert well.id in done
    told = [line for line in logs if line.get("factory") == str(broken.id)]
    assert [line["error"] for line in told] == ["RuntimeError"]
    assert "000123456" not in json.dumps(logs, default=str)


async def test_the_log_of_a_failed_job_tells_no_value(empty_addresses: Addresses, factory: SampleFactory) -> None:
    """An exception's text may hold a name or an account: the log says where it happened, not what was there."""
    database, tried = Database(empty_addresses.application), asyncio.Event()

    async def fails(_factory: UUID, _payload: Mapping[str, str]) -> None:
        tried.set()
        raise ValueError("her account is 000123456")

    async with database.factory(factory.id) as session:
        await enqueue(session, Job.READ_FILE, {"file": "7"})
    worker = Worker(empty_addresses.application, {Job.READ_FILE: fails}, {})
    with structlog.testing.capture_logs() as logs:
        running = asyncio.create_task(worker.run())
        await asyncio.wait_for(tried.wait(), 20)
        await asyncio.sleep(0.2)
        worker.stop()
        await asyncio.wait_for(running, 20)
    await database.close()
    said = [line for line in logs if line["event"] == "job_failed"]
    assert [line["error"] for line in said] == ["ValueError"]
    assert "exc_info" not in said[0]  # a traceback ends in the exception's text
    assert "fails" in str(said[0]["at"])
    assert "000123456" not in json.dumps(logs, default=str)
