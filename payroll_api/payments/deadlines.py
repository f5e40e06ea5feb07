"""Paydays with their deadlines: what must be done by when, and an alarm before and after for what is not.

A run names its pay day. Counted back from there: sent for approval two days before, approved the day before, released that morning, in
everybody's hands that evening (Phnom Penh time). A run that is made later has two hours for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.alarms.sound import Alarm, sound_only
from payroll_api.clock import PHNOM_PENH
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of

# Alarm, days before the pay day, hour of that day. By the state of the run that has not got further.
STAGES: Mapping[str, tuple[str, int, int]] = {
    "draft": ("run_unsubmitted", 2, 17),
    "submitted": ("run_unapproved", 1, 17),
    "approved": ("run_unreleased", 0, 9),
    "released": ("run_unpaid", 0, 20),
}
KINDS = ("run_unsubmitted", "run_unapproved", "run_unreleased", "run_unpaid", "payments_held")
_LEAST = timedelta(hours=2)
_BEFORE = timedelta(hours=6)  # how long before its time an alarm sounds
_LOOKED_BACK = timedelta(days=60)
_RUNS = """
select r.id, r.state, r.pay_on, coalesce(r.released_at, r.approved_at, r.submitted_at, r.created_at), r.period, r.kind,
  coalesce(p.waiting, 0), coalesce(p.failed, 0), coalesce(p.held, 0) + coalesce(i.held, 0)
from pay_runs r
left join lateral (
  select count(*) filter (where state in ('ready', 'submitting', 'accepted', 'unknown')) as waiting,
    count(*) filter (where state in ('rejected', 'returned')) as failed, count(*) filter (where state = 'held') as held
  from payments where factory_id = r.factory_id and run_id = r.id and r.state in ('released', 'completed')) p on true
left join lateral (
  select count(*) as held from run_items where factory_id = r.factory_id and run_id = r.id and held_reason is not null
    and held_reason not in ('already_paid', 'nothing_due') and r.state in ('released', 'completed')) i on true
where r.factory_id = $1 and r.state <> 'rejected' and r.pay_on >= $2
"""


async def watch_paydays(session: AsyncSession, now: datetime) -> None:
    """Sound what is late or will be soon, and clear what is done. Looks at every run of the last two months."""
    rows = await fetch(session, _RUNS, factory_of(session), (now - _LOOKED_BACK).astimezone(PHNOM_PENH).date())
    alarms: dict[str, list[Alarm]] = {kind: [] for kind in KINDS}
    for row in rows:
        for alarm in _of_run(row):
            if now >= alarm.due_at - _BEFORE:
                alarms[alarm.kind].append(alarm)
    for kind, found in alarms.items():
        await sound_only(session, now, kind, found)


def due_at(pay_on: date, state: str, since: datetime) -> datetime:
    """By when a run in this state must have got further. `since` is when it came there."""
    _, days, hour = STAGES[state]
    planned = datetime.combine(pay_on - timedelta(days=days), time(hour), PHNOM_PENH)
    return max(planned, since + _LEAST)


def _of_run(row: tuple[Any, ...]) -> list[Alarm]:
    run_id, state, pay_on, since, period, kind, waiting, failed, held = row
    about: dict[str, int | str] = {"period": period, "run_kind": kind, "pay_on": pay_on.isoformat()}
    found = []
    if state in ("draft", "submitted", "approved"):
        found.append(Alarm(kind=STAGES[state][0], subject=f"run:{run_id}", due_at=due_at(pay_on, state, since), data=about))
    if waiting or failed:
        counts: dict[str, int | str] = {**about, "waiting": waiting, "failed": failed}
        found.append(Alarm(kind="run_unpaid", subject=f"run:{run_id}", due_at=due_at(pay_on, "released", since), data=counts))
    if held:
        data: dict[str, int | str] = {**about, "count": held}
        found.append(Alarm(kind="payments_held", subject=f"run:{run_id}", due_at=due_at(pay_on, "released", since), data=data))
    return found
