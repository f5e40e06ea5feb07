"""Turn a released run into payments, if it is exactly what was approved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.audit.journal import SYSTEM, Event, record, record_many
from payroll_api.db.bulk import fetch, run
from payroll_api.intake.find import get_file
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue_many
from payroll_api.ledger.book import Account, Cause, Transfer, post
from payroll_api.payments.adopt import adopt_sent
from payroll_api.payments.finish import complete_if_done
from payroll_api.runs import freeze
from payroll_api.runs.models import PayRun
from payroll_api.services import Services

# The unique index refuses a second payment of a worker, period and kind: whoever comes second is held back, the rest goes on.
_INSERT = """
insert into payments (factory_id, id, run_id, worker_id, worker_code, destination_id, provider_account_id, account_key, period, kind,
  currency, amount_minor, state, state_since, attempt, detail)
select i.factory_id, coalesce(
    (select s.payment_id from sent_outside s where s.factory_id = i.factory_id and s.worker_code = i.worker_code and s.period = $3
      and s.kind = $4 and s.adopted_at is null and s.status not in ('rejected', 'returned') order by s.number desc limit 1),
    gen_random_uuid()), i.run_id, i.worker_id, i.worker_code, i.destination_id, i.provider_account_id, i.account_key,
  $3, $4, i.currency, i.amount_minor, 'ready', $5, 0, ''
from run_items i where i.factory_id = $1 and i.run_id = $2 and i.held_reason is null order by i.worker_code
on conflict do nothing
returning id, worker_id, provider_account_id, currency, amount_minor
"""
_SECOND = """
update run_items i set held_reason = 'already_paid' where i.factory_id = $1 and i.run_id = $2 and i.held_reason is null
  and not exists (select from payments p where p.factory_id = i.factory_id and p.run_id = i.run_id and p.worker_id = i.worker_id)
"""


async def prepare_run(services: Services, factory_id: UUID, payload: Mapping[str, str]) -> None:
    """The job PREPARE_RUN: payments, what is owed in the ledger, and jobs to submit them, all or nothing."""
    run_id = UUID(payload["run"])
    await services.database.analyze("run_items")
    async with services.database.factory(factory_id) as session:
        pay_run = await session.get_one(PayRun, (factory_id, run_id), with_for_update=True)
        done = await fetch(session, "select from payments where factory_id = $1 and run_id = $2 limit 1", factory_id, run_id)
        if pay_run.state != "released" or done:
            return
        now = services.clock()
        file = await get_file(session, pay_run.file_id)
        if await freeze.content_hash(session, pay_run, file.content_hash) != pay_run.content_hash:
            # Not an exception: that would be tried again. It stays released and unpaid, and the audit says why.
            await record(session, now, Event(actor=SYSTEM, action="run.refused_changed", subject=f"run:{run_id}"))
            pay_run.state, pay_run.rejected_at, pay_run.rejected_by = "rejected", now, SYSTEM
            pay_run.rejected_reason = "The items are not those that were approved. Nothing was paid. Make a new run of the file."
            return
        rows = await fetch(session, _INSERT, factory_id, run_id, pay_run.period, pay_run.kind, now)
        await run(session, _SECOND, factory_id, run_id)
        await _owe(session, pay_run, rows, now)
        # What was sent before a restore keeps its payment's id and is taken back instead of sent: see `adopt`.
        await adopt_sent(session, now)
        await _enqueue(session, services, run_id, rows)
        await complete_if_done(session, run_id, now)
    await services.database.analyze("payments")


async def _owe(session: AsyncSession, pay_run: PayRun, rows: Sequence[tuple[object, ...]], at: datetime) -> None:
    await post(
        session,
        at,
        (
            Transfer(
                run_id=pay_run.id,
                payment_id=UUID(str(payment)),
                attempt=0,
                cause=Cause.APPROVED,
                debit=Account.WAGES_DUE,
                credit=Account.WAGES_PAYABLE,
                currency=str(unit),
                amount_minor=int(str(minor)),
            )
            for payment, _, _, unit, minor in rows
        ),
    )
    await record_many(
        session,
        at,
        (
            Event(
                actor=SYSTEM,
                action="payment.ready",
                subject=f"payment:{payment}",
                data={"run": str(pay_run.id), "worker": str(worker), "amount": minor, "currency": unit},
            )
            for payment, worker, _, unit, minor in rows
        ),
    )


async def _enqueue(session: AsyncSession, services: Services, run_id: UUID, rows: Sequence[tuple[object, ...]]) -> None:
    """One job for each chunk of a provider and currency. A job takes whichever payments are ready: it names none."""
    waiting: dict[tuple[str, str], int] = {}
    for _, _, provider, unit, _ in rows:
        waiting[(str(provider), str(unit))] = waiting.get((str(provider), str(unit)), 0) + 1
    jobs = []
    for (provider, unit), count in waiting.items():
        size = await chunk_size(session, services, UUID(provider))
        jobs += [{"run": str(run_id), "provider": provider, "currency": unit}] * -(-count // size)
    await enqueue_many(session, Job.SUBMIT_CHUNK, jobs)


async def chunk_size(session: AsyncSession, services: Services, provider_account_id: UUID) -> int:
    """How many payments travel in one message: as many as the provider takes, and no more than a job handles."""
    connector = await services.connectors.payout(session, provider_account_id)
    return min(connector.profile.batch_size, services.settings.chunk_size)
