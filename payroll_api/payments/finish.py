"""See whether a run has come to rest."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.db.session import factory_of
from payroll_api.payments.models import Payment
from payroll_api.payments.states import MOVING
from payroll_api.runs.decide import complete
from payroll_api.runs.models import PayRun


async def complete_if_done(session: AsyncSession, run_id: UUID, at: datetime) -> None:
    """Complete a released run when no payment of it waits or is on its way."""
    # The run's lock first: of two transactions that bring the last two payments to rest, the second must see what the first did.
    key = (factory_of(session), run_id)
    # NO KEY UPDATE: rows that point to the run share its key, and two transactions that both hold such a share would wait in a circle.
    pay_run = await session.get(PayRun, key, with_for_update={"key_share": True}, populate_existing=True)
    if pay_run is None or pay_run.state != "released":
        return
    moving = await session.scalar(select(Payment.id).where(Payment.run_id == run_id, Payment.state.in_(MOVING)).limit(1))
    if moving is None:
        await complete(session, pay_run, at)
