"""What the conformance suite needs of a provider, and the bench on which its claims are tried."""

from __future__ import annotations

import asyncio
import enum
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol, runtime_checkable

from connectors.faults import ELSEWHERE, FaultKind, FaultPlan, ScriptedFault
from connectors.payouts.contract import Connector, Destination, PayoutBatch, PayoutOrder, PayoutOutcome, PayoutStatus, WebhookRequest
from importers.money import Money

COUNT_LETTERS = 5
SMALL = 4  # orders in an ordinary batch; half of it is a partial one


class Proof(enum.StrEnum):
    """How far a claim was tried."""

    TRIED = "tried"  # with the provider, and its journal was the judge
    STATED = "stated"  # consistent, but no provider can be made to show it here: it rests on the contract
    NOT_TRIED = "not tried"  # this provider cannot play what would show it


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One claim and whether it held. `saw` says what happened instead, without personal data; `remedy` what a connector does."""

    claim: str
    held: bool
    saw: str = ""
    proof: Proof = Proof.TRIED
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """One credit or return that the provider executed: the oracle of every test about money."""

    kind: str
    reference: str
    account: str = field(repr=False)
    amount: Money


class ProviderUnderTest(Protocol):
    """A provider (a sandbox or a simulator) to which the connector under test is already configured.

    `faults` are the kinds it can play at the point "submit" or "look_up"; none for a real sandbox. `slow_seconds` is longer than the
    connector's patience; `settle_seconds` is how long the provider may take until an order that it took is paid and can be looked up.
    `good` gives a different account that exists for each number; `unknown` one that does not exist, `misnamed` one whose holder is
    somebody else than the destination says: None where the provider cannot have such an account.
    """

    faults: frozenset[FaultKind]
    slow_seconds: float
    settle_seconds: float

    def good(self, number: int) -> Destination:
        """An account that exists, with its true holder."""

    def unknown(self) -> Destination | None:
        """An account that does not exist."""

    def misnamed(self) -> Destination | None:
        """An account that belongs to somebody else."""

    def callback_url(self, batch_reference: str) -> str | None:
        """Where the provider should call back for this batch; None where it does not."""

    async def play(self, plan: FaultPlan) -> None:
        """From now on play these faults, at the same address and with the same journal."""

    async def journal(self) -> Sequence[JournalLine]:
        """Every credit and return executed so far."""

    async def callbacks(self) -> Sequence[WebhookRequest]:
        """Every callback received so far, forged ones too."""


@runtime_checkable
class AgesRequests(Protocol):
    """What a ProviderUnderTest has besides, whose memory of requests can be made older."""

    async def age(self, by: timedelta) -> None:
        """Let this time pass for what the provider remembers of requests."""


@dataclass(slots=True, kw_only=True)
class Bench:
    """One connector and its provider, with orders that are new each time."""

    connector: Connector
    provider: ProviderUnderTest
    day: date
    prefix: str  # makes the references of this run its own
    _made: int = 0

    def reference(self, length: int | None = None) -> str:
        """A new reference in the connector's alphabet, as long as is asked for or as the prefix needs."""
        self._made += 1
        profile = self.connector.profile
        number, letters = self._made, ""
        while number:
            number, digit = divmod(number, len(profile.reference_alphabet))
            letters = profile.reference_alphabet[digit] + letters
        # The count is padded to one width and closes the reference, so that no two are alike.
        tail = letters.rjust(COUNT_LETTERS, profile.reference_alphabet[0])
        filler = profile.reference_alphabet * (length or 0)
        head = self.prefix if length is None else (self.prefix + filler)[: length - COUNT_LETTERS]
        return head[: profile.reference_length - COUNT_LETTERS] + tail

    def order(self, amount: Money | None = None, *, to: Destination | None = None, reference: str | None = None) -> PayoutOrder:
        """A new order to an account that exists."""
        name = reference or self.reference()
        return PayoutOrder(
            reference=name, amount=amount or self.ordinary(), destination=to or self.provider.good(self._made), purpose="Wages 2026-11"
        )

    def ordinary(self) -> Money:
        """An amount well inside the limits, different each time."""
        limit = self.connector.profile.limits[min(self.connector.profile.limits)]
        return Money(min(limit.smallest.minor + 1000 + self._made, limit.largest.minor), limit.smallest.currency)

    def batch(self, orders: Sequence[PayoutOrder] | None = None) -> PayoutBatch:
        """A new batch, of four orders where none are given."""
        reference = self.reference()
        chosen = list(orders) if orders is not None else [self.order() for _ in range(min(SMALL, self.connector.profile.batch_size))]
        return PayoutBatch(reference=reference, orders=chosen, execute_on=self.day, callback_url=self.provider.callback_url(reference))

    async def submit(self, batch: PayoutBatch, fault: FaultKind | None = None) -> Sequence[PayoutOutcome]:
        """Submit while every request that submits meets this fault, which is over afterwards."""
        await self.provider.play(self.plan("submit", fault))
        try:
            return await self.connector.submit(batch)
        finally:
            await self.provider.play(FaultPlan())

    def plan(self, point: str, fault: FaultKind | None, *, elsewhere: str = ELSEWHERE) -> FaultPlan:
        """This fault at every visit of the point, for a connector that sends one request for each order."""
        script = () if fault is None else (ScriptedFault(point=point, kind=fault, times=1_000_000),)
        return FaultPlan(script=script, seconds=self.provider.slow_seconds, elsewhere=elsewhere)

    async def patience(self, outcomes: Sequence[PayoutOutcome]) -> float:
        """Wait as long as the provider asked for in these outcomes; the seconds."""
        seconds = max((each.retry_after.total_seconds() for each in outcomes if each.retry_after is not None), default=0.0)
        await asyncio.sleep(min(seconds, 5.0) + (0.05 if seconds else 0))
        return seconds

    async def look_up(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        """Look up every order of the batch."""
        return await self.connector.look_up(batch.reference, [order.reference for order in batch.orders])

    async def until(self, batch: PayoutBatch, good: Callable[[Sequence[PayoutOutcome]], bool]) -> Sequence[PayoutOutcome]:
        """Look up until the answers are good or the provider's time to settle is over; the last answers."""
        end = time.monotonic() + self.provider.settle_seconds
        found = await self.look_up(batch)
        while not good(found) and time.monotonic() < end:
            await asyncio.sleep(0.02)
            found = await self.look_up(batch)
        return found

    async def credited(self, batch: PayoutBatch) -> dict[str, list[JournalLine]]:
        """The executed credits of this batch's orders."""
        mine: dict[str, list[JournalLine]] = {order.reference: [] for order in batch.orders}
        for line in await self.provider.journal():
            if line.kind == "credit" and line.reference in mine:
                mine[line.reference].append(line)
        return mine

    async def settled(self, batch: PayoutBatch, expected: int) -> dict[str, list[JournalLine]]:
        """The credits once there are `expected` of them, or after the time to settle; and a moment more, in case there are too many."""
        end = time.monotonic() + self.provider.settle_seconds
        while sum(map(len, (await self.credited(batch)).values())) < expected and time.monotonic() < end:  # noqa: ASYNC110 a provider's journal rings no bell
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.02)
        return await self.credited(batch)


def statuses(outcomes: Sequence[PayoutOutcome]) -> str:
    """The statuses and codes, for a finding."""
    return ", ".join(f"{outcome.status}{f' {outcome.code}' if outcome.code else ''}" for outcome in outcomes) or "no outcome"


def only(outcomes: Sequence[PayoutOutcome], *allowed: PayoutStatus) -> bool:
    """Whether every outcome has one of these statuses, and there is at least one."""
    return bool(outcomes) and all(outcome.status in allowed for outcome in outcomes)
