"""Set-based statements: INSERT and UPDATE ... FROM unnest, on the session's own connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.db.session import driver

T = TypeVar("T")
_inserts: dict[tuple[str, tuple[str, ...]], str] = {}

# PostgreSQL refuses COPY into a table with row-level security, and a temporary table beside it costs more than it saves: each one is made
# and dropped in the system catalogue. Columns sent as arrays need one statement that is planned once, and the policy checks row by row.
_MOST = 1_000  # rows of one statement: so many are held twice at a time, and so many wait for the first ones to be made
_TYPES = """
select attname, format_type(atttypid, null) from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped
"""
_AS_WRITTEN = "select set_config('join_collapse_limit', '1', true)"
_SENT_AS = {"jsonb": "text", "json": "text"}


async def copy_in(session: AsyncSession, table: str, columns: Sequence[str], records: Iterable[Sequence[object]]) -> None:
    """Add rows, many by one statement. JSONB values must be JSON text; a column of an array type cannot be written this way.

    While PostgreSQL takes some, the next ones are made in a thread: `records` may be a generator that seals and hashes, and may not
    ask the session for anything.
    """
    rows = iter(records)
    some = _next(rows)
    while some:
        connection = await driver(session)
        statement = await _insert(connection, table, tuple(columns))
        making = asyncio.create_task(asyncio.to_thread(_next, rows)) if len(some) == _MOST else None
        try:
            await connection.execute(statement, *map(list, zip(*some, strict=True)))
        finally:  # whatever happens, no thread is left at work
            some = await making if making is not None else []


def _next(rows: Iterator[Sequence[object]]) -> list[Sequence[object]]:
    return list(islice(rows, _MOST))


async def _insert(connection: Any, table: str, columns: tuple[str, ...]) -> str:  # noqa: ANN401 asyncpg has no types
    """The statement that takes each column as an array, made once for each process: a migration that changes a type restarts it."""
    if (table, columns) not in _inserts:
        types: dict[str, str] = dict(await connection.fetch(_TYPES, table))
        sent = ", ".join(f"${place}::{_SENT_AS.get(types[name], types[name])}[]" for place, name in enumerate(columns, start=1))
        taken = ", ".join(f"n.c{place}::{types[name]}" for place, name in enumerate(columns, start=1))
        names = ", ".join(f"c{place}" for place in range(1, len(columns) + 1))
        _inserts[table, columns] = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {taken} FROM unnest({sent}) AS n({names})"  # noqa: S608 our own names
    return _inserts[table, columns]


async def fetch(session: AsyncSession, sql: str, *args: object) -> list[tuple[Any, ...]]:
    """Run a statement with $1-style arguments (arrays are sent as one value) and give its rows."""
    connection = await driver(session)
    return [tuple(record) for record in await connection.fetch(sql, *args)]


async def run(session: AsyncSession, sql: str, *args: object) -> int:
    """Run a statement with $1-style arguments and give the number of rows it touched."""
    connection = await driver(session)
    tag = await connection.execute(sql, *args)
    return int(tag.rsplit(" ", 1)[-1]) if tag and tag.rsplit(" ", 1)[-1].isdigit() else 0


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
