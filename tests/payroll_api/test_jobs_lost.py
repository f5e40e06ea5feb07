"""No job is lost: not by a stop, not by a database that dies, not by failing for hours."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import asyncpg

from payroll_api import periodic
from payroll_api.alarms.find import list_alarms
from payroll_api.db.bulk import fetch
from payroll_api.db.embedded import Addresses
from payroll_api.db.session import Database
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.jobs.take_up import take_up_held
from payroll_api.jobs.worker import ATTEMPTS, Worker
from payroll_api.services import Services
from tests.conftest import SampleFactory

_OF_FACTORY = "convert_from(payload, 'UTF8')::jsonb ->> 'factory' = $1"


async def rows(database: Database, factory: UUID) -> list[tuple[str, int]]:
    """The state and tries of a factory's jobs."""
    async with database.nobody() as session:
        found = await fetch(session, f"select status::text, attempts from pgqueuer where {_OF_FACTORY} order by id", str(factory))  # noqa: S608 ours
    return [(row[0], row[1]) for row in found]


async def ask(database: Database, factory: UUID) -> None:
    async with database.factory(factory) as session:
        await enqueue(session, Job.COMPOSE_SLIPS, {"run": "1"}, once="1")


async def held(database: Database, factory: UUID, *, tries: int, since: timedelta) -> None:
    """A job as the queue leaves one that it holds for a person."""
    await ask(database, factory)
    async with database.nobody() as session:
        query = f"update pgqueuer set status = 'failed', attempts = $2, updated = now() - $3::interval where {_OF_FACTORY}"  # noqa: S608 ours
        await fetch(session, query + " returning id", str(factory), tries, since)


async def test_a_job_that_a_stop_breaks_off_is_done_by_the_next_worker(empty_addresses: Addresses, factory: SampleFactory) -> None:
    database, begun, done = Database(empty_addresses.application), asyncio.Event(), asyncio.Event()

    async def endless(_factory: UUID, _payload: Mapping[str, str]) -> None:
        begun.set()
        await asyncio.sleep(600)

    async def at_once(_factory: UUID, _payload: Mapping[str, str]) -> None:
        done.set()

    await ask(database, factory.id)
    worker = Worker(empty_addresses.application, {Job.COMPOSE_SLIPS: endless}, {})
    running = asyncio.create_task(worker.run())
    await asyncio.wait_for(begun.wait(), 60)
    worker.stop()
    await asyncio.sleep(0.3)  # it waits for its job, as `payroll serve` lets it do for some seconds
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await rows(database, factory.id) == [("queued", 1)]
    another = Worker(empty_addresses.application, {Job.COMPOSE_SLIPS: at_once}, {})
    running = asyncio.create_task(another.run())
    await asyncio.wait_for(done.wait(), 60)
    another.stop()
    await running
    await database.close()


async def test_a_job_whose_failure_could_not_be_noted_is_tried_again(empty_addresses: Addresses, factory: SampleFactory) -> None:
    database, done = Database(empty_addresses.application), asyncio.Event()
    connection = await asyncpg.connect(empty_addresses.owner)
    tries: list[int] = []

    async def falls_with_the_queue(_factory: UUID, _payload: Mapping[str, str]) -> None:
        tries.append(len(tries))
        if len(tries) > 1:
            done.set()
            return
        # What the queue does about a failure is refused too, for this moment.
        await connection.execute("alter table pgqueuer add constraint no_retry check (attempts = 0)")
        raise RuntimeError

    await ask(database, factory.id)
    worker = Worker(empty_addresses.application, {Job.COMPOSE_SLIPS: falls_with_the_queue}, {})
    running = asyncio.create_task(worker.run())
    for _ in range(600):
        if await rows(database, factory.id) == [("failed", 0)]:
            break
        await asyncio.sleep(0.1)
    await connection.execute("alter table pgqueuer drop constraint no_retry")
    await connection.close()
    async with database.factory(factory.id) as session:
        assert await take_up_held(session) == 1
    await asyncio.wait_for(done.wait(), 60)
    worker.stop()
    await running
    await database.close()


async def test_a_held_job_is_taken_up_by_the_look_that_comes_every_ten_seconds(services: Services, factory: SampleFactory) -> None:
    await held(services.database, factory.id, tries=3, since=timedelta(0))
    await ask(services.database, factory.id)  # of the same key, and not refused: the held one has none any more
    await periodic.look_up(services, factory.id)
    assert sorted(await rows(services.database, factory.id)) == [("queued", 0), ("queued", 3)]


async def test_a_job_that_used_all_its_tries_rings_and_is_tried_once_an_hour(services: Services, factory: SampleFactory) -> None:
    await held(services.database, factory.id, tries=ATTEMPTS, since=timedelta(minutes=59))
    await periodic.look_up(services, factory.id)
    assert await rows(services.database, factory.id) == [("failed", ATTEMPTS)]
    await periodic.check(services, factory.id)
    assert await open_kinds(services, factory) == ["job_failing"]
    async with services.database.nobody() as session:
        later = f"update pgqueuer set updated = now() - interval '61 minutes' where {_OF_FACTORY} returning id"  # noqa: S608 ours
        await fetch(session, later, str(factory.id))
    await periodic.look_up(services, factory.id)
    assert await rows(services.database, factory.id) == [("queued", ATTEMPTS - 1)]
    await periodic.check(services, factory.id)
    assert await open_kinds(services, factory) == ["job_failing"]  # not before it has succeeded
    async with services.database.nobody() as session:
        await fetch(session, f"delete from pgqueuer where {_OF_FACTORY} returning id", str(factory.id))  # noqa: S608 ours
    await periodic.check(services, factory.id)
    assert await open_kinds(services, factory) == []


async def open_kinds(services: Services, factory: SampleFactory) -> list[str]:
    async with services.database.factory(factory.id) as session:
        return [alarm.kind for alarm in await list_alarms(session, only_open=True, before=None, limit=10)]
