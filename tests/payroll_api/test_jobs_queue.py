"""A job exists exactly when the transaction that asked for it was committed, and a worker that dies loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from payroll_api.db.bulk import fetch
from payroll_api.db.embedded import Addresses
from payroll_api.db.session import Database
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue, enqueue_many
from payroll_api.jobs.worker import Worker
from payroll_api.services import Services
from tests.conftest import SampleFactory


async def waiting(database: Database, factory: SampleFactory) -> list[str]:
    async with database.nobody() as session:
        rows = await fetch(
            session,
            "select convert_from(payload, 'UTF8') from pgqueuer where convert_from(payload, 'UTF8')::jsonb ->> 'factory' = $1 order by id",
            str(factory.id),
        )
    return [row[0] for row in rows]


async def test_a_job_of_a_transaction_that_is_rolled_back_never_existed(services: Services, factory: SampleFactory) -> None:
    async with services.database.factory(factory.id) as session:
        await enqueue(session, Job.READ_FILE, {"file": "first statement of its transaction"})
        await session.rollback()
    assert await waiting(services.database, factory) == []


async def test_a_job_waits_once_for_each_key(services: Services, factory: SampleFactory) -> None:
    for _ in range(3):
        async with services.database.factory(factory.id) as session:
            await enqueue(session, Job.READ_FILE, {"file": "1"}, once="1")
    async with services.database.factory(factory.id) as session:
        await enqueue_many(session, Job.READ_FILE, [{"file": str(number)} for number in range(3)], once=["1", "2", "2"])
    assert len(await waiting(services.database, factory)) == 2


class Counter:
    """A handler that fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.done: list[Mapping[str, str]] = []
        self.tries = 0

    async def __call__(self, _factory: UUID, payload: Mapping[str, str]) -> None:
        self.tries += 1
        if self.tries <= self.failures:
            raise RuntimeError("the secret is 000123456")
        self.done.append(payload)


async def _run_until(worker: Worker, done: Any, seconds: int = 20) -> None:
    running = asyncio.create_task(worker.run())
    for _ in range(seconds * 20):
        if done() or running.done():
            break
        await asyncio.sleep(0.05)
    worker.stop()
    await asyncio.wait_for(running, 20)


async def test_a_failed_job_is_tried_again_and_its_log_tells_no_value(
    services: Services, empty_addresses: Addresses, factory: SampleFactory
) -> None:
    database = Database(empty_addresses.application)
    counter = Counter(failures=1)
    async with database.factory(factory.id) as session:
        await enqueue(session, Job.READ_FILE, {"file": "7"})
    await _run_until(Worker(empty_addresses.application, {Job.READ_FILE: counter}, {}), lambda: counter.done)
    assert counter.done == [{"file": "7"}]
    assert counter.tries == 2
    connection = await asyncpg.connect(empty_addresses.owner)
    try:
        kept = await connection.fetchval("select string_agg(l::text, ' ') from pgqueuer_log l")
    finally:
        await connection.close()
    assert "JobFailedError" in kept
    assert "000123456" not in kept
    await database.close()
    del services


async def test_two_workers_share_the_work_and_none_is_done_twice(empty_addresses: Addresses, factory: SampleFactory) -> None:
    database = Database(empty_addresses.application)
    first, second = Counter(), Counter()
    async with database.factory(factory.id) as session:
        await enqueue_many(session, Job.READ_FILE, [{"file": str(number)} for number in range(200)])
    workers = [Worker(empty_addresses.application, {Job.READ_FILE: counter}, {}) for counter in (first, second)]

    def all_done() -> bool:
        return len(first.done) + len(second.done) >= 200

    await asyncio.gather(*(_run_until(worker, all_done) for worker in workers))
    assert sorted(int(payload["file"]) for payload in first.done + second.done) == list(range(200))
    await database.close()


async def test_a_delayed_job_waits(services: Services, factory: SampleFactory) -> None:
    async with services.database.factory(factory.id) as session:
        await enqueue(session, Job.READ_FILE, {"file": "later"}, after=timedelta(hours=1))
        rows = await fetch(session, "select execute_after > now() + interval '59 minutes' from pgqueuer where payload is not null and"
                           " convert_from(payload, 'UTF8')::jsonb ->> 'factory' = $1", str(factory.id))  # fmt: skip
    assert rows == [(True,)]
