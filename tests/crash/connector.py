"""A payout connector and an SMS gateway for the crash matrix's provider, as a third party would bring them: by entry points."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx

from connectors import http, signatures
from connectors.payouts import names
from connectors.payouts.contract import (
    Destination,
    DestinationCheck,
    DestinationKind,
    Finality,
    Limit,
    NameMatch,
    PayoutBatch,
    PayoutOutcome,
    PayoutStatus,
    Profile,
    ProviderEvent,
    RepeatBehaviour,
    WebhookRefusedError,
    WebhookRequest,
    WebhookUnreadableError,
)
from connectors.sms.contract import DeliveryStatus, ReceiptRefusedError, SmsMessage, SmsOutcome, SmsProfile
from importers.money import Money, MoneyError, currency

WEBHOOK_SECRET = "whsec_" + "Y3Jhc2ggbWF0cml4IHdlYmhvb2sgc2VjcmV0IQ=="
PATIENCE = 0.4  # seconds that the connector waits for an answer
_PLUGIN = """\
[garment_wages.payout_connectors]
crash = tests.crash.connector:build

[garment_wages.sms_gateways]
crash_sms = tests.crash.connector:build_sms
"""


def install(folder: Path) -> None:
    """Declare both in a package's metadata in `folder`, and put that on the path."""
    metadata = folder / "crash_provider-1.0.dist-info"
    metadata.mkdir(parents=True, exist_ok=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: crash-provider\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(_PLUGIN)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def build(config: Mapping[str, object]) -> CrashConnector:
    """The connector of one kind of provider."""
    return CrashConnector(dict(config))


def build_sms(config: Mapping[str, object]) -> CrashGateway:
    """The gateway."""
    return CrashGateway(str(config["base_url"]))


def _unknown(references: Sequence[str], code: str) -> list[PayoutOutcome]:
    return [PayoutOutcome(reference=one, status=PayoutStatus.UNKNOWN, code=code) for one in references]


def _refused(references: Sequence[str], code: str) -> list[PayoutOutcome]:
    return [PayoutOutcome(reference=one, status=PayoutStatus.REJECTED, code=code) for one in references]


class CrashConnector:
    """Speaks the provider's JSON. Whatever leaves it open whether money moved is UNKNOWN."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._http = http.client(config["base_url"], read_seconds=PATIENCE)
        window, quiet = config["window"], config["quiet"]
        usd = currency("USD")
        self._profile = Profile(
            name="crash",
            title="Crash matrix",
            kinds=frozenset({DestinationKind.BANK_ACCOUNT}),
            limits={"USD": Limit(smallest=Money(1, usd), largest=Money(10**7, usd))},
            batch_size=config["batch_size"],
            repeat=RepeatBehaviour(config["repeat"]),
            idempotency_window=None if window is None else timedelta(seconds=window),
            looks_up=config["looks_up"],
            not_found_is_final_after=None if quiet is None else timedelta(seconds=quiet),
            overdue_after=timedelta(minutes=45),  # less than the hour after which the checker expects an alarm
            checks_names=True,
            has_webhooks=True,
            has_statements=True,
            finality=Finality.LOOK_UP if config["looks_up"] else Finality.STATEMENT,
            reference_length=35,
        )

    @property
    def profile(self) -> Profile:
        return self._profile

    async def check_destination(self, destination: Destination) -> DestinationCheck:
        answer = await self._post("/check", {"account": destination.account})
        if not isinstance(answer, dict):
            return DestinationCheck(exists=None, name_match=NameMatch.NOT_APPLICABLE)
        match = names.compare(destination.holder, answer["holder"])
        return DestinationCheck(exists=True, name_match=match, holder=answer["holder"])

    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        references = [order.reference for order in batch.orders]
        orders = [
            {
                "reference": order.reference,
                "minor": order.amount.minor,
                "currency": order.amount.currency.code,
                "account": order.destination.account,
            }
            for order in batch.orders
        ]
        body = {"batch": batch.reference, "callback": batch.callback_url, "orders": orders}
        answer = await self._post("/orders", body)
        if isinstance(answer, str):
            return _refused(references, "temporary") if answer == "temporary" else _unknown(references, answer)
        told = {result["reference"]: result for result in answer.get("results", [])}
        outcomes = []
        for order in batch.orders:
            result = told.get(order.reference)
            outcome = _outcome(order.reference, result)
            if result is not None and result.get("account", order.destination.account) != order.destination.account:
                outcome = PayoutOutcome(reference=order.reference, status=PayoutStatus.UNKNOWN, code="payee_differs")
            outcomes.append(outcome)
        return outcomes

    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        answer = await self._post("/look-up", {"batch": batch_reference, "references": list(references)})
        if isinstance(answer, str):
            return _unknown(references, answer)
        told = {result["reference"]: result for result in answer.get("results", [])}
        return [_outcome(one, told.get(one)) for one in references]

    def read_webhook(self, request: WebhookRequest) -> ProviderEvent:
        try:
            message = signatures.verify(request.headers, request.body, secrets=[WEBHOOK_SECRET], now=request.received_at)
        except signatures.SignatureRefusedError:
            raise WebhookRefusedError from None
        try:
            outcomes = [_outcome(result["reference"], result) for result in json.loads(request.body)["results"]]
        except (ValueError, KeyError, TypeError):
            raise WebhookUnreadableError from None
        return ProviderEvent(event_id=message.identification, kind="orders", outcomes=outcomes)

    async def fetch_statement(self, day: date) -> bytes | None:
        del day
        return None

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _post(self, path: str, body: Mapping[str, object]) -> dict[str, Any] | str:
        """The answer, or the code of what went wrong; `temporary` where nothing happened for sure."""
        try:
            answer = await http.send(self._http, self._http.build_request("POST", path, json=body))
        except httpx.TimeoutException as error:
            return "temporary" if http.nothing_was_sent(error) else "timeout"
        except httpx.TransportError as error:
            return "temporary" if http.nothing_was_sent(error) else "connection_lost"
        except httpx.RequestError:
            return "unreadable_answer"
        if answer.status_code == 409:
            return "duplicate"
        if answer.status_code in {429, 503}:
            return "temporary"
        try:
            read = json.loads(answer.content) if answer.status_code == 200 else None
        except ValueError:
            read = None
        return read if isinstance(read, dict) else "unreadable_answer"


def _outcome(reference: str, result: Mapping[str, Any] | None) -> PayoutOutcome:
    if result is None:
        return PayoutOutcome(reference=reference, status=PayoutStatus.UNKNOWN, code="unreadable_answer")
    try:
        amount = Money(result["minor"], currency(result["currency"])) if "minor" in result else None
    except MoneyError:
        amount = None
    return PayoutOutcome(
        reference=reference,
        status=PayoutStatus(result["status"]),
        provider_reference=result.get("id"),
        code=result.get("code"),
        amount=amount,
    )


class CrashGateway:
    """Takes slips; has no receipts."""

    def __init__(self, base_url: str) -> None:
        self._http = http.client(base_url, read_seconds=PATIENCE)

    @property
    def profile(self) -> SmsProfile:
        return SmsProfile(name="crash_sms", title="Crash matrix", batch_size=50, has_receipts=False)

    async def send(self, messages: Sequence[SmsMessage]) -> Sequence[SmsOutcome]:
        body = {"messages": [{"reference": one.reference, "to": one.to, "text": one.text} for one in messages]}
        try:
            answer = await http.send(self._http, self._http.build_request("POST", "/sms", json=body))
            status = DeliveryStatus.SENT if answer.status_code == 200 else DeliveryStatus.UNKNOWN
        except httpx.RequestError:
            status = DeliveryStatus.UNKNOWN
        return [SmsOutcome(reference=one.reference, status=status) for one in messages]

    def read_receipt(self, headers: Mapping[str, str], body: bytes, received_at: object, *, path: str = "") -> Sequence[SmsOutcome]:
        del headers, body, received_at, path
        raise ReceiptRefusedError

    async def aclose(self) -> None:
        await self._http.aclose()
