"""Post transfers in the transaction that changes a payment's state, and read balances."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.clock import pay_day
from payroll_api.db.base import new_id
from payroll_api.db.bulk import copy_in, fetch
from payroll_api.db.session import factory_of


class Account(enum.StrEnum):
    """The accounts of a factory's wages. A rail's own accounts carry its id after a colon: `in_transit:<rail>`, `bank:<rail>`."""

    WAGES_DUE = "wages_due"  # what the approved run costs the factory (debit)
    WAGES_PAYABLE = "wages_payable"  # what is owed to workers
    IN_TRANSIT = "in_transit"  # handed to a provider, not yet confirmed
    SUSPENSE = "suspense"  # may or may not have been sent
    BANK = "bank"  # what the factory holds with a provider: funding less what was paid and charged
    RETURNS = "returns"  # came back and is owed again, until somebody decides how
    FUNDING = "funding"  # what the factory has put on its rails
    FEES = "fees"  # what providers charged
    OTHER = "other"  # moved on a rail and is none of wages, as a person found out


class Cause(enum.StrEnum):
    """What a transfer was for."""

    APPROVED = "approved"
    SUBMITTED = "submitted"
    UNCERTAIN = "uncertain"
    CERTAIN = "certain"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    REPAID = "repaid"
    CANCELLED = "cancelled"
    # From a statement's line, without an attempt:
    OPENING = "opening"  # what a rail held before its first statement
    FUNDED = "funded"
    CHARGED = "charged"
    PARTLY_RETURNED = "partly_returned"
    REST_RETURNED = "rest_returned"  # the parts are part of the whole now
    EXPLAINED = "explained"  # a person closed a break


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One movement between two accounts, for one payment or from one line of a statement (`line_key`)."""

    cause: Cause
    debit: str
    credit: str
    currency: str
    amount_minor: int
    run_id: UUID | None = None
    payment_id: UUID | None = None
    attempt: int | None = None
    line_key: bytes | None = None
    booked_on: date | None = None  # the bank's day; without it, the Phnom Penh day of posting


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AGAIN = (Cause.UNCERTAIN, Cause.CERTAIN)  # what may happen to an attempt more than once
_COLUMNS = (
    "factory_id", "id", "run_id", "payment_id", "attempt", "cause", "debit", "credit", "currency", "amount_minor", "posted_at",
    "booked_on", "line_key", "turn",
)  # fmt: skip


async def post(session: AsyncSession, at: datetime, transfers: Iterable[Transfer], *, booked_on: date | None = None) -> None:
    """Book transfers by one COPY. A transfer of the same cause for the same attempt or line twice fails the transaction."""
    factory_id, today, turn = factory_of(session), booked_on or pay_day(at), (at - _EPOCH) // timedelta(microseconds=1)
    await copy_in(
        session,
        "ledger_transfers",
        _COLUMNS,
        (
            (
                factory_id, new_id(), t.run_id, t.payment_id, t.attempt, t.cause.value, t.debit, t.credit, t.currency, t.amount_minor, at,
                t.booked_on or today, t.line_key, turn if t.cause in _AGAIN else 0,
            )
            for t in transfers
        ),
    )  # fmt: skip


async def balances(session: AsyncSession, run_id: UUID | None = None) -> dict[tuple[str, str], int]:
    """Debit balance in minor units of each (account, currency), of one run or of the whole factory. They add up to zero."""
    rows = await fetch(
        session,
        "select account, currency, sum(amount)::bigint from ("
        " select debit as account, currency, amount_minor as amount from ledger_transfers where $1::uuid is null or run_id = $1"
        " union all"
        " select credit, currency, -amount_minor from ledger_transfers where $1::uuid is null or run_id = $1"
        ") entries group by account, currency",
        run_id,
    )
    return {(account, code): int(amount) for account, code, amount in rows}
