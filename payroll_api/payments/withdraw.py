"""Take orders back out of a message before a byte of it left: the attempt failed for sure, and the payment is held or given up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.audit.journal import SYSTEM, Event, record_many
from payroll_api.db.bulk import fetch, run
from payroll_api.ledger.book import Account, Cause, Transfer, post
from payroll_api.payments.intent import DETAILS
from payroll_api.payments.load import lock_orders
from payroll_api.payments.models import Dispatch

_ATTEMPTS = """
update attempts a set state = 'rejected', code = 'withdrawn', detail = 'stopped before a byte of it left', changed_at = $4
where a.factory_id = $1 and a.dispatch_id = $2 and a.reference = any($3) and a.state = 'intent'
"""
# Asked first: there is seldom one, and without one no order need be looked at.
_ANY_CONTRADICTED = "select from attempts where factory_id = $1 and contradicted_by is not null limit 1"
_CONTRADICTED = """
select a.reference from attempts a join payments p on p.factory_id = a.factory_id and p.id = a.payment_id
where a.factory_id = $1 and a.dispatch_id = $2 and a.state = 'intent' and exists (
  select from attempts c join payments q on q.factory_id = c.factory_id and q.id = c.payment_id
  where c.factory_id = a.factory_id and c.contradicted_by is not null
    and q.worker_id = p.worker_id and q.period = p.period and q.kind = p.kind)
"""
_PAYMENTS = """
update payments p set state = $5, state_since = $3, code = $6, detail = $7
where p.factory_id = $1 and p.id = any($2) and p.state = 'submitting' and p.attempt = any($4)
"""


async def withdraw(
    session: AsyncSession,
    dispatch: Dispatch,
    references: Sequence[str],
    *,
    to: str,
    actor: str,
    code: str,
    detail: str,
    at: datetime,
) -> int:
    """Withdraw orders of an intent that never passed the gate; their payments become `to` (held or cancelled). Gives how many.

    The caller holds the dispatch's lock and has seen that its state is `intent`.
    """
    if dispatch.state != "intent":
        raise RuntimeError("only what never passed the gate can be withdrawn")
    orders = [
        order
        for order in (await lock_orders(session, dispatch, references)).values()
        if order.attempt_state == "intent" and order.payment_state == "submitting" and order.number == order.latest
    ]
    factory_id = dispatch.factory_id
    tried = await run(session, _ATTEMPTS, factory_id, dispatch.id, [order.reference for order in orders], at)
    ids, numbers = [order.payment_id for order in orders], sorted({order.number for order in orders})
    moved = await run(session, _PAYMENTS, factory_id, ids, at, numbers, to, code, detail)
    if not tried == moved == len(orders):
        raise RuntimeError("a payment changed under its lock")
    await post(
        session,
        at,
        (
            Transfer(
                run_id=order.run_id,
                payment_id=order.payment_id,
                attempt=order.number,
                cause=Cause.WITHDRAWN,
                debit=f"{Account.IN_TRANSIT}:{order.rail}",
                credit=Account.WAGES_PAYABLE,
                currency=order.amount.currency.code,
                amount_minor=order.amount.minor,
            )
            for order in orders
        ),
    )
    events = []
    for order in orders:
        data = {"reference": order.reference, "attempt": order.number, "code": code, "was": "submitting"}
        events.append(Event(actor=actor, action=f"payment.{to}", subject=f"payment:{order.payment_id}", data=data))
    await record_many(session, at, events)
    return len(orders)


async def contradicted(session: AsyncSession, dispatch: Dispatch) -> list[str]:
    """The orders of an intent of whose worker and month the provider says meanwhile that an earlier attempt arrived after all."""
    if not await fetch(session, _ANY_CONTRADICTED, dispatch.factory_id):
        return []
    return [row[0] for row in await fetch(session, _CONTRADICTED, dispatch.factory_id, dispatch.id)]


async def hold_withdrawn(session: AsyncSession, dispatch: Dispatch, references: Sequence[str], code: str, at: datetime) -> None:
    """Hold orders of an intent for a reason of `intent.DETAILS`."""
    if references:
        await withdraw(
            session,
            dispatch,
            references,
            to="held",
            actor=SYSTEM,
            code=code,
            detail=DETAILS[code],
            at=at,
        )
