"""Write a slip for every payment whose money is confirmed, once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.sms.segments import segments
from importers.money import Money, currency
from importers.period import PayPeriod, RunKind
from payroll_api.audit.journal import SYSTEM, Event, record_many
from payroll_api.clock import pay_day
from payroll_api.db.base import new_id
from payroll_api.db.bulk import as_written, fetch
from payroll_api.db.session import factory_of
from payroll_api.encryption.vault import Vault
from payroll_api.factories.models import Factory
from payroll_api.factories.settings import get_factory
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.payslips.figures import figures_of
from payroll_api.payslips.text import Paid, compose, compose_correction
from payroll_api.services import Services

_CHUNK = 500
_TAIL = 3

# Only `paid` payments have a slip: none says "paid" before the money is confirmed. What a message's answer paid is found by the message:
# looked for in the whole run, each would walk past everybody who has her slip. Each question about one payment stands in brackets of its
# own and is answered through its key: joined, they are ordered by what PostgreSQL last knew of a table that a payday fills from nothing.
# For the same reason no index over states may be thought of: it was told of them before anybody was paid.
_IS_PAID = "coalesce(p.state, '') = 'paid'"
_OF_DISPATCH = f"""
select t.payment_id from attempts t where t.factory_id = $1 and t.dispatch_id = $2
  and (select {_IS_PAID} and p.attempt = t.number from payments p where p.factory_id = $1 and p.id = t.payment_id)
  and (select count(*) from slips s where s.factory_id = $1 and s.payment_id = t.payment_id) = 0
order by 1 limit $3
"""  # noqa: S608 our own words
_OF_RUN = f"""
select p.id from payments p where p.factory_id = $1 and p.run_id = $2 and {_IS_PAID}
  and (select count(*) from slips s where s.factory_id = $1 and s.payment_id = p.id) = 0
order by 1 limit $3
"""  # noqa: S608 our own words
_LOCKED = f"""
select p.id from payments p where p.factory_id = $1 and p.id = any($2) and {_IS_PAID} order by p.id for update skip locked
"""  # noqa: S608 our own words
# Of the sheet's row and the law's lines only what a slip may tell is read.
_WAITING = """
select p.id, p.run_id, p.worker_id, p.period, p.kind, p.amount_minor, p.currency, p.paid_at, p.corrects, a.reference,
  d.id, d.kind, d.bank, d.account, w.phone, f.amounts, e.gross_minor, e.net_minor, e.stated_minor, e.lines
from payments p
join attempts a on a.factory_id = p.factory_id and a.payment_id = p.id and a.number = coalesce(p.paid_by, p.attempt)
join destinations d on d.factory_id = p.factory_id and d.id = p.destination_id
join workers w on w.factory_id = p.factory_id and w.id = p.worker_id
join pay_runs r on r.factory_id = p.factory_id and r.id = p.run_id
join lateral (select gross_minor, net_minor, stated_minor, case when net_minor = p.amount_minor then lines else '[]' end as lines
  from file_entitlements t where t.factory_id = p.factory_id and t.file_id = r.file_id and t.worker_code = p.worker_code) e on true
join lateral (select figures -> 'amounts' as amounts from file_rows t where t.factory_id = p.factory_id and t.file_id = r.file_id
  and t.worker_code = p.worker_code order by position limit 1) f on true
where p.factory_id = $1 and p.id = any($2)
order by p.id
"""
# Runs whose paid workers have waited for a slip, or whose slips have waited to be sent, for longer than a job takes to come: also those
# that wait since a moment to come, by a clock that was put back.
_FORGOTTEN = """
select distinct p.run_id, $4 from payments p where p.factory_id = $1 and p.state = 'paid'
  and (p.state_since between $2 and $3 or p.state_since > $6)
  and (select count(*) from slips s where s.factory_id = p.factory_id and s.payment_id = p.id) = 0
union select distinct s.run_id, $5 from slips s where s.factory_id = $1 and s.state = 'composed'
  and (s.composed_at between $2 and $3 or s.composed_at > $6)
"""
_LONGEST_WAIT, _LOOKED_BACK = timedelta(minutes=1), timedelta(days=3)
# Several jobs may come at once for one message, or for one run. One composes; the others come back when it may be done.
_ALONE = "select pg_try_advisory_xact_lock(hashtextextended('compose-slips|' || $1::text, 0))"
_COME_BACK = timedelta(seconds=1)
_INSERT = """
insert into slips (factory_id, id, run_id, payment_id, worker_id, reference, phone, body, segments, state, composed_at)
select $1, n.id, $2, n.payment_id, n.worker_id, n.reference, n.phone, n.body, n.segments, n.state, $3
from unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::bytea[], $9::bytea[], $10::bigint[], $11::text[])
  as n(id, payment_id, worker_id, reference, phone, body, segments, state)
on conflict do nothing returning id, state
"""


async def compose_slips(services: Services, factory_id: UUID, payload: Mapping[str, str]) -> None:
    """The job COMPOSE_SLIPS: chunk after chunk, each in a transaction of its own, until no paid payment lacks a slip.

    With a `dispatch`, of that message's payments; without, of the whole run.
    """
    while await _chunk(services, factory_id, payload):
        pass


async def ask_forgotten_slips(session: AsyncSession, now: datetime) -> None:
    """Ask again for slips that nobody composed or sent: their job was lost. An extra job does no harm, it finds nothing to do."""
    jobs = Job.COMPOSE_SLIPS.value, Job.SEND_SLIPS.value
    rows = await fetch(session, _FORGOTTEN, factory_of(session), now - _LOOKED_BACK, now - _LONGEST_WAIT, *jobs, now)
    for run_id, job in rows:
        await enqueue(session, Job(job), {"run": str(run_id)}, once=f"{run_id}|forgotten")


async def _chunk(services: Services, factory_id: UUID, payload: Mapping[str, str]) -> bool:
    run_id, dispatch = UUID(payload["run"]), payload.get("dispatch")
    whose, which = (_OF_RUN, run_id) if dispatch is None else (_OF_DISPATCH, UUID(dispatch))
    async with services.database.factory(factory_id) as session:
        if not (await fetch(session, _ALONE, str(which)))[0][0]:
            await enqueue(session, Job.COMPOSE_SLIPS, payload, after=_COME_BACK, once=str(which))
            return False
        found = [row[0] for row in await fetch(session, whose, factory_id, which, _CHUNK)]
        ours = [row[0] for row in await fetch(session, _LOCKED, factory_id, found)] if found else []
        if not ours:
            if found:
                # One was locked just now, by a statement perhaps: no other word may come that would ask for its slip.
                await enqueue(session, Job.COMPOSE_SLIPS, payload, after=_COME_BACK, once=f"{which}|left")
            return False
        await as_written(session)
        rows = await fetch(session, _WAITING, factory_id, ours)
        vault = await services.keys.vault(session)
        factory = await get_factory(session)
        now = services.clock()
        slips = [_slip(vault, factory, row) for row in rows]
        written = await fetch(session, _INSERT, factory_id, run_id, now, *map(list, zip(*slips, strict=True)))
        await _tell(session, written, now)
        if any(state == "composed" for _, state in written):
            await enqueue(session, Job.SEND_SLIPS, {"run": str(run_id)})
        return True


async def _tell(session: AsyncSession, written: list[tuple[Any, ...]], at: datetime) -> None:
    await record_many(session, at, (Event(actor=SYSTEM, action=f"slip.{state}", subject=f"slip:{one}") for one, state in written))


def _slip(vault: Vault, factory: Factory, row: tuple[Any, ...]) -> tuple[object, ...]:
    (payment, _, worker, period, kind, minor, unit, paid_at, corrects, reference, *rest) = row
    (destination, method, bank, account, phone, amounts, *law) = rest
    number = vault.open(account, "destinations", destination, "account")
    paid = Paid(method=method, bank=bank, tail=number[-_TAIL:], on=pay_day(paid_at))
    amount, month = Money(minor, currency(unit)), PayPeriod.parse(period)
    if corrects is not None:
        # The row of the sheet is the earlier payment's: its figures were told with that one, and say nothing of this one.
        text = compose_correction(factory.name_km, factory.hotline, month, amount, paid)
    else:
        sums = dict(zip(("gross_minor", "net_minor", "stated_minor"), law[:3], strict=True))
        text = compose(factory.name_km, factory.hotline, month, RunKind(kind), figures_of(amount, amounts, sums, law[3]), paid)
    slip_id = new_id()
    # The number in force now is sealed into the slip: a change between now and sending does not send it to somebody else.
    to = vault.open_or_none(phone, "workers", worker, "phone")
    return (
        slip_id,
        payment,
        worker,
        f"SL{reference[2:]}",
        vault.seal(to, "slips", slip_id, "phone") if to else None,
        vault.seal(text, "slips", slip_id, "body"),
        segments(text).count,
        "composed" if to else "no_phone",
    )
