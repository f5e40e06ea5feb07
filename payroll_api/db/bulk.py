"""Set-based statements: INSERT and UPDATE ... FROM unnest, on the session's own connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.db.session import driver

T = TypeVar("T")
_tables: dict[str, dict[str, str]] = {}

# PostgreSQL refuses COPY into a table with row-level security, and a temporary table beside it costs more than it saves: each one is made
# and dropped in the system catalogue. Columns sent as arrays need one statement that is planned once, and the policy checks row by row.
# A column that says the same of every row (the factory, the moment) is sent once: each element of an array costs the driver and the
# server a microsecond, and half of what is written of a payment is said of all of them.
_MOST = 1_000  # rows of one statement: so many are held twice at a time, and so many wait for the first ones to be made
_FEW = 8  # rows below which columns that happen to agree are arrays all the same: each mixture is a statement that must be planned
_TYPES = """
select attname, format_type(atttypid, null) from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped
"""
_AS_WRITTEN = "select set_config('join_collapse_limit', '1', true)"
_SENT_AS = {"jsonb": "text", "json": "text"}
# Of these, equal values of one type are the same value in the database too. A decimal is not: 8 and 8.00 are equal.
_EXACT = (str, bytes, int, UUID, datetime, date)


async def copy_in(session: AsyncSession, table: str, columns: Sequence[str], records: Iterable[Sequence[object]]) -> None:
    """Add rows, many by one statement. JSONB values must be JSON text; a column of an array type cannot be written this way.

    While PostgreSQL takes some, the next ones are made in a thread: `records` may be a generator that seals and hashes, and may not
    ask the session for anything.
    """
    rows = iter(records)
    some = _next(rows)
    while some:
        connection = await driver(session)
        types = await _types(connection, table)
        kinds = {name: types[name] for name in columns}
        source, arguments = over(kinds, list(zip(*some, strict=True)))
        taken = ", ".join(f"n.{name}" for name in columns)
        making = asyncio.create_task(asyncio.to_thread(_next, rows)) if len(some) == _MOST else None
        try:
            await connection.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {taken} FROM {source}", *arguments)  # noqa: S608 our own names
        finally:  # whatever happens, no thread is left at work
            some = await making if making is not None else []


def _next(rows: Iterator[Sequence[object]]) -> list[Sequence[object]]:
    return list(islice(rows, _MOST))


def over(kinds: Mapping[str, str], columns: Sequence[Sequence[object]], *, first: int = 1) -> tuple[str, list[object]]:
    """Rows as a FROM item `n` with these columns and types, and its arguments, which take $`first` and the places after it."""
    many = len(columns[0])
    same = [many == 1 or (many >= _FEW and _is_one(column)) for column in columns]
    if all(same):
        same[-1] = False  # something must say how many rows there are
    sent = [f"${place}::{_SENT_AS.get(kind, kind)}" for place, kind in enumerate(kinds.values(), start=first)]
    arrays = [f"{place}[]" for place, one in zip(sent, same, strict=True) if not one]
    taken = [
        f"{place if one else f'u.{name}'}{f'::{kind}' if kind in _SENT_AS else ''} AS {name}"
        for (name, kind), place, one in zip(kinds.items(), sent, same, strict=True)
    ]
    listed = ", ".join(name for name, one in zip(kinds, same, strict=True) if not one)
    arguments = [column[0] if one else list(column) for column, one in zip(columns, same, strict=True)]
    return f"(SELECT {', '.join(taken)} FROM unnest({', '.join(arrays)}) AS u({listed})) AS n", arguments  # noqa: S608 our own names


def _is_one(column: Sequence[object]) -> bool:
    """Whether a column holds one value only."""
    one = column[0]
    if column[-1] is not one and column[-1] != one:
        return False
    kind, exact = type(one), isinstance(one, _EXACT)
    return all(other is one or (exact and type(other) is kind and other == one) for other in column)


async def _types(connection: Any, table: str) -> dict[str, str]:  # noqa: ANN401 asyncpg has no types
    """The types of a table's columns, asked once for each process: a migration that changes one restarts it."""
    if table not in _tables:
        _tables[table] = dict(await connection.fetch(_TYPES, table))
    return _tables[table]


async def fetch(session: AsyncSession, sql: str, *args: object) -> list[tuple[Any, ...]]:
    """Run a statement with $1-style arguments (arrays are sent as one value) and give its rows."""
    connection = await driver(session)
    return [tuple(record) for record in await connection.fetch(sql, *args)]


async def run(session: AsyncSession, sql: str, *args: object) -> int:
    """Run a statement with $1-style arguments and give the number of rows it touched."""
    connection = await driver(session)
    tag = await connection.execute(sql, *args)
    return int(tag.rsplit(" ", 1)[-1]) if tag and tag.rsplit(" ", 1)[-1].isdigit() else 0


async def run_over(session: AsyncSession, sql: str, kinds: Mapping[str, str], columns: Sequence[Sequence[object]], *args: object) -> int:
    """The same over rows with these columns and types, which stand in the statement as `{rows}`, named `n`."""
    source, arguments = over(kinds, columns, first=len(args) + 1)
    return await run(session, sql.replace("{rows}", source), *args, *arguments)


async def as_written(session: AsyncSession) -> None:
    """Join in the order in which a statement names its tables, until the transaction ends.

    For statements that begin with a chunk's ids and reach all else through keys: their order is known, and to weigh every other order of
    eight tables takes PostgreSQL longer than the statement itself.
    """
    await fetch(session, _AS_WRITTEN)


def in_turn(items: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    """Items in rounds in which no key stands twice, each key's in the order they came: one statement may not meet a row twice."""
    rounds: list[dict[Hashable, T]] = []
    for item in items:
        name = key(item)
        place = next((one for one in rounds if name not in one), None)
        if place is None:
            rounds.append(place := {})
        place[name] = item
    return [list(one.values()) for one in rounds]
