"""A provider's message that is itself a statement: taken like one that somebody uploaded, and matched."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from payroll_api.errors import ProblemError
from payroll_api.payments.models import ProviderMessage
from payroll_api.payments.receive import opened
from payroll_api.services import Services
from payroll_api.settlement.arrivals import take


async def take_notice(services: Services, factory_id: UUID, payload: Mapping[str, str]) -> None:
    """The job TAKE_NOTICE. A notification that came before, or whose bytes were uploaded, changes nothing."""
    message_id = UUID(payload["message"])
    async with services.database.factory(factory_id) as session:
        message = await session.get_one(ProviderMessage, (factory_id, message_id), with_for_update=True)
        if message.state != "stored":
            return
        vault = await services.keys.vault(session)
        content = opened(vault, message).body
        name = f"notice-{message_id}.xml"
        try:
            state, statement = await take(session, services, message.provider_account_id, file_name=name, content=content)
        except ProblemError as error:
            message.state, message.detail = "quarantined", f"it cannot be taken as a statement ({error.code})"
        else:
            message.state, message.detail = "handled", f"taken as statement {statement}" if state == "taken" else "this statement was here"
        message.handled_at = services.clock()
        await session.flush()
