"""Everything that a demo starts: database, sample factory, simulators, service and workers; and stopping them in order."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import httpx
from rich.console import Console

from payroll_api import wiring
from payroll_api.commands import place
from payroll_api.commands.demo_factory import BANK, WALLET, ensure_factory, simulators
from payroll_api.commands.demo_folder import SIMULATORS, Folder, Memory, is_free
from payroll_api.commands.demo_processes import Children
from payroll_api.errors import ConfigurationError
from payroll_api.factories.provider_accounts import list_
from payroll_api.services import Services
from payroll_api.settings import Settings

WORKER = ("-m", "payroll_api", "worker")
_LOOK_UP_SECONDS = 3  # a simulated bank answers at once: no need to wait as long as with a real one


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A demo that has started."""

    folder: Folder
    memory: Memory
    services: Services
    factory_id: UUID
    children: Children
    base_url: str
    environment: Mapping[str, str]

    async def statements(self, day: date) -> Sequence[tuple[str, str, bytes]]:
        """What bank and wallet write of a day and the day before it: account id, file name, content."""
        found = []
        async with self.services.database.factory(self.factory_id) as session:
            accounts = {account.name: account.id for account in await list_(session)}
            connectors = {name: await self.services.connectors.payout(session, accounts[name]) for name in (BANK, WALLET)}
        for name, connector in connectors.items():
            # A payday that ends after midnight has a part of its credits on the day before.
            for each in (day - timedelta(days=1), day):
                content = await connector.fetch_statement(each)
                if content is not None:
                    found.append((str(accounts[name]), f"{connector.profile.name}-{each}.txt", content))
        return found

    async def journal(self, simulator: str) -> list[dict[str, object]]:
        """What a simulator says it has executed."""
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            answer = await http.get(f"http://127.0.0.1:{self.memory.ports[simulator]}/simulator/journal")
        answer.raise_for_status()
        if answer.headers["content-type"].startswith("application/json"):
            read: list[dict[str, object]] = answer.json()
            return read
        return [httpx.Response(200, text=line).json() for line in answer.text.splitlines() if line.strip()]


@contextlib.asynccontextmanager
async def started(given: argparse.Namespace, folder: Folder, accounts: Path, console: Console) -> AsyncIterator[Running]:
    """A demo as long as the block lasts. Raises ConfigurationError when a part of it does not start."""
    memory = folder.load()
    children = Children(folder.logs, folder.path / "processes.json")
    children.end_orphans()
    _require_free(given.port, memory)
    folder.save(memory)
    base_url = f"http://127.0.0.1:{given.port}"
    # The demo has a database of its own whatever the environment says: its logins must not get into another.
    settings = Settings(
        data_dir=folder.path,
        database_url=None,
        owner_database_url=None,
        key_file=None,
        public_url=base_url,
        look_up_seconds=_LOOK_UP_SECONDS,
    )
    async with contextlib.AsyncExitStack() as stack:
        console.print("Starting the database ...", style="dim")
        here = await stack.enter_async_context(place.opened(settings))
        services = await stack.enter_async_context(wiring.build(here.settings))
        factory_id = await ensure_factory(services, memory)
        stack.push_async_callback(_stop, children, console)
        console.print("Starting bank, wallet, SMS gateway, service and worker ...", style="dim")
        environment = _environment(here.settings)
        await _start(children, given, folder, memory, accounts, environment)
        yield Running(
            folder=folder,
            memory=memory,
            services=services,
            factory_id=factory_id,
            children=children,
            base_url=base_url,
            environment=environment,
        )


def _require_free(port: int, memory: Memory) -> None:
    if not is_free(port):
        raise ConfigurationError(f"Port {port} is in use by another program. Stop that one, or choose another port: --port {port + 1}.")
    for name in SIMULATORS:
        if not is_free(memory.ports[name]):
            raise ConfigurationError(
                f"Port {memory.ports[name]} of the simulated {name} is in use by another program. Stop that one,"
                " or begin a demo in another folder: --data-dir."
            )


def _environment(settings: Settings) -> dict[str, str]:
    """The environment of the demo's processes: what is set outside for a real service must not reach them."""
    ours = {
        "PAYROLL_DATA_DIR": str(settings.data_dir),
        "PAYROLL_DATABASE_URL": settings.database_url or "",
        "PAYROLL_PUBLIC_URL": settings.public_url,
        "PAYROLL_LOOK_UP_SECONDS": str(settings.look_up_seconds),
        "PAYROLL_CHUNK_SIZE": str(settings.chunk_size),
        "PAYROLL_LOG_LEVEL": os.environ.get("PAYROLL_LOG_LEVEL", "WARNING"),
    }
    return {name: value for name, value in os.environ.items() if not name.startswith("PAYROLL_")} | ours


async def _start(
    children: Children, given: argparse.Namespace, folder: Folder, memory: Memory, accounts: Path, environment: Mapping[str, str]
) -> None:
    journals = {name: str(folder.journal(name)) for name in SIMULATORS}
    commands = simulators(memory, journals=journals, accounts=str(accounts), delay_ms=given.delay_ms)
    waiting = [
        (children.start(name, command, environment), f"http://127.0.0.1:{memory.ports[name]}/simulator/journal")
        for name, command in commands.items()
    ]
    serve = ["-m", "payroll_api", "serve", "--no-worker", "--port", str(given.port)]
    waiting.append((children.start("serve", serve, environment), f"http://127.0.0.1:{given.port}/readyz"))
    for number in range(1, given.workers + 1):
        children.start("worker" if number == 1 else f"worker-{number}", WORKER, environment)
    for child, address in waiting:
        await children.ready(child, address)


async def _stop(children: Children, console: Console) -> None:
    """Workers first, then the service, then the simulators. A second Ctrl-C does not interrupt it: it ends soon by itself."""
    console.print("Stopping ...", style="dim")
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        await asyncio.to_thread(children.stop)
    finally:
        signal.signal(signal.SIGINT, previous)
