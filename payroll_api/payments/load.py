"""Load what `protocol.py` and `verdict.py` decide about: a dispatch and its orders as they are stored, under locks where it will change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import Money, currency
from payroll_api.db.bulk import fetch
from payroll_api.payments.models import Dispatch
from payroll_api.payments.protocol import DispatchNow, Leaving
from payroll_api.payments.verdict import OPEN, OrderNow

# An order that the provider ever had: it took it, gave it a number, stated an amount for it, or said something that does not add up.
_COLUMNS = """
select a.reference, p.id, p.run_id, a.number, coalesce(p.paid_by, p.attempt), a.state, p.state, p.amount_minor, p.currency,
  a.state in ('accepted', 'paid', 'returned') or a.provider_reference is not null
    or coalesce(a.code, '') in ('amount_differs', 'payee_differs', 'duplicate', 'not_proven'),
  a.absent_since, a.absent_answers, a.code
from attempts a join payments p on p.factory_id = a.factory_id and p.id = a.payment_id
where a.factory_id = $1 and a.dispatch_id = $2
"""
# Of these nothing shows that their message ever arrived: they were taken out before the gate, or somebody found that no money moved.
_WENT = """
select count(*) from attempts where factory_id = $1 and dispatch_id = $2
  and not (state = 'rejected' and coalesce(code, '') in ('withdrawn', 'found_out', 'not_received'))
"""
_OPEN = f"{_COLUMNS} and (a.state in ('intent', 'accepted', 'unknown') or a.reference = any($3)) order by p.id"
_NAMED = f"{_COLUMNS} and a.reference = any($3) order by p.id"
_STANDING = """
select a.reference, a.state, a.number, coalesce(p.paid_by, p.attempt)
from attempts a join payments p on p.factory_id = a.factory_id and p.id = a.payment_id
where a.factory_id = $1 and a.dispatch_id = $2 and a.state in ('intent', 'accepted', 'unknown') order by p.id
"""
# Payments are locked in the order of their ids, so that a webhook, a look-up and a sender never wait for each other in a circle.
_LOCKED = " for update of p"


class _Standing(NamedTuple):
    """An open order as its sender asks of it."""

    reference: str
    attempt_state: str
    number: int
    latest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaving:
    """A dispatch as its sender asks of it."""

    state: str
    fence: int
    sent_at: datetime | None
    orders: Sequence[_Standing]


async def load_leaving(session: AsyncSession, dispatch: Dispatch) -> Leaving:
    """A dispatch and its open orders as far as the gate and the last look ask of them: each is asked twice for every payment."""
    rows = await fetch(session, _STANDING, dispatch.factory_id, dispatch.id)
    orders = [_Standing._make(row) for row in rows]
    return _Leaving(state=dispatch.state, fence=dispatch.fence, sent_at=dispatch.sent_at, orders=orders)


async def load_dispatch(session: AsyncSession, dispatch: Dispatch, also: Sequence[str] = (), *, lock: bool) -> DispatchNow:
    """A dispatch with its open orders, and those named in `also`. With `lock`, their payments are locked until the transaction ends."""
    rows = await fetch(session, _OPEN + (_LOCKED if lock else ""), dispatch.factory_id, dispatch.id, list(also))
    count = dispatch.count
    if sum(row[5] in OPEN for row in rows) < count:
        count = int((await fetch(session, _WENT, dispatch.factory_id, dispatch.id))[0][0])
    return DispatchNow(
        id=dispatch.id,
        state=dispatch.state,
        fence=dispatch.fence,
        count=count,
        created_at=dispatch.created_at,
        sent_at=dispatch.sent_at,
        looked_up=dispatch.looked_up,
        orders=[_order(row, dispatch.provider_account_id) for row in rows],
    )


async def lock_orders(session: AsyncSession, dispatch: Dispatch, references: Sequence[str]) -> dict[str, OrderNow]:
    """The orders of a dispatch that are named, by their references, with their payments locked. Others' are not among them."""
    rows = await fetch(session, _NAMED + _LOCKED, dispatch.factory_id, dispatch.id, list(references))
    return {row[0]: _order(row, dispatch.provider_account_id) for row in rows}


def _order(row: tuple[Any, ...], rail: UUID) -> OrderNow:
    reference, payment, run, number, latest, attempt_state, payment_state, minor, unit, was_known, since, answers, code = row
    return OrderNow(
        reference=reference,
        payment_id=payment,
        run_id=run,
        rail=rail,
        number=number,
        latest=latest,
        attempt_state=attempt_state,
        payment_state=payment_state,
        amount=Money(minor, currency(unit)),
        attempt_code=code,
        was_known=bool(was_known),
        absent_since=since,
        absent_answers=answers,
    )
