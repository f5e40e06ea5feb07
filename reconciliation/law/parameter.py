"""One value of the law through time: each figure with the day it starts and the text it stands in."""

from __future__ import annotations

import enum
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from reconciliation.contract import Citation
from reconciliation.law import khmer

Rows = tuple[Mapping[str, Decimal | date | str], ...]


class LawUnknownError(LookupError):
    """The law book does not know a value for the period: nothing is computed from a guess. `khmer` says the same in Khmer."""

    def __init__(self, told: str, *, khmer: str = "") -> None:
        super().__init__(told)
        self.khmer = khmer


class LawBookError(ValueError):
    """The law book itself is wrong: a file that cannot be read, a figure without a source, dates out of order."""


class Favour(enum.StrEnum):
    """Which way a factory may depart from a value of the law by agreement."""

    MORE = "more"  # a higher value favours the worker
    LESS = "less"
    FIXED = "fixed"  # nobody may depart from it


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedValue:
    """A value from `since` on. `value` is None where the law is known to say something that nobody has entered yet."""

    since: date
    value: Decimal | Rows | None
    citation: Citation
    note: str = ""
    signed_off_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A value of the law by date. Before its first date it is unknown, never zero."""

    name: str
    title: str
    unit: str
    sign_off: str  # who may confirm a new value
    favour: Favour
    file: str
    values: tuple[DatedValue, ...]

    @property
    def columns(self) -> Mapping[str, type]:
        """The columns of a table with the type of each; empty for a number."""
        rows = next((value.value for value in reversed(self.values) if isinstance(value.value, tuple)), ())
        return {name: type(cell) for name, cell in rows[0].items()} if rows else {}

    def __post_init__(self) -> None:
        days = [value.since for value in self.values]
        if not days or days != sorted(set(days)):
            raise LawBookError(f"{self.file}: {self.name}: the dates must be there and rise")

    def at(self, day: date) -> DatedValue:
        """The value in force on `day`. Raises LawUnknownError with what is missing, where to add it and who signs it off."""
        index = bisect_right(self.values, day, key=lambda dated: dated.since) - 1
        found = self.values[index] if index >= 0 else None
        if found is None or found.value is None:
            raise self.unknown(f"{day:%Y-%m}", found)
        return found

    def unknown(self, when: str, gap: DatedValue | None) -> LawUnknownError:
        """The refusal for a month or year without a value: which one, where to add it, and who may sign it off."""
        title, unit, sign_off = (
            khmer.TITLES.get(self.name, self.title),
            khmer.UNITS.get(self.unit, self.unit),
            khmer.SIGN_OFF.get(self.sign_off),
        )
        if gap is None:
            why, why_km = f"it is first known from {self.values[0].since}.", f"ច្បាប់នេះចាប់ផ្តើមស្គាល់ពី {self.values[0].since}។"
        else:
            why = f"no value is entered from {gap.since} on. {gap.note}".strip()
            why_km = f"មិនទាន់មានតម្លៃចាប់ពី {gap.since} ទេ។"
        return LawUnknownError(
            f"{self.title} ({self.name}, {self.unit}) is not known for {when}: {why} "
            f"Add it to the law book: in {self.file}, or as a signed-off parameter by an administrator. "
            f"It may be signed off by {self.sign_off}.",
            khmer=f"{title} ({unit}) សម្រាប់ {when} មិនទាន់ដឹងទេ៖ {why_km} អ្នកគ្រប់គ្រងត្រូវបញ្ចូលតម្លៃនេះក្នុងទំព័រច្បាប់ "
            f"ជាមួយឯកសារយោង។ អ្នកដែលអាចបញ្ជាក់៖ {sign_off or self.sign_off}។",
        )
