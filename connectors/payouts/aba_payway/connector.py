"""ABA PayWay payout as a connector: whitelist, pay one account with one transaction, look up, pushback, list of transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar

from connectors.payouts.aba_payway import mapping, pushback, statements, whitelist
from connectors.payouts.aba_payway.client import PaywayClient, now
from connectors.payouts.aba_payway.config import AbaPaywayConfig
from connectors.payouts.contract import (
    Connector,
    Destination,
    DestinationCheck,
    PayoutBatch,
    PayoutOrder,
    PayoutOutcome,
    Profile,
    ProviderEvent,
    WebhookRequest,
)
from connectors.payouts.refusals import in_order, refused, split

Asked = TypeVar("Asked")

_REMEMBERED = 100_000  # accounts that are known to stand in the whitelist


def build(config: Mapping[str, object]) -> Connector:
    """The connector for one merchant. Raises pydantic.ValidationError for a configuration that cannot work."""
    return AbaPaywayConnector(AbaPaywayConfig.model_validate(dict(config)))


class AbaPaywayConnector:
    """One PayWay merchant. It remembers which accounts it has whitelisted, which spares questions and decides nothing."""

    def __init__(self, config: AbaPaywayConfig, clock: Callable[[], datetime] = now) -> None:
        self._config = config
        self._profile = config.profile()
        self._client = PaywayClient(config, clock)
        self._whitelisted: set[str] = set()

    @property
    def profile(self) -> Profile:
        """What this merchant claims, as configured."""
        return self._profile

    async def check_destination(self, destination: Destination) -> DestinationCheck:
        """Whether ABA has the account and whose it is. To ask is to whitelist: there is no other question. Trouble is NOAP."""
        if destination.kind not in self._profile.kinds or not self._is_ours(destination):
            return whitelist.cannot_tell("PayWay pays to accounts at ABA Bank only")
        found = await whitelist.add(self._client, destination, self._config.currency)
        if found.exists:
            self._remember(destination.account)
        return found

    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        """Send each order once, as a transaction of its own under its own reference."""
        answers, orders = split(self._profile, batch)
        sent = await self._each(orders, self._pay)
        return in_order([order.reference for order in batch.orders], answers, {outcome.reference: outcome for outcome in sent})

    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        """Ask about each transaction. PayWay shows those of the last seven days."""
        del batch_reference

        async def ask(reference: str) -> PayoutOutcome:
            return mapping.judge_transaction(await self._client.check(reference), reference, self._config.currency)

        found = {outcome.reference: outcome for outcome in await self._each(dict.fromkeys(references), ask)}
        return [found[reference] for reference in references]

    def read_webhook(self, request: WebhookRequest) -> ProviderEvent:
        """Verify and read a pushback. It is a hint: the transaction is looked up. Raises WebhookRefusedError or WebhookUnreadableError."""
        return pushback.read(request, self._config.api_key.get_secret_value())

    async def fetch_statement(self, day: date) -> bytes | None:
        """The merchant's transactions of one day in Phnom Penh, as JSON that importers.statements.payway reads; None if there is none."""
        return await statements.fetch(self._client, self._config, day)

    async def aclose(self) -> None:
        """Release connections."""
        await self._client.aclose()

    async def _pay(self, order: PayoutOrder) -> PayoutOutcome:
        destination = order.destination
        if not self._is_ours(destination):
            return refused(order.reference, "invalid_order", "PayWay pays to accounts at ABA Bank only; nothing was sent")
        if self._config.whitelist_first and destination.account not in self._whitelisted:
            found = await whitelist.add(self._client, destination, self._config.currency)
            if found.exists is False:
                return refused(order.reference, "account_unknown", f"{found.detail}; nothing was sent")
            if found.exists is None:
                return refused(order.reference, "temporary", f"the account could not be whitelisted and nothing was sent: {found.detail}")
            self._remember(destination.account)
        return mapping.judge_payout(await self._client.payout(order), order)

    async def _each(self, things: Iterable[Asked], do: Callable[[Asked], Awaitable[PayoutOutcome]]) -> list[PayoutOutcome]:
        gate = asyncio.Semaphore(self._config.concurrency)

        async def one(thing: Asked) -> PayoutOutcome:
            async with gate:
                return await do(thing)

        return list(await asyncio.gather(*(one(thing) for thing in things)))

    def _is_ours(self, destination: Destination) -> bool:
        return (destination.bank or "").strip().upper() in self._config.bank_names

    def _remember(self, account: str) -> None:
        if len(self._whitelisted) < _REMEMBERED:
            self._whitelisted.add(account)
