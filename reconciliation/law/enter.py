"""A value that a person adds to the law book: is it one of the law's kind, and does it take a second person?

Values come as text or tables of text, as a form or JSON holds them. A calendar of public holidays is a table of `date` and `name`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from reconciliation.law.book import LawBook
from reconciliation.law.parameter import Favour, LawBookError, Parameter, Rows

_MOST_ROWS = 60
_FAR = 2  # twice or half of what stood before is a typing error more often than a law
_LONGEST = 120
CALENDAR = "public_holidays"

Given = str | Sequence[Mapping[str, str]]


def value_of(parameter: Parameter, given: Given, since: date) -> Decimal | Rows:
    """The value that was written for a parameter from `since` on. Raises LawBookError that says what is wrong and how it is written."""
    columns = parameter.columns
    if not columns:
        if not isinstance(given, str):
            raise LawBookError(f"{parameter.name} is a number ({parameter.unit}), not a table")
        return _number(parameter.name, given)
    if isinstance(given, str) or not 1 <= len(given) <= _MOST_ROWS:
        raise LawBookError(f"{parameter.name} is a table of 1 to {_MOST_ROWS} rows with the columns {', '.join(columns)}")
    rows = tuple(_row(parameter.name, columns, number, row) for number, row in enumerate(given, 1))
    first = next(iter(columns))
    keys = [row[first] for row in rows]
    if any(not one < other for one, other in pairwise(keys)):  # type: ignore[operator]  # one column has one type
        raise LawBookError(f"{parameter.name}: {first} must rise from row to row, and no row may stand twice")
    _closed(parameter, rows)
    if parameter.name == CALENDAR:
        _calendar(rows, since)
    return rows


def second_person(book: LawBook, name: str, value: Decimal | Rows, since: date) -> str:
    """Why a second person must sign a value off, or nothing: it may lower what workers get, or stands far from the value before."""
    parameter = book.parameters[name]
    before = [dated for dated in parameter.values if dated.value is not None and dated.since <= since]
    if not before or (name == CALENDAR and before[-1].since != since):
        return ""
    last = before[-1].value
    if isinstance(value, tuple) and isinstance(last, tuple):
        if name == CALENDAR:
            lost = {row["date"] for row in last} - {row["date"] for row in value}
            return "it takes holidays away that were in the list" if lost else ""
        return "" if last == value else "it may lower what workers get"
    if not isinstance(value, Decimal) or not isinstance(last, Decimal) or parameter.favour is Favour.FIXED:
        return "" if last == value else "it may lower what workers get"
    if (value < last) if parameter.favour is Favour.MORE else (value > last):
        return "it lowers what workers get"
    far = last and not last / _FAR <= value <= last * _FAR
    return "it is more than twice or less than half of the value before" if far else ""


def _number(name: str, text: str) -> Decimal:
    try:
        found = Decimal(text.replace(",", "").strip())
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found < 0 or abs(found.adjusted()) > 12:  # noqa: PLR2004 no figure of wage law is longer
        raise LawBookError(f"{name}: {text[:20]!r} is not a number: write it such as 212 or 0.02")
    return found


def _row(name: str, columns: Mapping[str, type], number: int, row: Mapping[str, str]) -> Mapping[str, Decimal | date | str]:
    if set(row) != set(columns):
        raise LawBookError(f"{name}, row {number}: its columns are {', '.join(columns)}")
    cells: dict[str, Decimal | date | str] = {}
    for column, kind in columns.items():
        text = str(row[column]).strip()
        if kind is date:
            try:
                cells[column] = date.fromisoformat(text)
            except ValueError:
                raise LawBookError(f"{name}, row {number}: {text[:20]!r} is not a date: write it such as 2027-01-01") from None
        elif kind is str:
            if not 1 <= len(text) <= _LONGEST or not text.isprintable():
                raise LawBookError(f"{name}, row {number}: {column} is a text of 1 to {_LONGEST} characters")
            cells[column] = text
        else:
            cells[column] = Decimal("Infinity") if text.casefold() in {"inf", "infinity"} else _number(f"{name}, row {number}", text)
    return cells


def _closed(parameter: Parameter, rows: Rows) -> None:
    """A table whose last row had no upper end keeps it so: else a large wage would stand nowhere."""
    last = next(value.value for value in reversed(parameter.values) if isinstance(value.value, tuple))[-1]
    for column, cell in last.items():
        if isinstance(cell, Decimal) and cell.is_infinite() and rows[-1][column] != cell:
            raise LawBookError(f"{parameter.name}: {column} of the last row is inf, so that every amount has its row")
    if any(isinstance(cell, Decimal) and cell.is_infinite() for row in rows[:-1] for cell in row.values()):
        raise LawBookError(f"{parameter.name}: only the last row has no upper end")


def _calendar(rows: Rows, since: date) -> None:
    if (since.month, since.day) != (1, 1):
        raise LawBookError("a list of public holidays holds for a year: give 1 January of that year as its first day")
    strangers = [str(row["date"]) for row in rows if not isinstance(row["date"], date) or row["date"].year != since.year]
    if strangers:
        raise LawBookError(f"the list of public holidays of {since.year} holds {strangers[0]}, which is of another year")
