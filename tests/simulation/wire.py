"""The network between us and the provider: it delays, loses, doubles and reorders; what a sender gave up on may still arrive."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from tests.simulation.provider import Order
from tests.simulation.swarm import LONGEST_WAY

if TYPE_CHECKING:
    from tests.simulation.world import World

TIMEOUT = 30.0


@dataclass(slots=True)
class Call:
    """A request of ours and what came back so far. `answer` stays None when nothing does."""

    orders: Sequence[Order] = ()
    references: Sequence[str] = ()
    ends_at: float = 0.0
    answer: list[PayoutOutcome] | None = None
    is_done: bool = False
    copies: int = 0  # that have arrived
    is_refused: bool = False  # as a whole, with nothing taken


@dataclass(order=True, slots=True)
class Travelling:
    """Something on its way."""

    at: float
    number: int
    kind: str = field(compare=False)
    call: Call | None = field(default=None, compare=False)
    answer: list[PayoutOutcome] | None = field(default=None, compare=False)
    event: tuple[str, PayoutOutcome] | None = field(default=None, compare=False)


class Wire:
    """Everything that travels."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.queue: list[Travelling] = []
        self.number = 0

    @property
    def next_at(self) -> float | None:
        """When the next thing arrives."""
        return self.queue[0].at if self.queue else None

    def is_under_way(self, reference: str) -> bool:
        """Whether a request that holds this order has yet to arrive."""
        return any(
            one.kind == "submit" and one.call is not None and any(order.reference == reference for order in one.call.orders)
            for one in self.queue
        )

    def _put(self, after: float, kind: str, **what: object) -> None:
        self.number += 1
        heapq.heappush(self.queue, Travelling(self.world.time + after, self.number, kind, **what))  # type: ignore[arg-type]

    def submit(self, orders: Sequence[Order]) -> Call:
        """Send a message with orders. It may arrive when nobody waits any more, twice, or not at all."""
        world = self.world
        call = Call(orders=orders, ends_at=world.time + TIMEOUT)
        if world.met("request_lost", orders):
            return call
        slow = world.met("request_slow", orders)
        self._put(world.rng.random() * (LONGEST_WAY if slow else 1.0), "submit", call=call)
        if world.swarm.profile.repeat.value != "pays_again" and world.met("request_twice", orders):
            self._put(world.rng.random() * LONGEST_WAY, "submit", call=call)
        return call

    def ask(self, references: Sequence[str]) -> Call:
        """Send a question."""
        call = Call(references=references, ends_at=self.world.time + TIMEOUT)
        if not self.world.met_about("request_lost", references):
            self._put(self.world.rng.random(), "ask", call=call)
        return call

    def webhook(self, outcome: PayoutOutcome) -> None:
        """The provider calls us: once, several times, late. What is lost is delivered again some hours later."""
        world = self.world
        world.provider.news += 1
        event = (f"E{world.provider.news}", outcome)
        about = (outcome.reference,)
        again = 1 + world.met_about("webhook_twice", about)
        for _ in range(again):
            slow = world.met_about("webhook_slow", about)
            lost = world.met_about("webhook_lost", about)
            after = world.rng.random() * (7200.0 if slow else 2.0) + (20 * 3600.0 if lost else 0.0)
            self._put(after, "webhook", event=event)

    def deliver(self) -> str:
        """The next thing arrives."""
        world = self.world
        item = heapq.heappop(self.queue)
        if item.kind == "webhook":
            assert item.event is not None
            if not world.receive(*item.event):
                self._put(600.0, "webhook", event=item.event)
            return f"webhook {item.event[0]} {item.event[1].reference}={item.event[1].status.value}"
        assert item.call is not None
        if item.kind == "reply":
            if not item.call.is_done:
                item.call.answer = item.answer
            return "reply"
        about = [one.reference for one in item.call.orders] or list(item.call.references)
        item.call.copies += 1
        if item.call.is_refused:
            return f"{item.kind} {' '.join(about)}: a copy of what was refused"
        answer = world.provider.submit(item.call.orders) if item.kind == "submit" else world.provider.look_up(item.call.references)
        item.call.is_refused = item.kind == "submit" and answer is not None and all(one.code == "temporary" for one in answer)
        # Whoever doubled the request on its way keeps the second answer.
        if answer is not None and item.call.copies == 1 and not world.met_about("reply_lost", about):
            self._put(world.rng.random() * 3.0, "reply", call=item.call, answer=answer)
        told = "none" if answer is None else ",".join(one.status.value for one in answer)
        return f"{item.kind} {' '.join(about)} -> {told}"


def no_answer(references: Sequence[str]) -> list[PayoutOutcome]:
    """What a connector makes of silence."""
    return [PayoutOutcome(reference=one, status=PayoutStatus.UNKNOWN, code="timeout") for one in references]
