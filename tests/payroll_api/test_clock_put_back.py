"""A clock that was ahead and is put right makes nobody wait until it has caught up."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from payroll_api import periodic
from payroll_api.jobs.names import Job
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import few, released, states_of
from tests.payroll_api.payday_story import Story
from tests.payroll_api.test_slips_not_forgotten import slips_of

_ALL = text("delete from pgqueuer where convert_from(payload, 'UTF8')::jsonb ->> 'factory' = :factory")


async def put_back(told: Story, clock: SettableClock) -> None:
    """Every job is lost, and the clock goes back by two hours; then the periodic task comes by."""
    async with told.services.database.factory(told.factory.id) as session:
        await session.execute(_ALL, {"factory": str(told.factory.id)})
    clock.advance(hours=-2)
    await periodic.look_up(told.services, told.factory.id)


async def test_wages_and_slips_do_not_wait_for_a_clock_to_catch_up(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        clock.advance(hours=8)
        await told.work(only=[Job.PREPARE_RUN])
        await put_back(told, clock)
        assert set(await told.work(only=[Job.SUBMIT_CHUNK])) == {Job.SUBMIT_CHUNK}, "ready since a moment to come"
        assert set(await states_of(told)) == {"accepted"}
        await put_back(told, clock)
        for _ in range(20):
            await told.work(only=[Job.LOOK_UP_DISPATCH])
            if set(await states_of(told)) == {"paid"}:
                break
            await told.wait(30)
        assert set(await states_of(told)) == {"paid"}, "to be looked up at a moment to come"
        await put_back(told, clock)
        await told.work(only=[Job.COMPOSE_SLIPS])
        assert await slips_of(told) == 4, "paid since a moment to come"
