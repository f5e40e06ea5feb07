"""A bank statement as typed lines, whatever format the bank wrote."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import date

from importers.money import Money


class StatementError(ValueError):
    """A statement that cannot be read at all; the message says why and what to do."""


class Direction(enum.StrEnum):
    """Which way a line's money went, seen from the factory's account."""

    OUT = "out"
    IN = "in"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One booked movement. `references` are all our references found in it; `account` is personal and never logged."""

    entry: str  # the bank's own id of the booking, or its position
    direction: Direction
    amount: Money  # never negative
    booked_on: date
    references: tuple[str, ...]
    account: str | None = field(default=None, repr=False)
    is_return: bool = False
    is_charge: bool = False  # the bank itself calls it a charge of its own
    reason: str | None = None  # of a return: the bank's code (ISO external code), never its free text
    fee: Money | None = None  # contained in the amount
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One account's statement of one day (or stretch). Balances are signed; None where the bank states none.

    `is_complete` is false for a notification of single bookings: what it does not show may have happened all the same.
    """

    identification: str
    account: str = field(repr=False)
    currency: str
    opened_on: date
    closed_on: date
    opening: Money | None
    closing: Money | None
    lines: tuple[StatementLine, ...]
    warnings: tuple[str, ...] = ()
    is_complete: bool = True
