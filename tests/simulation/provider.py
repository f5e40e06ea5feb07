"""The provider: takes orders as its profile says, with its own journal of executed credits. The journal is the only oracle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.payouts.contract import PayoutOutcome, PayoutStatus, RepeatBehaviour
from importers.money import Money
from tests.simulation.store import ViolationError, wage
from tests.simulation.swarm import LONGEST_LAG

if TYPE_CHECKING:
    from tests.simulation.world import World

_HOURS = 3600.0


@dataclass(slots=True)
class Credit:
    """Money that arrived."""

    reference: str
    payee: str
    amount: Money
    at: float
    is_amiss: bool  # the provider's own doing: another amount than was ordered
    is_back: bool = False


@dataclass(slots=True)
class Taken:
    """An order that the provider has."""

    reference: str
    payee: str
    amount: Money
    first_at: float
    seen_from: float  # a look-up says "not found" before
    works_at: float | None
    status: PayoutStatus
    code: str | None = None
    will_fail: bool = False
    is_amiss: bool = False
    echoes: bool = False
    returns_at: float | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """As it travels: what the sender wrote down before."""

    reference: str
    payee: str
    amount: Money
    payload_hash: bytes


class Provider:
    """One provider account."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.profile = world.swarm.profile
        self.window = self.profile.idempotency_window.total_seconds() if self.profile.idempotency_window else None
        self.taken: dict[str, Taken] = {}
        self.credits: list[Credit] = []
        self.live: dict[str, int] = {}
        self.down_until = 0.0
        self.news = 0
        self.next_at: float | None = None

    @property
    def is_down(self) -> bool:
        """Whether it answers nothing now."""
        return self.world.time < self.down_until

    def has_forgotten(self, order: Taken) -> bool:
        """Whether the window of the reference is over."""
        return self.window is not None and self.world.time - order.first_at > self.window

    def submit(self, orders: Sequence[Order]) -> list[PayoutOutcome] | None:
        """A message has arrived: take each of its orders. The answer; None where it gives none."""
        world = self.world
        if self.is_down:
            return None
        for order in orders:
            world.check.arrives(order)
        if world.met("not_now", orders):
            return [PayoutOutcome(reference=one.reference, status=PayoutStatus.REJECTED, code="temporary") for one in orders]
        answers = []
        drops = self.profile.arrives_whole and len(orders) > 1
        for position, order in enumerate(orders):
            if drops and position and world.met("drops_orders", (order,)):
                answers.append(PayoutOutcome(reference=order.reference, status=PayoutStatus.UNKNOWN))
                continue
            answers.append(self._take(order))
        return answers

    def _take(self, order: Order) -> PayoutOutcome:
        known = self.taken.get(order.reference)
        if known is not None and not self.has_forgotten(known) and self.profile.repeat is not RepeatBehaviour.PAYS_AGAIN:
            self.world.cover("repeat_recognised", self.profile.name)
            if self.profile.repeat is RepeatBehaviour.CONFLICT:
                return PayoutOutcome(reference=order.reference, status=PayoutStatus.UNKNOWN, code="duplicate")
            return self.tell(known)
        met, time, rng = self.world.met, self.world.time, self.world.rng
        one = (order,)
        taken = Taken(order.reference, order.payee, order.amount, time, time, time + 1.0, PayoutStatus.ACCEPTED)
        self.taken[order.reference] = taken
        if self.profile.name == "absent_for_a_while":
            taken.seen_from = time + rng.random() * LONGEST_LAG
        elif self.profile.name == "no_key_look_up":
            # Slower than it promises: harmless as long as nothing is given again and nothing is taken for refused.
            taken.seen_from = time + rng.random() * _HOURS
        if met("another_amount", one):
            taken.amount, taken.is_amiss = wage(order.amount.minor // 10), True
        if met("refuses", one):
            taken.status, taken.code, taken.works_at = PayoutStatus.REJECTED, "account_closed", None
        else:
            taken.will_fail = met("fails_later", one)
            if met("works_slowly", one):
                taken.works_at = time + rng.random() * 30 * _HOURS
            if met("refuses_strangely", one):
                # It says no in words of its own, and pays all the same.
                self._plan()
                return PayoutOutcome(reference=order.reference, status=PayoutStatus.REJECTED, code="other")
            if self.profile.has_webhooks and met("tells_too_early", one) and self.profile.finality.value == "look_up":
                self.world.wire.webhook(PayoutOutcome(reference=order.reference, status=PayoutStatus.PAID))
        self._plan()
        return self.tell(taken)

    def tell(self, order: Taken) -> PayoutOutcome:
        """What it says of an order now."""
        return PayoutOutcome(
            reference=order.reference,
            status=order.status,
            code=order.code,
            provider_reference="P" + order.reference[2:],
            amount=order.amount,
        )

    def look_up(self, references: Sequence[str]) -> list[PayoutOutcome] | None:
        """What it says of orders when asked. One it has forgotten, or does not show yet, is not found."""
        if self.is_down:
            return None
        answers = []
        for reference in references:
            order = self.taken.get(reference)
            if order is None or self.world.time < order.seen_from or self.has_forgotten(order):
                answers.append(PayoutOutcome(reference=reference, status=PayoutStatus.NOT_FOUND))
            else:
                answers.append(self.tell(order))
        return answers

    def _plan(self) -> None:
        moments = [one.works_at for one in self.taken.values() if one.works_at is not None]
        moments += [one.returns_at for one in self.taken.values() if one.returns_at is not None]
        self.next_at = min(moments, default=None)

    def hurry(self) -> None:
        """Do within the hour whatever would have been done days later."""
        latest = self.world.time + _HOURS
        for order in self.taken.values():
            order.works_at = None if order.works_at is None else min(order.works_at, latest)
            order.returns_at = None if order.returns_at is None else min(order.returns_at, latest)
        self._plan()

    def work(self) -> str:
        """Do what is due: execute, fail, or take money back; tell about it."""
        time = self.world.time
        done = []
        for order in list(self.taken.values()):
            if order.works_at is not None and order.works_at <= time:
                order.works_at = None
                self._execute(order)
                done.append(f"{order.reference}={order.status.value}")
            elif order.returns_at is not None and order.returns_at <= time:
                order.returns_at, order.status, order.code = None, PayoutStatus.RETURNED, "account_closed"
                self._take_back(order)
                done.append(f"{order.reference}=returned")
            else:
                continue
            if self.profile.has_webhooks:
                self.world.wire.webhook(self.tell(order))
        self._plan()
        return " ".join(done)

    def _execute(self, order: Taken) -> None:
        if order.will_fail:
            order.status, order.code = PayoutStatus.REJECTED, "account_closed"
            return
        order.status = PayoutStatus.PAID
        credit = Credit(order.reference, order.payee, order.amount, self.world.time, order.is_amiss)
        self.credits.append(credit)
        self.live[order.payee] = self.live.get(order.payee, 0) + 1
        if self.live[order.payee] > 1:
            raise ViolationError(f"I1: {order.payee} was paid twice, the second time as {order.reference}")
        self.world.check.executed(credit)
        if self.world.met_about("returns", (order.reference,)):
            order.returns_at = self.world.time + self.world.rng.random() * self.world.rng.choice((0.005, 0.2, 20, 100)) * _HOURS

    def _take_back(self, order: Taken) -> None:
        for credit in self.credits:
            if credit.reference == order.reference and not credit.is_back:
                credit.is_back = True
                self.live[credit.payee] -= 1
                return
