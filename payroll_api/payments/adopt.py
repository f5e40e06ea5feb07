"""Take orders back into a restored database that were sent after it was made: as if their sender had died right after sending.

Every order keeps its payment, number and reference, so that what the provider knows and what we know are one thing again. From then on
look-ups and statements settle them like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from payroll_api.audit.journal import SYSTEM, Event, record_many
from payroll_api.db.bulk import copy_in, fetch, run
from payroll_api.db.session import factory_of
from payroll_api.ledger.book import Account, Cause, Transfer, post
from payroll_api.outside.journal import Sending
from payroll_api.payments.models import Dispatch
from payroll_api.payments.outcomes import record_words
from payroll_api.payments.references import payload_hash
from payroll_api.payments.verdict import Source, Word

# Only the latest number of a payment: an earlier one had conclusively failed before there was another.
_FITTING = """
select s.reference, s.dispatch_id, s.dispatch_reference, s.sent_at, s.provider_account_id, s.payment_id, s.number, s.payload_hash,
  p.state, p.run_id, p.account_key, p.amount_minor, p.currency, p.provider_account_id
from (select distinct on (payment_id) * from sent_outside where factory_id = $1 and adopted_at is null
  and status not in ('rejected', 'returned') order by payment_id, number desc) s
join payments p on p.factory_id = s.factory_id and p.id = s.payment_id
where p.attempt < s.number and p.state in ('ready', 'held', 'rejected', 'returned') order by p.id for update of p
"""
_DISPATCH = """
insert into dispatches as d (factory_id, id, run_id, provider_account_id, reference, state, fence, count, created_at, sent_at,
  look_up_after, looked_up)
select $1, n.id, n.run_id, n.account, n.reference, 'sending', 1, n.count, n.at, n.at, $2, 0
from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bigint[], $8::timestamptz[]) as n(id, run_id, account, reference, count, at)
on conflict (factory_id, id) do update set count = d.count + excluded.count, state = 'sending', look_up_after = excluded.look_up_after
"""
_PAYMENTS = """
update payments p set state = 'submitting', state_since = $2, attempt = n.number, code = null, detail = ''
from unnest($3::uuid[], $4::bigint[]) as n(id, number) where p.factory_id = $1 and p.id = n.id and p.attempt < n.number
"""
_ATTEMPTS = (
    "factory_id", "payment_id", "number", "dispatch_id", "reference", "payload_hash", "state", "detail", "created_at", "changed_at",
)  # fmt: skip
_HOLD = (
    "update payments set state = 'held', state_since = $3, code = 'sent_before_restore',"
    " detail = 'Something else was sent for it before the database was restored.'"
    " where factory_id = $1 and id = any($2) and state = 'ready' returning id"
)
# The journal knows of a later attempt: there was none before the one here had failed for sure, or had come back.
_OVERTAKEN = """
select a.reference, a.dispatch_id, a.state
from payments p join attempts a on a.factory_id = p.factory_id and a.payment_id = p.id and a.number = p.attempt
where p.factory_id = $1 and a.state in ('intent', 'accepted', 'unknown', 'paid') and exists (select from sent_outside s
  where s.factory_id = p.factory_id and s.payment_id = p.id and s.number > p.attempt and s.adopted_at is null) order by a.dispatch_id
"""
# A dispatch may have left, or been given again, since the dump was made: what was not found before that proves nothing.
_SENT_SINCE = """
update dispatches d set state = case d.state when 'intent' then 'sending' else d.state end, sent_at = n.at,
  fence = greatest(d.fence, n.fence), look_up_after = $2
from unnest($3::uuid[], $4::timestamptz[], $5::bigint[]) as n(id, at, fence)
where d.factory_id = $1 and d.id = n.id and d.state <> 'closed' and (d.state = 'intent' or d.sent_at < n.at) returning d.id
"""


async def adopt_sent(session: AsyncSession, at: datetime) -> list[UUID]:
    """Adopt every order whose payment is here and is what was sent; give the dispatches. A payment that is something else is held."""
    factory_id = factory_of(session)
    await _conclude_overtaken(session, at)
    rows = await fetch(session, _FITTING, factory_id)
    good = [row for row in rows if row[4] == row[13] and payload_hash(row[0], row[10], row[11], row[12]) == row[7]]
    other = [row[5] for row in rows if row not in good]
    held = await fetch(session, _HOLD, factory_id, other, at) if other else []
    events = (Event(actor=SYSTEM, action="payment.held", subject=f"payment:{one}", data={"code": "sent_before_restore"}) for (one,) in held)
    await record_many(session, at, events)
    if not good:
        return []
    return await _write(session, factory_id, good, at)


async def mark_sent(session: AsyncSession, sendings: Sequence[Sending], at: datetime) -> list[UUID]:
    """Take over from the journal when each open dispatch was last about to leave, and under which fence; give those to look up."""
    newest: dict[UUID, tuple[datetime, int]] = {}
    for one in sendings:
        moment, fence = newest.get(one.dispatch_id, (one.at, one.fence))
        newest[one.dispatch_id] = (max(moment, one.at), max(fence, one.fence))
    moments, fences = [moment for moment, _ in newest.values()], [fence for _, fence in newest.values()]
    return [row[0] for row in await fetch(session, _SENT_SINCE, factory_of(session), at, list(newest), moments, fences)]


async def _conclude_overtaken(session: AsyncSession, at: datetime) -> None:
    """End the attempts after which another was sent. Looked up and given again, one of them would pay beside the later one."""
    words: dict[UUID, list[Word]] = {}
    for reference, dispatch_id, state in await fetch(session, _OVERTAKEN, factory_of(session)):
        status = PayoutStatus.RETURNED if state == "paid" else PayoutStatus.REJECTED
        outcome = PayoutOutcome(reference=reference, status=status, code="other", detail="it was tried again before the restore")
        words.setdefault(dispatch_id, []).append(Word(outcome=outcome, source=Source.ENGINE))
    for dispatch_id, some in words.items():
        dispatch = await session.get_one(Dispatch, (factory_of(session), dispatch_id), with_for_update=True, populate_existing=True)
        await record_words(session, dispatch, some, None, actor=SYSTEM, at=at)


async def _write(session: AsyncSession, factory_id: UUID, rows: Sequence[tuple[Any, ...]], at: datetime) -> list[UUID]:
    by_dispatch: dict[UUID, list[tuple[Any, ...]]] = {}
    for row in rows:
        by_dispatch.setdefault(row[1], []).append(row)
    firsts = [orders[0] for orders in by_dispatch.values()]
    await run(
        session,
        _DISPATCH,
        factory_id,
        at,
        list(by_dispatch),
        [first[9] for first in firsts],
        [first[4] for first in firsts],
        [first[2] for first in firsts],
        [len(orders) for orders in by_dispatch.values()],
        [first[3] for first in firsts],
    )
    await run(session, _PAYMENTS, factory_id, at, [row[5] for row in rows], [row[6] for row in rows])
    attempts = ((factory_id, row[5], row[6], row[1], row[0], row[7], "intent", "", row[3], at) for row in rows)
    await copy_in(session, "attempts", _ATTEMPTS, attempts)
    await post(session, at, (_owed_again(row) for row in rows if row[8] == "returned"))
    await post(session, at, (_handed_over(row) for row in rows))
    await record_many(
        session,
        at,
        (
            Event(
                actor=SYSTEM,
                action="payment.submitting",
                subject=f"payment:{row[5]}",
                data={"reference": row[0], "dispatch": str(row[1]), "attempt": row[6], "was": row[8], "from": "journal"},
            )
            for row in rows
        ),
    )
    await run(
        session,
        "update sent_outside set adopted_at = $3 where factory_id = $1 and payment_id = any($2) and adopted_at is null",
        factory_id,
        [row[5] for row in rows],
        at,
    )
    return list(by_dispatch)


def _owed_again(row: tuple[Any, ...]) -> Transfer:
    return Transfer(
        run_id=row[9],
        payment_id=row[5],
        attempt=row[6] - 1,
        cause=Cause.REPAID,
        debit=Account.RETURNS,
        credit=Account.WAGES_PAYABLE,
        currency=row[12],
        amount_minor=row[11],
    )


def _handed_over(row: tuple[Any, ...]) -> Transfer:
    return Transfer(
        run_id=row[9],
        payment_id=row[5],
        attempt=row[6],
        cause=Cause.SUBMITTED,
        debit=Account.WAGES_PAYABLE,
        credit=f"{Account.IN_TRANSIT}:{row[4]}",
        currency=row[12],
        amount_minor=row[11],
    )
