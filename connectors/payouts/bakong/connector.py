"""Bakong as a connector that pays nothing: it asks the National Bank whether an account exists."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import date

from connectors import http
from connectors.json_http import Answer, NoAnswer, ask
from connectors.patience import Patience
from connectors.payouts.bakong import mapping
from connectors.payouts.bakong.config import BakongConfig
from connectors.payouts.contract import (
    Connector,
    Destination,
    DestinationCheck,
    PayoutBatch,
    PayoutOutcome,
    PayoutStatus,
    Profile,
    ProviderEvent,
    WebhookRefusedError,
    WebhookRequest,
)
from connectors.payouts.refusals import refused

_RENEW = "/v1/renew_token"


def build(config: Mapping[str, object]) -> Connector:
    """The connector of one registration. Raises pydantic.ValidationError for a configuration that cannot work."""
    return BakongConnector(BakongConfig.model_validate(dict(config)))


class BakongConnector:
    """One registration. A renewed token is kept as long as this process lives; then the configured one is renewed again."""

    def __init__(self, config: BakongConfig) -> None:
        self._config = config
        self._profile = config.profile()
        self._token = config.token.get_secret_value()
        self._renewing = asyncio.Lock()
        self._patience = Patience()
        self._http = http.client(config.base_url, headers={"accept": "application/json"}, read_seconds=config.read_seconds)

    @property
    def profile(self) -> Profile:
        """It checks accounts and pays nothing."""
        return self._profile

    async def check_destination(self, destination: Destination) -> DestinationCheck:
        """Whether the account exists. An account that is no Bakong id is none of its business."""
        account = destination.account.strip()
        if destination.kind not in self._profile.kinds or "@" not in account:
            return mapping.cannot_tell("not a Bakong account id, such as name@bank")
        if not mapping.is_account_id(account):
            return mapping.cannot_tell("a Bakong account id is name@bank, at most 32 characters: correct it in the sheet")
        token = self._token
        answer = await self._ask(account, token)
        if mapping.wants_new_token(answer) and await self._renew(token):
            answer = await self._ask(account, self._token)  # a question may be asked twice
        return mapping.judge(answer)

    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        """Refuse every order: there is nothing here to pay with."""
        detail = "Bakong's open API pays nothing; nothing was sent"
        return [refused(order.reference, "invalid_order", detail) for order in batch.orders]

    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        """Nothing was ever sent here, and it proves nothing about what was sent elsewhere."""
        del batch_reference
        detail = "Bakong's open API pays nothing: ask whoever was paid through"
        return [PayoutOutcome(reference=reference, status=PayoutStatus.UNKNOWN, code="other", detail=detail) for reference in references]

    def read_webhook(self, request: WebhookRequest) -> ProviderEvent:
        """Nobody calls back. Raises WebhookRefusedError."""
        del request
        raise WebhookRefusedError

    async def fetch_statement(self, day: date) -> bytes | None:
        """There is none."""
        del day
        return None

    async def aclose(self) -> None:
        """Release connections."""
        await self._http.aclose()

    async def _ask(self, account: str, token: str) -> Answer | NoAnswer:
        return await self._post(self._config.path, {"accountId": account}, {"authorization": f"Bearer {token}"})

    async def _renew(self, old: str) -> bool:
        """Ask for a new token, once for all who found the old one refused. True where there is a new one."""
        async with self._renewing:
            if self._token != old:
                return True
            if self._config.renew_email is None:
                return False
            token = mapping.renewed(await self._post(_RENEW, {"email": self._config.renew_email}, {}))
            if token is None:
                return False
            self._token = token
            return True

    async def _post(self, path: str, body: Mapping[str, str], headers: Mapping[str, str]) -> Answer | NoAnswer:
        content = json.dumps(body, ensure_ascii=False).encode()
        request = self._http.build_request("POST", path, content=content, headers={"content-type": "application/json", **headers})
        return await ask(self._http, request, self._patience)
