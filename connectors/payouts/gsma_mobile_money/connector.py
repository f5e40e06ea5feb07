"""The GSMA Mobile Money API 1.1.2 as a payout connector: disbursements in bulk or one by one, look-ups, callbacks, statements."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from urllib.parse import quote

from connectors.json_http import Answer, NoAnswer
from connectors.payouts import names
from connectors.payouts.contract import (
    Connector,
    Destination,
    DestinationCheck,
    NameMatch,
    PayoutBatch,
    PayoutOrder,
    PayoutOutcome,
    PayoutStatus,
    Profile,
    ProviderEvent,
    WebhookRequest,
)
from connectors.payouts.gsma_mobile_money import account, callbacks, lookups, mapping, outgoing, statements
from connectors.payouts.gsma_mobile_money.client import GsmaClient, now
from connectors.payouts.gsma_mobile_money.config import GsmaConfig
from connectors.payouts.gsma_mobile_money.told import Known, Told
from importers.money import Money


def build(config: Mapping[str, object]) -> Connector:
    """The connector for one wallet contract. Raises pydantic.ValidationError for a configuration that cannot work."""
    return GsmaConnector(GsmaConfig.model_validate(dict(config)))


class GsmaConnector:
    """One wallet provider. It holds connections and shorter ways to an answer: what became of an order is always asked."""

    def __init__(self, config: GsmaConfig, clock: Callable[[], datetime] = now) -> None:
        self._config = config
        self._profile = config.profile()
        self._client = GsmaClient(config, clock)
        self._secret = config.callback_secret.get_secret_value()
        self._told = Told()

    @property
    def profile(self) -> Profile:
        """What this wallet claims, as configured."""
        return self._profile

    async def check_destination(self, destination: Destination) -> DestinationCheck:
        """Whether the wallet exists and is open, and whose it is. Trouble is NOAP with a detail."""
        if destination.kind not in self._profile.kinds:
            return _cannot_tell("this provider pays wallets only")
        number = quote(destination.account, safe="")
        status = await self._client.get(f"/accounts/msisdn/{number}/status")
        if not isinstance(status, Answer):
            return _cannot_tell(f"the provider gave no usable answer ({status.code}); check again later")
        missing = status.status == 404 and mapping.error_of(status.body) is not None  # noqa: PLR2004 not found
        if not missing and (status.status != 200 or not isinstance(status.body, Mapping)):  # noqa: PLR2004 found
            return _cannot_tell(f"the provider answered {status.status}; check again later")
        state = "unregistered" if missing else str(status.body.get("accountStatus", "")).lower()
        if state == "unregistered":
            return DestinationCheck(exists=False, name_match=NameMatch.NOT_APPLICABLE, detail="the provider knows no such wallet")
        if state != "available":
            detail = "the wallet is closed or blocked: do not pay to it"
            return DestinationCheck(exists=True, name_match=NameMatch.NOT_APPLICABLE, detail=detail)
        return await self._check_name(number, destination.holder)

    async def _check_name(self, number: str, ours: str) -> DestinationCheck:
        answer = await self._client.get(f"/accounts/msisdn/{number}/accountname")
        told = answer.body.get("name") if isinstance(answer, Answer) and isinstance(answer.body, Mapping) and answer.status == 200 else None  # noqa: PLR2004 found
        holders = _holders(told)
        if not holders:
            return DestinationCheck(exists=True, name_match=NameMatch.NOT_APPLICABLE, detail="the provider tells no name")
        best = min(((names.compare(ours, holder), holder) for holder in holders), key=lambda pair: _BEST_FIRST.index(pair[0]))
        return DestinationCheck(exists=True, name_match=best[0], holder=best[1])

    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        """Send the batch once. An order that breaks the contract's limits is refused here and never travels."""
        references = [order.reference for order in batch.orders]
        if len(set(references)) != len(references) or len(references) > self._profile.batch_size:
            detail = f"a batch holds {self._profile.batch_size} different references at the most; nothing was sent"
            return [_refused(order, "invalid_order", detail) for order in batch.orders]
        refused = {order.reference: outcome for order in batch.orders if (outcome := self._refuse(order)) is not None}
        orders = [order for order in batch.orders if order.reference not in refused]
        if not orders:
            return [refused[reference] for reference in references]
        sent = await (self._submit_bulk(batch, orders) if self._config.bulk else self._submit_singly(batch, orders))
        return [refused.get(reference) or sent[reference] for reference in references]

    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        """What became of the orders. A two-step batch that was left waiting is approved on the way; see the README."""
        if self._config.bulk:
            found = await lookups.look_up_batch(self._client, self._config, self._told, batch_reference, references)
        else:
            found = await lookups.look_up_singly(self._client, self._config, self._told, references)
        return [found[reference] for reference in references]

    def read_webhook(self, request: WebhookRequest) -> ProviderEvent:
        """Verify and read a callback. Raises WebhookRefusedError or WebhookUnreadableError."""
        callback = callbacks.read(request, self._secret, self._config.callback_proof)
        if callback.reference is not None and callback.resource is not None:
            self._told.of(callback.reference).resource = callback.resource
        return callback.event

    async def fetch_statement(self, day: date) -> bytes | None:
        """The statement entries of one day in Phnom Penh, as JSON that importers.statements.gsma reads; None if there is none."""
        return await statements.fetch(self._client, self._config, day)

    async def balance(self) -> Money | None:
        """What the factory's account can pay now; None where the provider or the configuration does not tell."""
        return await account.balance(self._client, self._config)

    async def is_available(self) -> bool | None:
        """Whether the provider says that its service works; None where it gives no such word."""
        return await account.is_available(self._client)

    async def ask_reversal(self, transaction_reference: str, *, reference: str, callback_url: str | None = None) -> PayoutOutcome:
        """Ask for the money of one transaction back, once, under `reference`. Nothing here calls it by itself: a person decides."""
        return await account.ask_reversal(self._client, transaction_reference, reference=reference, callback_url=callback_url)

    async def aclose(self) -> None:
        """Release connections."""
        await self._client.aclose()

    def _refuse(self, order: PayoutOrder) -> PayoutOutcome | None:
        """The refusal of an order that must not travel, or None."""
        limit = self._profile.limits.get(order.amount.currency.code)
        if order.destination.kind not in self._profile.kinds:
            return _refused(order, "invalid_order", "this provider pays wallets only; nothing was sent")
        if limit is None:
            return _refused(order, "invalid_order", f"this provider does not pay {order.amount.currency}; nothing was sent")
        if not limit.smallest <= order.amount <= limit.largest:
            return _refused(order, "limit_exceeded", f"one order carries {limit.smallest} to {limit.largest}; nothing was sent")
        if not 0 < len(order.reference) <= self._profile.reference_length:
            return _refused(order, "invalid_order", f"a reference has 1 to {self._profile.reference_length} letters; nothing was sent")
        fault = outgoing.fault_of(mapping.transaction(order, self._config))
        return _refused(order, "invalid_order", f"the API does not take its {fault}; nothing was sent") if fault else None

    def _address(self, batch: PayoutBatch, order: PayoutOrder | None = None) -> str | None:
        """Where the provider calls back for this request alone."""
        if batch.callback_url is None:
            return None
        return callbacks.address(batch.callback_url, self._secret, batch.reference, order.reference if order is not None else None)

    async def _submit_bulk(self, batch: PayoutBatch, orders: list[PayoutOrder]) -> dict[str, PayoutOutcome]:
        known = self._told.of(batch.reference)
        known.callback_url = self._address(batch)
        answer = await self._client.write(
            "POST",
            "/batchtransactions",
            mapping.batch_body(batch, orders, self._config),
            correlation_id=mapping.correlation_id(batch.reference),
            callback_url=known.callback_url,
        )
        status, code, detail = mapping.judge(answer)
        if code == "account_unknown":  # of the whole batch: the account that is unknown is the factory's
            code, detail = "invalid_order", "the provider does not know the factory's account; check debit_party_key and debit_party_value"
        if status is PayoutStatus.ACCEPTED:
            _learn(known, answer, "batchId")
        if status is PayoutStatus.ACCEPTED and self._config.two_step:
            identification = await lookups.find_batch(self._client, known, batch.reference)
            approved = isinstance(identification, str) and await lookups.approve(self._client, known, batch.reference, identification)
            detail = "" if approved else "the batch waits for its approval, which the next look-up repeats"
        wait = answer.retry_after if code == "temporary" else None
        return {
            order.reference: PayoutOutcome(reference=order.reference, status=status, code=code, detail=detail, retry_after=wait)
            for order in orders
        }

    async def _submit_singly(self, batch: PayoutBatch, orders: list[PayoutOrder]) -> dict[str, PayoutOutcome]:
        gate = asyncio.Semaphore(self._config.concurrency)

        async def send(order: PayoutOrder) -> PayoutOutcome:
            async with gate:
                answer = await self._client.write(
                    "POST",
                    self._config.single_path,
                    mapping.single_body(order, self._config),
                    correlation_id=mapping.correlation_id(order.reference),
                    callback_url=self._address(batch, order),
                )
            status, code, detail = mapping.judge(answer)
            if status is PayoutStatus.ACCEPTED:
                _learn(self._told.of(order.reference), answer, "transactionReference")
            body = answer.body if isinstance(answer, Answer) and isinstance(answer.body, Mapping) else {}
            return PayoutOutcome(
                reference=order.reference,
                status=status,
                code=code,
                detail=detail,
                provider_reference=lookups.text_or_none(body.get("transactionReference")),
                amount=mapping.read_amount(body.get("amount"), body.get("currency")),
                account=mapping.read_payee(body),
                retry_after=answer.retry_after if code == "temporary" else None,
            )

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(send(order)) for order in orders]
        return {outcome.reference: outcome for outcome in (task.result() for task in tasks)}


def _learn(known: Known, answer: Answer | NoAnswer, resource: str) -> None:
    """Keep the ids of an answer that took the request."""
    body = answer.body if isinstance(answer, Answer) and isinstance(answer.body, Mapping) else {}
    known.server_id = lookups.text_or_none(body.get("serverCorrelationId")) or known.server_id
    known.resource = lookups.text_or_none(body.get(resource)) or known.resource


_BEST_FIRST = (NameMatch.MATCH, NameMatch.CLOSE_MATCH, NameMatch.NO_MATCH, NameMatch.NOT_APPLICABLE)


def _holders(told: object) -> list[str]:
    """The ways in which the provider writes the holder's name: in full, in parts, in the script of the country."""
    if not isinstance(told, Mapping):
        return []
    parts = " ".join(str(told[key]) for key in ("firstName", "middleName", "lastName") if told.get(key))
    written = (str(told.get("fullName") or ""), parts, str(told.get("nativeName") or ""))
    return [name for name in written if name.strip()]


def _cannot_tell(detail: str) -> DestinationCheck:
    return DestinationCheck(exists=None, name_match=NameMatch.NOT_APPLICABLE, detail=detail)


def _refused(order: PayoutOrder, code: str, detail: str) -> PayoutOutcome:
    return PayoutOutcome(reference=order.reference, status=PayoutStatus.REJECTED, code=code, detail=detail)
