"""A real HTTP server on loopback that can break a connection on purpose, for the simulated providers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator, MutableMapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_OPEN: dict[tuple[object, ...], asyncio.Transport] = {}


class BreakableProtocol(HttpToolsProtocol):
    """HTTP/1.1 that remembers which transport belongs to which client, so that the application can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it in the same way
        """Remember the connection."""
        super().connection_made(transport)
        _OPEN[tuple(self.client or ())] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        _OPEN.pop(tuple(self.client or ()), None)
        super().connection_lost(exc)


def cut(scope: MutableMapping[str, Any]) -> None:
    """Break the client's connection now, without a byte of answer."""
    transport = _OPEN.get(tuple(scope.get("client") or ()))
    if transport is not None:
        transport.abort()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals to the program around us."""
        yield


def config(app: Any) -> uvicorn.Config:  # noqa: ANN401 any ASGI application
    """How a simulator is served: quietly, with connections that can be cut."""
    return uvicorn.Config(
        app, http=BreakableProtocol, ws="none", lifespan="on", log_level="critical", access_log=False, timeout_graceful_shutdown=1
    )


@contextlib.asynccontextmanager
async def serving(app: Any, port: int = 0, *, host: str = "127.0.0.1") -> AsyncIterator[str]:  # noqa: ANN401 any ASGI application
    """The base URL of `app` on `host` while the block runs; port 0 takes a free one."""
    # With the protocol named, asyncio sets TCP_NODELAY; without, every answer on a kept connection waits about 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    server = _Server(config(app))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            if running.done():
                await running
                raise OSError(f"the simulator could not start on port {port}; choose another with --port")
            await asyncio.sleep(0.005)
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        listener.close()
