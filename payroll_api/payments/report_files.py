"""A provider's status report that a person brings as a file (pain.002): kept and worked through like a message that came by itself."""

from __future__ import annotations

import hashlib
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import WebhookRequest, WebhookUnreadableError
from payroll_api.access.actor import Actor, Permission
from payroll_api.db.base import new_id
from payroll_api.errors import ProblemError
from payroll_api.factories.provider_accounts import get_account
from payroll_api.payments.models import ProviderMessage
from payroll_api.payments.receive import FILE, Message, store
from payroll_api.services import Services

LARGEST_REPORT = 16 * 1024 * 1024


async def take_report(
    session: AsyncSession, services: Services, actor: Actor, *, provider_account_id: UUID, content: bytes
) -> ProviderMessage:
    """Keep a report and have it worked through. Nothing in the file proves who wrote it, so money-final words are confirmed as always.

    Raises NotFoundError, NotAllowedError, ProblemError `report_unreadable`, `report_already_taken`, `file_too_large`.
    """
    actor.require(Permission.SETTLE)
    if len(content) > LARGEST_REPORT:
        raise ProblemError(
            "file_too_large", f"A status report may have {LARGEST_REPORT // 2**20} MiB. Ask the bank for one in parts.", status=413
        )
    account = await get_account(session, provider_account_id)
    connector = await services.connectors.payout(session, account.id)
    try:
        event = connector.read_report(content)
    except WebhookUnreadableError:
        raise ProblemError(
            "report_unreadable",
            "This is no status report that the account's connector can read. Take the pain.002 as the bank gave it; a statement"
            " (camt.053, camt.054) belongs on the page of statements.",
            status=422,
        ) from None
    message = Message(
        id=new_id(),
        account=account,
        event_id=event.event_id,
        body_hash=hashlib.sha256(content).digest(),
        request=WebhookRequest(method=FILE, path="", headers={}, body=content, received_at=services.clock()),
        state="stored",
        detail="",
    )
    if not await store(session, services, [message], actor=actor.name):
        raise ProblemError("report_already_taken", "This very report was taken before. Nothing changes by taking it again.")
    return await session.get_one(ProviderMessage, (actor.factory_id, message.id))
