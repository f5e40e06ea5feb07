"""Look payments up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import Money, currency
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of
from payroll_api.errors import NotFoundError
from payroll_api.payments.models import Attempt, Payment


async def list_payments(session: AsyncSession, *, run_id: UUID | None, state: str | None, after: UUID | None, limit: int) -> list[Payment]:
    """Payments in the order of their ids, from after one; of a run, or in a state, where asked."""
    query = select(Payment).order_by(Payment.id).limit(limit)
    if run_id is not None:
        query = query.where(Payment.run_id == run_id)
    if state is not None:
        query = query.where(Payment.state == state)
    if after is not None:
        query = query.where(Payment.id > after)
    return list(await session.scalars(query))


async def get_payment(session: AsyncSession, payment_id: UUID) -> tuple[Payment, list[Attempt]]:
    """A payment and the attempts to make it. Raises NotFoundError."""
    payment = await session.get(Payment, (factory_of(session), payment_id))
    if payment is None:
        raise NotFoundError("payment")
    attempts = await session.scalars(select(Attempt).where(Attempt.payment_id == payment_id).order_by(Attempt.number))
    return payment, list(attempts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Payments of a run that are alike: how many, what they come to in minor units, and how many stand in a statement."""

    state: str
    currency: str
    is_cash: bool
    count: int
    minor: int
    settled: int


_TALLY = """
select p.state, p.currency, a.kind = 'cash', p.count, p.minor, p.settled from (
  select state, currency, provider_account_id, count(*) as count, sum(amount_minor)::bigint as minor, count(settled_on) as settled
  from payments where factory_id = $1 and run_id = $2 group by 1, 2, 3
) p join provider_accounts a on a.factory_id = $1 and a.id = p.provider_account_id
"""


async def tally(session: AsyncSession, run_id: UUID) -> list[Tally]:
    """The payments of a run, counted in one walk: pages and clients ask every second while a run is paid."""
    rows = await fetch(session, _TALLY, factory_of(session), run_id)
    return [
        Tally(state=state, currency=unit, is_cash=is_cash, count=count, minor=minor, settled=settled)
        for state, unit, is_cash, count, minor, settled in rows
    ]


async def count_by_state(session: AsyncSession, run_id: UUID) -> dict[str, dict[str, object]]:
    """How many payments of a run are in each state, and their sums by currency in major units."""
    return by_state(await tally(session, run_id))


def by_state(tallies: Iterable[Tally]) -> dict[str, dict[str, object]]:
    """Tallies by state, with their sums by currency in major units."""
    counts: dict[str, int] = {}
    sums: dict[str, dict[str, int]] = {}
    for one in tallies:
        counts[one.state] = counts.get(one.state, 0) + one.count
        of_state = sums.setdefault(one.state, {})
        of_state[one.currency] = of_state.get(one.currency, 0) + one.minor
    return {
        state: {"count": count, "amounts": {code: str(Money(minor, currency(code)).amount) for code, minor in sums[state].items()}}
        for state, count in counts.items()
    }
