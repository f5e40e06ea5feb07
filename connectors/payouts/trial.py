"""A trial: real orders through one connector to whatever stands at its address, and what became of each.

The integration engineer's tool. It decides nothing about money: it submits once, listens or polls, and tells.
"""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from connectors.payouts.callback_listener import CallbackListener
from connectors.payouts.contract import (
    Connector,
    Destination,
    DestinationCheck,
    PayoutBatch,
    PayoutOutcome,
    PayoutStatus,
    ProviderEvent,
    WebhookRefusedError,
    WebhookRequest,
    WebhookUnreadableError,
)

_FINAL = frozenset({PayoutStatus.PAID, PayoutStatus.REJECTED, PayoutStatus.RETURNED})
_TICK = 0.05  # seconds between two looks at what came in


class Means(enum.StrEnum):
    """How a trial learns what became of an order."""

    BOTH = "both"
    CALLBACKS = "callbacks"  # the provider is asked only after it called back
    POLLING = "polling"  # it is given no address to call


@dataclass(slots=True, kw_only=True)
class Fate:
    """One order: what the submit said, what the last word was, and how long that took in seconds."""

    reference: str
    batch: str
    submitted: PayoutOutcome
    last: PayoutOutcome
    seconds: float
    words: list[str] = field(default_factory=list)  # every status in the order in which it was told

    def hear(self, outcome: PayoutOutcome, seconds: float) -> None:
        """Take a word that adds something. A final one stays, except that paid may become returned."""
        if outcome.status is PayoutStatus.NOT_FOUND and self.last.status is not PayoutStatus.UNKNOWN:
            return
        if self.last.status in _FINAL and outcome.status is not PayoutStatus.RETURNED:
            return
        if outcome.status is not self.last.status:
            self.words.append(outcome.status.value)
            self.seconds = seconds
        self.last = outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One callback and what the connector made of it."""

    request: WebhookRequest = field(repr=False)
    verdict: str  # read, refused, unreadable
    event: ProviderEvent | None = None


@dataclass(slots=True, kw_only=True)
class Trial:
    """One connector, the orders, and how long to wait for their fate."""

    connector: Connector
    batches: Sequence[PayoutBatch]
    listener: CallbackListener
    means: Means = Means.BOTH
    wait_seconds: float = 30.0
    poll_seconds: float = 1.0
    on_callback: Callable[[Heard], None] = lambda _heard: None
    fates: dict[str, Fate] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)

    async def check(self, destinations: Sequence[Destination]) -> list[DestinationCheck]:
        """Ask about accounts; nothing is paid."""
        return [await self.connector.check_destination(destination) for destination in destinations]

    async def run(self) -> None:
        """Submit every batch once, then wait until each order has a final word or the time is over."""
        self._started = time.monotonic()
        for batch in self.batches:
            address = self.listener.address(batch.reference) if self._calls_back else None
            outcomes = await self.connector.submit(dataclasses.replace(batch, callback_url=address))
            for outcome in outcomes:
                seconds = self._seconds()
                self.fates[outcome.reference] = Fate(
                    reference=outcome.reference,
                    batch=batch.reference,
                    submitted=outcome,
                    last=outcome,
                    seconds=seconds,
                    words=[outcome.status.value],
                )
        await self._follow()
        self._listen()

    @property
    def _calls_back(self) -> bool:
        return self.connector.profile.has_webhooks and self.means is not Means.POLLING

    async def _follow(self) -> None:
        looks_up = self.connector.profile.looks_up
        end, next_look = self._started + self.wait_seconds, time.monotonic()
        while self._open() and (looks_up or self._calls_back):
            called = self._listen()
            if looks_up and (called or (self.means is not Means.CALLBACKS and time.monotonic() >= next_look)):
                await self._look_up()
                next_look = time.monotonic() + self.poll_seconds
            if time.monotonic() >= end:
                return
            await asyncio.sleep(min(_TICK, self.poll_seconds))

    async def _look_up(self) -> None:
        for batch in self.batches:
            open_ = [order.reference for order in batch.orders if self.fates[order.reference].last.status not in _FINAL]
            if open_:
                for outcome in await self.connector.look_up(batch.reference, open_):
                    self.fates[outcome.reference].hear(outcome, self._seconds())

    def _listen(self) -> bool:
        """Read what came in since; whether any of it was the provider's."""
        new = self.listener.received[len(self.heard) :]
        for request in new:
            heard = self._read(request)
            self.heard.append(heard)
            self.on_callback(heard)
            if heard.event is not None and not self.connector.profile.looks_up:
                for outcome in heard.event.outcomes:
                    if outcome.reference in self.fates:
                        self.fates[outcome.reference].hear(outcome, self._seconds())
        return any(heard.event is not None for heard in self.heard[len(self.heard) - len(new) :])

    def _read(self, request: WebhookRequest) -> Heard:
        try:
            return Heard(request=request, verdict="read", event=self.connector.read_webhook(request))
        except WebhookRefusedError:
            return Heard(request=request, verdict="refused")
        except WebhookUnreadableError:
            return Heard(request=request, verdict="unreadable")

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _open(self) -> bool:
        return any(fate.last.status not in _FINAL for fate in self.fates.values())
