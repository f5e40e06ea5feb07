"""What must hold at every step, asked of the provider's journal and of the store; and what must hold when everything has come to rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from payroll_api.payments.protocol import is_overdue
from payroll_api.payments.verdict import Change, Source
from tests.simulation.provider import Credit, Order
from tests.simulation.store import RAIL, Attempt, Payment, ViolationError

if TYPE_CHECKING:
    from tests.simulation.world import World

# Written down here once more, and not taken from states.py: a check that reads the table it checks cannot fail.
_MAY_LEAVE = {
    "paid": {"returned"},
    "rejected": {"paid", "ready", "cancelled"},
    "returned": {"ready", "cancelled"},
    "cancelled": set[str](),
}
_FAR = 120.0  # seconds
_WHERE = {
    "ready": "wages_payable",
    "held": "wages_payable",
    "rejected": "wages_payable",
    "returned": "returns",
    "unknown": "suspense",
    "submitting": f"in_transit:{RAIL}",
    "accepted": f"in_transit:{RAIL}",
    "paid": f"bank:{RAIL}",
    "cancelled": "wages_due",
}


class Checks:
    """The invariants I1 to I13 that apply to paying; I1 itself stands where the provider executes."""

    def __init__(self, world: World) -> None:
        self.world = world

    def sends(self, orders: Sequence[Order]) -> None:
        """Bytes leave. I7: as committed before. I12: nothing that was stopped."""
        store = self.world.store
        for order in orders:
            self.world.last_sent[order.reference] = self.world.time
            attempt = store.attempts.get(order.reference)
            if attempt is None or attempt.payload_hash != order.payload_hash:
                raise ViolationError(f"I7: {order.reference} is sent without an intent that says so")
            payment = store.payments[attempt.payment]
            if payment.state in ("held", "cancelled", "ready", "rejected", "returned") and payment.attempt == attempt.number:
                raise ViolationError(f"I12: {order.reference} is sent, and its payment is {payment.state}")

    def arrives(self, order: Order) -> None:
        """A message reaches the provider. I2, I7: as approved, and written down in the database or in the journal outside."""
        attempt = self.world.store.attempts.get(order.reference)
        if attempt is None and not any(line.reference == order.reference for line in self.world.journal):
            raise ViolationError(f"I7: {order.reference} arrived and is written down nowhere")
        if self.world.approved[order.payee] != order.amount:
            raise ViolationError(f"I2: {order.reference} arrived with another amount than was approved")

    def executed(self, credit: Credit) -> None:
        """I2: the approved amount to the approved account, unless the provider itself did something else."""
        if not credit.is_amiss and self.world.approved.get(credit.payee) != credit.amount:
            raise ViolationError(f"I2: {credit.reference} paid another amount than was approved")

    def changes(self, payment: Payment, change: Change, source: Source) -> None:
        """A word moves a payment. I9: what is final does not go back."""
        allowed = _MAY_LEAVE.get(change.was)
        found_out = change.was != "rejected" or (change.state == "paid" and source is Source.PEOPLE)
        if (allowed is not None and change.state not in allowed) or not found_out:
            raise ViolationError(f"I9: {payment.payee} went from {change.was} to {change.state} by {source.value}")

    def after_step(self) -> None:
        """The payments that this step touched. I6, I8, I10."""
        store = self.world.store
        for one in store.touched:
            payment = store.payments[one]
            self._attempts(payment)
            where, minor = _WHERE[payment.state], payment.amount.minor
            if any(
                balance != (-minor if account == where else minor if account == "wages_due" else 0)
                for account, balance in payment.books.items()
                if not (account == where == "wages_due")
            ):
                raise ViolationError(f"I8: {payment.payee} is {payment.state}, and the ledger has {payment.books}")
            if sum(payment.books.values()):
                raise ViolationError(f"I8: the ledger of {payment.payee} is out of balance")
            if payment.events != payment.changes:
                raise ViolationError(f"I10: {payment.payee} changed without its audit event")
        store.touched.clear()

    def _attempts(self, payment: Payment) -> None:
        latest = None
        for attempt in self.world.store.attempts.values():
            if attempt.payment != payment.id:
                continue
            if attempt.number < payment.attempt and attempt.state not in ("rejected", "returned"):
                raise ViolationError(f"I6: {payment.payee} was tried again while {attempt.reference} is {attempt.state}")
            if attempt.number == payment.attempt:
                latest = attempt
        if payment.state in ("submitting", "accepted", "unknown", "paid"):
            if latest is None:
                raise ViolationError(f"I7: {payment.payee} is {payment.state} without an attempt")
            if latest.state != ("intent" if payment.state == "submitting" else payment.state):
                raise ViolationError(f"I9: {payment.payee} is {payment.state}, its attempt {latest.state}")
        elif latest is not None and latest.state not in ("rejected", "returned"):
            raise ViolationError(f"I12: {payment.payee} is {payment.state}, its attempt {latest.state}")

    def at_rest(self) -> None:
        """Everything has come to rest. I1, I4, I5: every payment is final or a person's, and is where the provider's journal has it."""
        store = self.world.store
        if len(store.payments) != len(self.world.approved):
            raise ViolationError("I4: a payment vanished")
        for payment in store.payments.values():
            if self._is_blocked(payment.id):
                self.world.cover("at_rest", "sent_before_restore")
                continue
            mine = [one for one in self.world.provider.credits if one.payee == payment.payee and not one.is_back]
            if self._is_contradicted(payment.id) and self.world.farthest_jump > _FAR:
                # A clock that jumped made the provider's silence look long. Nobody is paid again before two people have found out.
                self.world.cover("at_rest", "contradicted")
            elif any(one.is_amiss for one in mine):
                if payment.state in ("paid", "rejected", "ready", "held", "cancelled"):
                    raise ViolationError(f"I5: {payment.payee} is {payment.state}, and another amount was paid")
                self.world.cover("at_rest", "another_amount")
            elif payment.state == "paid" and len(mine) != 1:
                raise ViolationError(f"I5: {payment.payee} is paid, and the provider executed {len(mine)} credits")
            elif payment.state in ("rejected", "returned", "cancelled", "ready", "held") and mine:
                raise ViolationError(f"I5: {payment.payee} is {payment.state}, and the provider paid {mine[0].reference}")
            elif payment.state not in ("paid", "rejected", "returned", "cancelled"):
                self.waits(payment)
            self.world.cover("ended", payment.state)

    def waits(self, payment: Payment) -> None:
        """I4: what is not final waits for a person, and it is said why."""
        store = self.world.store
        blocked = self._is_blocked(payment.id)
        contradicted = self._is_contradicted(payment.id)
        if (payment.state == "held" and payment.code) or (payment.state == "ready" and blocked) or contradicted:
            return
        attempt = self._latest(payment.id, payment.attempt)
        if attempt is not None:
            order = store.order_now(attempt)
            sent = store.dispatches[attempt.dispatch].created_at
            if order.attempt_state in ("intent", "accepted", "unknown") and is_overdue(
                order, sent, self.world.swarm.profile, self.world.now()
            ):
                self.world.cover("at_rest", "overdue")
        taken = None if attempt is None else self.world.provider.taken.get(attempt.reference)
        if taken is None or not taken.is_amiss:
            raise ViolationError(f"I4: {payment.payee} is {payment.state} ({payment.code}) at the end, and nobody is asked")

    def _is_contradicted(self, payment: UUID) -> bool:
        return any(one.payment == payment and one.contradicted_by for one in self.world.store.attempts.values())

    def _is_blocked(self, payment: UUID) -> bool:
        """Something was sent for it that a restored database could not take back: nobody pays it before two people have looked."""
        return any(one.payment == payment and not one.is_adopted for one in self.world.store.sent_outside.values())

    def _latest(self, payment: UUID, number: int) -> Attempt | None:
        return next((one for one in self.world.store.attempts.values() if one.payment == payment and one.number == number), None)
