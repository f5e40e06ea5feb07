"""Bring a database to the newest revision, or say what is missing."""

from __future__ import annotations

from pathlib import Path

from alembic import autogenerate, command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from payroll_api.db.session import asyncpg_url


def configuration() -> Config:
    """Alembic's configuration, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


async def upgrade(owner_url: str, to: str = "head") -> None:
    """Apply every revision that the database does not have yet, up to one where it is named."""

    def run(connection: Connection) -> None:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, to)

    engine = create_async_engine(asyncpg_url(owner_url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
            await connection.commit()
    finally:
        await engine.dispose()


async def missing(owner_url: str) -> list[str]:
    """What keeps this database from being the newest: revisions not applied, and differences from the tables in the code."""
    from payroll_api import tables  # noqa: PLC0415 all models, a second of importing: a start that finds the newest database needs none

    def look(connection: Connection) -> list[str]:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _p: not (kind == "table" and (name or "").startswith("pgqueuer")),
            },
        )
        newest = set(ScriptDirectory.from_config(configuration()).get_heads())
        problems = [f"revision {head} is not applied: run `payroll migrate`" for head in newest - set(context.get_current_heads())]
        return problems + [
            f"the tables differ from the code: {difference}" for difference in autogenerate.compare_metadata(context, tables.METADATA)
        ]

    engine = create_async_engine(asyncpg_url(owner_url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(look)
    finally:
        await engine.dispose()


def heads() -> set[str]:
    """The newest revisions that the code knows."""
    return set(ScriptDirectory.from_config(configuration()).get_heads())
