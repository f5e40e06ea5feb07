"""The end of a day, or of a month: what a rail held, what moved, and what it holds, in the bank's words and in ours, side by side.

The two agree, or each line between them is named. Amounts are minor units of one currency, signed as the account sees them: in is
positive. Days are the bank's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of
from payroll_api.ledger.rail import held, moved
from payroll_api.settlement.postings import bank_of

CLASSES = ("funded", "paid", "fees", "returned", "other")
_MOST_NAMED = 200

# The ledger's movements on the rail in the period: one row for each, signed.
_MOVED = """
  select payment_id, line_key, amount_minor as minor from ledger_transfers
  where factory_id = $1 and debit = $6 and currency = $3 and booked_on between $4 and $5 and debit like 'bank:%'
  union all
  select payment_id, line_key, -amount_minor from ledger_transfers
  where factory_id = $1 and credit = $6 and currency = $3 and booked_on between $4 and $5 and credit like 'bank:%'
"""
_ENDS = """
with first as (
  select opening_minor, opened_on from statement_balances where factory_id = $1 and provider_account_id = $2 and currency = $3
    and opened_on between $4 and $5 and opening_minor is not null order by opened_on, statement_id limit 1)
select (select opening_minor from first), (select opened_on from first),
  (select closing_minor from statement_balances where factory_id = $1 and provider_account_id = $2 and currency = $3
    and closed_on between $4 and $5 and closing_minor is not null order by closed_on desc, statement_id desc limit 1)
"""
# Most lines are wages that arrived as ordered. None of them has a break: they are summed without looking for one.
_BANK = """
select class, sum(minor)::bigint from (
  select 'paid' as class, sum(case l.direction when 'in' then l.amount_minor else -l.amount_minor end) as minor
  from statement_lines l
  where l.factory_id = $1 and l.provider_account_id = $2 and l.currency = $3 and l.booked_on between $4 and $5 and l.kind = 'matched'
  union all
  select case when l.kind = 'funding' or b.way_out = 'funding' then 'funded'
      when l.kind = 'fee' and l.payment_id is null or b.way_out = 'fee' and l.payment_id is null then 'fees'
      when l.payment_id is not null and l.direction = 'out' then 'paid' when l.payment_id is not null then 'returned'
      else 'other' end as class,
    case l.direction when 'in' then l.amount_minor else -l.amount_minor end
      + case when l.kind = 'fee' and l.payment_id is not null and b.difference_minor > 0 then b.difference_minor else 0 end as minor
  from statement_lines l left join settlement_breaks b on b.factory_id = $1 and b.statement_id = l.statement_id and b.position = l.position
  where l.factory_id = $1 and l.provider_account_id = $2 and l.currency = $3 and l.booked_on between $4 and $5
    and l.kind not in ('matched', 'seen')
  union all
  select 'fees', -b.difference_minor from statement_lines l
  join settlement_breaks b on b.factory_id = $1 and b.statement_id = l.statement_id and b.position = l.position
  where l.factory_id = $1 and l.provider_account_id = $2 and l.currency = $3 and l.booked_on between $4 and $5
    and l.kind = 'fee' and l.payment_id is not null and b.difference_minor > 0
) moved where minor is not null group by class
"""
# What is in one view of the period and not in the other: by payment, and by line where there is no payment.
_BETWEEN = f"""
with ours as ({_MOVED}), theirs as (
  select l.payment_id, l.line_key, l.kind, l.entry, l.reference, l.booked_on, l.statement_id, l.position,
    case l.direction when 'in' then l.amount_minor else -l.amount_minor end as minor
  from statement_lines l
  where l.factory_id = $1 and l.provider_account_id = $2 and l.currency = $3 and l.booked_on between $4 and $5 and l.kind <> 'seen'
), by_payment as (
  select payment_id, sum(minor)::bigint as minor from (
    select payment_id, minor from theirs where payment_id is not null
    union all select payment_id, -minor from ours where payment_id is not null) both_sides
  group by payment_id having sum(minor) <> 0
), by_line as (
  select line_key, sum(minor)::bigint as minor from (
    select line_key, minor from theirs where payment_id is null
    union all select line_key, -minor from ours where payment_id is null and line_key is not null) both_sides
  group by line_key having sum(minor) <> 0
), told as (
  select t.payment_id, min(t.kind) filter (where t.kind <> 'matched') as kind, min(t.reference) as reference
  from by_payment p join theirs t on t.payment_id = p.payment_id group by t.payment_id
)
select p.payment_id, case when t.payment_id is null then 'not_on_statement' else coalesce(t.kind, 'ledger_other_day') end,
  coalesce(t.reference, a.reference), p.minor,
  (select min(b.id::text) from settlement_breaks b where b.factory_id = $1 and b.payment_id = p.payment_id and b.state <> 'closed')
from by_payment p join payments y on y.factory_id = $1 and y.id = p.payment_id
left join told t on t.payment_id = p.payment_id
left join attempts a on a.factory_id = $1 and a.payment_id = y.id and a.number = coalesce(y.paid_by, y.attempt)
union all
select null, t.kind, coalesce(t.reference, t.entry), n.minor,
  (select min(b.id::text) from settlement_breaks b where b.factory_id = $1 and b.statement_id = t.statement_id and b.position = t.position)
from by_line n join theirs t on t.line_key = n.line_key
order by 4, 3
"""  # noqa: S608 the same
_IN_TRANSIT = """
select count(*), coalesce(sum(amount_minor), 0)::bigint from payments where factory_id = $1 and provider_account_id = $2 and currency = $3
  and settled_on is null and state in ('submitting', 'accepted', 'unknown')
"""
_RAILS = """
select distinct a.id, a.name, b.currency from provider_accounts a
join statement_balances b on b.factory_id = a.factory_id and b.provider_account_id = a.id where a.factory_id = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One side's figures. `opening` and `closing` are None where the bank does not state them."""

    opening: int | None
    moved: Mapping[str, int]
    closing: int | None

    @property
    def sum(self) -> int:
        """What moved in all."""
        return sum(self.moved.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """One thing that is in one view and not, or otherwise, in the other: bank less ledger."""

    what: str  # the kind of the line, `not_on_statement` or `ledger_other_day`
    reference: str | None
    minor: int
    payment_id: UUID | None
    break_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEnd:
    """A period of a rail and currency. `difference` is the bank's closing less the ledger's; None where the bank states none."""

    first: date
    last: date
    currency: str
    bank: View
    ledger: View
    carried: int | None  # bank's opening less the ledger's: named on the days before
    named: Sequence[Between]
    unnamed_rest: int  # the sum of what is not listed, where there are more than two hundred
    not_adding_up: int | None  # bank's closing less its own opening and lines
    in_transit_count: int
    in_transit: int  # on its way at this moment, not at the period's end

    @property
    def difference(self) -> int | None:
        """Bank's closing less the ledger's."""
        return None if self.bank.closing is None or self.ledger.closing is None else self.bank.closing - self.ledger.closing

    @property
    def is_explained(self) -> bool:
        """Whether the two views agree to the cent, with nothing open between them."""
        return self.difference == 0 and not self.named and not self.carried and not self.not_adding_up


async def day_end(session: AsyncSession, provider_account_id: UUID, currency: str, first: date, last: date) -> DayEnd:
    """The figures of a rail and currency from `first` to `last`, both included.

    Where the bank's first statement of the period opens later than `first`, both views open there.
    """
    account = bank_of(provider_account_id)
    ((opening, opened_on, closing),) = await fetch(session, _ENDS, factory_of(session), provider_account_id, currency, first, last)
    since = opened_on or first
    own = (factory_of(session), provider_account_id, currency, since, last)
    bank = View(opening=opening, moved=_classes(await fetch(session, _BANK, *own)), closing=closing)
    before = await held(session, account, currency, since)
    ledger_moved = _classes(await moved(session, account, currency, since, last))
    ledger = View(opening=before, moved=ledger_moved, closing=before + sum(ledger_moved.values()))
    between = [
        Between(what=what, reference=reference, minor=minor, payment_id=payment, break_id=UUID(found) if found else None)
        for payment, what, reference, minor, found in await fetch(session, _BETWEEN, *own, account)
    ]
    ((count, transit),) = await fetch(session, _IN_TRANSIT, *own[:3])
    return DayEnd(
        first=first,
        last=last,
        currency=currency,
        bank=bank,
        ledger=ledger,
        carried=None if opening is None else opening - before,
        named=between[:_MOST_NAMED],
        unnamed_rest=sum(one.minor for one in between[_MOST_NAMED:]),
        not_adding_up=None if opening is None or closing is None else closing - opening - bank.sum,
        in_transit_count=count,
        in_transit=transit,
    )


async def rails(session: AsyncSession) -> list[tuple[UUID, str, str]]:
    """Every account and currency that has a statement: id, name, currency."""
    rows = await fetch(session, _RAILS, factory_of(session))
    return sorted(((account, name, code) for account, name, code in rows), key=lambda row: (row[1], row[2]))


def _classes(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    found = dict(rows)
    return {name: int(found.get(name, 0)) for name in CLASSES}
