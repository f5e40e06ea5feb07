"""A gateway for trying things out: messages go to a stream, with the number masked, and count as delivered."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TextIO

from connectors.sms.contract import DeliveryStatus, ReceiptRefusedError, SmsMessage, SmsOutcome, SmsProfile
from connectors.sms.segments import segments


def build(config: Mapping[str, object]) -> ConsoleGateway:
    """A gateway that writes to the standard output. It has no settings; raises ValueError if it is given some."""
    if config:
        raise ValueError(f"the console gateway has no settings: remove {', '.join(sorted(config))}")
    return ConsoleGateway(sys.stdout)


class ConsoleGateway:
    """Writes each message to `stream`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def profile(self) -> SmsProfile:
        """What a console can do."""
        return SmsProfile(name="console", title="Console (nothing is sent)", batch_size=1000, has_receipts=False)

    async def send(self, messages: Sequence[SmsMessage]) -> Sequence[SmsOutcome]:
        """Write each message; all are delivered at once."""
        for message in messages:
            cost = segments(message.text)
            self._stream.write(
                f"SMS {message.reference} to {masked(message.to)} ({cost.encoding}, {cost.count} segments)\n{message.text}\n\n"
            )
        self._stream.flush()
        return [SmsOutcome(reference=message.reference, status=DeliveryStatus.DELIVERED) for message in messages]

    def read_receipt(self, headers: Mapping[str, str], body: bytes, received_at: datetime, *, path: str = "") -> Sequence[SmsOutcome]:
        """A console sends no receipts: raises ReceiptRefusedError."""
        del headers, body, received_at, path
        raise ReceiptRefusedError("the console gateway sends no receipts")

    async def aclose(self) -> None:
        """Leave the stream open: it is not ours."""


def masked(number: str) -> str:
    """A number of which only the country and the last three digits show: +855 ••• 678."""
    return f"{number[:4]} ••• {number[-3:]}" if len(number) > len("+855") + 3 else "•••"
