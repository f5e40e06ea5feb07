"""Look payments up."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import Money, currency
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


async def count_by_state(session: AsyncSession, run_id: UUID) -> dict[str, dict[str, object]]:
    """How many payments of a run are in each state, and their sums by currency in major units."""
    rows = await session.execute(
        select(Payment.state, Payment.currency, func.count(), func.sum(Payment.amount_minor))
        .where(Payment.run_id == run_id)
        .group_by(Payment.state, Payment.currency)
    )
    counts: dict[str, int] = {}
    sums: dict[str, dict[str, str]] = {}
    for state, code, count, minor in rows:
        counts[state] = counts.get(state, 0) + count
        sums.setdefault(state, {})[code] = str(Money(int(Decimal(minor)), currency(code)).amount)
    return {state: {"count": counts[state], "amounts": sums[state]} for state in counts}
