"""How alembic reaches the database: as the owner, through the same asyncpg that the service uses."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from payroll_api import settings, tables
from payroll_api.db.session import asyncpg_url
from payroll_api.errors import ConfigurationError


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind == "table" and name is not None and name.startswith("pgqueuer"))


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=tables.METADATA, compare_type=True, include_name=_ours)
    with context.begin_transaction():
        context.run_migrations()


async def _connect(url: str) -> None:
    engine = create_async_engine(asyncpg_url(url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run)
            await connection.commit()
    finally:
        await engine.dispose()


connection = context.config.attributes.get("connection")
if connection is not None:
    _run(connection)
else:
    url = settings.load().owner_database_url
    if not url:
        raise ConfigurationError("Set PAYROLL_OWNER_DATABASE_URL to the address of the owner of the tables, or use `payroll migrate`.")
    asyncio.run(_connect(url))
