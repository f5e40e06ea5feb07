"""When each bank and wallet of a run executes it: after its cut-off, or on its day off, wages arrive later than on the pay day.

Told before the run is approved, while an earlier day can still be chosen. The hours come from the configuration of each connector.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.hours import Hours
from payroll_api.db.bulk import fetch
from payroll_api.runs.models import PayRun
from payroll_api.services import Services

# A run that is not frozen names no accounts yet: then every account that pays is asked.
_RAILS = """
select a.id, a.name from provider_accounts a
where a.factory_id = $1 and a.is_enabled and a.kind <> 'sms' and (
  exists (select from run_items i where i.factory_id = $1 and i.run_id = $2 and i.held_reason is null and i.provider_account_id = a.id)
  or not exists (select from run_items i where i.factory_id = $1 and i.run_id = $2)) order by a.name, a.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RailDay:
    """An account that keeps hours. What is released until `release_by` is executed on `best`, the last working day up to the pay day.

    `executed_on` is the day for a run that is released now; it may lie after the pay day.
    """

    provider_account_id: UUID
    name: str
    executed_on: date
    best: date
    release_by: datetime


async def rail_days(session: AsyncSession, services: Services, run: PayRun) -> list[RailDay]:
    """Each account of a run that keeps hours, by name."""
    found = []
    for account, name in await fetch(session, _RAILS, run.factory_id, run.id):
        hours = (await services.connectors.payout(session, account)).profile.hours
        if hours is not None:
            found.append(_of(account, name, hours, run.pay_on, services.clock()))
    return found


def late(days: list[RailDay], pay_on: date) -> list[RailDay]:
    """Those that would pay after the pay day, even if the run were released now."""
    return [one for one in days if one.executed_on > pay_on]


def _of(account: UUID, name: str, hours: Hours, pay_on: date, now: datetime) -> RailDay:
    best = hours.open_before(pay_on)
    return RailDay(
        provider_account_id=account,
        name=name,
        executed_on=hours.executes_on(now, pay_on),
        best=best,
        release_by=hours.last_moment(best),
    )
