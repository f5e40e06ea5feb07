"""The rows behind the settlement's reports, each by one statement. Amounts are minor units; days are Phnom Penh's or the bank's."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of

_Rows = list[tuple[Any, ...]]

_RUN = """
select a.name, p.currency,
  sum(p.amount_minor)::bigint, count(*),
  coalesce(sum(p.amount_minor) filter (where p.settled_on is not null and p.state = 'paid'), 0)::bigint,
  count(*) filter (where p.settled_on is not null and p.state = 'paid'),
  coalesce(sum(p.amount_minor) filter (where p.settled_on is null and p.state = 'paid'), 0)::bigint,
  count(*) filter (where p.settled_on is null and p.state = 'paid'),
  coalesce(sum(p.amount_minor) filter (where p.state in ('ready', 'submitting', 'accepted', 'unknown')), 0)::bigint,
  count(*) filter (where p.state in ('ready', 'submitting', 'accepted', 'unknown')),
  coalesce(sum(p.amount_minor) filter (where p.state in ('held', 'rejected', 'returned', 'cancelled')), 0)::bigint,
  count(*) filter (where p.state in ('held', 'rejected', 'returned', 'cancelled'))
from payments p join provider_accounts a on a.factory_id = p.factory_id and a.id = p.provider_account_id
where p.factory_id = $1 and p.run_id = $2 group by a.name, p.currency order by a.name, p.currency
"""
_UNPAID = """
select p.worker_code, a.name, t.reference, p.amount_minor, p.currency, p.state, p.code, p.detail,
  (p.state_since at time zone 'Asia/Phnom_Penh')::date
from payments p join provider_accounts a on a.factory_id = p.factory_id and a.id = p.provider_account_id
left join attempts t on t.factory_id = p.factory_id and t.payment_id = p.id and t.number = coalesce(p.paid_by, p.attempt)
where p.factory_id = $1 and p.state = any('{held,ready,submitting,accepted,unknown,rejected,returned}')
  and (p.run_id = $2 or $2::uuid is null and p.state_since >= $3::date - interval '7 hours'
    and p.state_since < $4::date + interval '17 hours')
order by p.worker_code, p.id limit $5
"""
_RETURNED = """
select l.booked_on, p.worker_code, a.name, l.reference, l.entry, l.amount_minor, l.currency, l.kind
from statement_lines l join provider_accounts a on a.factory_id = l.factory_id and a.id = l.provider_account_id
left join payments p on p.factory_id = l.factory_id and p.id = l.payment_id
where l.factory_id = $1 and l.booked_on between $2 and $3 and l.kind in ('returned', 'partial_return')
order by l.booked_on, l.statement_id, l.position limit $4
"""
_OPEN_BREAKS = """
select b.kind, a.name, b.amount_minor, b.currency, (b.opened_at at time zone 'Asia/Phnom_Penh')::date, b.due_on
from settlement_breaks b join provider_accounts a on a.factory_id = b.factory_id and a.id = b.provider_account_id
where b.factory_id = $1 and b.state in ('open', 'proposed') order by b.due_on, b.id limit $2
"""
_AGING = """
select kind, currency, count(*) filter (where age <= 2), count(*) filter (where age between 3 and 7),
  count(*) filter (where age between 8 and 30), count(*) filter (where age > 30), sum(amount_minor)::bigint
from (select kind, currency, amount_minor, $2::date - (opened_at at time zone 'Asia/Phnom_Penh')::date as age
  from settlement_breaks where factory_id = $1 and state in ('open', 'proposed')) b group by kind, currency order by kind, currency
"""
_FEES = """
from ledger_transfers t join provider_accounts a on a.factory_id = t.factory_id and t.credit = 'bank:' || a.id::text
left join statement_lines l on l.factory_id = t.factory_id and l.line_key = t.line_key
where t.factory_id = $1 and t.debit = 'fees' and t.line_key is not null and t.booked_on between $2 and $3
"""
_CHARGES = f"select t.booked_on, a.name, l.entry, t.amount_minor, t.currency {_FEES} order by t.booked_on, t.id limit $4"
_CHARGES_BY_MONTH = f"""
select a.name, to_char(t.booked_on, 'YYYY-MM'), t.currency, sum(t.amount_minor)::bigint, count(*) {_FEES} group by 1, 2, 3 order by 1, 2, 3
"""


# Every booking of a rail in a period: wages that arrived as ordered in one row, each other movement with what became of its break.
# The few lines that are neither matched nor seen have an index of their own, which is used where its very words are said.
_MOVEMENTS = """
select null::date, 'as_ordered', coalesce(sum(n), 0)::text, coalesce(sum(minor), 0)::bigint, null, null, null from (
  select count(*) as n, sum(case direction when 'in' then amount_minor else -amount_minor end) as minor
  from statement_lines where factory_id = $1 and provider_account_id = $2 and currency = $3 and booked_on between $4 and $5
    and kind = 'matched'
  union all
  select count(*), sum(case direction when 'in' then amount_minor else -amount_minor end)
  from statement_lines where factory_id = $1 and provider_account_id = $2 and currency = $3 and booked_on between $4 and $5
    and kind not in ('matched', 'seen') and kind in ('late', 'early', 'split')) as_ordered
union all
(select l.booked_on, l.kind, coalesce(p.worker_code || ', ', '') || coalesce(l.reference, l.entry),
  case l.direction when 'in' then l.amount_minor else -l.amount_minor end, b.state, b.way_out, b.closed_reason
from statement_lines l
left join settlement_breaks b on b.factory_id = l.factory_id and b.statement_id = l.statement_id and b.position = l.position
left join payments p on p.factory_id = l.factory_id and p.id = l.payment_id
where l.factory_id = $1 and l.provider_account_id = $2 and l.currency = $3 and l.booked_on between $4 and $5
  and l.kind not in ('matched', 'seen') and l.kind not in ('late', 'early', 'split')
order by l.booked_on, l.statement_id, l.position limit $6)
"""


async def movements(session: AsyncSession, account: UUID, currency: str, *, first: date, last: date, limit: int) -> _Rows:
    """What moved on a rail: day, kind, whose and which, signed amount, and the state, way out and reason of its break."""
    return await fetch(session, _MOVEMENTS, factory_of(session), account, currency, first, last, limit)


async def of_run(session: AsyncSession, run_id: UUID) -> _Rows:
    """A run by account: name, currency, then sum and number ordered, on a statement, paid without one, on its way, not paid."""
    return await fetch(session, _RUN, factory_of(session), run_id)


async def unpaid(session: AsyncSession, *, run_id: UUID | None, first: date, last: date, limit: int) -> _Rows:
    """Payments without money at the worker: of a run, or in this state since some day of the period."""
    return await fetch(session, _UNPAID, factory_of(session), run_id, first, last, limit)


async def returned(session: AsyncSession, *, first: date, last: date, limit: int) -> _Rows:
    """Wages that came back in the period."""
    return await fetch(session, _RETURNED, factory_of(session), first, last, limit)


async def open_breaks(session: AsyncSession, *, limit: int) -> _Rows:
    """Breaks that are not closed, whatever is due first."""
    return await fetch(session, _OPEN_BREAKS, factory_of(session), limit)


async def aging(session: AsyncSession, today: date) -> _Rows:
    """Breaks that are not closed, by kind and age in days."""
    return await fetch(session, _AGING, factory_of(session), today)


async def charges(session: AsyncSession, *, first: date, last: date, limit: int) -> _Rows:
    """What providers charged in the period, line by line."""
    return await fetch(session, _CHARGES, factory_of(session), first, last, limit)


async def charges_by_month(session: AsyncSession, *, first: date, last: date) -> _Rows:
    """The same by account, month and currency: name, month, currency, sum, number."""
    return await fetch(session, _CHARGES_BY_MONTH, factory_of(session), first, last)
