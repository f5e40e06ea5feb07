"""One seed: a scheduler that decides who moves next, what breaks, what time it is; and a hash of everything that happened."""

from __future__ import annotations

import copy
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from importers.money import Money
from payroll_api.ledger.book import Account, Cause, Transfer
from tests.simulation.checks import Checks
from tests.simulation.paying import Engine, Lost, Steps
from tests.simulation.people import People
from tests.simulation.provider import Order, Provider
from tests.simulation.rules import Rules
from tests.simulation.store import Job, Payment, Sent, Store, ViolationError, wage
from tests.simulation.swarm import LONGEST_BLINK, LONGEST_SETBACK, Swarm, draw
from tests.simulation.wire import Call, Wire

START = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)
_LEASE = 20.0  # seconds without a heartbeat after which a job is given to another worker
_CALM_STEPS = 30_000
Trace = Callable[[str], None]


@dataclass(slots=True)
class Worker:
    """A process that takes one job after the other."""

    number: int
    job: Job | None = None
    steps: Steps | None = None
    waits_until: float = 0.0  # frozen, or dead until it is started again
    call: Call | None = None  # what it waits for an answer to


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a seed came to."""

    seed: int
    steps: int
    hash: str
    violation: str | None
    covered: Counter[tuple[str, str]]


class World:
    """Everything of one seed."""

    def __init__(self, seed: int, rules: Rules, trace: Trace | None = None) -> None:
        self.seed, self.rules, self.trace = seed, rules, trace
        self.rng = random.Random(seed)
        self.swarm: Swarm = draw(self.rng)
        self.rates = dict(self.swarm.rates)
        self.time, self.skew, self.steps = 0.0, 0.0, 0
        self.digest = hashlib.sha256()
        self.covered: Counter[tuple[str, str]] = Counter()
        self.store, self.ids = Store(), 1000
        self.journal: list[Sent] = []
        self.newest_outside = 0
        self.approved: dict[str, Money] = {}
        self.last_sent: dict[str, float] = {}
        self.copy: Store | None = None
        self.blinking = self.is_calm = False
        self.check, self.wire, self.provider = Checks(self), Wire(self), Provider(self)
        self.engine, self.people = Engine(self), People(self)
        self.workers = [Worker(number) for number in range(self.swarm.workers)]
        self.next_periodic, self.farthest_jump = 10.0, 0.0
        self._approve()

    def _approve(self) -> None:
        for number in range(self.swarm.payments):
            payment = Payment(UUID(int=100 + number), f"W{number}", wage(20_000 + 10 * number))
            self.store.payments[payment.id] = payment
            self.approved[payment.payee] = payment.amount
            owed = Transfer(
                cause=Cause.APPROVED,
                debit=str(Account.WAGES_DUE),
                credit=str(Account.WAGES_PAYABLE),
                currency="USD",
                amount_minor=payment.amount.minor,
                payment_id=payment.id,
                attempt=0,
            )
            self.store.post(owed, self.now())
        for _ in range(2):
            self.store.enqueue("submit", self.now())

    # --- what the others ask ----------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """What our clock shows."""
        return START + timedelta(seconds=round(self.time + self.skew, 3))

    def new_id(self) -> UUID:
        """An id never used before, also not before a restore."""
        self.ids += 1
        return UUID(int=self.ids)

    def cover(self, kind: str, what: str) -> None:
        """Remember that it happened."""
        self.covered[kind, what] += 1

    def met_state(self, fault: str, state: str) -> None:
        """Remember which payment a fault met."""
        self.covered[fault, state] += 1

    def met(self, fault: str, orders: Sequence[Order]) -> bool:
        """Whether a fault happens to these orders now."""
        return self.met_about(fault, [one.reference for one in orders])

    def met_about(self, fault: str, references: Sequence[str], state: str | None = None) -> bool:
        """Whether a fault happens now, to whatever it concerns; without references or a state, to every payment there is."""
        rate = self.rates.get(fault)
        if rate is None or self.rng.random() >= rate:
            return False
        attempts = self.store.attempts
        if state is not None:
            states = {state}
        elif references:
            states = {self.store.payments[attempts[one].payment].state for one in references if one in attempts}
        else:
            states = {payment.state for payment in self.store.payments.values()}
        for one in states:
            self.covered[fault, one] += 1
        self.covered[fault, "at all"] += 1
        return True

    def receive(self, event_id: str, outcome: PayoutOutcome) -> bool:
        """The provider's message reaches us: stored once under its id, then answered; False where it must come again."""
        if self.met_about("commit_lost", ()):
            return False
        if event_id in self.store.messages:
            self.cover("message", "known")
        else:
            self.store.messages.add(event_id)
            amount = str(outcome.amount.minor) if outcome.amount is not None else ""
            self.store.enqueue("event", self.now(), also=(outcome.reference, outcome.status.value, amount))
            self.cover("message", "new")
        return not self.met_about("commit_reply_lost", ())

    # --- one step ---------------------------------------------------------------------------------------------------------------

    def run(self) -> Result:
        """Chaos for its steps, then calm until everything is at rest."""
        violation = None
        try:
            while self.steps < self.swarm.steps:
                self._step()
            self._come_to_rest()
        except ViolationError as found:
            violation = str(found)
        for way in self.store.ways:
            self.cover("way", way)
        return Result(seed=self.seed, steps=self.steps, hash=self.digest.hexdigest(), violation=violation, covered=self.covered)

    def _come_to_rest(self) -> None:
        self._calm_down()
        while not self._is_quiet():
            if self.steps > _CALM_STEPS:
                raise ViolationError("I4: it never comes to rest")
            self._step()
        self.check.at_rest()

    def _step(self) -> None:
        self.steps += 1
        self.time += self.rng.random() * 0.5
        told = self._trouble() or self._people_act() or self._move()
        for one in sorted(self.store.touched):
            payment = self.store.payments[one]
            told += f" | {payment.payee} {payment.state} {payment.code or ''}"
        self.digest.update(f"{self.time:.3f}|{told}\n".encode())
        if self.trace is not None:
            self.trace(f"{self.steps:5} {self.now():%d %H:%M:%S} {told}")
        if self.store.touched:
            self.check.after_step()

    def _move(self) -> str:
        time = self.time
        if self.provider.next_at is not None and self.provider.next_at <= time:
            return "provider " + self.provider.work()
        runnable = [one for one in self.workers if one.waits_until <= time and self._can_run(one)]
        arrived = self.wire.next_at is not None and self.wire.next_at <= time
        if arrived and (not runnable or self.rng.random() < 0.5):
            return self.wire.deliver()
        if runnable:
            return self._work(runnable[int(self.rng.random() * len(runnable))])
        if self.next_periodic <= time:
            self.next_periodic = time + 10.0
            self.engine.periodic()
            return "periodic"
        self._wait_for_something()
        return "wait"

    def _can_run(self, worker: Worker) -> bool:
        if worker.steps is None:
            return self._due_job() is not None
        return worker.call is None or worker.call.answer is not None or worker.call.ends_at <= self.time

    def _due_job(self) -> Job | None:
        now = self.now()
        for job in self.store.jobs:
            if job.due <= now and (job.taken is None or self.workers[job.taken].job is not job or self._is_silent(job.taken)):
                return job
        return None

    def _is_silent(self, number: int) -> bool:
        return self.workers[number].waits_until > self.time + _LEASE

    def _work(self, worker: Worker) -> str:
        if worker.steps is None:
            job = self._due_job()
            assert job is not None
            job.taken, worker.job, worker.steps = worker.number, job, self.engine.run(job)
            job.tries += 1
        assert worker.job is not None
        try:
            label: str | Call = next(worker.steps)
        except StopIteration:
            if worker.job in self.store.jobs and worker.job.taken == worker.number:
                self.store.jobs.remove(worker.job)
            label = "done"
        except Lost:
            worker.job.due, worker.job.taken = self.now() + timedelta(seconds=2**worker.job.tries), None
            label = "connection lost"
        told = f"worker {worker.number} {worker.job.kind}: "
        worker.call = None
        if isinstance(label, Call):
            worker.call = label
            return told + "waits for an answer"
        told += label
        if label in ("done", "connection lost"):
            worker.job, worker.steps = None, None
        elif not self.is_calm:
            self._strike(worker, label)
        return told

    def _strike(self, worker: Worker, label: str) -> None:
        """At any step a worker may die, or stand still for seconds or days. Right before the first byte it only blinks."""
        if label == "bytes":
            if self.met_about("freeze", ()):
                worker.waits_until = self.time + self.rng.random() * LONGEST_BLINK
        elif self.met_about("crash", ()):
            self._kill(worker, self.rng.choice((1.0, 30.0, 600.0)))
        elif label == "keep_answer" and any(self.met_about("freeze", ()) for _ in range(3)):
            # With an answer in its hands: long enough for others to have given the message again meanwhile.
            worker.waits_until = self.time + 600.0 + self.rng.random() * 3000.0
        elif self.met_about("freeze", ()):
            worker.waits_until = self.time + self.rng.random() * self.rng.choice((40.0, 900.0, 9000.0, 200_000.0))

    def _kill(self, worker: Worker, down: float) -> None:
        if worker.job is not None and worker.job.taken == worker.number:
            worker.job.taken = None
            worker.job.due = max(worker.job.due, self.now() + timedelta(seconds=_LEASE))
        if worker.steps is not None:
            worker.steps.close()
        worker.job, worker.steps, worker.call, worker.waits_until = None, None, None, self.time + down

    def _wait_for_something(self) -> None:
        moments = [self.wire.next_at, self.provider.next_at]
        moments += [one.waits_until for one in self.workers if one.waits_until > self.time]
        moments += [one.call.ends_at for one in self.workers if one.call is not None]
        moments += [(job.due - START).total_seconds() - self.skew for job in self.store.jobs]
        moments += [
            (one.look_up_after - START).total_seconds() - self.skew + 0.01
            for one in self.store.dispatches.values()
            if one.state != "closed"
        ]
        if any(one.state == "ready" for one in self.store.payments.values()) and not self.store.is_stopped:
            moments.append(self.next_periodic)
        later = [one for one in moments if one is not None and one > self.time]
        self.time = min(later, default=self.time + 1800.0) + 0.001
        self.next_periodic = min(self.next_periodic, self.time)

    # --- trouble and people -----------------------------------------------------------------------------------------------------

    def _trouble(self) -> str | None:
        if self.is_calm:
            return None
        rng, met = self.rng, self.met_about
        if met("clock_forward", ()):
            jump = rng.choice((60.0, 3600.0, 86_400.0)) * rng.random()
            self.skew += jump
            self.farthest_jump = max(self.farthest_jump, jump)
            return f"the clock jumps {jump:.0f} s ahead"
        if self.skew > -LONGEST_SETBACK and met("clock_back", ()):
            back = rng.random() * LONGEST_SETBACK / 4
            self.skew -= back
            return f"the clock goes back {back:.0f} s"
        if not self.provider.is_down and met("outage", ()):
            self.provider.down_until = self.time + rng.choice((0.0, 0.0, 86_000.0)) + rng.random() * rng.choice((600.0, 8000.0))
            return "the provider answers nothing"
        if "restore" in self.rates:
            return self._copy_or_restore()
        return None

    def _copy_or_restore(self) -> str | None:
        if self.copy is None or self.rng.random() < 0.01:
            if self.rng.random() < 0.02:
                self.copy = copy.deepcopy(self.store)
                return "a copy of the database is made"
        elif self.met_about("restore", ()):
            for worker in self.workers:
                self._kill(worker, 1.0)
            self.copy.ways |= self.store.ways
            self.store, self.copy = self.copy, None
            for job in self.store.jobs:
                job.taken = None
            self.engine.may_claim()  # as a worker does when it starts
            return "the database is restored from its copy"
        return None

    def _people_act(self) -> str | None:
        people, payments = self.people, list(self.store.payments.values())
        payment = payments[int(self.rng.random() * len(payments))]
        if self.store.is_locked and self.rng.random() < 0.05:
            return people.reconcile()
        if self.store.is_locked:
            return None
        if self.is_calm:
            return self._people_finish(payment)
        return self._decide(payment)

    def _decide(self, payment: Payment) -> str | None:
        """Somebody decides something, or nobody does."""
        people, met = self.people, self.met_about
        if payment.state == "held" and self.rng.random() < 0.02:
            return people.let_go(payment)
        wants_stop = self.store.is_stopped and self.rng.random() < 0.03
        acts: Sequence[tuple[str, Callable[[], str]]] = (
            ("hold", lambda: people.stop_one(payment, "held")),
            ("cancel", lambda: people.stop_one(payment, "cancelled")),
            ("stop", people.press),
            ("finding", lambda: people.find_out(payment)),
            ("repay", lambda: people.pay_again(payment)),
            ("statement", people.statement),
        )
        for fault, act in acts:
            if (wants_stop and fault == "stop") or met(fault, (), payment.state):
                return act()
        return None

    # --- calm -------------------------------------------------------------------------------------------------------------------

    def _calm_down(self) -> None:
        # An outage that has begun goes on to its end; nothing new breaks.
        self.is_calm, self.rates = True, {}
        if self.store.is_stopped:
            self.people.press()
        for worker in self.workers:
            worker.waits_until = min(worker.waits_until, self.time + 30.0)
        self.provider.hurry()

    def _people_finish(self, payment: Payment) -> str | None:
        if self.rng.random() > 0.05:
            return None
        if self.rng.random() < 0.3:
            return self.people.statement()
        if payment.state == "held" and payment.attempt % 2 == 0:
            return self.people.let_go(payment)
        if payment.state in ("submitting", "unknown", "accepted", "rejected"):
            return self.people.find_out(payment)
        if payment.state == "returned" and payment.attempt % 2:
            return self.people.stop_one(payment, "cancelled")
        return None

    def _is_quiet(self) -> bool:
        store = self.store
        if self.steps % 10 or self.wire.queue or self.provider.next_at is not None or store.is_locked:
            return False
        if any(one.steps is not None for one in self.workers):
            return False
        for payment in store.payments.values():
            if payment.state in ("paid", "rejected", "returned", "cancelled"):
                continue
            try:
                self.check.waits(payment)
            except ViolationError:
                return False
        self.people.statement()
        if store.touched:
            self.check.after_step()
        return True


def simulate(seed: int, rules: Rules | None = None, trace: Trace | None = None) -> Result:
    """Run one seed."""
    return World(seed, rules or Rules(), trace).run()


__all__ = ["PayoutStatus", "Result", "World", "simulate"]
