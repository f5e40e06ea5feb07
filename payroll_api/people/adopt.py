"""Let confirmed changes take effect once their time has come: the account or phone in the register becomes the new one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.audit.journal import SYSTEM, Event, record_many
from payroll_api.clock import PHNOM_PENH, pay_day
from payroll_api.db.bulk import fetch, run
from payroll_api.db.session import factory_of
from payroll_api.factories.policies import policy
from payroll_api.services import Services

# A change waits while a run that was frozen with the account she has is not at rest: that run pays what people approved.
_DUE = """
select c.id, c.worker_id, c.what, c.destination_id, c.phone, c.phone_key, (c.proposed_at at time zone $5)::date
from worker_changes c left join destinations d on d.factory_id = c.factory_id and d.id = c.destination_id
where c.factory_id = $1 and c.state = 'proposed' and c.confirmed_by is not null and c.effective_at <= $2
  and (c.what = 'phone' or d.state in ('verified', 'confirmed'))
  and (c.second_by is not null or (c.proposed_at at time zone $5)::date <= $3::date - $4::int)
  and ($6::uuid[] is null or c.worker_id = any($6))
  and not exists (
    select from change_notices n where n.factory_id = c.factory_id and n.change_id = c.id and n.state in ('waiting', 'sending'))
  and (c.what = 'phone' or not exists (
    select from destinations o
    join run_items i on i.factory_id = o.factory_id and i.destination_id = o.id and i.held_reason is null
    join pay_runs r on r.factory_id = i.factory_id and r.id = i.run_id
    left join payments p on p.factory_id = i.factory_id and p.run_id = i.run_id and p.worker_id = i.worker_id
    where o.factory_id = c.factory_id and o.worker_id = c.worker_id and o.state <> 'retired' and not o.is_proposal
      and (r.state in ('submitted', 'approved') or (r.state = 'released'
        and (p.id is null or p.state in ('held', 'ready', 'submitting', 'unknown', 'accepted'))))))
order by c.worker_id for update of c
"""
_RETIRE = (
    "update destinations set state = 'retired' where factory_id = $1 and worker_id = any($2) and state <> 'retired' and not is_proposal"
)
_TAKE = """
update destinations d set is_proposal = false, changed_on = n.day from unnest($2::uuid[], $3::date[]) as n(id, day)
where d.factory_id = $1 and d.id = n.id and d.is_proposal
"""
_ADOPTED = "update worker_changes set state = 'adopted', ended_at = $3, ended_by = $4 where factory_id = $1 and id = any($2)"


async def adopt_due(session: AsyncSession, services: Services, *, pay_on: date | None = None, workers: Sequence[UUID] | None = None) -> int:
    """Adopt what is due; how many. A change younger than the factory's `account_change_days` before `pay_on` needs its own approval."""
    factory_id, at = factory_of(session), services.clock()
    days = (await policy(session)).account_change_days
    day = max(pay_on or pay_day(at), pay_day(at))
    due = await fetch(session, _DUE, factory_id, at, day, days, str(PHNOM_PENH), None if workers is None else list(workers))
    accounts = [row for row in due if row[2] == "account"]
    if accounts:
        await run(session, _RETIRE, factory_id, [row[1] for row in accounts])
        await run(session, _TAKE, factory_id, [row[3] for row in accounts], [row[6] for row in accounts])
    await _phones(session, services, [row for row in due if row[2] == "phone"])
    await run(session, _ADOPTED, factory_id, [row[0] for row in due], at, SYSTEM)
    await record_many(
        session,
        at,
        (
            Event(actor=SYSTEM, action="change.adopted", subject=f"change:{row[0]}", data={"worker": str(row[1]), "what": row[2]})
            for row in due
        ),
    )
    return len(due)


async def _phones(session: AsyncSession, services: Services, rows: Sequence[tuple[object, ...]]) -> None:
    if not rows:
        return
    vault = await services.keys.vault(session)
    sealed = [
        vault.seal(vault.open(bytes(row[4]), "worker_changes", row[0], "phone"), "workers", row[1], "phone")  # type: ignore[call-overload]
        for row in rows
    ]
    await run(
        session,
        "update workers w set phone = n.phone, phone_key = n.key from unnest($2::uuid[], $3::bytea[], $4::bytea[]) as n(id, phone, key)"
        " where w.factory_id = $1 and w.id = n.id",
        factory_of(session),
        [row[1] for row in rows],
        sealed,
        [row[5] for row in rows],
    )
