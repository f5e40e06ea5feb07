"""Everything is asked for twice, by many at once, and done once: people's decisions, messages to the bank, and every job of a payday."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from payroll_api import periodic
from payroll_api.alarms.models import AlarmRow
from payroll_api.db.embedded import Addresses
from payroll_api.db.session import Database
from payroll_api.errors import CommitUnknownError, ProblemError
from payroll_api.jobs.names import Job
from payroll_api.payments.confirm import confirm
from payroll_api.payments.invariants import violations
from payroll_api.payments.models import Attempt, Dispatch
from payroll_api.payments.repay import Way, propose_repay
from payroll_api.payments.submit import submit_chunk
from payroll_api.payslips.models import Slip
from payroll_api.runs.build import create_run
from payroll_api.runs.decide import approve, release, submit
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import few, hear, payments_of, payroll, released, settle_down, states_of
from tests.payroll_api.payday_story import story

WORKERS, HANDS, CHUNK = 500, 20, 10


async def by_twenty(tasks: list[Callable[[], Awaitable[object]]]) -> Counter[str]:
    """Twenty pairs of hands do these in turn; gives how many were done, and how many were refused with which code."""
    ends: Counter[str] = Counter()
    waiting = list(reversed(tasks))

    async def hand() -> None:
        while waiting:
            task = waiting.pop()
            try:
                await task()
            except ProblemError as refused:
                ends[refused.code] += 1
            else:
                ends["done"] += 1

    await asyncio.gather(*(hand() for _ in range(HANDS)))
    return ends


@pytest.fixture
def many(tmp_path: Path, clock: SettableClock) -> tuple[bytes, Path]:
    """A sheet of 500 workers, and what the bank knows of their accounts."""
    clock.now = datetime.now(UTC)
    people = [(f"T-{n:03}", "សុខ ដារ៉ា", f"SOK DARA {n}", f"{300_000 + n:09}") for n in range(WORKERS)]
    accounts = tmp_path / "many.json"
    known = [{"account": account, "holder": latin, "status": "open"} for _, _, latin, account in people]
    accounts.write_text(json.dumps({"bank": known, "wallet": []}))
    return payroll(people), accounts


@pytest.mark.long
async def test_500_payments_asked_for_twice_by_twenty_are_500_done_and_500_refused(
    services: Services, factory: SampleFactory, tmp_path: Path, many: tuple[bytes, Path]
) -> None:
    async with story(services, factory, tmp_path, accounts=many[1], chunk_size=CHUNK) as told:
        here, database = told.services, told.services.database
        file_id = await told.upload(many[0], "payroll.csv")
        await told.decide(file_id)
        async with database.factory(factory.id) as session:
            made = await create_run(session, here, factory.preparer, file_id, pay_on=None)

        async def sends() -> None:
            async with database.factory(factory.id) as session:
                await submit(session, here, factory.preparer, made.id)

        assert await by_twenty([sends] * HANDS) == Counter({"done": 1, "run_state": HANDS - 1})
        content = (await told.run(made.id)).content_hash or ""

        async def approves() -> None:
            async with database.factory(factory.id) as session:
                await approve(session, here, factory.approver, made.id, content_hash=content)

        async def releases() -> None:
            async with database.factory(factory.id) as session:
                await release(session, here, factory.approver, made.id)

        assert await by_twenty([approves] * HANDS) == Counter({"done": 1, "run_state": HANDS - 1})
        assert await by_twenty([releases] * HANDS) == Counter({"done": 1, "run_state": HANDS - 1})
        await told.work(only=[Job.PREPARE_RUN])
        one = (await payments_of(told))[0]
        payload = {"run": str(made.id), "provider": str(one.provider_account_id), "currency": "USD"}

        async def dispatches() -> None:
            await submit_chunk(here, factory.id, payload)

        await by_twenty([dispatches] * (2 * WORKERS // CHUNK))
        async with database.factory(factory.id) as session:
            # Every message was asked for twice: for the second asking of 500 payments there was nothing left to send.
            assert await session.scalar(select(func.sum(Dispatch.count))) == WORKERS
            assert await session.scalar(select(func.count(func.distinct(Attempt.payment_id)))) == WORKERS
            assert await violations(session) == []
        assert "ready" not in await states_of(told)
        executed = Counter(reference for reference, _ in await told.executed())
        assert len(executed) == WORKERS
        assert set(executed.values()) == {1}


async def test_every_confirmation_that_comes_twice_is_done_once(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock, chunk=4) as told:
        await released(told)
        await told.work(only=[Job.PREPARE_RUN, Job.SUBMIT_CHUNK])
        async with told.services.database.factory(factory.id) as session:
            dispatch = (await session.scalars(select(Dispatch).with_for_update())).one()
            references = (await session.scalars(select(Attempt.reference))).all()
            refused = [PayoutOutcome(reference=one, status=PayoutStatus.REJECTED, code="account_closed") for one in references]
            await hear(told, session, dispatch, refused)
        proposals = []
        for payment in await payments_of(told):
            async with told.services.database.factory(factory.id) as session:
                why = "the account is closed"
                made = await propose_repay(session, told.services, factory.preparer, [payment.id], way=Way.CASH, reason=why)
                proposals.append(made)

        def confirms(proposal_id: UUID, shown: str) -> Callable[[], Awaitable[object]]:
            async def yes() -> None:
                async with told.services.database.factory(factory.id) as session:
                    await confirm(session, told.services, factory.approver, proposal_id, shown=shown)

            return yes

        tasks = [confirms(one.id, one.content_hash) for one in proposals for _ in range(5)]
        assert await by_twenty(tasks) == Counter({"done": 4, "decided": 16})


async def test_every_job_that_runs_again_after_its_commit_changes_nothing(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    """The reply to COMMIT is lost, so the queue runs the job again: from the approval to the last slip, each job runs three times."""
    async with few(services, factory, tmp_path, clock) as told:
        file_id = await told.upload(payroll(), "payroll.csv")
        await told.decide(file_id)
        await told.approved_run(file_id)
        for _ in range(12):
            await told.work(times=3)
            clock.advance(seconds=3)
            await told.wait(3)
        assert await settle_down(told, clock) == Counter({"paid": 4})
        assert max(Counter(reference for reference, _ in told.credits()).values()) == 1
        assert len(told.credits()) == 4
        async with told.services.database.factory(factory.id) as session:
            assert await session.scalar(select(func.count()).select_from(Slip)) == 4
            assert set(await session.scalars(select(Attempt.number))) == {1}
            assert await violations(session) == []


async def test_a_commit_that_nobody_answered_is_neither_done_nor_failed(empty_addresses: Addresses, factory: SampleFactory) -> None:
    database, owner = Database(empty_addresses.application, pool_size=2), Database(empty_addresses.owner, pool_size=1)

    async def cut_off() -> None:
        async with database.factory(factory.id) as session:
            mine = (await session.execute(text("select pg_backend_pid()"))).scalar_one()
            async with owner.nobody() as other:
                await other.execute(text("select pg_terminate_backend(:pid)"), {"pid": mine})
            await asyncio.sleep(0.2)

    with pytest.raises(CommitUnknownError):
        await cut_off()
    async with database.factory(factory.id) as session:
        assert (await session.execute(text("select 1"))).scalar_one() == 1
    await database.close()
    await owner.close()


async def test_what_stays_unknown_beyond_the_providers_patience_sounds_an_alarm_until_it_is_known(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock, chunk=4) as told:
        await released(told)
        await told.work(only=[Job.PREPARE_RUN, Job.SUBMIT_CHUNK])

        async def alarms() -> list[str]:
            await periodic.check(told.services, factory.id, {})
            async with told.services.database.factory(factory.id) as session:
                kinds = ("payment_unknown", "provider_contradicts")  # deadlines ring beside them, by the calendar
                return sorted(await session.scalars(select(AlarmRow.kind).where(AlarmRow.cleared_at.is_(None), AlarmRow.kind.in_(kinds))))

        assert await alarms() == []
        clock.advance(hours=25)
        assert await alarms() == ["payment_unknown"] * 4
        async with told.services.database.factory(factory.id) as session:
            dispatch = (await session.scalars(select(Dispatch).with_for_update())).one()
            references = list(await session.scalars(select(Attempt.reference)))
            paid = [PayoutOutcome(reference=one, status=PayoutStatus.PAID) for one in references[1:]]
            refused = PayoutOutcome(reference=references[0], status=PayoutStatus.REJECTED, code="account_closed")
            await hear(told, session, dispatch, [refused, *paid])
        assert await alarms() == []
        async with told.services.database.factory(factory.id) as session:
            dispatch = (await session.scalars(select(Dispatch).with_for_update())).one()
            await hear(told, session, dispatch, [PayoutOutcome(reference=references[0], status=PayoutStatus.PAID)])
        assert await alarms() == ["provider_contradicts"]
