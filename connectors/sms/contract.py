"""What every SMS gateway promises: send once, say what became of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable


class DeliveryStatus(enum.StrEnum):
    """What is known about a message."""

    SENT = "sent"  # the gateway took it
    DELIVERED = "delivered"  # the phone has it
    FAILED = "failed"  # it will not arrive
    UNKNOWN = "unknown"  # may or may not have been taken


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsMessage:
    """One message to one phone (E.164). `reference` is ours and comes back in the receipt. Number and text are personal."""

    reference: str
    to: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsOutcome:
    """What became of one message; `code` is stable and ours, `detail` is for people and without personal data."""

    reference: str
    status: DeliveryStatus
    gateway_reference: str | None = None
    code: str | None = None
    detail: str = ""
    happened_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsProfile:
    """What a gateway can do."""

    name: str
    title: str
    batch_size: int
    has_receipts: bool


OUTCOME_CODES: Mapping[str, str] = {
    "invalid_message": "the number or the text cannot be sent as it is",
    "not_authorised": "the gateway refused our credentials",
    "no_credit": "the account at the gateway holds too little",
    "refused": "the gateway or the network refused the message",
    "temporary": "nothing was sent, and the same message may be sent again later",
    "timeout": "no answer in time",
    "connection_lost": "the connection broke after something may have been sent",
    "unreadable_answer": "the gateway's answer could not be understood",
    "count_differs": "the gateway took fewer messages than it was given, and does not say which",
    "undeliverable": "the network could not reach the phone",
    "expired": "the phone stayed out of reach until the network gave up",
    "deleted": "the network deleted the message",
}


class ReceiptRefusedError(Exception):
    """A delivery receipt that does not prove where it came from, or makes no sense."""


@runtime_checkable
class SmsGateway(Protocol):
    """An SMS gateway."""

    @property
    def profile(self) -> SmsProfile:
        """What this gateway claims."""

    async def send(self, messages: Sequence[SmsMessage]) -> Sequence[SmsOutcome]:
        """Send each message once; one outcome for each, in order. Never retries by itself."""

    def read_receipt(self, headers: Mapping[str, str], body: bytes, received_at: datetime, *, path: str = "") -> Sequence[SmsOutcome]:
        """Verify and read a delivery receipt (header names lower case; `path` as it came, with its query). Raises ReceiptRefusedError."""

    async def aclose(self) -> None:
        """Release connections."""
