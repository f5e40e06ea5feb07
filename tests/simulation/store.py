"""The database of the simulation: what the tables of paying keep, with the guards they have, changed by one transaction at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from importers.money import USD, Money
from payroll_api.ledger.book import Transfer
from payroll_api.payments.protocol import DispatchNow
from payroll_api.payments.verdict import OPEN, OrderNow

RUN, RAIL = UUID(int=1), UUID(int=2)
NEVER_THERE = ("withdrawn", "found_out", "not_received")
SURPRISING = ("amount_differs", "payee_differs", "duplicate", "not_proven")


class ViolationError(AssertionError):
    """Something that must never be was."""


@dataclass(slots=True)
class Payment:
    """A row of `payments`, its bookings in the ledger, and its audit events."""

    id: UUID
    payee: str
    amount: Money
    state: str = "ready"
    attempt: int = 0
    code: str | None = None
    decisions: int = 0  # confirmed proposals to pay it again
    changes: int = 0
    events: int = 0
    books: dict[str, int] = field(default_factory=dict)  # debit balances


@dataclass(slots=True)
class Dispatch:
    """A row of `dispatches`."""

    id: UUID
    reference: str
    count: int
    created_at: datetime
    look_up_after: datetime
    state: str = "intent"
    fence: int = 1
    sent_at: datetime | None = None
    looked_up: int = 0


@dataclass(slots=True)
class Attempt:
    """A row of `attempts`."""

    payment: UUID
    number: int
    dispatch: UUID
    reference: str
    payload_hash: bytes
    state: str = "intent"
    provider_reference: str | None = None
    code: str | None = None
    absent_since: datetime | None = None
    absent_answers: int = 0
    contradicted_by: str | None = None


@dataclass(slots=True)
class Job:
    """A row of the queue. `taken` is by whom; it is given to another when its owner shows no heartbeat."""

    number: int
    kind: str
    about: UUID | None
    due: datetime
    also: tuple[str, ...] = ()
    key: str | None = None
    taken: int | None = None
    tries: int = 0


@dataclass(slots=True)
class Sent:
    """A line of the journal outside the database, for one order."""

    epoch: int
    at: datetime
    dispatch: UUID
    payment: UUID
    number: int
    reference: str
    payload_hash: bytes
    fence: int
    status: str = "unasked"
    is_adopted: bool = False


class Store:
    """All tables. Everything here is lost or goes back when an older copy is restored."""

    def __init__(self) -> None:
        self.payments: dict[UUID, Payment] = {}
        self.dispatches: dict[UUID, Dispatch] = {}
        self.attempts: dict[str, Attempt] = {}
        self.orders: dict[UUID, list[Attempt]] = {}  # by dispatch
        self.jobs: list[Job] = []
        self.jobs_made = 0
        self.messages: set[str] = set()
        self.posted: set[tuple[object, ...]] = set()
        self.is_stopped = False
        self.epoch = 0
        self.is_locked = False
        self.sent_outside: dict[str, Sent] = {}
        self.touched: set[UUID] = set()
        self.ways: set[str] = set()

    def add_attempt(self, attempt: Attempt) -> None:
        """Insert, refused by the unique index where another attempt of the payment is open."""
        for other in self.attempts.values():
            if other.payment == attempt.payment and other.state not in ("rejected", "returned"):
                raise ViolationError(f"two open attempts: {other.reference} and {attempt.reference}")
        if attempt.reference in self.attempts:
            raise ViolationError(f"a reference was used twice: {attempt.reference}")
        self.attempts[attempt.reference] = attempt
        self.orders.setdefault(attempt.dispatch, []).append(attempt)

    def move(self, payment: Payment, was: str, state: str, code: str | None) -> None:
        """UPDATE ... WHERE state = was, with its audit event."""
        if payment.state != was:
            raise ViolationError(f"a payment changed under its lock: {payment.state}, not {was}")
        self.ways.add(f"{was}->{state}")
        payment.state, payment.code = state, code
        payment.changes += 1
        payment.events += 1
        self.touched.add(payment.id)

    def post(self, transfer: Transfer, at: datetime) -> None:
        """Book it; the same cause of the same attempt twice is refused, but for what may happen again."""
        turn = at if transfer.cause in ("uncertain", "certain") else None
        key = (transfer.payment_id, transfer.attempt, transfer.cause, turn)
        if key in self.posted:
            raise ViolationError(f"booked twice: {transfer.cause} of attempt {transfer.attempt}")
        self.posted.add(key)
        assert transfer.payment_id is not None
        books = self.payments[transfer.payment_id].books
        books[transfer.debit] = books.get(transfer.debit, 0) + transfer.amount_minor
        books[transfer.credit] = books.get(transfer.credit, 0) - transfer.amount_minor

    def enqueue(self, kind: str, due: datetime, *, about: UUID | None = None, also: tuple[str, ...] = (), key: str | None = None) -> None:
        """Ask for a job; nothing happens while one of the same key waits or is worked on."""
        if key is not None and any(job.key == key for job in self.jobs):
            return
        self.jobs_made += 1
        self.jobs.append(Job(self.jobs_made, kind, about, due, also, key))

    def order_now(self, attempt: Attempt) -> OrderNow:
        """As load.py loads it."""
        payment = self.payments[attempt.payment]
        return OrderNow(
            reference=attempt.reference,
            payment_id=payment.id,
            run_id=RUN,
            rail=RAIL,
            number=attempt.number,
            latest=payment.attempt,
            attempt_state=attempt.state,
            payment_state=payment.state,
            amount=payment.amount,
            attempt_code=attempt.code,
            was_known=attempt.state in ("accepted", "paid", "returned")
            or attempt.provider_reference is not None
            or attempt.code in SURPRISING,
            absent_since=attempt.absent_since,
            absent_answers=attempt.absent_answers,
        )

    def dispatch_now(self, dispatch: Dispatch, also: tuple[str, ...] = ()) -> DispatchNow:
        """As load.py loads it: its open orders, and those asked about."""
        orders = [
            self.order_now(one) for one in self.orders.get(dispatch.id, ()) if one.state in OPEN or one.reference in also
        ]  # fmt: skip
        return DispatchNow(
            id=dispatch.id,
            state=dispatch.state,
            fence=dispatch.fence,
            count=sum(one.state != "rejected" or one.code not in NEVER_THERE for one in self.orders.get(dispatch.id, ())),
            created_at=dispatch.created_at,
            sent_at=dispatch.sent_at,
            looked_up=dispatch.looked_up,
            orders=orders,
        )


def wage(minor: int) -> Money:
    """A wage in US cents."""
    return Money(minor, USD)
