"""What people do, and what happens after a restore: each is one transaction, allowed exactly where the real one is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from payroll_api.ledger.book import Account, Cause, Transfer
from payroll_api.payments.states import TRANSITIONS
from payroll_api.payments.verdict import OPEN, Source, Word, may_try_again
from tests.simulation.store import RAIL, Attempt, Dispatch, Payment, Sent

if TYPE_CHECKING:
    from tests.simulation.world import World

_LATE_ENOUGH = timedelta(hours=2)  # a provider's letter is not written in the minute of the sending
_TRANSIT = f"{Account.IN_TRANSIT}:{RAIL}"


class People:
    """The factory's people, and those who restore its database."""

    def __init__(self, world: World) -> None:
        self.world = world

    def _latest(self, payment: Payment) -> Attempt | None:
        for one in self.world.store.attempts.values():
            if one.payment == payment.id and one.number == payment.attempt:
                return one
        return None

    def stop_one(self, payment: Payment, to: str) -> str:
        """Hold or cancel, as hold.py does: out of its message before the gate, refused after it."""
        store, world = self.world.store, self.world
        was = payment.state
        attempt = self._latest(payment)
        if (
            was == "submitting"
            and attempt is not None
            and store.dispatches[attempt.dispatch].state == "intent"
            and world.engine.may_claim()
        ):
            dispatch = store.dispatches[attempt.dispatch]
            attempt.state, attempt.code = "rejected", "withdrawn"
            store.move(payment, was, to, "decided")
            store.post(self._moved(payment, Cause.WITHDRAWN, _TRANSIT, Account.WAGES_PAYABLE), world.now())
            world.engine.close_if_done(dispatch)
        elif was in ("submitting", "accepted", "unknown") or to not in TRANSITIONS[was]:
            return f"{to}: too late, {was}"
        else:
            store.move(payment, was, to, "decided")
        world.cover("decided", f"{was}->{to}")
        if to == "cancelled":
            owed = Account.RETURNS if was == "returned" else Account.WAGES_PAYABLE
            store.post(self._moved(payment, Cause.CANCELLED, owed, Account.WAGES_DUE), world.now())
        return f"{to}: from {was}"

    def _moved(self, payment: Payment, cause: Cause, debit: str, credit: str) -> Transfer:
        return Transfer(
            cause=cause,
            debit=str(debit),
            credit=str(credit),
            currency="USD",
            amount_minor=payment.amount.minor,
            payment_id=payment.id,
            attempt=payment.attempt,
        )

    def let_go(self, payment: Payment) -> str:
        """Release a hold."""
        self.world.store.move(payment, "held", "ready", "decided")
        self.world.cover("decided", "held->ready")
        self.world.store.enqueue("submit", self.world.now())
        return "let go"

    def press(self) -> str:
        """Stop everything, or let it go on."""
        store = self.world.store
        store.is_stopped = not store.is_stopped
        if not store.is_stopped:
            for dispatch in store.dispatches.values():
                if dispatch.state == "intent":
                    dispatch.look_up_after = min(dispatch.look_up_after, self.world.now())
        return "stop" if store.is_stopped else "lift"

    def find_out(self, payment: Payment) -> str:
        """Two people find out what became of a payment, from the provider's own letter: true, and never in a hurry."""
        world = self.world
        attempt = self._latest(payment)
        if attempt is None:
            return "nothing to find out"
        dispatch = world.store.dispatches[attempt.dispatch]
        is_open = dispatch.state in ("sending", "open") and attempt.state in OPEN
        if not is_open and attempt.contradicted_by is None:
            return "nothing to find out"
        if world.last_sent.get(attempt.reference, -1e9) > world.time - _LATE_ENOUGH.total_seconds() or world.wire.is_under_way(
            attempt.reference
        ):
            return "too early to know"
        status = self._truth(attempt)
        if status is None or status is PayoutStatus.RETURNED:
            return "the provider is still at it"
        if status is PayoutStatus.REJECTED and dispatch.sent_at is not None and world.now() - dispatch.sent_at < _LATE_ENOUGH:
            return "too early to know"
        outcome = PayoutOutcome(reference=attempt.reference, status=status, code="found_out")
        before = payment.state
        world.engine.record(dispatch, [Word(outcome=outcome, source=Source.PEOPLE)], knows_profile=False)
        attempt.contradicted_by = None
        world.cover("found_out", f"{before}->{payment.state}")
        return f"found out: {status.value}"

    def _truth(self, attempt: Attempt) -> PayoutStatus | None:
        """What the provider's letter says of an order: None where it is not at its end, or is amiss."""
        mine = [one for one in self.world.provider.credits if one.reference == attempt.reference]
        order = self.world.provider.taken.get(attempt.reference)
        if order is not None and order.works_at is not None:
            return None
        if live := [one for one in mine if not one.is_back]:
            return None if live[0].is_amiss else PayoutStatus.PAID
        return PayoutStatus.RETURNED if mine else PayoutStatus.REJECTED

    def pay_again(self, payment: Payment) -> str:
        """Two people pay again what failed for sure."""
        store = self.world.store
        attempt = self._latest(payment)
        if payment.state not in ("rejected", "returned") or attempt is None or not may_try_again(store.order_now(attempt)):
            return "not failed"
        if any(one.contradicted_by for one in store.attempts.values() if one.payment == payment.id):
            self.world.cover("repay", "contradicted")
            return "contradicted"
        was = payment.state
        store.move(payment, was, "ready", "decided")
        payment.decisions += 1
        if was == "returned":
            store.post(self._moved(payment, Cause.REPAID, Account.RETURNS, Account.WAGES_PAYABLE), self.world.now())
        store.enqueue("submit", self.world.now())
        self.world.cover("decided", f"{was}->ready")
        return f"pay again after {was}"

    def statement(self) -> str:
        """The provider's books up to now: what left and what came back, for the latest attempt of each payment."""
        world = self.world
        for credit in world.provider.credits:
            attempt = world.store.attempts.get(credit.reference)
            if attempt is None or credit.is_amiss or attempt.number != world.store.payments[attempt.payment].attempt:
                continue
            status = PayoutStatus.RETURNED if credit.is_back else PayoutStatus.PAID
            if world.store.payments[attempt.payment].state != status.value:
                world.met_state("statement", world.store.payments[attempt.payment].state)
                outcome = PayoutOutcome(reference=credit.reference, status=status)
                word = Word(outcome=outcome, source=Source.STATEMENT)
                world.engine.record(world.store.dispatches[attempt.dispatch], [word], knows_profile=False)
        return "statement"

    # --- after a restore --------------------------------------------------------------------------------------------------------

    def reconcile(self) -> str:
        """As payments/reconcile.py: what the journal outside knows and the database does not is taken back; then two people open."""
        store = self.world.store
        now = self.world.now()
        for line in self.world.journal:
            dispatch = store.dispatches.get(line.dispatch)
            if dispatch is not None and dispatch.state != "closed" and (dispatch.sent_at is None or dispatch.sent_at < line.at):
                dispatch.state = "sending" if dispatch.state == "intent" else dispatch.state
                dispatch.sent_at, dispatch.look_up_after, dispatch.fence = line.at, now, max(dispatch.fence, line.fence)
            if line.reference not in store.attempts and line.reference not in store.sent_outside:
                store.sent_outside[line.reference] = Sent(
                    line.epoch, line.at, line.dispatch, line.payment, line.number, line.reference, line.payload_hash, line.fence
                )
        for payment in store.payments.values():
            lines = [one for one in store.sent_outside.values() if one.payment == payment.id and not one.is_adopted]
            if lines:
                self._adopt(payment, max(lines, key=lambda one: one.number), lines)
        store.epoch, store.is_locked = max(store.epoch, self.world.newest_outside), False
        return "reconciled"

    def _adopt(self, payment: Payment, line: Sent, lines: list[Sent]) -> None:
        store, world = self.world.store, self.world
        self._conclude_earlier(payment, line)
        if payment.attempt >= line.number or payment.state not in ("ready", "held", "rejected", "returned"):
            world.cover("adopted", "blocked")
            return
        dispatch = store.dispatches.get(line.dispatch)
        if dispatch is None:
            reference = f"GB{line.dispatch.hex[:18]}"
            dispatch = Dispatch(line.dispatch, reference, 0, line.at, world.now(), state="sending", sent_at=line.at)
            store.dispatches[line.dispatch] = dispatch
        dispatch.count += 1
        dispatch.state, dispatch.look_up_after = "sending", world.now()
        if payment.state == "returned":
            store.post(self._moved(payment, Cause.REPAID, Account.RETURNS, Account.WAGES_PAYABLE), world.now())
        store.move(payment, payment.state, "submitting", None)
        payment.attempt = line.number
        store.add_attempt(Attempt(payment.id, line.number, line.dispatch, line.reference, line.payload_hash))
        world.engine.hand_over(payment.id, line.number, payment.amount.minor)
        for one in lines:
            one.is_adopted = True
        world.cover("adopted", "yes")

    def _conclude_earlier(self, payment: Payment, line: Sent) -> None:
        """A later number was sent, so the attempt that is open here, or paid, had failed for sure or come back by then."""
        attempt = self._latest(payment)
        if attempt is None or attempt.number >= line.number or attempt.state not in (*OPEN, "paid"):
            return
        status = PayoutStatus.RETURNED if attempt.state == "paid" else PayoutStatus.REJECTED
        outcome = PayoutOutcome(reference=attempt.reference, status=status, code="not_received")
        word = Word(outcome=outcome, source=Source.ENGINE)
        self.world.engine.record(self.world.store.dispatches[attempt.dispatch], [word], knows_profile=False)
        self.world.cover("adopted", f"after {status.value}")
