"""What a frozen process has locked is another's after a while: nobody need find and kill it before wages go on."""

from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from payroll_api.db.embedded import Addresses
from payroll_api.db.session import Database
from tests.conftest import SampleFactory

_TAKE = text("select factory_id from factories where factory_id = :id for update")


async def take(database: Database, factory_id: UUID) -> None:
    """Lock the factory's row for a moment."""
    async with database.factory(factory_id) as session:
        await session.execute(_TAKE, {"id": factory_id})


async def test_what_a_frozen_process_holds_is_free_after_a_while(addresses: Addresses, factory: SampleFactory) -> None:
    """Whatever the server's own settings are: a PostgreSQL that the factory runs itself waits for ever by default."""
    owner = await asyncpg.connect(addresses.owner)
    assert await owner.fetchval("show idle_in_transaction_session_timeout") == "0"
    await owner.close()
    frozen, living = Database(addresses.application, frozen_seconds=1), Database(addresses.application)
    holds, wakes = asyncio.Event(), asyncio.Event()

    async def freeze_and_wake() -> None:
        async with frozen.factory(factory.id) as session:
            await session.execute(_TAKE, {"id": factory.id})
            holds.set()
            await wakes.wait()
            await session.execute(text("select 1"))

    freezing = asyncio.create_task(freeze_and_wake())
    await asyncio.wait_for(holds.wait(), 10)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(take(living, factory.id), 0.2)
    await asyncio.wait_for(take(living, factory.id), 20)
    wakes.set()
    (woken,) = await asyncio.gather(freezing, return_exceptions=True)
    assert isinstance(woken, Exception), "whoever froze learns that the transaction is no longer hers"
    await take(frozen, factory.id)  # and works on with another
    await frozen.close()
    await living.close()


async def test_who_froze_in_the_middle_of_a_statement_loses_the_transaction_too(addresses: Addresses) -> None:
    """To the server such a process is busy, not idle: here with a statement that does not end, ten seconds after one second's patience."""
    frozen = Database(addresses.application, frozen_seconds=1)
    with pytest.raises(DBAPIError, match="transaction timeout"):
        async with frozen.nobody() as session:
            await session.execute(text("select pg_sleep(60)"))
    await frozen.close()


async def test_every_connection_of_the_service_asks_for_it(addresses: Addresses) -> None:
    database = Database(addresses.application)
    async with database.nobody() as session:
        assert await session.scalar(text("show idle_in_transaction_session_timeout")) == "1min"
        assert await session.scalar(text("show transaction_timeout")) == "10min"
        await session.rollback()
    async with database.nobody() as session:
        assert await session.scalar(text("show transaction_timeout")) == "10min"
    await database.close()
