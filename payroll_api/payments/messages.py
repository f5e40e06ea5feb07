"""What providers told us, for the people who look after it: list it, look at one, have it worked through again."""

from __future__ import annotations

import json
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from connectors.payouts.contract import ProviderEvent, WebhookRefusedError, WebhookUnreadableError
from payroll_api.access.actor import Actor, Permission
from payroll_api.access.four_eyes import require_person
from payroll_api.alarms.sound import clear
from payroll_api.audit.journal import Event, record
from payroll_api.db.session import factory_of
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.payments.models import ProviderMessage
from payroll_api.payments.receive import CONTRADICTS, read_stored
from payroll_api.services import Services

MESSAGE_STATES = ("stored", "handled", "quarantined", "unmatched", "explained")
_ALARMS = ("message_quarantined", "message_unmatched")
_SHORTEST_REASON = 5


async def list_messages(session: AsyncSession, *, state: str | None, before: UUID | None, limit: int) -> list[ProviderMessage]:
    """Messages, the newest first, from before the one named; in one state, where asked."""
    # What each says is long, and no list shows it.
    query = select(ProviderMessage).options(defer(ProviderMessage.content)).order_by(ProviderMessage.id.desc()).limit(limit)
    if state is not None:
        query = query.where(ProviderMessage.state == state)
    if before is not None:
        query = query.where(ProviderMessage.id < before)
    return list(await session.scalars(query))


async def get_message(session: AsyncSession, message_id: UUID) -> ProviderMessage:
    """One message. Raises NotFoundError."""
    message = await session.get(ProviderMessage, (factory_of(session), message_id))
    if message is None:
        raise NotFoundError("message of a provider")
    return message


async def what_it_says(session: AsyncSession, services: Services, message: ProviderMessage) -> ProviderEvent | None:
    """The message as its connector reads it today; None where the connector cannot."""
    connector = await services.connectors.payout(session, message.provider_account_id)
    try:
        return read_stored(connector, await services.keys.vault(session), message)
    except (WebhookRefusedError, WebhookUnreadableError):
        return None


async def replay(session: AsyncSession, services: Services, actor: Actor, message_id: UUID) -> ProviderMessage:
    """Have a message worked through again. What it says counts once, however often it is replayed.

    It decides nothing about money, so a key of another system may ask for it too. Raises NotFoundError, NotAllowedError, and ProblemError
    `message_contradicts` for one whose event came with another content, `message_unreadable` for one its connector still cannot read.
    """
    actor.require(Permission.SETTLE)
    message = await session.get(ProviderMessage, (actor.factory_id, message_id), with_for_update=True, populate_existing=True)
    if message is None:
        raise NotFoundError("message of a provider")
    if message.detail.startswith(CONTRADICTS):
        raise ProblemError(
            "message_contradicts",
            "The provider sent this event before with another content. Ask the provider which one is true; its answer to our look-up or its"
            " statement, settles the payment.",
        )
    if await what_it_says(session, services, message) is None:
        raise ProblemError("message_unreadable", "Its connector still cannot read this message. Ask the provider what it means.")
    now, was = services.clock(), message.state
    message.state, message.detail, message.handled_at = "stored", "", None
    await session.flush()
    subject = f"message:{message_id}"
    await record(session, now, Event(actor=actor.name, action="message.replayed", subject=subject, data={"was": was}))
    for kind in _ALARMS:
        await clear(session, now, kind=kind, subject=subject)
    await enqueue(session, Job.HANDLE_EVENTS, {"messages": json.dumps([str(message_id)])}, once=f"{message_id}|{now.isoformat()}")
    return message


async def explain(session: AsyncSession, services: Services, actor: Actor, message_id: UUID, *, reason: str) -> ProviderMessage:
    """Close a message that was put aside or is about nothing of ours, with what the provider said of it. Nothing is done because of it.

    Raises NotFoundError, InvalidError, NotAllowedError, and ProblemError `message_not_aside` for one that needs no explanation.
    """
    actor.require(Permission.SETTLE)
    message = await session.get(ProviderMessage, (actor.factory_id, message_id), with_for_update=True, populate_existing=True)
    if message is None:
        raise NotFoundError("message of a provider")
    require_person(actor)
    if len(reason.strip()) < _SHORTEST_REASON:
        raise InvalidError(
            "Write what the provider said, so that an auditor understands.", fields=[{"field": "reason", "problem": "too short"}]
        )
    if message.state not in ("quarantined", "unmatched"):
        raise ProblemError("message_not_aside", f"The message is {message.state}: there is nothing to explain.")
    now, was = services.clock(), message.state
    kept = f"{message.detail}: {reason.strip()}" if message.detail else reason.strip()
    message.state, message.detail, message.handled_at = "explained", kept, now
    await session.flush()
    subject = f"message:{message_id}"
    await record(session, now, Event(actor=actor.name, action="message.explained", subject=subject, data={"was": was}))
    for kind in _ALARMS:
        await clear(session, now, kind=kind, subject=subject)
    return message
