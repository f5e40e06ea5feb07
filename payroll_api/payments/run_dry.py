"""An account ran dry while a run was being sent: its rail is stopped before the rest is refused one by one, and people are called."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api import logs
from payroll_api.alarms.sound import Alarm, sound
from payroll_api.audit.journal import SYSTEM, Event, record
from payroll_api.db.base import new_id
from payroll_api.db.bulk import fetch
from payroll_api.payments.models import Dispatch
from payroll_api.payments.verdict import Change

log = logs.get(__name__)

CODE = "insufficient_funds"
REASON = "The provider refused orders because the account does not hold enough. Pay money in, then two people lift this stop."
_WITHIN = timedelta(hours=2)
# Several answers may say so at one moment. Who comes second does not wait (it may hold what the first needs): one stop is enough.
_FIRST = "select pg_try_advisory_xact_lock(hashtextextended('dry|' || $1::text, 0))"
_STOP = """
insert into stops (factory_id, id, provider_account_id, reason, pressed_by, pressed_at, handed_over)
select $1, $3, $2, $4, $5, $6,
  (select count(*) from dispatches where factory_id = $1 and provider_account_id = $2 and state in ('sending', 'open'))
where not exists (select from stops where factory_id = $1 and lifted_at is null and run_id is null
  and (provider_account_id is null or provider_account_id = $2))
returning handed_over
"""


async def stop_if_dry(session: AsyncSession, dispatch: Dispatch, changes: Sequence[Change], at: datetime) -> None:
    """Press the rail's stop in the name of the system when a proven refusal says that the money is out.

    Unlike a person's, this stop does not wait for senders in the gate: what they send is refused the same way, by proof.
    """
    refused = sum(1 for change in changes if change.state == "rejected" and change.outcome.code == CODE)
    rail = dispatch.provider_account_id
    if not refused or not (await fetch(session, _FIRST, str(rail)))[0][0]:
        return
    stop_id = new_id()
    rows = await fetch(session, _STOP, dispatch.factory_id, rail, stop_id, REASON, SYSTEM, at)
    if not rows:
        return
    log.error("rail_ran_dry", provider_account=str(rail), run=str(dispatch.run_id))
    data: dict[str, int | str] = {"run": str(dispatch.run_id), "provider": str(rail), "handed_over": int(rows[0][0])}
    await record(session, at, Event(actor=SYSTEM, action="stop.pressed", subject=f"stop:{stop_id}", data=data))
    await sound(session, at, Alarm(kind="funds_short", subject=f"stop:{stop_id}", due_at=at + _WITHIN, data={**data, "refused": refused}))
