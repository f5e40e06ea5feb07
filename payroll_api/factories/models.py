"""A factory and what it has agreed with others."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from payroll_api.db.base import Base, Json, OfFactory
from payroll_api.encryption.column import Ciphertext, Encrypted


class FactoryDirectory(Base):
    """Which factories there are: ids and short names only, so that a worker can visit each."""

    __tablename__ = "factory_directory"

    factory_id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class Factory(OfFactory, Base):
    """A factory. `policies` hold its named choices where law or sources leave one (see `reconciliation/policy.py`)."""

    __tablename__ = "factories"
    __table_args__ = (CheckConstraint("cooling_hours >= 12", name="cooling_hours"),)

    name: Mapped[str]
    name_km: Mapped[str]
    hotline: Mapped[str]
    policies: Mapped[Json]
    journal_accounts: Mapped[Json]  # the accountant's own codes, by our name of the account
    cooling_hours: Mapped[int]  # how long a changed account or phone waits at least
    created_at: Mapped[datetime]


class ExchangeRate(OfFactory, Base):
    """Riel for one dollar in a month, for one purpose: `tax` (of the 15th) or `nssf` (notified by NSSF)."""

    __tablename__ = "exchange_rates"
    __table_args__ = (
        CheckConstraint("purpose in ('tax', 'nssf')", name="purpose"),
        CheckConstraint("rate > 0", name="positive"),
    )

    period: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    rate: Mapped[Decimal] = mapped_column(Numeric(12, 4))
    source: Mapped[str]
    set_by: Mapped[str]
    set_at: Mapped[datetime]


class ProviderAccount(OfFactory, Base):
    """The factory's account with a bank, a wallet, a cash desk or an SMS gateway: which connector, and its sealed configuration."""

    __tablename__ = "provider_accounts"
    __table_args__ = (
        CheckConstraint("kind in ('bank_account', 'wallet', 'cash', 'check', 'sms')", name="kind"),
        UniqueConstraint("factory_id", "name"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    connector: Mapped[str]
    config: Mapped[Ciphertext] = mapped_column(Encrypted)
    webhook_key: Mapped[str]  # the secret part of its webhook address; not a credential, only an address
    is_enabled: Mapped[bool]
    created_at: Mapped[datetime]


class WebhookDirectory(Base):
    """Whose webhook address this is: a hash of the address's key, and ids."""

    __tablename__ = "webhook_directory"

    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    factory_id: Mapped[UUID]
    provider_account_id: Mapped[UUID]


class PolicyChoices(OfFactory, Base):
    """The factory's choices from a month on: a row for each change, none of which is changed itself. An old month keeps its own."""

    __tablename__ = "policy_choices"
    __table_args__ = (Index("ix_policy_choices_since", "factory_id", "since"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    since: Mapped[str]  # a month, "2026-12"
    choices: Mapped[Json]
    reason: Mapped[str]
    set_by: Mapped[str]
    set_at: Mapped[datetime]


class LawValue(OfFactory, Base):
    """A value that the factory added to the law book (`law`), or agreed beyond the law (`agreement`). It stays when it is withdrawn."""

    __tablename__ = "law_values"
    __table_args__ = (
        CheckConstraint("kind in ('law', 'agreement')", name="kind"),
        CheckConstraint("state in ('proposed', 'in_force', 'withdrawn')", name="state"),
        Index("ix_law_values_kind", "factory_id", "kind", "name"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    since: Mapped[date]
    until: Mapped[date | None]
    given: Mapped[Json]  # {"value": "212"} or {"value": [{"date": ..., "name": ...}]}
    title: Mapped[str]
    article: Mapped[str]
    published: Mapped[str]
    note: Mapped[str]
    signed_off_by: Mapped[Ciphertext] = mapped_column(Encrypted)  # name and office of whoever answers for it
    state: Mapped[str]
    second_person: Mapped[str]  # why a second person must agree; empty where one is enough
    entered_by: Mapped[str]
    entered_at: Mapped[datetime]
    agreed_by: Mapped[str | None]
    in_force_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str | None]
