"""A provider calls: verify, store the raw message under a unique key, commit, and only then answer. Work comes after."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import Connector, WebhookRefusedError, WebhookRequest, WebhookUnreadableError
from payroll_api import logs
from payroll_api.audit.journal import Event, record
from payroll_api.db.base import new_id
from payroll_api.encryption.vault import Vault
from payroll_api.errors import ProblemError
from payroll_api.factories.models import ProviderAccount, WebhookDirectory
from payroll_api.factories.provider_accounts import webhook_hash
from payroll_api.failpoints import failpoint
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.payments.models import ProviderMessage
from payroll_api.services import Services

log = logs.get(__name__)

_KEPT_HEADERS = 60


def refused() -> ProblemError:
    """The one answer to everything that does not prove where it came from: it does not say why."""
    return ProblemError("webhook_refused", "The request did not prove that it comes from the provider.", status=401)


async def receive(services: Services, *, connector: str, key: str, request: WebhookRequest) -> None:
    """Take one message. Raises ProblemError `webhook_refused` (401); returns once the message is durably stored."""
    async with services.database.nobody() as session:
        address = await session.get(WebhookDirectory, webhook_hash(key))
    if address is None:
        raise refused()
    async with services.database.factory(address.factory_id) as session:
        account = await session.get(ProviderAccount, (address.factory_id, address.provider_account_id))
        if account is None or account.connector != connector:
            raise refused()
        provider = await services.connectors.payout(session, account.id)
        await _store(session, services, account, provider, request)


async def _store(session: AsyncSession, services: Services, account: ProviderAccount, provider: Connector, request: WebhookRequest) -> None:
    body_hash = hashlib.sha256(request.body).digest()
    try:
        event_id, state, detail = provider.read_webhook(request).event_id, "stored", ""
    except WebhookRefusedError:
        raise refused() from None
    except WebhookUnreadableError as error:
        event_id, state, detail = f"unreadable:{body_hash.hex()}", "quarantined", type(error).__name__
    now = services.clock()
    if state == "stored" and await _other_body(session, account.id, event_id, body_hash):
        # The same event with another content: somebody is wrong, and it must not be us who decides which.
        state, detail = "quarantined", "the same event came before with another content"
        log.error("provider_message_conflict", provider_account=str(account.id))
    await failpoint("C1")
    message_id = new_id()
    vault = await services.keys.vault(session)
    statement = (
        insert(ProviderMessage)
        .values(
            factory_id=account.factory_id,
            id=message_id,
            provider_account_id=account.id,
            event_id=event_id,
            body_hash=body_hash,
            content=_sealed(vault, message_id, request),
            state=state,
            detail=detail,
            received_at=now,
        )
        .on_conflict_do_nothing(constraint="uq_provider_messages_event")
        .returning(ProviderMessage.id)
    )
    if await session.scalar(statement) is None:
        return  # it came before: nothing happens twice
    data = {"provider": str(account.id), "body": body_hash.hex(), "state": state}
    await record(
        session, now, Event(actor=f"provider:{account.connector}", action="message.received", subject=f"message:{message_id}", data=data)
    )
    if state == "stored":
        await enqueue(session, Job.HANDLE_EVENT, {"message": str(message_id)}, once=str(message_id))
    await failpoint("C2")


async def _other_body(session: AsyncSession, account_id: UUID, event_id: str, body_hash: bytes) -> bool:
    found = await session.scalar(
        select(ProviderMessage.id)
        .where(
            ProviderMessage.provider_account_id == account_id,
            ProviderMessage.event_id == event_id,
            ProviderMessage.body_hash != body_hash,
        )
        .limit(1)
    )
    return found is not None


def _sealed(vault: Vault, message_id: UUID, request: WebhookRequest) -> bytes:
    content = {
        "method": request.method,
        "path": request.path,
        "headers": dict(list(request.headers.items())[:_KEPT_HEADERS]),
        "body": base64.b64encode(request.body).decode(),
        "received_at": request.received_at.isoformat(),
    }
    return vault.seal(json.dumps(content), "provider_messages", message_id, "content")


def opened(vault: Vault, message: ProviderMessage) -> WebhookRequest:
    """A stored message as it came."""
    content = json.loads(vault.open(message.content, "provider_messages", message.id, "content"))
    content["body"] = base64.b64decode(content["body"])
    content["received_at"] = datetime.fromisoformat(content["received_at"])
    return WebhookRequest(**{field.name: content[field.name] for field in dataclasses.fields(WebhookRequest)})
