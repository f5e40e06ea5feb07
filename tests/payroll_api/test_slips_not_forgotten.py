"""A worker whose money arrived gets her slip, also where the job that should have written it was lost or passed her over."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select, text

from payroll_api import periodic
from payroll_api.jobs.names import Job
from payroll_api.payslips.compose import compose_slips
from payroll_api.payslips.models import Slip
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import few, payments_of, released, settle_down, states_of
from tests.payroll_api.payday_story import Story


async def slips_of(told: Story) -> int:
    async with told.services.database.factory(told.factory.id) as session:
        return int(await session.scalar(select(func.count()).select_from(Slip)) or 0)


async def all_paid(told: Story, clock: SettableClock) -> None:
    """Everybody is paid, and nobody has written a slip yet."""
    await released(told)
    everything = [job for job in Job if job not in (Job.COMPOSE_SLIPS, Job.SEND_SLIPS)]
    for _ in range(40):
        await told.work(only=everything)
        if (await states_of(told))["paid"] == 4:
            return
        clock.advance(seconds=3)
        await told.wait(3)
        await periodic.look_up(told.services, told.factory.id)
    raise AssertionError("the payments did not come to rest")


async def test_slips_whose_job_was_lost_are_asked_for_again(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await all_paid(told, clock)
        async with services.database.factory(factory.id) as session:
            mine = "delete from pgqueuer where entrypoint = 'compose_slips' and convert_from(payload, 'UTF8')::jsonb ->> 'factory' = :f"
            await session.execute(text(mine), {"f": str(factory.id)})
        assert await told.work(only=[Job.COMPOSE_SLIPS]) == []
        clock.advance(minutes=2)
        await periodic.look_up(told.services, factory.id)
        await told.work(only=[Job.COMPOSE_SLIPS, Job.SEND_SLIPS])
        assert await slips_of(told) == 4
        clock.advance(minutes=2)
        await periodic.look_up(told.services, factory.id)
        assert await told.work(only=[Job.COMPOSE_SLIPS]) == []  # nothing is asked for where nothing is missing


async def test_nobody_is_told_of_money_that_is_only_on_its_way(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await told.work(only=[Job.PREPARE_RUN, Job.SUBMIT_CHUNK])
        assert set(await states_of(told)) == {"accepted"}, "the bank has the orders, and nobody has her money yet"
        (run_id,) = {payment.run_id for payment in await payments_of(told)}
        await compose_slips(told.services, factory.id, {"run": str(run_id)})
        assert await slips_of(told) == 0
        await settle_down(told, clock)
        assert await slips_of(told) == 4


async def test_a_payment_that_was_locked_when_slips_were_written_has_hers_a_moment_later(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await all_paid(told, clock)
        async with told.services.database.factory(factory.id) as held:
            await held.execute(text("select id from payments order by id limit 1 for update"))
            await told.work(only=[Job.COMPOSE_SLIPS])
            assert await slips_of(told) == 3
        await told.wait(5)
        await told.work(only=[Job.COMPOSE_SLIPS])
        assert await slips_of(told) == 4


async def test_a_slip_whose_sender_died_is_given_up_after_five_minutes_and_never_sent_again(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    """It may have gone out. Nobody knows, and that is what is told."""
    async with few(services, factory, tmp_path, clock) as told:
        await all_paid(told, clock)
        await told.work(only=[Job.COMPOSE_SLIPS])
        async with services.database.factory(factory.id) as session:
            await session.execute(text("update slips set state = 'sending', sent_at = :at"), {"at": clock()})
        for minutes, state in ((4, "sending"), (2, "unknown")):
            clock.advance(minutes=minutes)
            await periodic.look_up(told.services, factory.id)
            await told.work(only=[Job.COMPOSE_SLIPS, Job.SEND_SLIPS])
            async with services.database.factory(factory.id) as session:
                assert set(await session.scalars(select(Slip.state))) == {state}
