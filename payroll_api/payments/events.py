"""Work through a stored provider message: find whose it is, and have money-final words confirmed before they count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import PayoutStatus, ProviderEvent
from payroll_api.db.bulk import fetch
from payroll_api.payments.look_up import confirm
from payroll_api.payments.models import Dispatch, ProviderMessage
from payroll_api.payments.outcomes import record_words
from payroll_api.payments.receive import opened
from payroll_api.payments.verdict import Source, Word
from payroll_api.services import Services

_MONEY_FINAL = {PayoutStatus.PAID, PayoutStatus.REJECTED, PayoutStatus.RETURNED}
_DISPATCHES = (
    "select distinct dispatch_id from attempts a join dispatches d on d.factory_id = a.factory_id and d.id = a.dispatch_id"
    " where a.factory_id = $1 and d.provider_account_id = $2 and a.reference = any($3)"
)


async def handle_event(services: Services, factory_id: UUID, payload: Mapping[str, str]) -> None:
    """The job HANDLE_EVENT. Order and repetition do not matter: what counts is what the provider answers when it is asked."""
    message_id = UUID(payload["message"])
    async with services.database.factory(factory_id) as session:
        message = await session.get_one(ProviderMessage, (factory_id, message_id))
        if message.state != "stored":
            return
        connector = await services.connectors.payout(session, message.provider_account_id)
        # It was verified when it came in; its time stamp may be old by now, so the content is read as of then.
        event = connector.read_webhook(opened(await services.keys.vault(session), message))
        dispatches = await _dispatches(session, factory_id, message.provider_account_id, event)
    asks = connector.profile.looks_up and (not event.outcomes or any(outcome.status in _MONEY_FINAL for outcome in event.outcomes))
    # Money that arrived may come back: then the provider is asked about an order that was paid, too.
    also = [outcome.reference for outcome in event.outcomes if outcome.status is PayoutStatus.RETURNED]
    if asks:
        for dispatch_id in dispatches:
            await confirm(services, factory_id, dispatch_id, also)
    async with services.database.factory(factory_id) as session:
        now = services.clock()
        if not asks:
            for dispatch_id in dispatches:
                dispatch = await session.get_one(Dispatch, (factory_id, dispatch_id), with_for_update=True)
                words = [Word(outcome=outcome, source=Source.MESSAGE) for outcome in event.outcomes]
                await record_words(session, dispatch, words, connector.profile, actor=f"provider:{connector.profile.name}", at=now)
        message = await session.get_one(ProviderMessage, (factory_id, message_id), with_for_update=True)
        message.state, message.handled_at = ("handled", now) if dispatches else ("unmatched", now)


async def _dispatches(session: AsyncSession, factory_id: UUID, provider_account_id: UUID, event: ProviderEvent) -> Sequence[UUID]:
    """The dispatches that a message is about, of this provider only."""
    found: set[UUID] = set()
    if event.batch_reference:
        found.update(
            await session.scalars(
                select(Dispatch.id).where(Dispatch.reference == event.batch_reference, Dispatch.provider_account_id == provider_account_id)
            )
        )
    if event.outcomes:
        references = [outcome.reference for outcome in event.outcomes]
        found.update(row[0] for row in await fetch(session, _DISPATCHES, factory_id, provider_account_id, references))
    return sorted(found)
