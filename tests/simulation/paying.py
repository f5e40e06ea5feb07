"""The engine of paying as step generators: each `yield` is a moment at which anything else may happen, also this worker's death.

It carries the decisions of `protocol.py` and `verdict.py` out as submit.py, gate.py, look_up.py, outcomes.py and events.py do, one
transaction after the other. `Lost` stands for whatever a lost connection to the database raises: the job is tried again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from payroll_api.ledger.book import Account, Cause, Transfer
from payroll_api.payments.protocol import LONGEST_PAUSE, AskPerson, Gate, LookUp, Repeat, Step
from payroll_api.payments.references import dispatch_reference, payload_hash
from payroll_api.payments.verdict import OPEN, Change, Source, Word, transfers
from tests.simulation.provider import Order
from tests.simulation.store import RAIL, Attempt, Dispatch, Job, Sent, Store
from tests.simulation.wire import Call

if TYPE_CHECKING:
    from tests.simulation.world import World

PAUSE = timedelta(seconds=20)
_TRANSIT = f"{Account.IN_TRANSIT}:{RAIL}"
Steps = Generator[str | Call, None, Any]


class Lost(Exception):  # noqa: N818 what the driver raises says no more
    """The connection to the database broke: nobody knows whether it was committed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Intent:
    """What one sender may send, under its fence."""

    dispatch: UUID
    fence: int
    orders: Sequence[Order]
    passed: float = 0.0
    is_repeat: bool = False


class Engine:
    """What the workers run."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rules = world.rules
        self.profile = world.swarm.profile

    @property
    def store(self) -> Store:
        """The database as it is now: another object after a restore."""
        return self.world.store

    def _commit(self, label: str, work: Callable[[], Any]) -> Steps:
        yield label
        if self.world.met_about("commit_lost", ()):
            raise Lost
        result = work()
        if self.world.met_about("commit_reply_lost", ()):
            raise Lost
        return result

    def run(self, job: Job) -> Steps:
        """One job, as pipeline.py names them."""
        if job.kind == "submit":
            yield from self._submit_chunk()
        elif job.kind == "look_up" and job.about is not None:
            yield from self.confirm(job.about, job.also)
        elif job.kind == "event":
            yield from self._handle_event(job.also[0], PayoutStatus(job.also[1]), job.also[2])

    # --- sending ----------------------------------------------------------------------------------------------------------------

    def _submit_chunk(self) -> Steps:
        intent = yield from self._commit("claim", self._claim)
        if intent is not None:
            if not self.rules.counts_after_gate and not (yield from self._may_send(intent)):
                return
            gate = yield from self._commit("gate", lambda: self._pass_gate(intent))
            if gate is not None:
                kept = set(gate.references)
                standing = [one for one in intent.orders if one.reference in kept]
                yield from self._send(dataclasses.replace(intent, orders=standing, passed=self.world.time))

    def may_claim(self) -> bool:
        """As the guard: whether this database is as new as the journal outside. Locked from the moment that it is not."""
        store = self.store
        if self.rules.compares_epoch and not store.is_locked and self.world.newest_outside > store.epoch:
            store.is_locked = True
            self.world.cover("locked", "database_older")
        return not store.is_locked

    def _claim(self) -> Intent | None:
        store, now = self.store, self.world.now()
        if not self.may_claim() or store.is_stopped:
            return None
        blocked = {one.payment for one in store.sent_outside.values() if not one.is_adopted and one.status not in ("rejected", "returned")}
        ready = [one for one in store.payments.values() if one.state == "ready" and one.id not in blocked][: self.profile.batch_size]
        if not ready:
            return None
        dispatch_id = self.world.new_id()
        store.dispatches[dispatch_id] = Dispatch(dispatch_id, dispatch_reference(dispatch_id), len(ready), now, now + PAUSE)
        orders = []
        for payment in ready:
            if self._is_contradicted(payment.id):
                store.move(payment, "ready", "held", "contradicted")
                continue
            store.move(payment, "ready", "submitting", None)
            payment.attempt += 1
            reference = self.rules.reference(payment.id, payment.attempt)
            hashed = payload_hash(reference, payment.payee.encode(), payment.amount.minor, payment.amount.currency.code)
            store.add_attempt(Attempt(payment.id, payment.attempt, dispatch_id, reference, hashed))
            self.hand_over(payment.id, payment.attempt, payment.amount.minor)
            orders.append(Order(reference, payment.payee, payment.amount, hashed))
        if not orders:
            del store.dispatches[dispatch_id]
            return None
        store.dispatches[dispatch_id].count = len(orders)
        return Intent(dispatch_id, 1, orders)

    def _is_contradicted(self, payment: UUID) -> bool:
        return any(one.payment == payment and one.contradicted_by for one in self.store.attempts.values())

    def hand_over(self, payment: UUID, number: int, minor: int) -> None:
        """Book what a message takes along."""
        moved = Transfer(
            cause=Cause.SUBMITTED,
            debit=str(Account.WAGES_PAYABLE),
            credit=_TRANSIT,
            currency="USD",
            amount_minor=minor,
            payment_id=payment,
            attempt=number,
        )
        self.store.post(moved, self.world.now())

    def _gate_of(self, dispatch: Dispatch, fence: int) -> Gate:
        gate = self.rules.may_pass(self.store.dispatch_now(dispatch), fence=fence, is_stopped=self.store.is_stopped)
        self.world.cover("gate", gate.refused or "passed")
        return gate

    def _pass_gate(self, intent: Intent) -> Gate | None:
        dispatch = self.store.dispatches.get(intent.dispatch)
        if dispatch is None:
            return None
        gate = self._gate_of(dispatch, intent.fence)
        if not self.rules.asks_gate:
            gate = Gate(references=[one.reference for one in intent.orders])
        if gate.refused is not None:
            return None
        dispatch.state, dispatch.sent_at = "sending", self.world.now()
        self._passed(gate.references)
        return gate

    def _passed(self, references: Sequence[str]) -> None:
        for one in references:
            self.world.last_sent[one] = self.world.time

    def _may_send(self, intent: Intent) -> Steps:
        epoch = yield from self._commit("count", self._count)
        if epoch is None:
            return False
        yield "journal"
        dispatch = self.store.dispatches.get(intent.dispatch)
        if dispatch is not None:
            for one in self.store.orders[dispatch.id]:
                line = Sent(epoch, self.world.now(), dispatch.id, one.payment, one.number, one.reference, one.payload_hash, dispatch.fence)
                self.world.journal.append(line)
            self.world.newest_outside = max(self.world.newest_outside, epoch)
        return True

    def _count(self) -> int | None:
        if not self.may_claim():
            return None
        self.store.epoch += 1
        return self.store.epoch

    def _send(self, intent: Intent) -> Steps:
        """Count it, write it into the journal outside, look at the fence and the clock once more, and let the bytes go."""
        if self.rules.counts_after_gate and not (yield from self._may_send(intent)):
            return
        yield "prepared"
        dispatch = self.store.dispatches[intent.dispatch]
        mine = [one.reference for one in intent.orders]
        slept, now = timedelta(seconds=self.world.time - intent.passed), self.world.now()
        if not self.rules.may_still_send(self.store.dispatch_now(dispatch), mine, fence=intent.fence, now=now, slept=slept):
            self.world.cover("still_send", "no")
            return
        self.world.blinking = True
        yield "bytes"
        self.world.blinking = False
        self.world.check.sends(intent.orders)
        whole = self.profile.arrives_whole
        calls = [self.world.wire.submit(intent.orders)] if whole else [self.world.wire.submit([one]) for one in intent.orders]
        answers: list[PayoutOutcome] = []
        for call in calls:
            yield from self._wait(call)
            answers += call.answer if call.answer is not None else self.rules.on_silence([one.reference for one in call.orders])
        yield from self._commit("keep_answer", lambda: self._keep_answer(intent, answers))

    def _wait(self, call: Call) -> Steps:
        while call.answer is None and self.world.time < call.ends_at:
            yield call
        call.is_done = True

    def _keep_answer(self, intent: Intent, answers: Sequence[PayoutOutcome]) -> None:
        dispatch = self.store.dispatches[intent.dispatch]
        if self.rules.looks_at_fence and dispatch.fence != intent.fence:
            self.world.cover("answer", "fenced_out")
            self._ask_look_up(dispatch, timedelta(0))
            return
        if dispatch.state == "sending":
            dispatch.state = "open"
        still_open = self.record(dispatch, [Word(outcome=one, source=Source.ANSWER, is_repeat=intent.is_repeat) for one in answers])
        step = self.rules.after_answer(still_open, self.profile, PAUSE)
        self.world.cover("after_answer", type(step).__name__)
        if isinstance(step, LookUp):
            self._ask_look_up(dispatch, step.after)

    def _ask_look_up(self, dispatch: Dispatch, after: timedelta, also: tuple[str, ...] = ()) -> None:
        key = f"{dispatch.id}|{dispatch.looked_up}"
        self.store.enqueue("look_up", self.world.now() + after, about=dispatch.id, key=key, also=also)

    # --- outcomes ---------------------------------------------------------------------------------------------------------------

    def record(self, dispatch: Dispatch, words: Sequence[Word], *, knows_profile: bool = True) -> int:
        """As outcomes.record_words: one transaction's part that carries words out."""
        store = self.store
        spoken = {word.outcome.reference: word for word in words if word.outcome.status is not PayoutStatus.NOT_FOUND}
        for attempt in store.orders[dispatch.id]:
            word = spoken.get(attempt.reference)
            if word is None:
                continue
            if dispatch.state == "intent" and word.source not in (Source.PEOPLE, Source.ENGINE):
                dispatch.state, dispatch.sent_at = "open", self.world.now()
            verdict = self.rules.decide(store.order_now(attempt), word, self.profile if knows_profile else None)
            if isinstance(verdict, Change):
                self._apply(attempt, verdict, word.source)
                continue
            self.world.cover("ignored", verdict.why + ("!" if verdict.contradicts else ""))
            if verdict.contradicts and attempt.contradicted_by is None:
                attempt.contradicted_by = verdict.outcome.status.value
        return self.close_if_done(dispatch)

    def _apply(self, attempt: Attempt, change: Change, source: Source) -> None:
        store, outcome = self.store, change.outcome
        payment = store.payments[attempt.payment]
        self.world.check.changes(payment, change, source)
        store.move(payment, change.was, change.state, outcome.code)
        attempt.state, attempt.code = change.state, outcome.code
        attempt.provider_reference = outcome.provider_reference or attempt.provider_reference
        attempt.absent_since, attempt.absent_answers = None, 0
        if outcome.code == "found_out":
            attempt.contradicted_by = None
        for transfer in transfers(change):
            store.post(transfer, self.world.now())

    def close_if_done(self, dispatch: Dispatch) -> int:
        """Count what is open; close the dispatch where nothing is."""
        still_open = sum(one.state in OPEN for one in self.store.orders[dispatch.id])
        if not still_open:
            dispatch.state = "closed"
        elif dispatch.state not in ("intent", "sending"):
            dispatch.state = "open"
        return still_open

    # --- looking up -------------------------------------------------------------------------------------------------------------

    def confirm(self, dispatch_id: UUID, also: tuple[str, ...] = ()) -> Steps:
        """As look_up.confirm."""
        asked = yield from self._commit("question", lambda: self._question(dispatch_id, also))
        if asked == "intent":
            if not self.rules.counts_after_gate and not (yield from self._may_send(Intent(dispatch_id, 0, ()))):
                return
            taken = yield from self._commit("take_up", lambda: self._take_up(dispatch_id))
            if taken is not None:
                yield from self._send(taken)
        elif asked is not None:
            references, fence = asked
            call = self.world.wire.ask(references)
            yield from self._wait(call)
            answers = call.answer if call.answer is not None else [
                PayoutOutcome(reference=one, status=PayoutStatus.UNKNOWN, code="timeout") for one in references
            ]  # fmt: skip
            again = yield from self._commit("keep", lambda: self._keep(dispatch_id, references, fence, answers))
            if again is not None:
                yield from self._send_again(again)

    def _send_again(self, again: Intent) -> Steps:
        if not self.rules.counts_after_gate and not (yield from self._may_send(again)):
            return
        yield from self._send(again)

    def _question(self, dispatch_id: UUID, also: tuple[str, ...]) -> Any:
        dispatch = self.store.dispatches.get(dispatch_id)
        if dispatch is None:
            return None
        if dispatch.state == "intent":
            if not self.may_claim():
                return None
            gate = self._gate_of(dispatch, dispatch.fence)
            if gate.refused is None:
                return "intent"
            dispatch.look_up_after = self.world.now() + (PAUSE if gate.refused == "stopped" else LONGEST_PAUSE)
            return None
        references = self.rules.to_ask(self.store.dispatch_now(dispatch, also), self.profile, also)
        if not references:
            dispatch.look_up_after = self.world.now() + LONGEST_PAUSE
            return None
        return references, dispatch.fence

    def _take_up(self, dispatch_id: UUID) -> Intent | None:
        dispatch, now = self.store.dispatches.get(dispatch_id), self.world.now()
        if dispatch is None:
            return None
        gate = self._gate_of(dispatch, dispatch.fence)
        if gate.refused is not None:
            dispatch.look_up_after = now + (PAUSE if gate.refused == "stopped" else LONGEST_PAUSE)
            return None
        dispatch.fence += 1
        dispatch.state, dispatch.sent_at, dispatch.look_up_after = "sending", now, now + PAUSE
        self.world.cover("gate", "taken_up")
        return self._intent(dispatch, gate.references)

    def _intent(self, dispatch: Dispatch, references: Sequence[str], salt: str = "") -> Intent:
        orders = []
        self._passed(references)
        for one in self.store.orders[dispatch.id]:
            if one.reference in references:
                payment = self.store.payments[one.payment]
                orders.append(Order(one.reference + salt, payment.payee, payment.amount, one.payload_hash))
        return Intent(dispatch.id, dispatch.fence, orders, passed=self.world.time)

    def _keep(self, dispatch_id: UUID, references: Sequence[str], fence: int, answers: Sequence[PayoutOutcome]) -> Intent | None:
        store, now = self.store, self.world.now()
        dispatch = store.dispatches[dispatch_id]
        dispatch.looked_up += 1
        if dispatch.state == "sending":
            dispatch.state = "open"
        weighed = self.rules.weigh(
            store.dispatch_now(dispatch, tuple(references)),
            answers,
            self.profile,
            now,
            fence=fence if self.rules.looks_at_fence else dispatch.fence,
            is_stopped=store.is_stopped,
            shortest=PAUSE,
        )
        for absence in weighed.absences:
            attempt = store.attempts[absence.reference]
            if attempt.state in OPEN:
                attempt.absent_since, attempt.absent_answers = absence.since, absence.answers
        self.record(dispatch, weighed.words)
        return self._carry_out(dispatch, weighed.step)

    def _carry_out(self, dispatch: Dispatch, step: Step) -> Intent | None:
        self.world.cover("step", step.why if isinstance(step, AskPerson) else type(step).__name__)
        now = self.world.now()
        if isinstance(step, Repeat):
            dispatch.fence += 1
            dispatch.sent_at, dispatch.look_up_after = now, now + PAUSE
            return dataclasses.replace(self._intent(dispatch, step.references, self.rules.salt_on_repeat), is_repeat=True)
        if isinstance(step, LookUp | AskPerson):
            dispatch.look_up_after = now + step.after
            self._ask_look_up(dispatch, step.after)
        return None

    def _handle_event(self, reference: str, status: PayoutStatus, minor: str) -> Steps:
        """As events.handle_events: final words are asked about where the provider can be asked."""
        attempt = self.store.attempts.get(reference)
        if attempt is None:
            return
        final = status in (PayoutStatus.PAID, PayoutStatus.REJECTED, PayoutStatus.RETURNED)
        if self.rules.asks_about_messages and self.profile.looks_up and final:
            other = {"paid": (PayoutStatus.RETURNED, PayoutStatus.REJECTED), "rejected": (PayoutStatus.PAID,)}
            known = status in other.get(attempt.state, ())
            yield from self.confirm(attempt.dispatch, (reference,) if known else ())
            return
        amount = dataclasses.replace(self.store.payments[attempt.payment].amount, minor=int(minor)) if minor else None
        outcome = PayoutOutcome(reference=reference, status=status, amount=amount, code="account_closed")
        words = [Word(outcome=outcome, source=Source.MESSAGE)]
        yield from self._commit("message", lambda: self.record(self.store.dispatches[attempt.dispatch], words))

    # --- periodic ---------------------------------------------------------------------------------------------------------------

    def periodic(self) -> None:
        """As periodic.look_up: what has waited long enough is asked about, what was forgotten is sent."""
        store, now = self.store, self.world.now()
        for dispatch in store.dispatches.values():
            if dispatch.state != "closed" and dispatch.look_up_after < now:
                self._ask_look_up(dispatch, timedelta(0))
        if any(one.state == "ready" for one in store.payments.values()):
            store.enqueue("submit", now, key="forgotten")
