"""`payroll serve` and `payroll worker`: run until told to stop, then let what is under way finish."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from payroll_api import failpoints, logs
from payroll_api import settings as configuration
from payroll_api.commands import http_server, place
from payroll_api.errors import ConfigurationError
from payroll_api.garbage import search_seldom
from payroll_api.services import Services
from payroll_api.settings import Settings

if TYPE_CHECKING:
    from payroll_api.jobs.worker import Worker

# A batch that is being sent must be heard out; a page that is being shown need not be.
STOP_SECONDS = 10

log = logs.get(__name__)


async def serve(given: argparse.Namespace) -> int:
    """Answer requests, and do jobs too unless --no-worker."""
    settings = configuration.load()
    logs.configure(settings.log_level)
    _say_failpoints(failpoints.arm_from_environment())
    with _listening(given.host, given.port) as listener:
        async with _services(settings) as services:
            # Seconds of importing: after what is wrong with port, settings and database was told, and never for a worker.
            from payroll_api import wiring  # noqa: PLC0415 the comment above
            from payroll_api.app import create_app  # noqa: PLC0415 as above

            server = http_server.Server(http_server.config(create_app(services), trusted=given.trust_proxy, stop_seconds=STOP_SECONDS))
            worker = None if given.no_worker else wiring.open_worker(services)
            search_seldom()
            with _told_to_stop() as stopping:
                await _until_stopped(stopping, server, listener, worker)
    return 0


async def work(given: argparse.Namespace) -> int:
    """Do jobs until told to stop."""
    del given
    settings = configuration.load()
    logs.configure(settings.log_level)
    _say_failpoints(failpoints.arm_from_environment())
    async with _services(settings) as services:
        from payroll_api import wiring  # noqa: PLC0415 as above

        worker = wiring.open_worker(services)
        search_seldom()
        log.info("worker_ready")
        with _told_to_stop() as stopping:
            await _until_stopped(stopping, None, None, worker)
    return 0


def _say_failpoints(plan: failpoints.Plan | None) -> None:
    if plan is not None:
        log.error("failpoints_armed", points=[f"{arm.point}={arm.action}" for arm in plan.arms], remedy=f"unset {failpoints.PLAN}")


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """The port is taken before anything else starts, so that a taken one is told at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY; without, every answer on a kept connection waits about 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(http_server.WAITING_CONNECTIONS)
        listener.settimeout(0)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"Port {port} is in use by another program. Stop that one, or choose another: payroll serve --port {port + 1}."
            ) from None
        raise
    with listener:
        yield listener


@contextlib.asynccontextmanager
async def _services(settings: Settings) -> AsyncIterator[Services]:
    async with place.opened(settings) as here:
        from payroll_api import wiring  # noqa: PLC0415 as above

        async with wiring.build(here.settings) as services:
            yield services


@contextlib.contextmanager
def _told_to_stop() -> Iterator[asyncio.Event]:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        yield stopping
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _until_stopped(
    stopping: asyncio.Event, server: http_server.Server | None, listener: socket.socket | None, worker: Worker | None
) -> None:
    """Run both; when told to stop, or when one of them ends, end both and hear out what is under way."""
    running: list[asyncio.Task[None]] = []
    if server is not None and listener is not None:
        running.append(asyncio.create_task(server.serve(sockets=[listener]), name="server"))
    if worker is not None:
        running.append(asyncio.create_task(worker.run(), name="worker"))
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait([*running, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    log.info("stopping")
    if server is not None:
        server.should_exit = True
    if worker is not None:
        worker.stop()
    _, late = await asyncio.wait(running, timeout=STOP_SECONDS)
    for task in late:
        log.warning("stopped_in_the_middle", task=task.get_name())
        task.cancel()
    for result in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(result, Exception):
            raise result
