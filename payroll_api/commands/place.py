"""Where a command works: the database that the settings name, or the embedded one, migrated and safe to use."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from payroll_api.db import embedded
from payroll_api.db.session import Database, require_safe
from payroll_api.encryption import master
from payroll_api.errors import ConfigurationError
from payroll_api.migrations import apply
from payroll_api.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The settings with the addresses filled in. `is_embedded` says whether the server is ours."""

    settings: Settings
    is_embedded: bool


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Place]:
    """The database to work on, for as long as the block lasts; the embedded one is started and migrated.

    Raises ConfigurationError when it cannot be reached, is not migrated, or would not keep factories apart.
    """
    with contextlib.ExitStack() as stack:
        if settings.database_url is None:
            at = stack.enter_context(embedded.running(settings.data_dir / "postgres"))
            await embedded.ensure_database(at)
            await apply.upgrade(at.owner)
            master.load(settings.master_key_file, create=True)
            settings = settings.model_copy(update={"database_url": at.application, "owner_database_url": at.owner})
            yield Place(settings=settings, is_embedded=True)
        else:
            await require_ready(settings.database_url)
            yield Place(settings=settings, is_embedded=False)


async def require_ready(url: str) -> None:
    """Raises ConfigurationError unless the database at `url` answers, is safe and has the newest tables."""
    database = Database(url, pool_size=1)
    try:
        await require_safe(database)
        await _require_newest(database)
    except (OSError, OperationalError) as error:
        raise ConfigurationError(
            f"The database at PAYROLL_DATABASE_URL cannot be reached ({_plain(error)}). Start it, or correct the address."
        ) from None
    finally:
        await database.close()


async def _require_newest(database: Database) -> None:
    try:
        async with database.nobody() as session:
            found = set((await session.scalars(text("select version_num from alembic_version"))).all())
    except ProgrammingError:
        found = set()
    if found != apply.heads():
        raise ConfigurationError(
            "The tables of this database are not those of this version."
            " Run `payroll migrate` with PAYROLL_OWNER_DATABASE_URL set to the owner's address, then start again."
        )


def _plain(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return type(cause).__name__
