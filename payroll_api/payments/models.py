"""Payments, the attempts to make them, the dispatches that carry attempts, and what providers told us."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from payroll_api.db.base import Base, Json, OfFactory
from payroll_api.encryption.column import Ciphertext, Encrypted
from payroll_api.payments.states import STATES


class Payment(OfFactory, Base):
    """One worker's wage of one period and kind. The database refuses a second one, whatever file or run it comes from."""

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint(f"state in {STATES}", name="state"),
        CheckConstraint("amount_minor > 0", name="positive"),
        ForeignKeyConstraint(["factory_id", "run_id"], ["pay_runs.factory_id", "pay_runs.id"]),
        ForeignKeyConstraint(["factory_id", "worker_id"], ["workers.factory_id", "workers.id"]),
        ForeignKeyConstraint(["factory_id", "destination_id"], ["destinations.factory_id", "destinations.id"]),
        ForeignKeyConstraint(["factory_id", "provider_account_id"], ["provider_accounts.factory_id", "provider_accounts.id"]),
        ForeignKeyConstraint(["factory_id", "decision_id"], ["proposals.factory_id", "proposals.id"]),
        ForeignKeyConstraint(["factory_id", "corrects"], ["payments.factory_id", "payments.id"]),
        CheckConstraint("corrects is null or (kind = 'correction' and decision_id is not null)", name="correction"),
        Index("uq_payments_once", "factory_id", "worker_id", "period", "kind", unique=True, postgresql_where=text("state <> 'cancelled'")),
        # Those that wait to be sent, in the order in which they are: of a million others no claim passes one.
        Index("ix_payments_ready", "factory_id", "run_id", "worker_code", postgresql_where=text("state = 'ready'")),
        Index("ix_payments_run_state", "factory_id", "run_id", "state", "id"),
        Index("ix_payments_state", "factory_id", "state", "state_since"),
        # What no statement has shown yet: few, however many years of paydays there are.
        Index("ix_payments_unsettled", "factory_id", "provider_account_id", "currency", postgresql_where=text("settled_on is null")),
        Index("ix_payments_worker", "factory_id", "worker_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID]
    worker_id: Mapped[UUID]
    worker_code: Mapped[str]
    destination_id: Mapped[UUID]
    provider_account_id: Mapped[UUID]
    account_key: Mapped[bytes]
    period: Mapped[str]
    kind: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int]
    state: Mapped[str]
    state_since: Mapped[datetime]
    attempt: Mapped[int]  # number of the latest attempt, 0 before the first
    paid_by: Mapped[int | None]  # number of an earlier attempt that counts instead: two people found that it had paid
    code: Mapped[str | None]  # why it was rejected, returned or is unknown
    detail: Mapped[str]
    paid_at: Mapped[datetime | None]
    settled_on: Mapped[date | None]  # the day the statement shows it
    decision_id: Mapped[UUID | None]  # the confirmed proposal that pays it again or corrects an earlier one, where its run does not
    corrects: Mapped[UUID | None]  # the payment that was too small


class Dispatch(OfFactory, Base):
    """One message to a provider with the attempts it carries. Committed before a byte is sent.

    `intent`: nothing was sent. `sending`: it passed the gate, so bytes may have left. `open`: something is known, not everything.
    `fence` is raised by whoever takes it up: a sender with an older one is refused at the gate, and so is its answer.
    """

    __tablename__ = "dispatches"
    __table_args__ = (
        CheckConstraint("state in ('intent', 'sending', 'open', 'closed')", name="state"),
        ForeignKeyConstraint(["factory_id", "run_id"], ["pay_runs.factory_id", "pay_runs.id"]),
        ForeignKeyConstraint(["factory_id", "provider_account_id"], ["provider_accounts.factory_id", "provider_accounts.id"]),
        Index("ix_dispatches_open", "factory_id", "state", "look_up_after"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID]
    provider_account_id: Mapped[UUID]
    reference: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    fence: Mapped[int]
    count: Mapped[int]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]  # when it last passed the gate
    look_up_after: Mapped[datetime]
    looked_up: Mapped[int]


class Attempt(OfFactory, Base):
    """One try to make a payment, under a reference that the provider sees and that is never used again."""

    __tablename__ = "attempts"
    __table_args__ = (
        CheckConstraint("state in ('intent', 'accepted', 'paid', 'rejected', 'returned', 'unknown')", name="state"),
        ForeignKeyConstraint(["factory_id", "payment_id"], ["payments.factory_id", "payments.id"]),
        ForeignKeyConstraint(["factory_id", "dispatch_id"], ["dispatches.factory_id", "dispatches.id"]),
        Index("uq_attempts_open", "factory_id", "payment_id", unique=True, postgresql_where=text("state not in ('rejected', 'returned')")),
        Index("ix_attempts_dispatch", "factory_id", "dispatch_id"),
        Index("ix_attempts_contradicted", "factory_id", "payment_id", postgresql_where=text("contradicted_by is not null")),
        UniqueConstraint("factory_id", "reference"),
    )

    payment_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    dispatch_id: Mapped[UUID]
    reference: Mapped[str]
    payload_hash: Mapped[bytes]
    state: Mapped[str]
    provider_reference: Mapped[str | None]
    code: Mapped[str | None]
    detail: Mapped[str]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    absent_since: Mapped[datetime | None]  # the provider has said since then, at every look-up, that it does not know it
    absent_answers: Mapped[int] = mapped_column(server_default=text("0"))
    # A later word that cannot be so: nobody is paid again before it is found out. Or "paid_twice", until the money came back.
    contradicted_by: Mapped[str | None]


class Proposal(OfFactory, Base):
    """What one person proposes about money and another confirms under a hash of its content: see `proposals.py`."""

    __tablename__ = "proposals"
    __table_args__ = (
        CheckConstraint("kind in ('finding', 'repay', 'correction', 'lift')", name="kind"),
        CheckConstraint("state in ('proposed', 'confirmed', 'refused')", name="state"),
        CheckConstraint("(state = 'proposed') = (decided_by is null)", name="decided"),
        CheckConstraint("state <> 'confirmed' or decided_by <> proposed_by", name="four_eyes"),
        Index("ix_proposals_open", "factory_id", "id", postgresql_where=text("state = 'proposed'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str]  # "payment:<id>", "dispatch:<id>", "run:<id>" or "stop:<id>"
    content: Mapped[Json]  # ids, codes and sums; nothing personal
    content_hash: Mapped[str]
    reason: Mapped[str]
    state: Mapped[str]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_reason: Mapped[str | None]


class Stop(OfFactory, Base):
    """A pressed kill switch: nothing is sent for the factory, a rail or a run until two people have lifted it."""

    __tablename__ = "stops"
    __table_args__ = (
        CheckConstraint("(lifted_by is null) = (lifted_at is null)", name="lifted"),
        CheckConstraint("run_id is null or provider_account_id is null", name="one_scope"),
        ForeignKeyConstraint(["factory_id", "run_id"], ["pay_runs.factory_id", "pay_runs.id"]),
        ForeignKeyConstraint(["factory_id", "provider_account_id"], ["provider_accounts.factory_id", "provider_accounts.id"]),
        Index("ix_stops_pressed", "factory_id", "id", postgresql_where=text("lifted_at is null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID | None]
    provider_account_id: Mapped[UUID | None]  # with neither: all of the factory
    reason: Mapped[str]
    pressed_by: Mapped[str]
    pressed_at: Mapped[datetime]
    handed_over: Mapped[int]  # messages that had passed the gate before: too late for them
    lifted_by: Mapped[str | None]  # who confirmed; who proposed stands in the proposal
    lifted_at: Mapped[datetime | None]


class BankFile(OfFactory, Base):
    """The file of one dispatch for a bank's portal. Made once; its content never changes; released by another person."""

    __tablename__ = "bank_files"
    __table_args__ = (
        CheckConstraint("state in ('made', 'released', 'answered')", name="state"),
        CheckConstraint("released_by is distinct from made_by", name="two_people"),
        CheckConstraint("(state = 'made') = (released_by is null)", name="released"),
        ForeignKeyConstraint(["factory_id", "dispatch_id"], ["dispatches.factory_id", "dispatches.id"]),
        UniqueConstraint("factory_id", "dispatch_id", name="uq_bank_files_once"),
        UniqueConstraint("factory_id", "content_hash", name="uq_bank_files_content"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID]
    provider_account_id: Mapped[UUID]
    dispatch_id: Mapped[UUID]
    name: Mapped[str]
    media_type: Mapped[str]
    content: Mapped[Ciphertext] = mapped_column(Encrypted)
    content_hash: Mapped[str]
    count: Mapped[int]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    released_by: Mapped[str | None]
    released_at: Mapped[datetime | None]
    downloads: Mapped[int]


class BankFileResult(OfFactory, Base):
    """A result file of a bank's portal, and what was strange about it."""

    __tablename__ = "bank_file_results"
    __table_args__ = (
        ForeignKeyConstraint(["factory_id", "bank_file_id"], ["bank_files.factory_id", "bank_files.id"]),
        UniqueConstraint("factory_id", "bank_file_id", "content_hash", name="uq_bank_file_results_content"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    bank_file_id: Mapped[UUID]
    file_name: Mapped[str]
    content: Mapped[Ciphertext] = mapped_column(Encrypted)
    content_hash: Mapped[str]
    named: Mapped[int]  # payments that it names
    problems: Mapped[list[object]]
    uploaded_by: Mapped[str]
    uploaded_at: Mapped[datetime]


class ProviderMessage(OfFactory, Base):
    """A webhook as it came, stored under a unique key before it was answered."""

    __tablename__ = "provider_messages"
    __table_args__ = (
        CheckConstraint("state in ('stored', 'handled', 'quarantined', 'unmatched', 'explained')", name="state"),
        ForeignKeyConstraint(["factory_id", "provider_account_id"], ["provider_accounts.factory_id", "provider_accounts.id"]),
        UniqueConstraint("factory_id", "provider_account_id", "event_id", "body_hash", name="uq_provider_messages_event"),
        # One event has one content: whatever else bears its name is put aside, whichever of two processes it reaches.
        Index(
            "uq_provider_messages_one_content",
            "factory_id",
            "provider_account_id",
            "event_id",
            unique=True,
            postgresql_where=text("state not in ('quarantined', 'explained')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_account_id: Mapped[UUID]
    event_id: Mapped[str]
    body_hash: Mapped[bytes]
    content: Mapped[Ciphertext] = mapped_column(Encrypted)  # JSON: method, path, headers, body
    state: Mapped[str]
    detail: Mapped[str]
    received_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
