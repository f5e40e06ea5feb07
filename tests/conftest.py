"""What all tests share: one embedded PostgreSQL for the whole run, a database for each test process, and no way to the Internet.

The first test process that needs PostgreSQL starts it and migrates a template; each process clones its own database from that. Tests
of one process share their database: each makes its own factory, and row-level security keeps them apart.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import psutil
import pytest
import pytest_socket

# A checkout that was never installed still runs its tests.
sys.path[:0] = [root] if (root := str(Path(__file__).parent.parent)) not in sys.path else []

from payroll_api.db import embedded  # noqa: E402 after the path
from payroll_api.db.embedded import Addresses  # noqa: E402
from payroll_api.db.session import Database  # noqa: E402
from payroll_api.migrations import apply  # noqa: E402

_FOLDER = "GARMENT_WAGES_TEST_FOLDER"
_PREFIX = "gw-tests-"
_TEMPLATE = "payroll_template"


# --- one folder for the run, gone afterwards ------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """The process that starts the others makes the folder; they inherit its name."""
    if not hasattr(config, "workerinput"):
        _sweep()
        # PostgreSQL runs as a user of its own when we are root: the folder must be reachable for that one.
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")).resolve()
        folder.chmod(0o755)
        os.environ[_FOLDER] = str(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave no server and no folder behind, also after a test process died."""
    if not hasattr(config, "workerinput") and (folder := os.environ.pop(_FOLDER, None)):
        _remove(Path(folder))


def _sweep() -> None:
    """Remove what an earlier run left that was killed before it could tidy up."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)) and folder.stat().st_uid == os.getuid():
            _remove(folder)


def _remove(folder: Path) -> None:
    for running in folder.glob("*/postmaster.pid"):
        with contextlib.suppress(OSError, ValueError, IndexError, psutil.Error):
            server = psutil.Process(int(running.read_text().splitlines()[0]))
            if "postgres" in server.name():
                server.terminate()
                server.wait(5)
    shutil.rmtree(folder, ignore_errors=True)


# --- no way out -------------------------------------------------------------------------------------------------------------------


def pytest_runtest_setup() -> None:
    """Tests reach this machine only."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


# --- PostgreSQL ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def run_folder() -> Path:
    """The folder of this test run, shared by its processes."""
    return Path(os.environ[_FOLDER])


@pytest.fixture(scope="session")
async def server(run_folder: Path) -> AsyncIterator[Addresses]:
    """The run's PostgreSQL with a migrated template. The last test process that leaves stops it."""
    with contextlib.ExitStack() as stack:
        with (run_folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            at = stack.enter_context(embedded.running(run_folder / "postgres"))
            await _make_template(at)
        yield at


async def _make_template(at: Addresses) -> None:
    async with administration(at) as connection:
        if await connection.fetchval("select 1 from pg_database where datname = $1 and datistemplate", _TEMPLATE):
            return
        await connection.execute(f"DROP DATABASE IF EXISTS {_TEMPLATE}")
        await connection.execute(f"CREATE DATABASE {_TEMPLATE}")
        await apply.upgrade(_named(at, _TEMPLATE).owner)
        await connection.execute(f"ALTER DATABASE {_TEMPLATE} IS_TEMPLATE true")


@contextlib.asynccontextmanager
async def administration(at: Addresses) -> AsyncIterator[Any]:
    """A connection of PostgreSQL's superuser, outside any payroll database."""
    connection = await asyncpg.connect(_named(at, "postgres").owner)
    try:
        yield connection
    finally:
        await connection.close()


def _named(at: Addresses, name: str) -> Addresses:
    return embedded.addresses(urlsplit(at.owner).query.removeprefix("host="), name)


@contextlib.asynccontextmanager
async def _clone(at: Addresses) -> AsyncIterator[Addresses]:
    name = f"test_{uuid4().hex}"
    async with administration(at) as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    yield _named(at, name)
    async with administration(at) as connection:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
async def addresses(server: Addresses) -> AsyncIterator[Addresses]:
    """This test process's own migrated database: `owner` makes tables, `application` is what the service uses."""
    async with _clone(server) as clone:
        yield clone


@pytest.fixture(scope="session")
async def database(addresses: Addresses) -> AsyncIterator[Database]:
    """The application's connections to this process's database."""
    database = Database(addresses.application)
    yield database
    await database.close()


@pytest.fixture
async def empty_addresses(server: Addresses) -> AsyncIterator[Addresses]:
    """A migrated database for one test alone, for what looks at all factories at once. Costs about a tenth of a second."""
    async with _clone(server) as clone:
        yield clone


# --- time -------------------------------------------------------------------------------------------------------------------------


class SettableClock:
    """A clock that stands until a test moves it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: int) -> None:
        """Move on, for example `advance(minutes=31)`."""
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> SettableClock:
    """Nine in the morning in Phnom Penh on the last day of November 2026."""
    return SettableClock(datetime(2026, 11, 30, 2, 0, tzinfo=UTC))
