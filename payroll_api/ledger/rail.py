"""What the ledger holds and moves on a rail by its own days, from the sums that the database keeps with each posting.

A day's end asks for years of paydays at once: summed from the transfers, the answer takes longer with every payday. The sums are
the transfers' by construction, and `rail_sums_disagree` (payments/invariants.py) compares the two.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of

_HELD = """
select coalesce(sum(amount_minor), 0)::bigint from rail_sums
where factory_id = $1 and account = $2 and currency = $3 and booked_on < $4
"""
_MOVED = """
select case other when 'funding' then 'funded' when 'returns' then 'returned' when 'wages' then 'paid' else other end,
  sum(amount_minor)::bigint
from rail_sums where factory_id = $1 and account = $2 and currency = $3 and booked_on between $4 and $5 group by 1
"""


async def held(session: AsyncSession, account: str, currency: str, before: date) -> int:
    """Minor units that the ledger's `account` of a rail held when the day `before` began."""
    return int((await fetch(session, _HELD, factory_of(session), account, currency, before))[0][0])


async def moved(session: AsyncSession, account: str, currency: str, first: date, last: date) -> list[tuple[str, int]]:
    """What moved from `first` to `last`, both included, by what it was for: funded, paid, fees, returned, other. In is positive."""
    rows = await fetch(session, _MOVED, factory_of(session), account, currency, first, last)
    return [(name, int(minor)) for name, minor in rows]
