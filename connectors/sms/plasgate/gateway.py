"""PlasGate behind the contract of SMS gateways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import httpx2 as httpx

from connectors import http
from connectors.sms.contract import DeliveryStatus, ReceiptRefusedError, SmsMessage, SmsOutcome, SmsProfile
from connectors.sms.plasgate import mapping, receipts
from connectors.sms.plasgate.client import PlasGateClient
from connectors.sms.plasgate.config import PlasGateConfig


def build(config: Mapping[str, object]) -> PlasGateGateway:
    """The gateway for one factory's account. Raises PlasGateConfigError."""
    return PlasGateGateway(PlasGateConfig.read(config))


class PlasGateGateway:
    """Sends in batches over HTTPS; receipts come back to `receipt_url`."""

    def __init__(self, config: PlasGateConfig) -> None:
        self._config = config
        self._client = PlasGateClient(config)

    @property
    def profile(self) -> SmsProfile:
        """What PlasGate can do for this account."""
        return SmsProfile(
            name="plasgate",
            title="PlasGate (Cambodia)",
            batch_size=self._config.batch_size,
            has_receipts=self._config.receipt_url is not None,
        )

    async def send(self, messages: Sequence[SmsMessage]) -> Sequence[SmsOutcome]:
        """Send each message once; one outcome for each, in order.

        A message that PlasGate would refuse is held back, so that it does not take its batch with it.
        """
        problems = [mapping.problem(message) for message in messages]
        sendable = [message for message, wrong in zip(messages, problems, strict=True) if wrong is None]
        sent: list[SmsOutcome] = []
        for start in range(0, len(sendable), self._config.batch_size):
            sent += await self._send_batch(sendable[start : start + self._config.batch_size])
        answers = iter(sent)
        return [
            next(answers) if wrong is None else mapping.unsent(message, "invalid_message", wrong)
            for message, wrong in zip(messages, problems, strict=True)
        ]

    def read_receipt(self, headers: Mapping[str, str], body: bytes, received_at: datetime, *, path: str = "") -> Sequence[SmsOutcome]:
        """Verify and read receipts; one false token refuses the whole request. Raises ReceiptRefusedError."""
        if self._config.receipt_secret is None:
            raise ReceiptRefusedError("no receipt was asked for: set receipt_url and receipt_secret")
        secret = self._config.receipt_secret.get_secret_value()
        return [
            _outcome(receipts.verified_reference(receipt, secret), receipt, received_at)
            for receipt in receipts.receipts_in(headers, body, path)
        ]

    async def aclose(self) -> None:
        """Release connections."""
        await self._client.aclose()

    async def _send_batch(self, batch: Sequence[SmsMessage]) -> list[SmsOutcome]:
        if self._config.batch_size == 1:
            path, body = "/rest/send", mapping.body_of_one(batch[0], self._config)
        else:
            path, body = "/rest/batch-send", mapping.body_of_many(batch, self._config)
        try:
            answer = await self._client.post(path, body)
        except (httpx.TransportError, httpx.DecodingError) as error:
            return [_after(error, message) for message in batch]
        return mapping.outcomes_of(answer, batch)


def _after(error: httpx.RequestError, message: SmsMessage) -> SmsOutcome:
    if isinstance(error, httpx.TransportError) and http.nothing_was_sent(error):
        return mapping.unsent(message, "temporary", "the gateway could not be reached and got nothing: send again later")
    if isinstance(error, httpx.DecodingError | http.AnswerTooLargeError):
        code, detail = "unreadable_answer", "the gateway's answer could not be read: wait for the receipt"
    elif isinstance(error, httpx.TimeoutException):
        code, detail = "timeout", "the gateway did not answer in time: wait for the receipt"
    else:
        code, detail = "connection_lost", "the connection to the gateway broke: wait for the receipt"
    return SmsOutcome(reference=message.reference, status=DeliveryStatus.UNKNOWN, code=code, detail=detail)


def _outcome(reference: str, receipt: Mapping[str, str], received_at: datetime) -> SmsOutcome:
    status, code = mapping.state(receipt.get("message_status", ""))
    return SmsOutcome(
        reference=reference,
        status=status,
        gateway_reference=receipt.get("id", "")[:100] or None,
        code=code,
        happened_at=received_at,  # PlasGate's own date has minutes only and names no time zone
    )
