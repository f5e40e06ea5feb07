"""Sound an alarm for what a person must look into: payments without a final word for too long, and words that cannot be so."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.alarms.sound import Alarm, clear, sound, sound_only
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of
from payroll_api.factories.models import ProviderAccount
from payroll_api.services import Services

_A_DAY = timedelta(days=1)
_RAILS = """
select distinct provider_account_id from payments where factory_id = $1 and state in ('submitting', 'accepted', 'unknown')
"""
# Cash on the list waits for its worker, not for a provider: what people confirm by hand is not overdue while it is accepted.
_OVERDUE = """
select id, state, state_since from payments
where factory_id = $1 and provider_account_id = $2 and state_since <= $3
  and (state in ('submitting', 'unknown') or state = 'accepted' and $4) order by id limit 1000
"""
# What people found to be paid twice has an alarm of its own, from then until it came back.
_CONTRADICTED = """
select payment_id, reference, contradicted_by from attempts
where factory_id = $1 and contradicted_by is not null and contradicted_by <> 'paid_twice'
"""


async def sound_overdue(session: AsyncSession, services: Services, now: datetime) -> None:
    """The open alarms become exactly those whose cause is there now; what was found out clears its own."""
    factory_id = factory_of(session)
    unknown, contradicted = [], []
    for (rail,) in await fetch(session, _RAILS, factory_id):
        account = await session.get_one(ProviderAccount, (factory_id, rail))
        # A rail that is switched off has no connector to ask about its patience; a day is what providers need at most.
        profile = (await services.connectors.payout(session, rail)).profile if account.is_enabled else None
        wait = profile.overdue_after if profile is not None else _A_DAY
        for payment, state, since in await fetch(session, _OVERDUE, factory_id, rail, now - wait, account.kind != "cash"):
            subject = f"payment:{payment}"
            unknown.append(Alarm(kind="payment_unknown", subject=subject, due_at=since + wait, data={"state": state}))
    for payment, reference, said in await fetch(session, _CONTRADICTED, factory_id):
        data = {"reference": reference, "said": said}
        contradicted.append(Alarm(kind="provider_contradicts", subject=f"payment:{payment}", due_at=now, data=data))
    await sound_only(session, now, "payment_unknown", unknown)
    await sound_only(session, now, "provider_contradicts", contradicted)


async def sound_needs_person(session: AsyncSession, now: datetime, dispatch_id: UUID, why: str) -> None:
    """A message that may not be given again by rule."""
    await sound(session, now, Alarm(kind="dispatch_needs_a_person", subject=f"dispatch:{dispatch_id}", due_at=now, data={"why": why}))


async def clear_needs_person(session: AsyncSession, now: datetime, dispatch_id: UUID) -> None:
    """Everything in a message has found its end."""
    await clear(session, now, kind="dispatch_needs_a_person", subject=f"dispatch:{dispatch_id}")
