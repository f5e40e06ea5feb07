"""Many rows at once, under row-level security like any others."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import asyncpg
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.audit.journal import Event, record_many
from payroll_api.audit.models import AuditEvent
from payroll_api.db.bulk import copy_in, fetch, over
from payroll_api.services import Services

if TYPE_CHECKING:
    from tests.conftest import SampleFactory


async def _count(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(AuditEvent)) or 0


@pytest.mark.parametrize("many", [0, 1, 30, 31, 2000])
async def test_any_number_of_rows_is_written(services: Services, factory: SampleFactory, many: int) -> None:
    async with services.database.factory(factory.id) as session:
        before = await _count(session)
        for _ in range(2):
            await record_many(session, services.clock(), [Event(actor="system", action="tried", subject=f"n:{n}") for n in range(many)])
        assert await _count(session) == before + 2 * many


@pytest.mark.parametrize("many", [1, 100])
async def test_rows_of_another_factory_are_refused(
    services: Services, factory: SampleFactory, other_factory: SampleFactory, many: int
) -> None:
    rows = [(other_factory.id, f"n:{n}", "tried", b"{}", b"leaf") for n in range(many)]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with services.database.factory(factory.id) as session:
            await copy_in(session, "audit_events", ("factory_id", "subject", "action", "body", "leaf"), rows)


# Few different values, so that a column often says the same of every row, or of all rows but one.
_VALUES: Mapping[str, tuple[str, Sequence[object]]] = {
    "a_text": ("text", ["", "x", "១", None]),
    "a_number": ("bigint", [0, 1, None]),
    "a_decimal": ("numeric", [Decimal(8), Decimal("8.00"), None]),
    "a_truth": ("boolean", [True, False]),
    "some_bytes": ("bytea", [b"", b"1"]),
    "a_moment": ("timestamp with time zone", [datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)]),
    "some_json": ("jsonb", ['{"a": 1}', "[]"]),
}


@pytest.mark.parametrize("seed", range(4))
async def test_rows_arrive_as_they_were_sent_whatever_they_have_in_common(services: Services, factory: SampleFactory, seed: int) -> None:
    lot = random.Random(seed)  # noqa: S311 a lot to repeat, no secret
    async with services.database.factory(factory.id) as session:
        for _ in range(30):
            pools = [lot.sample(list(values), lot.randint(1, len(values))) for _, values in _VALUES.values()]
            rows = [tuple(lot.choice(pool) for pool in pools) for _ in range(lot.choice([1, 2, 7, 8, 9, 20]))]
            source, arguments = over({name: kind for name, (kind, _) in _VALUES.items()}, list(zip(*rows, strict=True)), first=2)
            found = await fetch(session, f"select n.*, $1::text from {source}", "beside", *arguments)  # noqa: S608 our own names
            sent = [(*row[:-1], json.loads(str(row[-1]))) for row in rows]
            assert repr([row[:-1] for row in found]) == repr(sent)  # 8 is not 8.00, and true is not 1


async def test_what_is_said_of_every_row_is_sent_once() -> None:
    _, arguments = over({"a": "text", "b": "bigint"}, [["same"] * 500, list(range(500))])
    assert arguments == ["same", list(range(500))]
