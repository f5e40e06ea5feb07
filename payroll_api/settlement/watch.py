"""Breaks whose day has passed sound an alarm until they are closed or somebody waits with a reason."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.alarms.sound import Alarm, sound_only
from payroll_api.clock import PHNOM_PENH, pay_day
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of
from payroll_api.settlement.close import ALARM

# More at once is one story, and the list of breaks tells it.
_MOST = 200
_OVERDUE = """
select id, kind, due_on from settlement_breaks where factory_id = $1 and state in ('open', 'proposed') and due_on < $2
order by due_on, id limit $3
"""


async def watch(session: AsyncSession, now: datetime) -> None:
    """Make the open alarms of this kind exactly the overdue breaks, the longest overdue first."""
    rows = await fetch(session, _OVERDUE, factory_of(session), pay_day(now), _MOST)
    alarms = (
        Alarm(
            kind=ALARM,
            subject=f"break:{break_id}",
            due_at=datetime.combine(due_on + timedelta(days=1), time.min, PHNOM_PENH),
            data={"break": kind},
        )
        for break_id, kind, due_on in rows
    )
    await sound_only(session, now, ALARM, alarms)
