"""A report before it is a file: titles, sections with columns and rows, totals, and lines to sign on."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from importers.money import Money

Value = str | int | Money | date | None


class Form(enum.StrEnum):
    """The forms in which a report leaves."""

    XLSX = "xlsx"
    CSV = "csv"
    PDF = "pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column. `weight` is its share of the width on paper; figures stand on the right."""

    title: str
    weight: int = 2
    is_figure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table with a title. `totals` are rows that are set apart; `empty` is what stands there when there is no row."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    totals: Sequence[Sequence[Value]] = ()
    note: str = ""
    empty: str = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A report in one language. `name` is the file's name without its end.

    `facts` and `text` stand under the title, `signatures` at the end.
    """

    name: str
    title: str
    language: str
    sections: Sequence[Section]
    facts: Sequence[tuple[str, str]] = ()
    text: str = ""  # of a letter; only on paper
    signatures: Sequence[str] = ()
    foot: str = ""
    is_wide: bool = False

    @property
    def count(self) -> int:
        """How many rows it has in all."""
        return sum(len(section.rows) for section in self.sections)


def written(value: Value) -> str:
    """A value as a person reads it: `1,234.50`, `2026-11-30`; nothing known is empty. The currency stands in a title or beside."""
    if value is None:
        return ""
    if isinstance(value, Money):
        return f"{value.amount:,.{value.currency.exponent}f}"
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:,}" if isinstance(value, int) else value
