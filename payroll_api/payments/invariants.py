"""What must hold at every moment, as queries that find what breaks it. Run by tests, after simulations, and periodically in production.

Each query looks at the payments that changed since a moment, by an index on it: the periodic check asks about the last minutes, however
many payments there are. `payroll check-invariants` asks about all of them. The numbers I1 to I18 are those of the design.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of
from payroll_api.payments.states import STATES

EVER = datetime(2000, 1, 1, tzinfo=UTC)

# Each query gives the offenders (or nothing). $1 is the factory, $2 the moment since when changes are looked at. What must be there is
# counted for each payment through its key: as `not exists` it is joined, and in the middle of a payday, which PostgreSQL's statistics do
# not know yet, that was ten seconds for 6,000 workers and four times as many for twice as many.
_CHANGED = f"""
with c as (select * from payments where factory_id = $1 and state in ('{"', '".join(STATES)}') and state_since >= $2),
  t as (select c.*, coalesce(c.paid_by, c.attempt) as counts, a.number, a.state as tried, a.reference, a.payload_hash
        from c join attempts a on a.factory_id = c.factory_id and a.payment_id = c.id)
"""  # noqa: S608 our own words; with every state named, the index over states finds what changed, and none of its own need be kept

CHECKS: Mapping[str, str] = {
    # I1, I13
    "paid_twice": (
        "select c.worker_id::text from c join payments p on p.factory_id = c.factory_id and p.worker_id = c.worker_id"
        " and p.period = c.period and p.kind = c.kind and p.id <> c.id where c.state <> 'cancelled' and p.state <> 'cancelled'"
    ),
    "two_open_attempts": "select id::text from t where tried not in ('rejected', 'returned') group by 1 having count(*) > 1",
    # I2
    "not_what_was_approved": (
        "select c.id::text from c left join run_items i on i.factory_id = c.factory_id and i.run_id = c.run_id"
        " and i.worker_id = c.worker_id where c.decision_id is null and (i.worker_id is null or i.held_reason is not null"
        " or i.amount_minor <> c.amount_minor or i.currency <> c.currency or i.account_key is distinct from c.account_key)"
    ),
    "not_what_two_people_decided": (
        "select c.id::text from c left join proposals d on d.factory_id = c.factory_id and d.id = c.decision_id and d.state = 'confirmed'"
        " and d.decided_by <> d.proposed_by where c.decision_id is not null and not coalesce(case d.kind"
        " when 'repay' then exists (select from jsonb_array_elements(d.content -> 'items') n where n ->> 'payment' = c.id::text"
        "   and n ->> 'currency' = c.currency and (n ->> 'minor')::bigint = c.amount_minor"
        "   and n ->> 'destination' = c.destination_id::text)"
        " when 'correction' then d.content ->> 'currency' = c.currency and (d.content ->> 'minor')::bigint = c.amount_minor"
        "   and d.content ->> 'destination' = c.destination_id::text end, false)"
    ),
    "sent_to_unverified": (
        "select c.id::text from c join destinations d on d.factory_id = c.factory_id and d.id = c.destination_id"
        " where c.state = 'submitting' and (d.account_key <> c.account_key or d.is_proposal or d.state not in ('verified', 'confirmed')"
        " and not (d.kind = 'cash' and c.decision_id is not null))"
    ),
    # I3
    "paid_without_approval": (
        "select c.id::text from c join pay_runs r on r.factory_id = c.factory_id and r.id = c.run_id where r.approved_by is null"
        " or r.approved_by in (r.created_by, r.submitted_by) or r.content_hash is null or r.state not in ('released', 'completed')"
    ),
    # I4: of a released run every approved item is a payment, unless it was held, and none twice
    "approved_and_vanished": (
        "select distinct i.run_id::text from run_items i where i.factory_id = $1 and i.run_id in (select run_id from c)"
        " and i.held_reason is null and (select count(*) from payments p where p.factory_id = i.factory_id and p.run_id = i.run_id"
        " and p.worker_id = i.worker_id) = 0"
    ),
    # I6
    "tried_again_without_proof": ("select id::text from t where number <> counts and tried not in ('rejected', 'returned')"),
    # I7
    "sent_without_intent": (
        "select c.id::text from c where c.state in ('submitting', 'accepted', 'paid', 'unknown')"
        " and (select count(*) from attempts a where a.factory_id = c.factory_id and a.payment_id = c.id and a.number = c.attempt) = 0"
    ),
    "intent_of_something_else": (
        "select id::text from t where number = attempt and paid_by is null and state in ('submitting', 'accepted', 'unknown', 'paid')"
        " and payload_hash <> sha256("
        "convert_to(reference || '|' || encode(account_key, 'hex') || '|' || amount_minor || '|' || currency, 'UTF8'))"
    ),
    # I8: what a payment has in each account is where its state says that the money is; so suspense is the sum of the unknown
    "ledger_disagrees": (
        "select c.id::text from c left join lateral (select"
        " sum(n.amount) filter (where n.account = 'wages_payable') as payable, sum(n.amount) filter (where n.account = 'returns') as back,"
        " sum(n.amount) filter (where n.account = 'suspense') as suspense,"
        " sum(n.amount) filter (where n.account like 'in_transit:%') as transit,"
        " sum(n.amount) filter (where n.account like 'bank:%') as bank from ("
        "  select debit as account, amount_minor as amount from ledger_transfers t"
        "   where t.factory_id = c.factory_id and t.payment_id = c.id and t.attempt is not null"
        "  union all select credit, -amount_minor from ledger_transfers t"
        "   where t.factory_id = c.factory_id and t.payment_id = c.id and t.attempt is not null) n) l on true"
        " where (coalesce(-l.payable, 0), coalesce(-l.back, 0), coalesce(-l.suspense, 0), coalesce(-l.transit, 0), coalesce(-l.bank, 0)) <>"
        " (case when c.state in ('ready', 'held', 'rejected') then c.amount_minor else 0 end,"
        "  case when c.state = 'returned' then c.amount_minor else 0 end, case when c.state = 'unknown' then c.amount_minor else 0 end,"
        "  case when c.state in ('submitting', 'accepted') then c.amount_minor else 0 end,"
        "  case when c.state = 'paid' then c.amount_minor else 0 end)"
    ),
    # The kept sums of a rail's days are the ledger's. It reads all transfers: asked where everything is looked at
    "rail_sums_disagree": (
        "select account || ' ' || currency || ' ' || booked_on from ("
        " select debit as account, currency, booked_on, amount_minor as minor from ledger_transfers"
        "  where factory_id = $1 and debit like 'bank:%'"
        " union all select credit, currency, booked_on, -amount_minor from ledger_transfers where factory_id = $1 and credit like 'bank:%'"
        " union all select account, currency, booked_on, -amount_minor from rail_sums where factory_id = $1) n"
        " where $2 < timestamptz '2000-01-02' group by account, currency, booked_on having sum(minor) <> 0"
    ),
    # I9
    "state_disagrees": (
        "select id::text from t where number = counts and state not in ('ready', 'held', 'cancelled')"
        " and tried <> case state when 'submitting' then 'intent' else state end"
    ),
    # I10
    "state_without_audit": (
        "select c.id::text from c where (select count(*) from audit_events e where e.factory_id = c.factory_id"
        " and e.subject = 'payment:' || c.id::text and e.action = 'payment.' || c.state) = 0"
    ),
    # I12
    "stopped_and_sent": (
        "select id::text from t where number = counts and state in ('ready', 'held', 'cancelled') and tried not in ('rejected', 'returned')"
    ),
    # I14
    "slip_before_money": (
        "select s.id::text from c join slips s on s.factory_id = c.factory_id and s.payment_id = c.id where c.paid_at is null"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """An invariant that does not hold, and the first offender's id."""

    invariant: str
    count: int
    first: str


async def violations(session: AsyncSession, since: datetime = EVER) -> list[Violation]:
    """What is broken in the session's factory among payments that changed since a moment: an empty list is the only good answer."""
    factory_id = factory_of(session)
    found = []
    for name, query in CHECKS.items():
        rows = await fetch(session, _CHANGED + query, factory_id, since)
        if rows:
            found.append(Violation(invariant=name, count=len(rows), first=str(rows[0][0])))
    return found
