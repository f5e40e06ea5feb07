"""The stretch of time a wage is for, and the kind of run that pays it."""

from __future__ import annotations

import calendar
import enum
import re
from dataclasses import dataclass
from datetime import date
from typing import Self

_PERIOD = re.compile(r"^(20[0-9]{2})-(0[1-9]|1[0-2])$", re.ASCII)


class PeriodError(ValueError):
    """A pay period that is not written as YYYY-MM."""


class RunKind(enum.StrEnum):
    """What a run pays. A worker is paid at most once for each (period, kind)."""

    FIRST_HALF = "first_half"  # Prakas 442: half of the wage by the second week
    BALANCE = "balance"  # the month's wage, less what the first half paid
    INDEMNITY = "indemnity"  # Prakas 443: seniority indemnity paid on its own
    FINAL_PAY = "final_pay"  # Labour Law art. 116: within 48 hours of leaving
    CORRECTION = "correction"  # an approved addition to an earlier run


@dataclass(frozen=True, slots=True, order=True)
class PayPeriod:
    """A calendar month of work, Asia/Phnom_Penh days."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`2026-11` as a period. Raises PeriodError for anything else."""
        match = _PERIOD.match(text)
        if match is None:
            raise PeriodError(f"pay period {text!r} is not written as YYYY-MM, for example 2026-11")
        return cls(int(match[1]), int(match[2]))

    @property
    def first_day(self) -> date:
        """The first day of the month."""
        return date(self.year, self.month, 1)

    @property
    def last_day(self) -> date:
        """The last day of the month."""
        return date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])

    def __contains__(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"
