"""A provider calls: verify, store the raw message under a unique key, commit, and only then answer. Work comes after.

Messages that come at the same moment are stored by one transaction for each factory. A message stands for itself all the same: what is
wrong with one is answered to that one.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import Connector, ProviderEvent, WebhookRefusedError, WebhookRequest, WebhookUnreadableError
from payroll_api import logs
from payroll_api.alarms.sound import Alarm, sound_many
from payroll_api.audit.journal import Event, record_many
from payroll_api.db.base import new_id
from payroll_api.db.bulk import fetch
from payroll_api.encryption.vault import Vault
from payroll_api.errors import ProblemError
from payroll_api.factories.addresses import by_factory
from payroll_api.factories.models import ProviderAccount
from payroll_api.failpoints import failpoint
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.payments.models import ProviderMessage
from payroll_api.services import PayoutConnector, Services

log = logs.get(__name__)

# The method of a report that a person brought as a file, where a webhook has its HTTP method.
FILE = "FILE"
CONTRADICTS = "the same event came before with another content"
_KEPT_HEADERS = 60
_LONGEST_EVENT_ID = 300
# Two processes that store the same messages meet in the same order, so that neither waits for the other in a circle.
_STORE = """
insert into provider_messages (factory_id, id, provider_account_id, event_id, body_hash, content, state, detail, received_at)
select $1, n.id, n.account, n.event_id, n.body_hash, n.content, n.state, n.detail, $2
from unnest($3::uuid[], $4::uuid[], $5::text[], $6::bytea[], $7::bytea[], $8::text[], $9::text[])
  as n(id, account, event_id, body_hash, content, state, detail)
order by n.account, n.event_id, n.body_hash
on conflict do nothing returning id
"""
_HAVE = """
select m.provider_account_id, m.event_id, m.body_hash from provider_messages m
join unnest($2::uuid[], $3::text[]) as n(account, event_id) on n.account = m.provider_account_id and n.event_id = m.event_id
where m.factory_id = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request at a webhook address: whose connector it names, the secret part of the address, and what was sent."""

    connector: str
    key: str
    request: WebhookRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A proven message, ready to be stored."""

    id: UUID
    account: ProviderAccount
    event_id: str
    body_hash: bytes
    request: WebhookRequest
    state: str
    detail: str


def refused() -> ProblemError:
    """The one answer to everything that does not prove where it came from: it does not say why."""
    return ProblemError("webhook_refused", "The request did not prove that it comes from the provider.", status=401)


async def receive_many(services: Services, incoming: Sequence[Incoming]) -> list[ProblemError | None]:
    """Take messages that came together; for each, None once it is durably stored, or the refusal that is its answer."""
    answers: list[ProblemError | None] = [refused() for _ in incoming]
    for factory_id, addressees in (await by_factory(services, [item.key for item in incoming])).items():
        async with services.database.factory(factory_id) as session:
            found = await session.scalars(select(ProviderAccount).where(ProviderAccount.id.in_(set(addressees.values()))))
            providers = {account.id: (account, await _connector(session, services, account)) for account in found}
            messages = []
            for position, account_id in addressees.items():
                account, provider = providers.get(account_id, (None, None))
                if account is None or provider is None or account.connector != incoming[position].connector:
                    continue
                message = _proven(account, provider, incoming[position].request)
                if message is not None:
                    answers[position] = None
                    messages.append(message)
            if messages:
                await store(session, services, messages)
    return answers


async def _connector(session: AsyncSession, services: Services, account: ProviderAccount) -> Connector | None:
    try:
        return await services.connectors.payout(session, account.id)
    except ProblemError as error:
        # Its configuration was good when it was entered and is refused now: nothing can be proven until somebody mends it.
        log.error("webhook_connector_refused", provider_account=str(account.id), code=error.code)  # noqa: TRY400 no values
        return None


def _proven(account: ProviderAccount, provider: Connector, request: WebhookRequest) -> Message | None:
    """The message, if the provider's connector says that it is the provider's; None where nothing proves it."""
    body_hash = hashlib.sha256(request.body).digest()
    try:
        event_id, state, detail = provider.read_webhook(request).event_id, "stored", ""
    except WebhookRefusedError:
        return None
    except WebhookUnreadableError as error:
        event_id, state, detail = f"unreadable:{body_hash.hex()}", "quarantined", type(error).__name__
    except Exception as error:  # noqa: BLE001 a connector's own mistake proves nothing, and must not cost the others their answer
        log.error("webhook_connector_failed", connector=account.connector, error=type(error).__name__, at=logs.places(error))  # noqa: TRY400 no values
        return None
    if not (event_id.isprintable() and len(event_id) <= _LONGEST_EVENT_ID):
        event_id, state, detail = f"unreadable:{body_hash.hex()}", "quarantined", "the event's id is too long or no text"
    return Message(id=new_id(), account=account, event_id=event_id, body_hash=body_hash, request=request, state=state, detail=detail)


async def store(session: AsyncSession, services: Services, messages: Sequence[Message], *, actor: str | None = None) -> int:
    """Store proven messages and have them worked through; gives how many were new. `actor`: who brought them, if not the provider."""
    now = services.clock()
    await failpoint("C1")
    vault = await services.keys.vault(session)
    new = await _insert(session, vault, messages, now)
    if len(new) < len(messages):
        new += await _insert(session, vault, await _contradicting(session, messages, {message.id for message in new}), now)
    await record_many(
        session,
        now,
        (
            Event(
                actor=actor or f"provider:{message.account.connector}",
                action="message.received",
                subject=f"message:{message.id}",
                data={"provider": str(message.account.id), "body": message.body_hash.hex(), "state": message.state},
            )
            for message in new
        ),
    )
    await sound_many(session, now, (_alarm(message, now) for message in new if message.state == "quarantined"))
    if work := [str(message.id) for message in new if message.state == "stored"]:
        await enqueue(session, Job.HANDLE_EVENTS, {"messages": json.dumps(work)}, once=work[0])
    await failpoint("C2")
    return len(new)


async def _insert(session: AsyncSession, vault: Vault, messages: Sequence[Message], now: datetime) -> list[Message]:
    """Store messages; gives those that were not there before. One whose event came before with another content is not among them."""
    if not messages:
        return []
    rows = await fetch(
        session,
        _STORE,
        messages[0].account.factory_id,
        now,
        [message.id for message in messages],
        [message.account.id for message in messages],
        [message.event_id for message in messages],
        [message.body_hash for message in messages],
        [_sealed(vault, message) for message in messages],
        [message.state for message in messages],
        [message.detail for message in messages],
    )
    stored = {row[0] for row in rows}
    return [message for message in messages if message.id in stored]


async def _contradicting(session: AsyncSession, messages: Sequence[Message], new: set[UUID]) -> list[Message]:
    """Of messages that were not stored, those whose event is there with another content: kept aside.

    Somebody is wrong, and it must not be us who decides which. The rest came before, and nothing happens twice.
    """
    left = [message for message in messages if message.id not in new]
    rows = await fetch(
        session, _HAVE, left[0].account.factory_id, [message.account.id for message in left], [message.event_id for message in left]
    )
    have = {(account, event_id, bytes(body_hash)) for account, event_id, body_hash in rows}
    aside: Mapping[tuple[UUID, str, bytes], Message] = {
        key: dataclasses.replace(message, state="quarantined", detail=CONTRADICTS)
        for message in left
        if (key := (message.account.id, message.event_id, message.body_hash)) not in have
    }
    for account_id, _, _ in aside:
        log.error("provider_message_conflict", provider_account=str(account_id))
    return list(aside.values())


def _alarm(message: Message, now: datetime) -> Alarm:
    return Alarm(kind="message_quarantined", subject=f"message:{message.id}", due_at=now, data={"provider": str(message.account.id)})


def _sealed(vault: Vault, message: Message) -> bytes:
    content = {
        "method": message.request.method,
        "path": message.request.path,
        "headers": dict(list(message.request.headers.items())[:_KEPT_HEADERS]),
        "body": base64.b64encode(message.request.body).decode(),
        "received_at": message.request.received_at.isoformat(),
    }
    return vault.seal(json.dumps(content), "provider_messages", message.id, "content")


def read_stored(connector: PayoutConnector, vault: Vault, message: ProviderMessage) -> ProviderEvent:
    """What a stored message says, as its connector reads it now. Raises WebhookRefusedError, WebhookUnreadableError."""
    request = opened(vault, message)
    return connector.read_report(request.body) if request.method == FILE else connector.read_webhook(request)


def opened(vault: Vault, message: ProviderMessage) -> WebhookRequest:
    """A stored message as it came."""
    content = json.loads(vault.open(message.content, "provider_messages", message.id, "content"))
    content["body"] = base64.b64decode(content["body"])
    content["received_at"] = datetime.fromisoformat(content["received_at"])
    return WebhookRequest(**{field.name: content[field.name] for field in dataclasses.fields(WebhookRequest)})
