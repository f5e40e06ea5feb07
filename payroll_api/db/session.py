"""Sessions bound to one factory: what row-level security lets through is decided once, when the transaction begins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.pool import ConnectionPoolEntry

from payroll_api.errors import CommitUnknownError, ConfigurationError
from payroll_api.settings import FROZEN_SECONDS

_FACTORY = "factory_id"
# The first statement of a transaction is what makes SQLAlchemy's asyncpg dialect send BEGIN: without one, what runs on the raw
# connection would commit by itself. Every session says whose it is first, so nothing can slip out before BEGIN.
_SET_FACTORY = text("select set_config('app.factory_id', :factory, true)")
# What is asked for by keys lies in memory or on a disk without a moving arm: a chunk's 500 rows are looked up, not sought by reading the
# table from its beginning. And no statement of ours runs long enough to be worth compiling.
_PLANNING = {"random_page_cost": "1.1", "jit": "off"}


@event.listens_for(Session, "after_begin")
def _say_whose(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    connection.execute(_SET_FACTORY, {"factory": str(session.info.get(_FACTORY) or "")})


def asyncpg_url(url: str) -> str:
    """A postgresql:// address as SQLAlchemy's asyncpg dialect takes it."""
    for prefix in ("postgresql+asyncpg://", "postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+asyncpg://" + url.removeprefix(prefix)
    raise ConfigurationError("PAYROLL_DATABASE_URL must start with postgresql://. Correct it in the environment and start again.")


def plain_url(url: str) -> str:
    """The same address as asyncpg itself takes it."""
    return "postgresql://" + asyncpg_url(url).removeprefix("postgresql+asyncpg://")


_LONGEST = 10  # times as long no transaction of ours takes
# Since PostgreSQL 17; an older one has no such setting, and nothing is set there.
_LONGEST_TRANSACTION = "select set_config(name, $1, false) from pg_settings where name = 'transaction_timeout'"


def _limit(longest: str, connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(_LONGEST_TRANSACTION, (longest,))
    cursor.close()
    connection.commit()


class Database:
    """The application's connections to PostgreSQL.

    `frozen_seconds`: a process that freezes in the middle of a transaction keeps its locks, and whoever took its job over would wait for
    them as long as it is frozen. After so long without a word the server ends the transaction, whatever its own settings are. Frozen in
    the middle of a statement (its types were asked for, its values not sent) it counts as busy: then the whole transaction's time ends it.
    """

    def __init__(self, url: str, *, pool_size: int = 10, frozen_seconds: int = FROZEN_SECONDS) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            asyncpg_url(url),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            pool_timeout=20,
            connect_args={"server_settings": {**_PLANNING, "idle_in_transaction_session_timeout": f"{frozen_seconds}s"}},
        )
        event.listen(self.engine.sync_engine, "connect", partial(_limit, f"{_LONGEST * frozen_seconds}s"))
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=False)

    @asynccontextmanager
    async def factory(self, factory_id: UUID) -> AsyncIterator[AsyncSession]:
        """A transaction of one factory: commits at the end of the block, rolls back on an exception.

        Raises CommitUnknownError when the server did not say whether it committed: see there.
        """
        async with self._sessions(info={_FACTORY: factory_id}) as session, _committing(session):
            yield session

    @asynccontextmanager
    async def nobody(self) -> AsyncIterator[AsyncSession]:
        """A transaction that sees no factory's rows, only the directories that say which factory is meant."""
        async with self._sessions() as session, _committing(session):
            yield session

    async def analyze(self, *tables: str) -> None:
        """Refresh the planner's statistics of tables, or of some `table (columns)`, that have just taken many rows.

        Without it, until the server's own turn comes, a payday of 20,000 is planned as if it had one worker. In a transaction of its
        own, and a table that somebody else holds is passed over. A server before version 17 declines with a warning and goes on.
        """
        async with self.nobody() as session:
            await session.execute(text(f"ANALYZE (SKIP_LOCKED) {', '.join(tables)}"))

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


@asynccontextmanager
async def _committing(session: AsyncSession) -> AsyncIterator[None]:
    """Begin and commit. The one place where a failed COMMIT is told from an unknown one."""
    transaction = await session.begin()
    try:
        yield
    except BaseException:
        await transaction.rollback()
        raise
    if not (transaction.is_active or session.in_transaction()):
        return  # the block itself rolled back: nothing is left to commit
    try:
        await transaction.commit()
    except (DBAPIError, OSError) as error:
        # Only the server's own refusal (a constraint, a serialization failure) says that nothing was committed.
        if isinstance(error, DBAPIError) and not error.connection_invalidated and getattr(error.orig, "sqlstate", None):
            raise
        raise CommitUnknownError from error


def factory_of(session: AsyncSession) -> UUID:
    """The factory that this session belongs to. Raises LookupError for a session of nobody."""
    factory = session.info.get(_FACTORY)
    if isinstance(factory, UUID):
        return factory
    raise LookupError("this session belongs to no factory")


async def driver(session: AsyncSession) -> Any:  # noqa: ANN401 asyncpg has no types
    """The session's own asyncpg connection, inside its transaction, for COPY and for enqueuing jobs."""
    connection = await session.connection()
    raw = await connection.get_raw_connection()
    inner: Any = raw.driver_connection
    if inner is None or not inner.is_in_transaction():
        raise RuntimeError("the session's transaction has not begun on the wire")
    return inner


async def require_safe(database: Database) -> None:
    """Refuse to work on a server or with a role that could lose or leak rows. Raises ConfigurationError."""
    query = text(
        "select current_setting('synchronous_commit'), current_setting('fsync'), rolsuper, rolbypassrls,"
        " (select count(*) from pg_tables where schemaname = 'public' and tableowner = current_user)"
        " from pg_roles where rolname = current_user"
    )
    async with database.nobody() as session:
        synchronous, fsync, superuser, bypasses, owned = (await session.execute(query)).one()
    if synchronous == "off" or fsync == "off":
        raise ConfigurationError(
            "PostgreSQL runs with synchronous_commit or fsync off: a crash would forget payments that were sent. Switch both on."
        )
    if superuser or bypasses or owned:
        raise ConfigurationError(
            "PAYROLL_DATABASE_URL connects as a superuser or as the owner of the tables, so factories would not be kept apart."
            " Use the role payroll_app that `payroll migrate` makes."
        )
