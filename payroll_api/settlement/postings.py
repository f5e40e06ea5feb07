"""What statement lines move in the ledger besides the payments themselves: what was put in, what was charged, what came back in part.

A rail's own account, `bank:<rail>`, follows the bank's balance. A line that nobody has explained is not posted: the day's end names it.
When a person closes its break, what is still missing is posted to where she says it belongs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.statements.contract import Direction, Statement
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of
from payroll_api.ledger.book import Account, Cause, Transfer, post
from payroll_api.ledger.rail import held
from payroll_api.settlement.judged import Part
from payroll_api.settlement.models import SettlementBreak, StatementFile
from payroll_api.settlement.ways import WayOut

_OPENED = (
    "select from ledger_transfers where factory_id = $1 and cause = 'opening' and currency = $3 and (debit = $2 or credit = $2) limit 1"
)
# The parts that came back earlier of wages whose rest came back now: the whole wage was posted with the rest.
_PARTS = """
select p.payment_id, sum(p.amount_minor)::bigint from ledger_transfers p
where p.factory_id = $1 and p.payment_id = any($2) and p.cause = 'partly_returned'
  and exists (select from ledger_transfers r where r.factory_id = $1 and r.payment_id = p.payment_id and r.cause = 'returned')
  and not exists (select from ledger_transfers r where r.factory_id = $1 and r.payment_id = p.payment_id and r.cause = 'rest_returned')
group by p.payment_id
"""
# What the bank booked for a payment, without what other breaks still say of it, less what the ledger took for it.
_OF_PAYMENT = """
select coalesce((select sum(case l.direction when 'in' then l.amount_minor else -l.amount_minor end) from statement_lines l
    where l.factory_id = $1 and l.payment_id = $2 and l.kind <> 'seen' and l.currency = $4 and not exists (
      select from settlement_breaks b where b.factory_id = $1 and b.statement_id = l.statement_id and b.position = l.position
        and b.state <> 'closed')), 0)
  - coalesce((select sum(case when t.debit = $3 then t.amount_minor else -t.amount_minor end) from ledger_transfers t
    where t.factory_id = $1 and t.payment_id = $2 and t.currency = $4 and (t.debit = $3 or t.credit = $3)), 0)
"""
_OF_LINE = """
select case l.direction when 'in' then l.amount_minor else -l.amount_minor end
  - coalesce((select sum(case when t.debit = $3 then t.amount_minor else -t.amount_minor end) from ledger_transfers t
    where t.factory_id = $1 and t.line_key = l.line_key and (t.debit = $3 or t.credit = $3)), 0),
  coalesce((select t.debit from ledger_transfers t where t.factory_id = $1 and t.line_key = l.line_key and t.cause = 'charged'), '')
from statement_lines l where l.factory_id = $1 and l.statement_id = $2 and l.position = $4
"""
_LINE = "select line_key, booked_on, amount_minor from statement_lines where factory_id = $1 and statement_id = $2 and position = $3"
_TARGETS: Mapping[WayOut, Account] = {
    WayOut.FEE: Account.FEES,
    WayOut.FUNDING: Account.FUNDING,
    WayOut.RETURNED: Account.RETURNS,
    WayOut.REPAID: Account.RETURNS,
    WayOut.REPAID_CASH: Account.RETURNS,
}


def bank_of(provider_account_id: UUID) -> str:
    """The ledger's account of what a rail holds."""
    return f"{Account.BANK}:{provider_account_id}"


def _moved(bank: str, other: str, minor: int, **rest: object) -> Transfer:
    """`minor` into the bank's account from another one, or out of it where negative."""
    debit, credit = (bank, other) if minor > 0 else (other, bank)
    return Transfer(debit=debit, credit=credit, amount_minor=abs(minor), **rest)  # type: ignore[arg-type]  # as Transfer names them


async def post_opening(session: AsyncSession, file: StatementFile, statement: Statement, at: datetime) -> None:
    """With a rail's first statement: what it held before, less what the ledger had taken from it by then."""
    bank, code = bank_of(file.provider_account_id), statement.currency
    if statement.opening is None or not statement.is_complete or await fetch(session, _OPENED, file.factory_id, bank, code):
        return
    minor = statement.opening.minor - await held(session, bank, code, statement.opened_on)
    if minor:
        day = statement.opened_on - timedelta(days=1)
        await post(session, at, [_moved(bank, Account.FUNDING, minor, cause=Cause.OPENING, currency=code, booked_on=day)])


async def post_lines(session: AsyncSession, file: StatementFile, parts: Sequence[Part], at: datetime) -> None:
    """What is certain of new lines. Payments that arrived or came back whole were posted with their change of state."""
    bank = bank_of(file.provider_account_id)
    await post(session, at, _certain(bank, parts))
    returned = {part.payment: part for part in parts if part.match.kind == "returned" and part.payment}
    rows = await fetch(session, _PARTS, file.factory_id, list(returned)) if returned else []
    await post(session, at, (_rest(bank, payment, returned[payment], int(minor)) for payment, minor in rows))


def _rest(bank: str, payment: UUID, part: Part, minor: int) -> Transfer:
    return _moved(
        bank,
        Account.RETURNS,
        -minor,
        cause=Cause.REST_RETURNED,
        currency=part.line.amount.currency.code,
        payment_id=payment,
        line_key=part.key,
        booked_on=part.line.booked_on,
    )


def _certain(bank: str, parts: Sequence[Part]) -> Iterator[Transfer]:
    for part in parts:
        kind, match, line = part.match.kind, part.match, part.line
        if kind == "funding":
            other, cause, minor = Account.FUNDING, Cause.FUNDED, part.minor
        elif kind == "fee" and match.payment_id is None:
            other, cause, minor = Account.FEES, Cause.CHARGED, -part.minor if line.direction is Direction.OUT else part.minor
        elif kind == "fee" and match.difference is not None and match.difference.minor > 0:
            other, cause, minor = Account.FEES, Cause.CHARGED, -match.difference.minor
        elif kind == "partial_return":
            other, cause, minor = Account.RETURNS, Cause.PARTLY_RETURNED, part.minor
        else:
            continue
        code = line.amount.currency.code
        yield _moved(bank, other, minor, cause=cause, currency=code, payment_id=part.payment, line_key=part.key, booked_on=line.booked_on)


async def post_way_out(session: AsyncSession, found: SettlementBreak, way: WayOut, at: datetime) -> None:
    """What a closed break still leaves between the bank and the ledger, to where its way out says it belongs."""
    if found.position is None or found.currency is None:
        return
    factory_id, bank = factory_of(session), bank_of(found.provider_account_id)
    key, day, _ = (await fetch(session, _LINE, factory_id, found.statement_id, found.position))[0]
    charged = ""
    if found.payment_id is not None:
        ((minor,),) = await fetch(session, _OF_PAYMENT, factory_id, found.payment_id, bank, found.currency)
    else:
        ((minor, charged),) = await fetch(session, _OF_LINE, factory_id, found.statement_id, bank, found.position)
    target = _TARGETS.get(way, Account.OTHER)
    rest = {"cause": Cause.EXPLAINED, "currency": found.currency, "line_key": key, "booked_on": day, "payment_id": found.payment_id}
    if minor:
        await post(session, at, [_moved(bank, target, int(minor), **rest)])
    elif charged == Account.FEES and target is not Account.FEES and found.amount_minor:
        # Taken for a charge when it came, and found to be none.
        await post(session, at, [_moved(Account.FEES, target, -found.amount_minor, **rest)])
