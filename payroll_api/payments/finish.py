"""See whether a run has come to rest."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.db.session import factory_of
from payroll_api.payments.models import Payment
from payroll_api.payments.states import AT_REST
from payroll_api.runs.decide import complete
from payroll_api.runs.models import PayRun


async def complete_if_done(session: AsyncSession, run_id: UUID, at: datetime) -> None:
    """Complete a released run when no payment of it waits or is on its way."""
    moving = await session.scalar(select(Payment.id).where(Payment.run_id == run_id, Payment.state.not_in(AT_REST)).limit(1))
    if moving is not None:
        return
    pay_run = await session.get(PayRun, (factory_of(session), run_id), with_for_update=True)
    if pay_run is not None and pay_run.state == "released":
        await complete(session, pay_run, at)
