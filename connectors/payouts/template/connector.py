"""The connector. 5: usually little changes here; what differs between providers is in `mapping.py` and `client.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date

from connectors.json_http import Answer
from connectors.payouts import names
from connectors.payouts.contract import (
    Connector,
    Destination,
    DestinationCheck,
    NameMatch,
    PayoutBatch,
    PayoutOutcome,
    Profile,
    ProviderEvent,
    WebhookRefusedError,
    WebhookRequest,
    WebhookUnreadableError,
)
from connectors.payouts.refusals import in_order, split
from connectors.payouts.template import mapping
from connectors.payouts.template.client import TemplateClient
from connectors.payouts.template.config import TemplateConfig
from connectors.signatures import SignatureRefusedError, verify


def build(config: Mapping[str, object]) -> Connector:
    """The connector, configured. Raises pydantic.ValidationError for a configuration that cannot work."""
    return TemplateConnector(TemplateConfig.model_validate(dict(config)))


class TemplateConnector:
    """One account with the provider. It keeps connections and nothing else."""

    def __init__(self, config: TemplateConfig) -> None:
        self._secret = config.callback_secret.get_secret_value()
        self._profile = config.profile()
        self._client = TemplateClient(config)

    @property
    def profile(self) -> Profile:
        """What this account claims."""
        return self._profile

    async def check_destination(self, destination: Destination) -> DestinationCheck:
        """Whether the account exists and whose it is. Trouble is `exists=None`: nobody knows."""
        answer = await self._client.post("/v1/accounts", json.dumps({"account": destination.account}).encode())
        body = answer.body if isinstance(answer, Answer) and answer.status == 200 else None  # noqa: PLR2004 found
        if not isinstance(body, Mapping) or not isinstance(body.get("exists"), bool):
            return DestinationCheck(exists=None, name_match=NameMatch.NOT_APPLICABLE, detail="the provider could not say; ask again")
        holder = body.get("holder")
        if not body["exists"] or not isinstance(holder, str):
            return DestinationCheck(exists=body["exists"], name_match=NameMatch.NOT_APPLICABLE)
        return DestinationCheck(exists=True, name_match=names.compare(destination.holder, holder), holder=holder)

    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        """Send the batch once. What breaks the profile's limits is refused here and never travels."""
        answers, orders = split(self._profile, batch)
        sent: dict[str, PayoutOutcome] = {}
        if orders:
            answer = await self._client.post("/v1/batches", mapping.batch_body(batch, orders))
            status, code, detail = mapping.judge(answer)
            wait = answer.retry_after if code == "temporary" else None
            for order in orders:
                sent[order.reference] = PayoutOutcome(reference=order.reference, status=status, code=code, detail=detail, retry_after=wait)
        return in_order([order.reference for order in batch.orders], answers, sent)

    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        """Ask what became of the orders of one batch."""
        return mapping.outcomes(await self._client.get("/v1/orders", {"batch": batch_reference}), references)

    def read_webhook(self, request: WebhookRequest) -> ProviderEvent:
        """Verify first, read afterwards. Raises WebhookRefusedError or WebhookUnreadableError."""
        if request.method.upper() != "POST":
            raise WebhookRefusedError
        try:
            message = verify(request.headers, request.body, secrets=[self._secret], now=request.received_at)
        except SignatureRefusedError:
            raise WebhookRefusedError from None
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        if not isinstance(body, dict) or not isinstance(body.get("batch"), str):
            raise WebhookUnreadableError("the callback names no batch")
        return ProviderEvent(event_id=message.identification, kind="batch", batch_reference=body["batch"])

    async def fetch_statement(self, day: date) -> bytes | None:
        """6: the provider's statement of one day, in a form that importers/statements reads; then say `has_statements`."""
        del day
        return None

    async def aclose(self) -> None:
        """Release connections."""
        await self._client.aclose()
