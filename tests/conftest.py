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
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import httpx
import psutil
import pytest
import pytest_socket
from sqlalchemy.ext.asyncio import AsyncSession

# A checkout that was never installed still runs its tests.
sys.path[:0] = [root] if (root := str(Path(__file__).parent.parent)) not in sys.path else []

# ruff: noqa: E402  imports of ours come after the path
from payroll_api.access import passwords
from payroll_api.access.actor import PERMISSIONS, Actor, Role
from payroll_api.access.models import LoginDirectory, User
from payroll_api.audit.signing import Signer
from payroll_api.db import embedded
from payroll_api.db.base import new_id
from payroll_api.db.embedded import Addresses
from payroll_api.db.session import Database, factory_of
from payroll_api.encryption import master
from payroll_api.encryption.vault import Keys
from payroll_api.factories.create import create_factory
from payroll_api.migrations import apply
from payroll_api.services import Services
from payroll_api.settings import Settings
from payroll_api.wiring import ConnectorPool
from reconciliation.law.book import load_cambodia

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


def pytest_xdist_auto_num_workers() -> int:
    """Two test processes for each core: half of the time they wait for a provider, a server that starts, or PostgreSQL."""
    return 2 * len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2 * (os.cpu_count() or 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests begin first."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def _sweep() -> None:
    """Remove what an earlier run left that was killed before it could tidy up."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        with contextlib.suppress(FileNotFoundError):  # another run may be sweeping, too
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


# --- the service ------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of this test process: its master key and its audit checkpoints."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
async def services(database: Database, data_dir: Path, clock: SettableClock) -> AsyncIterator[Services]:
    """What steps are handed, with the test's clock and real connectors."""
    settings = Settings(data_dir=data_dir, database_url=database.url)
    key = master.load(settings.master_key_file, create=True)
    keys = Keys(key)
    connectors = ConnectorPool(settings, keys)
    yield Services(
        settings=settings, database=database, keys=keys, signer=Signer(key), clock=clock, connectors=connectors, law=load_cambodia()
    )
    await connectors.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFactory:
    """A factory made for one test: its id, and one person of each role. All have the password `PASSWORD`."""

    id: UUID
    slug: str
    people: Mapping[Role, Actor]
    logins: Mapping[Role, str] = field(repr=False)

    @property
    def preparer(self) -> Actor:
        """HR, who uploads and submits."""
        return self.people[Role.PREPARER]

    @property
    def approver(self) -> Actor:
        """Who approves and releases."""
        return self.people[Role.APPROVER]

    @property
    def finance(self) -> Actor:
        """Who settles."""
        return self.people[Role.FINANCE]

    @property
    def auditor(self) -> Actor:
        """Who reads and proves."""
        return self.people[Role.AUDITOR]

    @property
    def administrator(self) -> Actor:
        """Who gives roles and holds the provider accounts."""
        return self.people[Role.ADMINISTRATOR]


PASSWORD = "seven lotus ponds at dawn"


async def make_factory(services: Services) -> SampleFactory:
    """A factory of its own with one person of each role."""
    slug = f"test-{uuid4().hex[:12]}"
    factory_id = await create_factory(services, slug=slug, name="Angkor Sample Garments", name_km="អង្គរ កាត់ដេរ", hotline="023 900 100")
    people, logins = {}, {}
    async with services.database.factory(factory_id) as session:
        for role in Role:
            logins[role] = f"{role.value}@{slug}"
            user_id = await _add_person(session, services, role, logins[role])
            people[role] = Actor(
                factory_id=factory_id, name=f"user:{user_id}", permissions=PERMISSIONS[role], user_id=user_id, language="en"
            )
    return SampleFactory(id=factory_id, slug=slug, people=people, logins=logins)


_hashes: list[str] = []


async def _add_person(session: AsyncSession, services: Services, role: Role, login: str) -> UUID:
    """As `users.create_user` does, but with a password hashed once: argon2 takes its time on purpose."""
    if not _hashes:
        _hashes.append(await passwords.hash_new(PASSWORD))
    vault = await services.keys.vault(session)
    user_id, factory_id = new_id(), factory_of(session)
    session.add(LoginDirectory(login_index=services.keys.login_index(login), factory_id=factory_id, user_id=user_id))
    session.add(
        User(
            factory_id=factory_id,
            id=user_id,
            login=vault.seal(login, "users", user_id, "login"),
            display_name=vault.seal(role.value.title(), "users", user_id, "display_name"),
            password_hash=_hashes[0],
            roles=[role.value],
            language="en",
            created_at=services.clock(),
            disabled_at=None,
        )
    )
    await session.flush()
    return user_id


@pytest.fixture
async def factory(services: Services) -> SampleFactory:
    """A factory for this test. Another one: `await make_factory(services)` through the fixture `other_factory`."""
    return await make_factory(services)


@pytest.fixture
async def other_factory(services: Services) -> SampleFactory:
    """A second factory, which must see nothing of the first."""
    return await make_factory(services)


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """The service over ASGI, in this process, with nobody signed in."""
    from payroll_api.app import create_app  # noqa: PLC0415 only tests of the API build it

    transport = httpx.ASGITransport(app=create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        yield http
