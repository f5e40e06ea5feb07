"""The one way out over HTTP: every client has time-outs, limits, no redirects, and a body that cannot grow without end."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar

import httpx2 as httpx

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
MOST_CONNECTIONS = 32  # all of them are kept: one that is closed after each answer is made again for the next order
LARGEST_ANSWER = 64 * 1024 * 1024


# Who is shown each request with its answer (or the exception that came instead) and how long it took; nobody, outside of a trial.
Watcher = Callable[[httpx.Request, httpx.Response | None, Exception | None, float], None]
WATCHER: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


class _WithoutQuery(logging.Filter):
    """httpx writes each address it calls to its log with the query, and some providers want their key there."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(arg.copy_with(query=None, userinfo=b"") if isinstance(arg, httpx.URL) else arg for arg in record.args)
        return True


logging.getLogger("httpx2").addFilter(_WithoutQuery())


class AnswerTooLargeError(httpx.TransportError):
    """The provider's answer is larger than any honest one."""


def client(
    base_url: str, *, headers: Mapping[str, str] | None = None, read_seconds: float = READ_SECONDS, verify: ssl.SSLContext | bool = True
) -> httpx.AsyncClient:
    """A client for one provider. It follows no redirect: an order must not travel to another host."""
    return httpx.AsyncClient(
        base_url=base_url,
        headers={"user-agent": "garment-wages", **(headers or {})},
        timeout=httpx.Timeout(read_seconds, connect=CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS),
        follow_redirects=False,
        trust_env=False,
        verify=verify,
    )


async def send(http: httpx.AsyncClient, request: httpx.Request, *, largest: int = LARGEST_ANSWER) -> httpx.Response:
    """Send once and read the whole answer, up to `largest` bytes.

    Raises httpx.ConnectError or httpx.ConnectTimeout when nothing was sent, AnswerTooLargeError, and other httpx.TransportError when
    it is open whether the provider got the request.
    """
    watcher = WATCHER.get()
    if watcher is None:
        return await _send(http, request, largest)
    started = time.perf_counter()
    try:
        response = await _send(http, request, largest)
    except httpx.RequestError as error:
        watcher(request, None, error, time.perf_counter() - started)
        raise
    watcher(request, response, None, time.perf_counter() - started)
    return response


async def _send(http: httpx.AsyncClient, request: httpx.Request, largest: int) -> httpx.Response:
    response = await http.send(request, stream=True)
    try:
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > largest:
                raise AnswerTooLargeError(f"answer over {largest} bytes from {request.url.host}")
    finally:
        await response.aclose()
    response._content = bytes(body)  # noqa: SLF001 httpx offers no other way to keep a bounded body readable
    return response


def nothing_was_sent(error: httpx.TransportError) -> bool:
    """Whether this error proves that the provider received no byte of the request."""
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.UnsupportedProtocol)
