"""Workers and their payout destinations. Everything personal is sealed; keyed hashes find equal values."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from payroll_api.db.base import Base, OfFactory
from payroll_api.encryption.column import Ciphertext, Encrypted

DESTINATION_STATES = ("proposed", "verified", "confirmed", "doubtful", "refused", "retired")
CHANGE_STATES = ("proposed", "adopted", "refused", "withdrawn")


class Worker(OfFactory, Base):
    """A worker of the factory, known by her work-card code."""

    __tablename__ = "workers"
    __table_args__ = (UniqueConstraint("factory_id", "worker_code"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    worker_code: Mapped[str]
    name: Mapped[Ciphertext] = mapped_column(Encrypted)
    name_latin: Mapped[Ciphertext | None] = mapped_column(Encrypted)
    phone: Mapped[Ciphertext | None] = mapped_column(Encrypted)
    national_id: Mapped[Ciphertext | None] = mapped_column(Encrypted)
    name_key: Mapped[bytes]
    phone_key: Mapped[bytes | None]
    national_id_key: Mapped[bytes | None]
    sex: Mapped[str | None]
    department: Mapped[str | None]
    joined_on: Mapped[date | None]
    left_on: Mapped[date | None]
    in_run_since: Mapped[datetime | None]  # since then a file no longer overwrites her data
    created_at: Mapped[datetime]


class Destination(OfFactory, Base):
    """Where one worker is paid. Money goes only to one that the provider verified or a person confirmed."""

    __tablename__ = "destinations"
    __table_args__ = (
        CheckConstraint(f"state in {DESTINATION_STATES}", name="state"),
        CheckConstraint("kind in ('bank_account', 'wallet', 'cash')", name="kind"),
        ForeignKeyConstraint(["factory_id", "worker_id"], ["workers.factory_id", "workers.id"]),
        Index(
            "uq_destinations_current",
            "factory_id",
            "worker_id",
            unique=True,
            postgresql_where=text("state <> 'retired' and not is_proposal"),
        ),
        Index("ix_destinations_account", "factory_id", "account_key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    worker_id: Mapped[UUID]
    kind: Mapped[str]
    bank: Mapped[str | None]
    bank_key: Mapped[str | None]  # the bank however it is written (see `banks`); None where nobody said which
    account: Mapped[Ciphertext] = mapped_column(Encrypted)
    holder: Mapped[Ciphertext] = mapped_column(Encrypted)
    account_key: Mapped[bytes]
    account_index: Mapped[bytes | None]  # as in the directory over all factories; None until it is entered there
    state: Mapped[str]
    name_match: Mapped[str | None]  # MTCH, CMTC, NMTC, NOAP
    detail: Mapped[str]
    checked_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    is_proposal: Mapped[bool]  # a changed account that is not hers yet: nothing is paid there
    changed_on: Mapped[date | None]  # the day the change was proposed, where it took another account's place with care


class WorkerChange(OfFactory, Base):
    """Another account or phone for a worker who was in a run: proposed, told to her, confirmed by another person, adopted after a while."""

    __tablename__ = "worker_changes"
    __table_args__ = (
        CheckConstraint("what in ('account', 'phone')", name="what"),
        CheckConstraint(f"state in {CHANGE_STATES}", name="state"),
        CheckConstraint("(what = 'account') = (destination_id is not null)", name="destination"),
        CheckConstraint("(what = 'phone') = (phone is not null)", name="phone"),
        CheckConstraint(
            "confirmed_by is null or (confirmed_by <> proposed_by and (second_by is null or second_by not in (confirmed_by, proposed_by)))",
            name="four_eyes",
        ),
        CheckConstraint("state <> 'adopted' or confirmed_by is not null", name="confirmed"),
        ForeignKeyConstraint(["factory_id", "worker_id"], ["workers.factory_id", "workers.id"]),
        ForeignKeyConstraint(["factory_id", "destination_id"], ["destinations.factory_id", "destinations.id"]),
        Index("uq_worker_changes_open", "factory_id", "worker_id", "what", unique=True, postgresql_where=text("state = 'proposed'")),
        Index("ix_worker_changes_state", "factory_id", "state", "effective_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    worker_id: Mapped[UUID]
    what: Mapped[str]
    destination_id: Mapped[UUID | None]  # the proposed account
    phone: Mapped[Ciphertext | None] = mapped_column(Encrypted)
    phone_key: Mapped[bytes | None]
    state: Mapped[str]
    source: Mapped[str]  # sheet, page, api
    makers: Mapped[list[object]]  # who has had a hand in it: none of them confirms it
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    effective_at: Mapped[datetime]  # not before
    confirmed_by: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]
    second_by: Mapped[str | None]  # the approval of its own that a change shortly before payday needs
    second_at: Mapped[datetime | None]
    reason: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


class ChangeNotice(OfFactory, Base):
    """The SMS that tells a worker of a change, to the number she had and to the one she is to have."""

    __tablename__ = "change_notices"
    __table_args__ = (
        CheckConstraint("state in ('waiting', 'sending', 'sent', 'failed', 'unknown', 'no_phone')", name="state"),
        CheckConstraint("goes_to in ('old', 'new')", name="goes_to"),
        ForeignKeyConstraint(["factory_id", "change_id"], ["worker_changes.factory_id", "worker_changes.id"]),
        UniqueConstraint("factory_id", "change_id", "goes_to"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    change_id: Mapped[UUID]
    goes_to: Mapped[str]
    phone: Mapped[Ciphertext | None] = mapped_column(Encrypted)
    body: Mapped[Ciphertext] = mapped_column(Encrypted)
    state: Mapped[str]
    code: Mapped[str | None]
    composed_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class SharedAccount(OfFactory, Base):
    """Two workers who may use one account, such as husband and wife: documented, and agreed to by two people."""

    __tablename__ = "shared_accounts"
    __table_args__ = (
        CheckConstraint("worker_a < worker_b", name="ordered"),
        CheckConstraint("approved_by is null or approved_by <> proposed_by", name="four_eyes"),
        ForeignKeyConstraint(["factory_id", "worker_a"], ["workers.factory_id", "workers.id"]),
        ForeignKeyConstraint(["factory_id", "worker_b"], ["workers.factory_id", "workers.id"]),
        Index(
            "uq_shared_accounts_pair",
            "factory_id",
            "worker_a",
            "worker_b",
            "account_key",
            unique=True,
            postgresql_where=text("revoked_at is null"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    worker_a: Mapped[UUID]
    worker_b: Mapped[UUID]
    account_key: Mapped[bytes]
    reason: Mapped[str]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]
    revoked_at: Mapped[datetime | None]


class NameAlias(OfFactory, Base):
    """A spelling that a person has confirmed to be this worker's: her Khmer name in Latin letters as her bank writes it."""

    __tablename__ = "name_aliases"
    __table_args__ = (
        ForeignKeyConstraint(["factory_id", "worker_id"], ["workers.factory_id", "workers.id"]),
        UniqueConstraint("factory_id", "worker_id", "alias_key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    worker_id: Mapped[UUID]
    alias: Mapped[Ciphertext] = mapped_column(Encrypted)
    alias_key: Mapped[bytes]
    reason: Mapped[str]
    confirmed_by: Mapped[str]
    confirmed_at: Mapped[datetime]


class AccountDirectory(Base):
    """Under which factories an account is in use: hashes under a key of their own, and ids. Tells that two share one, never which."""

    __tablename__ = "account_directory"

    account_index: Mapped[bytes] = mapped_column(primary_key=True)
    factory_id: Mapped[UUID] = mapped_column(primary_key=True)
