"""Notice that another factory pays into a worker's account too, without anybody learning which factory or worker that is.

A directory over all factories holds one keyed hash for each account, under a key that serves nothing else. It can be right (she works at
two factories) or the sign of one hand that collects many wages: a person looks.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.alarms.sound import Alarm, sound_only
from payroll_api.db.bulk import fetch, run
from payroll_api.db.session import factory_of
from payroll_api.people.keys import plain_account
from payroll_api.services import Services

_CHUNK = 2000
_TIME_TO_LOOK = timedelta(days=3)
_NEW = (
    "select id, kind, bank_key, account from destinations where factory_id = $1 and account_index is null and kind <> 'cash'"
    " and state in ('verified', 'confirmed') and not is_proposal order by id limit $2"
)
_KEEP = (
    "update destinations d set account_index = n.index from unnest($2::uuid[], $3::bytea[]) as n(id, index)"
    " where d.factory_id = $1 and d.id = n.id"
)
_CURRENT = """
select distinct d.account_index from destinations d join workers w on w.factory_id = d.factory_id and w.id = d.worker_id
where d.factory_id = $1 and d.account_index is not null and d.state in ('verified', 'confirmed') and not d.is_proposal and w.left_on is null
"""
_ENTER = "insert into account_directory (account_index, factory_id) select n, $1 from unnest($2::bytea[]) n on conflict do nothing"
_LEAVE = "delete from account_directory where factory_id = $1 and account_index <> all($2::bytea[])"
_SHARED = """
select distinct w.id, w.worker_code from destinations d
join workers w on w.factory_id = d.factory_id and w.id = d.worker_id
join account_directory a on a.account_index = d.account_index and a.factory_id <> d.factory_id
where d.factory_id = $1 and d.state in ('verified', 'confirmed') and not d.is_proposal and w.left_on is null
"""


async def look_elsewhere(session: AsyncSession, services: Services) -> None:
    """Enter this factory's accounts in the directory, take out those it no longer pays, and sound what is shared with another factory."""
    factory_id, at = factory_of(session), services.clock()
    vault = await services.keys.vault(session)
    while rows := await fetch(session, _NEW, factory_id, _CHUNK):
        indexes = [
            services.keys.account_index(f"{kind}|{bank or ''}|{plain_account(vault.open(account, 'destinations', destination, 'account'))}")
            for destination, kind, bank, account in rows
        ]
        await run(session, _KEEP, factory_id, [row[0] for row in rows], indexes)
    current = [row[0] for row in await fetch(session, _CURRENT, factory_id)]
    await run(session, _LEAVE, factory_id, current)
    await run(session, _ENTER, factory_id, current)
    alarms = [
        Alarm(kind="account_elsewhere", subject=f"worker:{worker}", due_at=at + _TIME_TO_LOOK, data={"worker": code})
        for worker, code in await fetch(session, _SHARED, factory_id)
    ]
    await sound_only(session, at, "account_elsewhere", alarms)
