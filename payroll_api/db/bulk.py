"""Set-based statements: COPY in, and UPDATE ... FROM unnest, on the session's own connection."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.db.session import driver

T = TypeVar("T")

# PostgreSQL refuses COPY into a table with row-level security. Few rows go by INSERT; many by COPY into a temporary table and one
# INSERT from there, which the policy checks row by row.
_FEW = 30


async def copy_in(session: AsyncSession, table: str, columns: Sequence[str], records: Iterable[Sequence[object]]) -> None:
    """Add rows; many of them by COPY. JSONB values must be JSON text."""
    connection = await driver(session)
    rows = list(records)
    names = ", ".join(columns)
    if len(rows) <= _FEW:
        if rows:
            values = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
            await connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({values})", rows)  # noqa: S608 our own names
        return
    stage = f"copy_in_{table}"
    await connection.execute(f"CREATE TEMPORARY TABLE {stage} ON COMMIT DROP AS SELECT {names} FROM {table} WITH NO DATA")  # noqa: S608 our own names
    await connection.copy_records_to_table(stage, records=rows, columns=list(columns))
    await connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {stage}; DROP TABLE {stage}")  # noqa: S608 our own names


async def fetch(session: AsyncSession, sql: str, *args: object) -> list[tuple[Any, ...]]:
    """Run a statement with $1-style arguments (arrays are sent as one value) and give its rows."""
    connection = await driver(session)
    return [tuple(record) for record in await connection.fetch(sql, *args)]


async def run(session: AsyncSession, sql: str, *args: object) -> int:
    """Run a statement with $1-style arguments and give the number of rows it touched."""
    connection = await driver(session)
    tag = await connection.execute(sql, *args)
    return int(tag.rsplit(" ", 1)[-1]) if tag and tag.rsplit(" ", 1)[-1].isdigit() else 0


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
