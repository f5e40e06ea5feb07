"""What is done again and again for every factory: unanswered payments are looked up, invariants checked, audit events sealed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from payroll_api import logs
from payroll_api.alarms.sound import Alarm, sound_only
from payroll_api.audit import seal
from payroll_api.audit.journal import SYSTEM, Event, record
from payroll_api.factories.models import FactoryDirectory
from payroll_api.jobs.names import Periodic
from payroll_api.jobs.take_up import failing_jobs, take_up_held
from payroll_api.jobs.worker import PeriodicHandler
from payroll_api.logs import places
from payroll_api.outside.guard import check_guard
from payroll_api.payments.deadlines import watch_paydays
from payroll_api.payments.invariants import EVER, violations
from payroll_api.payments.look_up import due
from payroll_api.payments.overdue import sound_overdue
from payroll_api.payments.reconcile import reconcile_after_restore
from payroll_api.payments.submit import ask_forgotten, ask_look_up
from payroll_api.payslips.compose import ask_forgotten_slips
from payroll_api.payslips.send import give_up_interrupted
from payroll_api.people.adopt import adopt_due
from payroll_api.people.elsewhere import look_elsewhere
from payroll_api.people.notices import give_up_interrupted as give_up_interrupted_notices
from payroll_api.services import Services
from payroll_api.settlement.folder import scan
from payroll_api.settlement.poll import poll
from payroll_api.settlement.watch import watch

log = logs.get(__name__)
_OVERLAP = timedelta(minutes=15)  # longer than any transaction that was under way at the last look


def tasks(services: Services) -> Mapping[Periodic, tuple[str, PeriodicHandler]]:
    """Each periodic task with its cron expression; the sixth field is seconds."""

    async def look_up_open() -> None:
        await each_factory(services, Periodic.LOOK_UP_OPEN, lambda factory_id: look_up(services, factory_id))

    checked: dict[UUID, datetime] = {}

    async def check_invariants() -> None:
        await each_factory(services, Periodic.CHECK_INVARIANTS, lambda factory_id: check(services, factory_id, checked))

    async def seal_audit() -> None:
        await each_factory(services, Periodic.SEAL_AUDIT, lambda factory_id: seal_factory(services, factory_id))

    async def fetch_statements() -> None:
        await each_factory(services, Periodic.FETCH_STATEMENTS, lambda factory_id: poll(services, factory_id))

    async def watch_folders() -> None:
        await each_factory(services, Periodic.WATCH_FOLDERS, lambda factory_id: scan(services, factory_id))

    async def watch_breaks() -> None:
        await each_factory(services, Periodic.WATCH_BREAKS, lambda factory_id: watch_factory(services, factory_id))

    return {
        Periodic.LOOK_UP_OPEN: ("* * * * * */10", look_up_open),
        Periodic.CHECK_INVARIANTS: ("*/5 * * * *", check_invariants),
        Periodic.FETCH_STATEMENTS: ("*/5 * * * *", fetch_statements),
        Periodic.WATCH_FOLDERS: ("* * * * * */15", watch_folders),
        Periodic.WATCH_BREAKS: ("* * * * *", watch_breaks),
        Periodic.SEAL_AUDIT: ("* * * * * */5", seal_audit),
    }


async def each_factory(services: Services, task: Periodic, work: Callable[[UUID], Awaitable[None]]) -> None:
    """Do `work` for every factory. What fails for one is logged, and the others have their turn all the same."""
    async for factory_id in factories(services):
        try:
            await work(factory_id)
        except Exception as error:  # noqa: BLE001 one factory's trouble must not keep another factory's wages waiting
            where = places(error)
            log.error("periodic_failed", task=task.value, factory=str(factory_id), error=type(error).__name__, at=where)  # noqa: TRY400 no values


async def factories(services: Services) -> AsyncIterator[UUID]:
    """Every factory, in the order of their making."""
    async with services.database.nobody() as session:
        ids = list(await session.scalars(select(FactoryDirectory.factory_id).order_by(FactoryDirectory.created_at)))
    for factory_id in ids:
        yield factory_id


async def look_up(services: Services, factory_id: UUID) -> None:
    """Ask for a look-up of each dispatch that has waited long enough, have done what was forgotten, and mark slips whose sender died."""
    if not await check_guard(services, factory_id):
        await reconcile_after_restore(services, factory_id)
    async with services.database.factory(factory_id) as session:
        now = services.clock()
        for dispatch in await due(session, now):
            await ask_look_up(session, dispatch, timedelta(0))
        await ask_forgotten(session, services, now)
        await ask_forgotten_slips(session, now)
        await take_up_held(session)
        await give_up_interrupted(session, now)
        await give_up_interrupted_notices(session, now)
        await adopt_due(session, services)


async def check(services: Services, factory_id: UUID, checked: dict[UUID, datetime] | None = None) -> None:
    """Look for broken invariants; each is an alarm, is logged as an error and kept in the audit trail.

    A worker looks at everything once after its start, then at what changed since the last look and a while before: `checked` remembers
    when that was. While an alarm is open everything is looked at, so that it is cleared by a look at what it was about.
    """
    remembered = checked if checked is not None else {}
    async with services.database.factory(factory_id) as session:
        now = services.clock()
        last = remembered.get(factory_id)
        broken = await violations(session, EVER if last is None else last - _OVERLAP)
        if broken:
            remembered.pop(factory_id, None)
        else:
            remembered[factory_id] = now
        await sound_overdue(session, services, now)
        for violation in broken:
            log.error(
                "invariant_broken", factory=str(factory_id), invariant=violation.invariant, count=violation.count, first=violation.first
            )
            data = {"count": violation.count, "first": violation.first}
            event = Event(actor=SYSTEM, action="invariant.broken", subject=f"invariant:{violation.invariant}", data=data)
            await record(session, now, event)
        alarms = (
            Alarm(
                kind="invariant_broken",
                subject=f"invariant:{one.invariant}",
                due_at=now,
                data={"invariant": one.invariant, "count": one.count},
            )
            for one in broken
        )
        await sound_only(session, now, "invariant_broken", alarms)
        failing = [
            Alarm(kind="job_failing", subject=f"job:{job_id}", due_at=now, data={"job": job}) for job_id, job in await failing_jobs(session)
        ]
        await sound_only(session, now, "job_failing", failing)
        await look_elsewhere(session, services)
        await watch_paydays(session, now)


async def watch_factory(services: Services, factory_id: UUID) -> None:
    """Sound an alarm for each break whose day has passed."""
    async with services.database.factory(factory_id) as session:
        await watch(session, services.clock())


async def seal_factory(services: Services, factory_id: UUID) -> None:
    """Seal a factory's new audit events, and remember the signed head outside the database."""
    async with services.database.factory(factory_id) as session:
        checkpoint = await seal.seal(session, services.signer, services.clock())
    await asyncio.to_thread(seal.remember, services.settings.checkpoint_file, checkpoint)
