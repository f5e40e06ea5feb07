"""The HTTP server: uvicorn, with the patience that it lacks.

uvicorn waits for ever for the rest of a request: a few hundred clients that send a byte now and then would hold a connection each
for as long as they like. Here a request has a time for its headers, headers have a largest size, and a body must keep coming. Nobody is
refused for the number of others: honest requests beside slow ones are answered as if alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

# A browser's headers come in one piece; ten seconds are for lines that lose it.
HEADER_SECONDS = 10.0
# A body may be slow (a sheet over a telephone line) but not at a standstill: each 500 bytes win it another second.
BODY_GRACE_SECONDS = 10.0
BODY_BYTES_A_SECOND = 500
LARGEST_HEADERS = 32 * 1024
KEEP_ALIVE_SECONDS = 15
WAITING_CONNECTIONS = 512

_BRIEF = {
    408: b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
    431: b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
}


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: stopping is decided by the command, for server and worker together."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def config(app: object, *, trusted: str | None, stop_seconds: int) -> uvicorn.Config:
    """How the service is served. `trusted`: addresses of proxies whose X-Forwarded headers are believed; None believes nobody."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # uvicorn names the ASGI types of its own
        http=PatientProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=trusted is not None,
        forwarded_allow_ips=trusted or "",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=stop_seconds,
        backlog=WAITING_CONNECTIONS,
        ws="none",
    )


class PatientProtocol(HttpToolsProtocol):
    """One connection. Each request on it gets its time for headers, then for its body."""

    header_seconds = HEADER_SECONDS
    body_grace_seconds = BODY_GRACE_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 uvicorn's own arguments, handed on
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._in_headers = True
        self._header_bytes = 0
        self._body_bytes = 0
        self._body_began = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """A client came: it has to say what it wants."""
        super().connection_made(transport)
        self._wait(self.header_seconds, self._headers_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """A client left."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came. Headers are counted by what comes in while they are unfinished: the parser itself has no limit."""
        if self._in_headers:
            self._header_bytes += len(data)
            # A read that ends the headers may bring a body too: then the parser says below how long the headers were.
            if self._header_bytes > LARGEST_HEADERS and b"\r\n\r\n" not in data:
                self._end(431)
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """The first byte of a request, also of the next one on a kept connection."""
        super().on_message_begin()
        self._in_headers, self._header_bytes = True, 0
        if self._timer is None:
            self._wait(self.header_seconds, self._headers_late)

    def on_headers_complete(self) -> None:
        """Headers are whole: from here the body has to keep coming."""
        self._in_headers = False
        if sum(len(name) + len(value) for name, value in self.headers) > LARGEST_HEADERS:
            raise ValueError("the headers are too large")  # the parser turns this into 400
        self._body_bytes, self._body_began = 0, self.loop.time()
        self._wait(self.body_grace_seconds, self._body_late)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole: how long the answer takes is our affair."""
        self._wait_no_more()
        super().on_message_complete()

    def _wait(self, seconds: float, then: Any) -> None:  # noqa: ANN401 a method without arguments
        self._wait_no_more()
        self._timer = self.loop.call_later(seconds, then)

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _headers_late(self) -> None:
        self._timer = None
        if self._unanswered() is not None:
            # The connection still waits for our answer to the request before.
            self._wait(self.header_seconds, self._headers_late)
        else:
            self._end(408)

    def _body_late(self) -> None:
        self._timer = None
        now = self.loop.time()
        if self.flow.read_paused:
            # We are the slow ones: the client's time begins anew.
            self._body_began, self._body_bytes = now, 0
        left = self._body_began + self.body_grace_seconds + self._body_bytes / BODY_BYTES_A_SECOND - now
        if left > 0:
            self._wait(left, self._body_late)
        else:
            self._end(408)

    def _unanswered(self) -> RequestResponseCycle | None:
        cycle: RequestResponseCycle | None = self.cycle
        return None if cycle is None or cycle.response_complete else cycle

    def _end(self, status: int) -> None:
        if self.transport.is_closing():
            return
        cycle = self._unanswered()
        if cycle is None or not cycle.response_started:
            self.transport.write(_BRIEF[status])
        if cycle is not None:
            # Whoever waits for the rest of this request learns that it will not come, and does not answer into a closed connection.
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()
