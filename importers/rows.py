"""Read columns -> frozen rows, their sums, and the hash that recognises the same payroll in another file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress
from typing import Any

from importers.columns import ReadColumn, Reading
from importers.contract import Meaning, PayrollRow
from importers.khmer import normalise
from importers.kinds import ADDED_UP, DAYS, HOURS, MONEY
from importers.money import CURRENCIES, Money
from importers.progress import Progress

_EVERY = 1000  # rows between two words of progress
_FIELDS: Mapping[Meaning, str] = {
    Meaning.WORKER_CODE: "worker_code",
    Meaning.NAME: "name",
    Meaning.NAME_LATIN: "name_latin",
    Meaning.SEX: "sex",
    Meaning.NATIONAL_ID: "national_id",
    Meaning.PHONE: "phone",
    Meaning.POSITION: "position",
    Meaning.DEPARTMENT: "department",
    Meaning.JOINED_ON: "joined_on",
    Meaning.LEFT_ON: "left_on",
    Meaning.STATUS: "status",
    Meaning.SPOUSE: "spouse",
    Meaning.CHILDREN: "children",
    Meaning.PAY_METHOD: "pay_method",
    Meaning.BANK: "bank",
    Meaning.ACCOUNT: "account",
    Meaning.ACCOUNT_NAME: "account_name",
}


def build_rows(reading: Reading, net_currency: str, progress: Progress | None) -> tuple[PayrollRow, ...]:
    """A frozen row for every worker whose row nothing stops."""
    fields = [(_FIELDS[column.meaning], column.values) for column in reading.columns if column.meaning in _FIELDS]
    amounts, alternates = _money_columns(reading, net_currency)
    time = [(column.meaning, column.values) for column in reading.columns if column.meaning in HOURS | DAYS]
    added = _added_up(reading, net_currency)
    net = next(c.values for c in reading.columns if c.meaning is Meaning.NET and c.currency == net_currency)
    workers, sheet, total = reading.lines.workers, reading.grid.name, len(reading.lines.workers)
    rows: list[PayrollRow] = []
    for position, place in enumerate(workers):
        if progress is not None and position % _EVERY == 0:
            progress.row(position, total)
        if position in reading.stopped:
            continue
        personal: dict[str, Any] = {name: values[position] for name, values in fields}
        if not personal.get("name"):
            personal["name"] = personal.get("name_latin")
        money = {meaning: value for meaning, values in amounts if (value := values[position]) is not None}
        for meaning, columns in added:
            present = [value for values in columns if (value := values[position]) is not None]
            if present:
                money[meaning] = present[0] if len(present) == 1 else Money(sum(v.minor for v in present), present[0].currency)
        rows.append(
            PayrollRow(
                sheet=sheet,
                row=place + 1,
                net=net[position],
                amounts=money,
                alternates={meaning: value for meaning, values in alternates if (value := values[position]) is not None},
                time={meaning: value for meaning, values in time if (value := values[position]) is not None},
                **personal,
            )
        )
    if progress is not None:
        progress.row(total, total)
    return tuple(rows)


def _money_columns(reading: Reading, net_currency: str) -> tuple[list[tuple[Meaning, list[Any]]], list[tuple[Meaning, list[Any]]]]:
    """Each meaning's own column, and the second currency's beside it."""
    amounts: dict[Meaning, tuple[str | None, list[Any]]] = {}
    alternates: list[tuple[Meaning, list[Any]]] = []
    money = [column for column in reading.columns if column.meaning in MONEY and column.meaning not in ADDED_UP]
    for column in sorted(money, key=lambda column: column.currency != net_currency):
        if column.meaning in amounts:
            alternates.append((column.meaning, column.values))
        else:
            amounts[column.meaning] = (column.currency, column.values)
    return [(meaning, values) for meaning, (_, values) in amounts.items()], alternates


def _added_up(reading: Reading, net_currency: str) -> list[tuple[Meaning, list[list[Any]]]]:
    """Meanings that several columns make up together, in one currency."""
    found = []
    for meaning in sorted(ADDED_UP):
        columns = reading.find(meaning)
        codes = {column.currency for column in columns}
        code = net_currency if net_currency in codes else next(iter(sorted(filter(None, codes))), None)
        chosen = [column.values for column in columns if column.currency == code]
        if chosen:
            found.append((meaning, chosen))
    return found


def net_sums(values: Iterable[Money | None]) -> dict[str, Money]:
    """The sum of net amounts by currency code."""
    sums: dict[str, int] = {}
    for value in values:
        if value is not None:
            sums[value.currency.code] = sums.get(value.currency.code, 0) + value.minor
    return {code: Money(minor, CURRENCIES[code]) for code, minor in sorted(sums.items())}


def canonical_lines(reading: Reading) -> list[str]:
    """Each accepted row as text that stays the same when a payroll is saved again, sorted otherwise, renamed, or written as CSV.

    Made of values by meaning; where a row or column stands, and what is empty, do not count.
    """
    kept = [position not in reading.stopped for position in range(len(reading.lines.workers))]
    columns = sorted(reading.columns, key=lambda column: (column.meaning, column.currency or ""))
    lines = zip(*(_canonical(column, kept) for column in columns), strict=True)
    return ["\x1f".join(filter(None, line)) for line in lines]


def canonical_hash(lines: Iterable[str]) -> str:
    """What recognises the same payroll in another file. Hex SHA-256 over the rows in an order of their own."""
    return hashlib.sha256("\x1e".join(sorted(lines)).encode()).hexdigest()


def _canonical(column: ReadColumn, kept: Sequence[bool]) -> list[str]:
    """A column's values as text that has one spelling, each with its meaning; empty where there is none."""
    prefix = f"{column.meaning.value}{column.currency or ''}="
    values = compress(column.values, kept)
    if column.meaning in MONEY:
        written = _Written(lambda minor: f"{prefix}{minor}")
        return ["" if value is None else written[value.minor] for value in values]
    if column.meaning in HOURS | DAYS:
        written = _Written(lambda number: f"{prefix}{number.normalize() + 0:f}")
        return ["" if value is None else written[value] for value in values]
    written = _Written(lambda value: prefix + normalise(str(value)))
    return ["" if value is None else written[value] for value in values]


class _Written(dict[Any, str]):
    """Each distinct value written once."""

    def __init__(self, write: Callable[[Any], str]) -> None:
        super().__init__()
        self._write = write

    def __missing__(self, value: object) -> str:
        text = self[value] = self._write(value)
        return text
