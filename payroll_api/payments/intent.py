"""Claim payments and commit what is going to be sent, before a byte of it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import Destination, DestinationKind, PayoutBatch, PayoutOrder
from importers.money import Money, currency
from payroll_api.audit.journal import SYSTEM, Event, record_many
from payroll_api.clock import pay_day
from payroll_api.db.base import new_id
from payroll_api.db.bulk import copy_in, fetch, run
from payroll_api.encryption.vault import SealBrokenError, Vault
from payroll_api.ledger.book import Account, Cause, Transfer, post
from payroll_api.payments.models import Dispatch
from payroll_api.payments.references import attempt_reference, dispatch_reference, payload_hash

# Contradicted is a worker's wage of a month, not only one payment of it: an earlier one that was given up may have arrived after all.
# In the order of work cards, which only the index of ready payments has: by their ids, all of the factory's would be passed.
# Payments are locked before they are joined: what other claims hold is passed over at the cost of a look, not of a whole row.
_CLAIM = """
with mine as materialized (
  select p.* from payments p
  where p.factory_id = $1 and p.run_id = $2 and p.provider_account_id = $3 and p.currency = $4 and p.state = 'ready'
    and exists (select from pay_runs r
      where r.factory_id = $1 and r.id = $2 and r.state in ('released', 'completed') and r.pay_on <= $6)
    and exists (select from provider_accounts a where a.factory_id = $1 and a.id = $3 and a.is_enabled)
    and not exists (select from stops s where s.factory_id = $1 and s.lifted_at is null
      and (s.run_id is null and s.provider_account_id is null or s.run_id = $2 or s.provider_account_id = $3))
    and p.id not in (select s.payment_id from sent_outside s where s.factory_id = $1 and s.adopted_at is null
      and s.status not in ('rejected', 'returned'))
  order by p.worker_code limit $5 for update of p skip locked)
select p.id, p.attempt + 1, p.amount_minor, p.currency, p.account_key, d.id, d.kind, d.bank, d.account, d.holder,
  d.account_key = p.account_key and not d.is_proposal
    and (d.state in ('verified', 'confirmed') or d.kind = 'cash' and d.state = 'retired' and p.decision_id is not null),
  (p.worker_id, p.period, p.kind) in (select q.worker_id, q.period, q.kind
    from attempts c join payments q on q.factory_id = c.factory_id and q.id = c.payment_id
    where c.factory_id = $1 and c.contradicted_by is not null)
from mine p join destinations d on d.factory_id = p.factory_id and d.id = p.destination_id order by p.id
"""
_SUBMITTING = (
    "update payments set state = 'submitting', state_since = $3, attempt = attempt + 1, code = null, detail = ''"
    " where factory_id = $1 and id = any($2) and state = 'ready'"
)
_HOLD = (
    "update payments set state = 'held', state_since = $3, code = $4, detail = $5"
    " where factory_id = $1 and id = any($2) and state = 'ready'"
)
# Why a rule holds one worker back, by the code that is kept with it.
DETAILS: Mapping[str, str] = {
    "destination_changed": "The account changed after the run was approved.",
    "contradicted": "The provider has since said that it has, or paid, an earlier attempt. Find out what became of it first.",
}
_ATTEMPT_COLUMNS = (
    "factory_id", "payment_id", "number", "dispatch_id", "reference", "payload_hash", "state", "detail", "created_at", "changed_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A dispatch that is committed and may be sent once."""

    dispatch_id: UUID
    fence: int
    batch: PayoutBatch
    passed: timedelta = timedelta(0)  # when it passed the gate, by `services.uptime`
    is_repeat: bool = False  # it may have been sent before


async def claim(
    session: AsyncSession,
    vault: Vault,
    *,
    run_id: UUID,
    provider_account_id: UUID,
    unit: str,
    limit: int,
    period: str,
    at: datetime,
    look_up_after: timedelta,
) -> Intent | None:
    """Take up to `limit` ready payments into a new dispatch. None when none is ready, its pay day has not come, or its account is off.

    A payment whose destination is no longer the approved one, or of which the provider says that it was paid after all, is held
    instead, and the others go on.
    """
    factory_id = session.info["factory_id"]
    rows = await fetch(session, _CLAIM, factory_id, run_id, provider_account_id, unit, limit, pay_day(at))
    dispatch_id = new_id()
    orders: list[PayoutOrder] = []
    good: list[tuple[Any, ...]] = []
    held: dict[str, list[UUID]] = {}
    for row in rows:
        order = order_from(vault, row, period) if row[10] and not row[11] else None
        if order is None:
            held.setdefault("contradicted" if row[11] else "destination_changed", []).append(row[0])
        else:
            orders.append(order)
            good.append(row)
    for code, ids in held.items():
        await run(session, _HOLD, factory_id, ids, at, code, DETAILS[code])
        events = (Event(actor=SYSTEM, action="payment.held", subject=f"payment:{one}", data={"code": code}) for one in ids)
        await record_many(session, at, events)
    if not orders:
        return None
    await run(session, _SUBMITTING, factory_id, [row[0] for row in good], at)
    session.add(
        Dispatch(
            factory_id=factory_id,
            id=dispatch_id,
            run_id=run_id,
            provider_account_id=provider_account_id,
            reference=dispatch_reference(dispatch_id),
            state="intent",
            fence=1,
            count=len(orders),
            created_at=at,
            look_up_after=at + look_up_after,
            looked_up=0,
        )
    )
    await session.flush()
    await _write(session, factory_id, run_id, provider_account_id, dispatch_id, orders, good, at)
    return Intent(dispatch_id=dispatch_id, fence=1, batch=batch_of(dispatch_id, orders, pay_day(at)))


def batch_of(dispatch_id: UUID, orders: Sequence[PayoutOrder], day: date) -> PayoutBatch:
    """A dispatch as a connector takes it; the callback address is filled in by the sender."""
    return PayoutBatch(reference=dispatch_reference(dispatch_id), orders=orders, execute_on=day)


def order_from(vault: Vault, row: tuple[Any, ...], period: str) -> PayoutOrder | None:
    """The order of a payment: id, attempt, minor, currency, account key, destination id, kind, bank, account, holder.

    None when the account does not open: it was changed or moved to another worker's row.
    """
    payment, number, minor, unit, _, destination_id, kind, bank, account, holder = row[:10]
    try:
        destination = Destination(
            kind=DestinationKind(kind),
            account=vault.open(account, "destinations", destination_id, "account"),
            holder=vault.open(holder, "destinations", destination_id, "holder"),
            bank=bank,
        )
    except SealBrokenError:
        return None
    return PayoutOrder(
        reference=attempt_reference(payment, number),
        amount=Money(minor, currency(unit)),
        destination=destination,
        purpose=f"Wages {period}",
    )


async def _write(
    session: AsyncSession,
    factory_id: UUID,
    run_id: UUID,
    provider_account_id: UUID,
    dispatch_id: UUID,
    orders: Sequence[PayoutOrder],
    rows: Sequence[tuple[Any, ...]],
    at: datetime,
) -> None:
    paired = list(zip(orders, rows, strict=True))
    dispatch, transit = str(dispatch_id), f"{Account.IN_TRANSIT}:{provider_account_id}"
    await copy_in(
        session,
        "attempts",
        _ATTEMPT_COLUMNS,
        (
            (
                factory_id, row[0], row[1], dispatch_id, order.reference,
                payload_hash(order.reference, row[4], order.amount.minor, order.amount.currency.code),
                "intent", "", at, at,
            )
            for order, row in paired
        ),
    )  # fmt: skip
    await post(
        session,
        at,
        (
            Transfer(
                run_id=run_id,
                payment_id=row[0],
                attempt=row[1],
                cause=Cause.SUBMITTED,
                debit=Account.WAGES_PAYABLE,
                credit=transit,
                currency=order.amount.currency.code,
                amount_minor=order.amount.minor,
            )
            for order, row in paired
        ),
    )
    await record_many(
        session,
        at,
        (
            Event(
                actor=SYSTEM,
                action="payment.submitting",
                subject=f"payment:{row[0]}",
                data={"reference": order.reference, "dispatch": dispatch, "attempt": row[1]},
            )
            for order, row in paired
        ),
    )
