"""A gateway says what became of slips."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.sms.contract import ReceiptRefusedError
from payroll_api.errors import ProblemError
from payroll_api.factories.models import ProviderAccount, WebhookDirectory
from payroll_api.factories.provider_accounts import webhook_hash
from payroll_api.payslips.send import record_deliveries
from payroll_api.services import Services


async def receive_receipt(services: Services, *, key: str, headers: Mapping[str, str], body: bytes, path: str = "") -> None:
    """Take delivery receipts: verified, recorded and committed before this returns. Raises ProblemError `webhook_refused` (401)."""
    refused = ProblemError("webhook_refused", "The request did not prove that it comes from the provider.", status=401)
    async with services.database.nobody() as session:
        address = await session.get(WebhookDirectory, webhook_hash(key))
    if address is None:
        raise refused
    async with services.database.factory(address.factory_id) as session:
        account = await session.get(ProviderAccount, (address.factory_id, address.provider_account_id))
        gateway = await services.connectors.gateway(session)
        if account is None or account.kind != "sms" or gateway is None:
            raise refused
        try:
            outcomes = gateway.read_receipt(headers, body, services.clock(), path=path)
        except ReceiptRefusedError:
            raise refused from None
        await record_deliveries(session, outcomes, actor=f"provider:{gateway.profile.name}", at=services.clock())
