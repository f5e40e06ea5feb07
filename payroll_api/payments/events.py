"""Work through stored provider messages: find whose they are, and have money-final words confirmed before they count."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import PayoutOutcome, PayoutStatus, Profile, ProviderEvent, WebhookRefusedError, WebhookUnreadableError
from payroll_api.alarms.sound import Alarm, sound_many
from payroll_api.db.bulk import fetch, in_turn, run
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue_many
from payroll_api.payments.look_up import confirm
from payroll_api.payments.models import Dispatch, ProviderMessage
from payroll_api.payments.outcomes import record_words
from payroll_api.payments.payee import with_payee
from payroll_api.payments.receive import read_stored
from payroll_api.payments.verdict import Source, Word
from payroll_api.services import Services

_MONEY_FINAL = {PayoutStatus.PAID, PayoutStatus.REJECTED, PayoutStatus.RETURNED}
# A message about nothing of ours may be another system's on the same account: a day is time enough to ask.
_UNMATCHED_DUE = timedelta(days=1)
_DISPATCHES = """
select d.id, d.reference, a.reference from dispatches d
left join attempts a on a.factory_id = d.factory_id and a.dispatch_id = d.id and a.reference = any($4)
where d.factory_id = $1 and d.provider_account_id = $2 and (d.reference = any($3) or a.reference is not null)
"""
# What a message says about an order whose end we knew otherwise: money that arrived came back, or a refused order was paid after all.
_NEWS = """
select distinct a.reference from attempts a join unnest($3::text[], $4::text[]) as n(reference, said) on n.reference = a.reference
where a.factory_id = $1 and a.dispatch_id = $2
  and (a.state = 'paid' and n.said in ('returned', 'rejected') or a.state = 'rejected' and n.said = 'paid') order by 1
"""
_HANDLED = (
    "update provider_messages m set state = n.state, detail = n.detail, handled_at = $2"
    " from unnest($3::uuid[], $4::text[], $5::text[]) as n(id, state, detail)"
    " where m.factory_id = $1 and m.id = n.id and m.state = 'stored'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What some messages of one provider account say, and which dispatches each is about."""

    profile: Profile
    events: Mapping[UUID, ProviderEvent]
    unreadable: Sequence[UUID]
    dispatches: Mapping[UUID, Sequence[ProviderEvent]]
    matched: frozenset[UUID]


async def handle_events(services: Services, factory_id: UUID, payload: Mapping[str, str]) -> None:
    """The job HANDLE_EVENTS. Order and repetition do not matter: what counts is what the provider answers when it is asked.

    Messages about one dispatch are worked through together, and the provider is asked about it once.
    """
    ids = [UUID(text) for text in json.loads(payload["messages"])]
    async with services.database.factory(factory_id) as session:
        query = select(ProviderMessage).where(ProviderMessage.id.in_(ids), ProviderMessage.state == "stored").order_by(ProviderMessage.id)
        stored = list(await session.scalars(query))
        accounts = sorted({message.provider_account_id for message in stored})
        found = [await _read(session, services, account, [m for m in stored if m.provider_account_id == account]) for account in accounts]
    for read in found:
        for dispatch_id, events in read.dispatches.items():
            await _hear(services, factory_id, dispatch_id, read.profile, [outcome for event in events for outcome in event.outcomes])
        async with services.database.factory(factory_id) as session:
            await _mark(session, read, services.clock())


async def _read(session: AsyncSession, services: Services, account_id: UUID, messages: Sequence[ProviderMessage]) -> _Read:
    connector = await services.connectors.payout(session, account_id)
    vault = await services.keys.vault(session)
    events: dict[UUID, ProviderEvent] = {}
    unreadable = []
    for message in messages:
        try:
            # It was verified when it came in; its time stamp may be old by now, so the content is read as of then.
            events[message.id] = read_stored(connector, vault, message)
        except (WebhookRefusedError, WebhookUnreadableError):
            # The account's secret or its connector changed between the answer and now.
            unreadable.append(message.id)
    batches = [event.batch_reference for event in events.values() if event.batch_reference]
    references = [outcome.reference for event in events.values() for outcome in event.outcomes]
    of: dict[str, set[UUID]] = {}
    for dispatch_id, batch, reference in await fetch(session, _DISPATCHES, session.info["factory_id"], account_id, batches, references):
        for name in (batch, reference):
            of.setdefault(name, set()).add(dispatch_id)
    dispatches: dict[UUID, list[ProviderEvent]] = {}
    matched = set()
    for message_id, event in events.items():
        names = [*([event.batch_reference] if event.batch_reference else []), *(outcome.reference for outcome in event.outcomes)]
        for dispatch_id in sorted({found for name in names for found in of.get(name, ())}):
            dispatches.setdefault(dispatch_id, []).append(event)
            matched.add(message_id)
    return _Read(profile=connector.profile, events=events, unreadable=unreadable, dispatches=dispatches, matched=frozenset(matched))


async def _hear(services: Services, factory_id: UUID, dispatch_id: UUID, profile: Profile, outcomes: Sequence[PayoutOutcome]) -> None:
    """Ask the provider about a dispatch where a message says something final or nothing precise; else record what was said."""
    if profile.looks_up and (not outcomes or any(outcome.status in _MONEY_FINAL for outcome in outcomes)):
        async with services.database.factory(factory_id) as session:
            said = [(outcome.reference, outcome.status.value) for outcome in outcomes]
            news = await fetch(session, _NEWS, factory_id, dispatch_id, [ref for ref, _ in said], [status for _, status in said])
        await confirm(services, factory_id, dispatch_id, [row[0] for row in news], is_told=True)
        return
    for some in in_turn(outcomes, lambda outcome: outcome.reference):
        async with services.database.factory(factory_id) as session:
            dispatch = await session.get_one(Dispatch, (factory_id, dispatch_id), with_for_update=True)
            words = [Word(outcome=outcome, source=Source.MESSAGE) for outcome in await with_payee(session, services, dispatch, some)]
            await record_words(session, dispatch, words, profile, actor=f"provider:{profile.name}", at=services.clock())


async def _mark(session: AsyncSession, read: _Read, at: datetime) -> None:
    # A statement is not of our step: the next one takes it. A job that dies before leaves the message as it came.
    notices = sorted(message_id for message_id, event in read.events.items() if event.is_statement)
    await enqueue_many(session, Job.TAKE_NOTICE, [{"message": str(message_id)} for message_id in notices])
    foreign = [message_id for message_id, event in read.events.items() if message_id not in read.matched and not event.is_statement]
    states = [(message_id, "handled", "") for message_id in sorted(read.matched)]
    states += [(message_id, "unmatched", "") for message_id in foreign]
    states += [(message_id, "quarantined", "its connector can no longer read it") for message_id in read.unreadable]
    ids, names, details = ([row[place] for row in states] for place in range(3))
    await run(session, _HANDLED, session.info["factory_id"], at, list(ids), list(names), list(details))
    alarms = [Alarm(kind="message_unmatched", subject=f"message:{one}", due_at=at + _UNMATCHED_DUE) for one in foreign]
    alarms += [Alarm(kind="message_quarantined", subject=f"message:{one}", due_at=at) for one in read.unreadable]
    await sound_many(session, at, alarms)
