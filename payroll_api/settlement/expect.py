"""What a statement should show: the payments that its lines name, and those that wait for a statement to show them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import Money, currency
from importers.statements.contract import Statement, StatementLine
from payroll_api.clock import pay_day
from payroll_api.db.bulk import fetch
from payroll_api.settlement.models import StatementFile
from reconciliation.contract import ExpectedPayment

# Work grows with the statement and with what is still open, not with the factory's history. A payment was ordered when its dispatch was
# made: when we heard that it was paid says nothing of the bank's day. `extra` and the like are what earlier statements showed of it.
# Only whole statements have balances: what a notice alone has told (`~`) may bear another id in the statement that follows.
_EXPECTED = """
with named as (
  select payment_id from attempts where factory_id = $1 and reference = any($4)
  union
  select a.payment_id from dispatches d join attempts a on a.factory_id = d.factory_id and a.dispatch_id = d.id
    where d.factory_id = $1 and d.reference = any($4)
  union
  select id from payments where factory_id = $1 and provider_account_id = $2 and currency = $3 and settled_on is null
    and state in ('paid', 'accepted', 'unknown', 'submitting', 'returned')
), shown as (
  select l.payment_id, coalesce(max(l.entry) filter (where l.kind in ('matched', 'late', 'early') and w.statement_id is not null),
      max(l.entry) filter (where l.kind = 'seen' and w.statement_id is not null),
      '~' || max(l.entry) filter (where l.kind in ('matched', 'late', 'early'))) as entry,
    coalesce(sum(l.amount_minor) filter (where l.kind = 'amount' and l.direction = 'out'), 0)::bigint as booked,
    coalesce(sum(l.amount_minor) filter (where l.kind = 'twice')
      - sum(l.amount_minor) filter (where l.kind = 'given_back'), sum(l.amount_minor) filter (where l.kind = 'twice'), 0)::bigint as extra,
    coalesce(sum(l.amount_minor) filter (where l.kind in ('returned', 'partial_return')), 0)::bigint as returned
  from statement_lines l join named n on n.payment_id = l.payment_id
  left join (select distinct statement_id from statement_balances where factory_id = $1) w on w.statement_id = l.statement_id
  where l.factory_id = $1 group by l.payment_id
)
select p.id::text, a.reference, p.amount_minor, d.created_at, case when p.paid_by is null then p.account_key end,
  p.settled_on, d.reference, s.entry, coalesce(s.booked, 0), coalesce(s.extra, 0), coalesce(s.returned, 0)
from named n
join payments p on p.factory_id = $1 and p.id = n.payment_id and p.provider_account_id = $2 and p.currency = $3
  and p.state in ('paid', 'accepted', 'unknown', 'submitting', 'returned')
join attempts a on a.factory_id = p.factory_id and a.payment_id = p.id and a.number = coalesce(p.paid_by, p.attempt)
join dispatches d on d.factory_id = a.factory_id and d.id = a.dispatch_id
left join shown s on s.payment_id = p.id
"""


async def expected_payments(
    session: AsyncSession, file: StatementFile, statement: Statement, lines: Sequence[StatementLine]
) -> list[ExpectedPayment]:
    """The payments to judge `lines` of a statement by."""
    wanted = list({reference for line in lines for reference in line.references})
    rows = await fetch(session, _EXPECTED, file.factory_id, file.provider_account_id, statement.currency, wanted)
    unit = currency(statement.currency) if rows else None
    days: dict[object, date] = {}

    def day_of(moment: Any) -> date:  # noqa: ANN401 asyncpg has no types
        # A file's payments were sent at the same moment, and a time zone's rules take their time.
        return days.get(moment) or days.setdefault(moment, pay_day(moment))

    return [
        ExpectedPayment(
            payment_id=payment,
            reference=reference,
            amount=Money(minor, unit),  # type: ignore[arg-type]  # there is a currency where there are rows
            executed_on=day_of(at),
            account_key=payee,
            already_settled=settled is not None,
            batch_reference=batch,
            settled_entry=entry,
            settled_on=settled,
            booked=booked,
            extra=extra,
            returned=returned,
        )
        for payment, reference, minor, at, payee, settled, batch, entry, booked, extra, returned in rows
    ]
