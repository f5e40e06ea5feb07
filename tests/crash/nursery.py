"""A warm process that forks service processes: each has its own connections and costs milliseconds, so it can be killed at will.

The nursery never runs an event loop and never connects: it imports the service and builds its parts once. A child then arms its
failpoints, opens the pages' and webhooks' server and a worker as `payroll serve` does, and lives until it is told to stop or dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import importlib
import json
import mmap
import os
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from croniter import croniter  # type: ignore[import-untyped]  # as the queue reads the expressions

from payroll_api import failpoints, logs, periodic, wiring
from payroll_api.app import create_app
from payroll_api.audit.signing import Signer
from payroll_api.db.session import Database
from payroll_api.encryption import master
from payroll_api.encryption.vault import Keys
from payroll_api.jobs.names import Periodic
from payroll_api.outside.journal import journal_at
from payroll_api.services import Services
from payroll_api.settings import Settings
from reconciliation.law.book import load_cambodia


class SharedClock:
    """The machine's clock with an offset that all processes of a lane share: hours pass when the matrix says so."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(8))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 8)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset

    @property
    def offset(self) -> timedelta:
        """How far it is from the machine's."""
        return timedelta(microseconds=struct.unpack("<q", self._memory[:8])[0])

    def move(self, by: timedelta) -> None:
        """Jump, ahead or back."""
        self._memory[:8] = struct.pack("<q", (self.offset + by) // timedelta(microseconds=1))


def services_of(settings: Settings, clock: Callable[[], datetime]) -> Services:
    """The services of one process: nothing is connected before somebody asks."""
    key = master.load(settings.master_key_file, create=True)
    keys = Keys(key)
    assert settings.database_url is not None
    database = Database(settings.database_url, pool_size=settings.pool_size, frozen_seconds=settings.frozen_seconds)
    pool = wiring.ConnectorPool(settings, keys)
    return Services(settings=settings, database=database, keys=keys, signer=Signer(key), clock=clock, connectors=pool, law=load_cambodia())


@dataclass(frozen=True, slots=True)
class Child:
    """A service process, seen from the lane."""

    pid: int

    def is_alive(self) -> bool:
        """Whether it still runs, or is frozen."""
        return self.state() not in {"", "Z", "X"}

    def state(self) -> str:
        """R, S, T (frozen)..., or nothing when it is gone."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            return ""

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still lives."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


class Nursery:
    """The lane's side: asks for children."""

    def __init__(self, clock: SharedClock, folder: Path) -> None:
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self._clock, self._folder = clock, folder
        self._ours: socket.socket | None = None
        self._pid = 0

    def start(self, settings: Mapping[str, Settings], warm_up: Callable[[Services], Coroutine[Any, Any, None]]) -> None:
        """Fork the warm process, with services for each of these settings. No event loop may run.

        It lives through `warm_up` with the first of them, so that children begin with every statement compiled.
        """
        self.listener.listen(64)
        self.listener.settimeout(0)
        self._ours, theirs = socket.socketpair()
        sys.stdout.flush()
        self._pid = os.fork()
        if self._pid == 0:
            self._ours.close()
            try:
                self._run(theirs, settings, warm_up)
            except BaseException:  # noqa: BLE001 a fork must never return into its maker's code
                traceback.print_exc()
            os._exit(1)
        theirs.close()
        if self._ours.recv(8) != b"warm":
            raise RuntimeError("the nursery did not come up")

    def spawn(self, *, plan: str = "", hits: Path | None = None, wired: str = "direct", chunk: int = 3, seed: int = 0) -> Child:
        """A new service process. `wired` names the settings it gets."""
        assert self._ours is not None
        order = {"plan": plan, "hits": str(hits) if hits else "", "wired": wired, "chunk": chunk, "seed": seed}
        self._ours.sendall(json.dumps(order).encode() + b"\n")
        return Child(int(self._ours.recv(32)))

    def stop(self) -> None:
        """End the warm process; its children are the lane's to end."""
        if self._ours is not None:
            self._ours.close()
            os.waitpid(self._pid, 0)
        self.listener.close()

    def _run(self, orders: socket.socket, ways: Mapping[str, Settings], warm_up: Callable[[Services], Coroutine[Any, Any, None]]) -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped by the system
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        built = {name: services_of(settings, self._clock) for name, settings in ways.items()}
        asyncio.run(warm_up(next(iter(built.values()))))
        # What they have cached of keys, connectors and the journal is not for the children.
        journal_at.cache_clear()
        built = {name: dataclasses.replace(services_of(one.settings, self._clock), database=one.database) for name, one in built.items()}
        apps = {name: create_app(services) for name, services in built.items()}
        gc.collect()
        gc.freeze()
        orders.sendall(b"warm")
        for line in orders.makefile():
            order = json.loads(line)
            pid = os.fork()
            if pid == 0:
                orders.close()
                _live(built[order["wired"]], apps[order["wired"]], self.listener, order, self._folder)
            orders.sendall(str(pid).encode())
        os._exit(0)


def _live(services: Services, app: Any, listener: socket.socket, order: Mapping[str, Any], folder: Path) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 1
    try:
        descriptor = os.open(folder / "children.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(descriptor, 2)
        logs.configure("WARNING")
        os.environ[failpoints.MEANT] = "yes"
        if order["plan"]:
            failpoints.arm(failpoints.parse(order["plan"], seed=order["seed"], hits=Path(order["hits"]) if order["hits"] else None))
        settings = services.settings.model_copy(update={"chunk_size": order["chunk"]})
        loop = getattr(importlib.import_module("uvloop"), "new_event_loop", None)
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(_serve(dataclasses.replace(services, settings=settings), app, listener))
        status = 0
    except BaseException:  # noqa: BLE001 whatever it was, it is written down and the process ends here
        traceback.print_exc()
    finally:
        os._exit(status)


async def _serve(services: Services, app: Any, listener: socket.socket) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    ticks, round_ = set[asyncio.Task[None]](), _Round(services)

    def tick(*, all_of_it: bool) -> None:
        """What the scheduler does again and again, now: the matrix's time does not pass by itself."""
        task = asyncio.create_task(round_.go(all_of_it=all_of_it))
        ticks.add(task)
        task.add_done_callback(ticks.discard)

    loop.add_signal_handler(signal.SIGUSR1, lambda: tick(all_of_it=False))
    loop.add_signal_handler(signal.SIGUSR2, lambda: tick(all_of_it=True))
    config = uvicorn.Config(app, log_config=None, access_log=False, ws="none", lifespan="off", timeout_graceful_shutdown=5)
    server, worker = _Server(config), wiring.open_worker(services)
    running = [asyncio.create_task(server.serve(sockets=[listener])), asyncio.create_task(worker.run())]
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait([*running, waiting], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    worker.stop()
    await asyncio.wait(running, timeout=10)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


class _Round:
    """The periodic tasks of one process, each when its time has come by the lane's clock."""

    def __init__(self, services: Services) -> None:
        self._clock, self._tasks = services.clock, periodic.tasks(services)
        self._done: dict[Periodic, datetime] = {}

    async def go(self, *, all_of_it: bool) -> None:
        """Do what is due, or everything."""
        for name, (expression, handler) in self._tasks.items():
            now, last = self._clock(), self._done.get(name)
            # A clock that was put back since makes nobody wait.
            if all_of_it or last is None or now < last or croniter(expression, last).get_next(datetime) <= now:
                self._done[name] = now
                with contextlib.suppress(Exception):
                    await handler()
