"""What must hold at every moment, as queries that find what breaks it. Run by tests, after simulations, and periodically in production."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of

# Each query gives the offenders (or nothing). $1 is the factory.
CHECKS: Mapping[str, str] = {
    "paid_twice": (
        "select worker_id::text, period, kind from payments where factory_id = $1 and state <> 'cancelled'"
        " group by worker_id, period, kind having count(*) > 1"
    ),
    "two_open_attempts": (
        "select payment_id::text from attempts where factory_id = $1 and state not in ('rejected', 'returned')"
        " group by payment_id having count(*) > 1"
    ),
    "paid_without_approval": (
        "select p.id::text from payments p join pay_runs r on r.factory_id = p.factory_id and r.id = p.run_id where p.factory_id = $1"
        " and (r.approved_by is null or r.content_hash is null or r.state not in ('released', 'completed'))"
    ),
    "not_what_was_approved": (
        "select p.id::text from payments p left join run_items i on i.factory_id = p.factory_id and i.run_id = p.run_id"
        " and i.worker_id = p.worker_id where p.factory_id = $1 and (i.worker_id is null or i.amount_minor <> p.amount_minor"
        " or i.currency <> p.currency or i.account_key is distinct from p.account_key)"
    ),
    "sent_to_unverified": (
        "select p.id::text from payments p join destinations d on d.factory_id = p.factory_id and d.id = p.destination_id"
        " where p.factory_id = $1 and p.state = 'submitting'"
        " and (d.account_key <> p.account_key or d.state not in ('verified', 'confirmed'))"
    ),
    "sent_without_intent": (
        "select p.id::text from payments p where p.factory_id = $1 and p.state in ('submitting', 'accepted', 'paid', 'unknown')"
        " and not exists (select from attempts a where a.factory_id = p.factory_id and a.payment_id = p.id and a.number = p.attempt)"
    ),
    "ledger_disagrees": (
        "select p.id::text from payments p left join (select payment_id, sum(amount) as balance from ("
        "  select payment_id, amount_minor as amount from ledger_transfers where factory_id = $1 and debit = 'wages_payable'"
        "  union all select payment_id, -amount_minor from ledger_transfers where factory_id = $1 and credit = 'wages_payable') e"
        " group by payment_id) l on l.payment_id = p.id"
        " where p.factory_id = $1 and coalesce(l.balance, 0) <>"
        " case when p.state in ('ready', 'held', 'rejected') then -p.amount_minor else 0 end"
    ),
    "state_without_audit": (
        "select p.id::text from payments p where p.factory_id = $1 and not exists (select from audit_events e"
        " where e.factory_id = p.factory_id and e.subject = 'payment:' || p.id::text and e.action = 'payment.' || p.state)"
    ),
    "slip_before_money": (
        "select s.id::text from slips s join payments p on p.factory_id = s.factory_id and p.id = s.payment_id"
        " where s.factory_id = $1 and p.paid_at is null"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """An invariant that does not hold, and the first offender's id."""

    invariant: str
    count: int
    first: str


async def violations(session: AsyncSession) -> list[Violation]:
    """Everything that is broken in the session's factory: an empty list is the only good answer."""
    factory_id = factory_of(session)
    found = []
    for name, query in CHECKS.items():
        rows = await fetch(session, query, factory_id)
        if rows:
            found.append(Violation(invariant=name, count=len(rows), first=str(rows[0][0])))
    return found
