"""A lane of the crash matrix: a PostgreSQL of its own, a provider, a clock, and a nursery of service processes."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
from sqlalchemy import select

from payroll_api import wiring
from payroll_api.db import embedded
from payroll_api.db.embedded import Addresses
from payroll_api.migrations import apply
from payroll_api.payments.look_up import confirm
from payroll_api.payments.models import Dispatch
from payroll_api.services import Services
from payroll_api.settings import Settings
from tests.crash import connector
from tests.crash.golden import Golden, release_all, stage, this_period, work
from tests.crash.machine import Server
from tests.crash.nursery import Child, Nursery, SharedClock, services_of
from tests.crash.profiles import KINDS
from tests.crash.provider import Books, Provider
from tests.crash.wire import PostgresProxy

RUN = "crash_run"
BACKUP = "crash_backup"
_TEMPLATE = "crash_template"
_SMALL = "\n# One lane of many.\nshared_buffers = 32MB\nmax_connections = 60\nautovacuum = off\nmax_wal_size = 1GB\n"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Lane:
    """Everything that runs of one lane share. Made outside an event loop, because it forks."""

    def __init__(self, folder: Path, kinds: Iterable[str], sizes: Sequence[int]) -> None:
        """`sizes`: the workers of two factories that pay, and of one that has nothing yet."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.kinds, self.sizes = folder, tuple(kinds), sizes
        connector.install(folder / "plugin")
        self.clock = SharedClock(folder / "clock")
        self.golden: dict[str, Golden] = {}
        self.struck: list[str] = []
        self.provider = Provider(self._on_point)
        self.children: list[Child] = []
        self.kill_on_point = False
        self._stack = contextlib.ExitStack()
        self._provider_port = _free_port()
        self._base_url = f"http://127.0.0.1:{self._provider_port}"

    def _on_point(self, point: str) -> None:
        self.struck.append(point)
        if self.kill_on_point:
            for child in self.children:
                child.send(9)  # type: ignore[arg-type]  # SIGKILL

    def open(self) -> None:
        """Start PostgreSQL, make the golden databases, fork the nursery."""
        data = self.folder / "postgres"
        at = self._stack.enter_context(embedded.running(data))
        self.server = Server(data=data, sockets=Path(parse_qs(urlsplit(at.owner).query)["host"][0]))
        with (data / "postgresql.conf").open("a") as conf:
            conf.write(_SMALL)
        self.server.stop()
        self.server.start()
        self.proxy = PostgresProxy(self.server.sockets / ".s.PGSQL.5432", self.folder / "proxied")
        self.nursery = Nursery(self.clock, self.folder)
        common: dict[str, Any] = {"data_dir": self.folder / "data", "look_up_seconds": 5, "pool_size": 4, "frozen_seconds": 5}
        common["public_url"] = f"http://127.0.0.1:{self.nursery.port}"
        self.settings = Settings(database_url=self.named(RUN).application, **common)
        proxied = embedded.addresses(str(self.folder / "proxied"), RUN).application
        asyncio.run(self._make_golden())
        self.nursery.start({"direct": self.settings, "proxied": Settings(database_url=proxied, **common)}, self._warm_up)

    def named(self, name: str) -> Addresses:
        """The addresses of one database of the lane's server."""
        return embedded.addresses(str(self.server.sockets), name)

    def close(self) -> None:
        """End everything that the lane started."""
        for child in self.children:
            child.send(9)  # type: ignore[arg-type]  # SIGKILL
        self.nursery.stop()
        self._stack.close()

    @contextlib.asynccontextmanager
    async def admin(self, database: str = "postgres") -> Any:
        """A connection of the superuser."""
        connection = await asyncpg.connect(self.named(database).owner)
        try:
            yield connection
        finally:
            await connection.close()

    async def _make_golden(self) -> None:
        async with self.admin() as connection:
            for name in (_TEMPLATE, *(f"golden_{kind}" for kind in self.kinds)):
                await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await connection.execute(f"CREATE DATABASE {_TEMPLATE}")
        await apply.upgrade(self.named(_TEMPLATE).owner)
        await self.provider.open(self._provider_port)
        first, *others = self.kinds
        async with self._services(first, _TEMPLATE) as services:
            self.golden[first] = await self._golden(services, first)
        self.provider.close()
        for kind in others:
            # The same factories and runs: only what their provider's account says of the provider is another kind's.
            async with self._services(kind, f"golden_{first}") as services:
                self.golden[kind] = await self.golden[first].of_kind(services, kind, self._base_url)

    @contextlib.asynccontextmanager
    async def _services(self, kind: str, template: str) -> AsyncIterator[Services]:
        """A new database for this kind, made from another one, and services on it."""
        name = f"golden_{kind}"
        async with self.admin() as connection:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        services = services_of(self.settings.model_copy(update={"database_url": self.named(name).application}), self.clock)
        yield services
        await services.connectors.close()  # type: ignore[attr-defined]  # the pool that services_of made
        await services.database.close()

    async def _golden(self, services: Services, kind: str) -> Golden:
        golden = Golden(period=this_period(services))
        self.provider.books = Books(kind=KINDS[kind], journal=self.folder / "golden.jsonl", clock=self.clock, holders=golden.holders)
        for number, count in enumerate(self.sizes):
            staged = await stage(services, KINDS[kind], self._base_url, number, count, golden.period)
            golden.holders |= {account: holder for _, account, holder in staged.people}
            if number == 2:
                golden.blank = staged
            else:
                golden.paying.append(dataclasses.replace(staged, run_id=await release_all(services, staged, golden.period)))
        return golden

    async def _warm_up(self, services: Services) -> None:
        """Pay a golden database's payday in the nursery itself, through whatever connections its children will have."""
        kind = self.kinds[0]
        await (await self.fresh(kind)).database.close()
        await self.provider.open(self._provider_port)
        await self.proxy.open()
        self.provider.books = Books(
            kind=KINDS[kind], journal=self.folder / "warm.jsonl", clock=self.clock, holders=self.golden[kind].holders
        )
        for staged in self.golden[kind].paying:
            await work(services, staged.factory.id)
            async with services.database.factory(staged.factory.id) as session:
                dispatches = list(await session.scalars(select(Dispatch.id)))
            for dispatch in dispatches:
                await confirm(services, staged.factory.id, dispatch)
            await work(services, staged.factory.id)
        worker = wiring.open_worker(services)
        working = asyncio.create_task(worker.run())
        await asyncio.sleep(0.5)
        worker.stop()
        await working
        await services.connectors.close()  # type: ignore[attr-defined]  # the pool that services_of made
        await services.database.close()
        self.provider.close()
        self.proxy.close()

    async def begin(self) -> None:
        """Listen as provider and as proxy: at the start of the lane's loop."""
        await self.provider.open(self._provider_port)
        await self.proxy.open()

    async def fresh(self, kind: str) -> Services:
        """A new database of this kind, and the services of the matrix's own hand on it."""
        for outside in (self.settings.journal_file, self.settings.checkpoint_file):
            outside.unlink(missing_ok=True)
        async with self.admin() as connection:
            await connection.execute(f"DROP DATABASE IF EXISTS {RUN} WITH (FORCE)")
            await connection.execute(f"CREATE DATABASE {RUN} TEMPLATE golden_{kind}")
            # A sequence copied with its page still counts values as logged that this database never logged: after a crash it would go back.
            await connection.execute("CHECKPOINT")
        return services_of(self.settings, self.clock)

    async def advance(self, connection: Any, by: timedelta) -> None:
        """Let time pass: for the clock, for jobs that wait and for heartbeats of the dead."""
        self.clock.move(by)
        await connection.execute(
            "update pgqueuer set execute_after = execute_after - $1::interval, heartbeat = heartbeat - $1::interval,"
            " updated = updated - $1::interval",
            by,
        )
        if self.provider.books is not None:
            self.provider.books.tick()
