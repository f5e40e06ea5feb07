"""Many rows at once, under row-level security like any others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.audit.journal import Event, record_many
from payroll_api.audit.models import AuditEvent
from payroll_api.db.bulk import copy_in
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
