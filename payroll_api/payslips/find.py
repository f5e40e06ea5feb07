"""Look slips up. Who may not see personal data sees the slip's state, not its words."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.payments.models import Payment
from payroll_api.payslips.models import Slip
from payroll_api.people.keys import masked
from payroll_api.services import Services


async def list_slips(
    session: AsyncSession,
    services: Services,
    actor: Actor,
    *,
    run_id: UUID | None,
    after: UUID | None,
    limit: int,
    worker_id: UUID | None = None,
) -> list[dict[str, object]]:
    """Slips in the order of their ids, from after one; of a run or a worker where asked."""
    query = select(Slip).order_by(Slip.id).limit(limit)
    if run_id is not None:
        query = query.where(Slip.run_id == run_id)
    if worker_id is not None:
        # Found by her payments, which have an index by worker: a slip changes state several times, and each index costs at each.
        query = query.where(Slip.payment_id.in_(select(Payment.id).where(Payment.worker_id == worker_id)))
    if after is not None:
        query = query.where(Slip.id > after)
    vault = await services.keys.vault(session)
    may_read = Permission.READ_PERSONAL in actor.permissions
    return [
        {
            "id": slip.id,
            "payment_id": slip.payment_id,
            "worker_id": slip.worker_id,
            "state": slip.state,
            "code": slip.code,
            "segments": slip.segments,
            "phone": masked(vault.open_or_none(slip.phone, "slips", slip.id, "phone")),
            "text": vault.open(slip.body, "slips", slip.id, "body") if may_read else None,
            "composed_at": slip.composed_at,
            "sent_at": slip.sent_at,
            "delivered_at": slip.delivered_at,
        }
        for slip in await session.scalars(query)
    ]


async def count_by_state(session: AsyncSession, run_id: UUID) -> dict[str, int]:
    """How many slips of a run are in each state."""
    rows = await session.execute(select(Slip.state, func.count()).where(Slip.run_id == run_id).group_by(Slip.state))
    return dict(rows.all())
