"""HTTP/1.1 on the wire: what `http.client` sends through, for calls that come one for each account or payment.

The transport that comes with httpx walks its whole pool before each request and again after each answer, and reads in Python: that was
two thirds of what a payment of its own cost. This one takes a free line, or opens one, and llhttp reads. It promises the same:
a request is written once and never again; ConnectError, ConnectTimeout and PoolTimeout prove that no byte of it left, and after any other
error it is open whether the provider got it. An answer that ends before its own length is an error, never a shorter answer.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import NoReturn, cast

import httptools
import httpx2 as httpx

MOST_LINES = 32
KEPT_SECONDS = 3.0  # many servers close a line after five quiet seconds, and theirs begin before ours
LARGEST_HEAD = 100_000
_DOUBTFUL_SECONDS = 0.2  # of quiet, after which the loop looks first whether the other end has closed
_HELD_BACK = 1 << 20  # bytes of a body that wait for their reader before the other end is made to wait
_FORBIDDEN = (b"\r", b"\n", b"\0")

Origin = tuple[str, str, int]


class Wire(httpx.AsyncBaseTransport):
    """Lines to providers, each used by one request at a time and kept open for the next."""

    def __init__(self, *, verify: ssl.SSLContext | bool = True) -> None:
        self._verify = verify
        self._tls: ssl.SSLContext | None = None
        self._places = asyncio.Semaphore(MOST_LINES)
        self._quiet: dict[Origin, list[_Line]] = {}
        self._lines: set[_Line] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send once; the answer's body comes as it is read. Raises httpx.TransportError."""
        content = await request.aread()
        message = _head(request, len(content)) + content
        patience = request.extensions.get("timeout", {})
        await self._place(patience.get("pool"))
        line = None
        try:
            line = await self._free(_origin(request.url)) or await self._open(_origin(request.url), patience.get("connect"))
            await line.ask(request.method, message, patience.get("write"), patience.get("read"))
        except BaseException:
            self._done(line)
            raise
        return httpx.Response(
            line.status,
            headers=line.headers,
            stream=_Body(line, patience.get("read"), self._done),
            extensions={"http_version": b"HTTP/1.1"},
        )

    async def aclose(self) -> None:
        """Close every line."""
        for line in list(self._lines):
            line.drop()
        self._lines.clear()
        self._quiet.clear()
        await asyncio.sleep(0)

    async def _place(self, seconds: float | None) -> None:
        if not self._places.locked():
            await self._places.acquire()  # there is room: no need for a clock
            return
        try:
            async with asyncio.timeout(seconds):
                await self._places.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("no line became free") from None

    async def _free(self, origin: Origin) -> _Line | None:
        quiet = self._quiet.get(origin, [])
        while quiet:
            line = quiet.pop()
            for_seconds = asyncio.get_running_loop().time() - line.quiet_since
            if for_seconds > _DOUBTFUL_SECONDS:
                await asyncio.sleep(0)
                await asyncio.sleep(0)  # between the two the loop has read what came, and an end with it
            if not line.is_closing and for_seconds <= KEPT_SECONDS:
                return line
            self._forget(line)
        return None

    async def _open(self, origin: Origin, seconds: float | None) -> _Line:
        scheme, host, port = origin
        tls = self._context() if scheme == "https" else None
        try:
            async with asyncio.timeout(seconds):
                _, line = await asyncio.get_running_loop().create_connection(lambda: _Line(origin), host, port, ssl=tls)
        except TimeoutError:
            raise httpx.ConnectTimeout("no connection in time") from None
        except OSError as error:
            raise httpx.ConnectError(type(error).__name__) from error
        self._lines.add(line)
        return line

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = httpx.create_ssl_context(self._verify, trust_env=False)
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls

    def _done(self, line: _Line | None) -> None:
        """A request is over, well or not: its line is kept or dropped, and its place is free."""
        self._places.release()
        if line is None:
            return
        if line.can_be_kept:
            line.quiet_since = asyncio.get_running_loop().time()
            self._quiet.setdefault(line.origin, []).append(line)
        else:
            self._forget(line)

    def _forget(self, line: _Line) -> None:
        line.drop()
        self._lines.discard(line)


class _Line(asyncio.Protocol):
    """One connection. llhttp calls the methods whose names begin with `on_`."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.quiet_since = 0.0
        self.is_lost = False
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._is_head = self._began = self._complete = self._stays = self._until_end = False
        self._is_full = False  # the other end reads more slowly than we write
        self._size = self._waiting = 0
        self._parts: deque[bytes] = deque()
        self._trouble: httpx.TransportError | None = None
        self._waker: asyncio.Future[None] | None = None

    @property
    def is_closing(self) -> bool:
        """Whether either end has closed, as far as the loop has seen."""
        return self.is_lost or self._transport is None or self._transport.is_closing()

    @property
    def can_be_kept(self) -> bool:
        """Whether the answer was read to its end and the other end goes on."""
        return self._complete and self._stays and not self._parts and self._trouble is None and not self.is_closing

    async def ask(self, method: str, message: bytes, write_seconds: float | None, read_seconds: float | None) -> None:
        """Write a request and wait for the answer's head."""
        assert self._transport is not None  # noqa: S101 create_connection has made it
        self._parser = httptools.HttpResponseParser(self)
        self._is_head = method == "HEAD"
        self._began = self._complete = self._stays = self._until_end = False
        self._size = self._waiting = 0
        self._parts.clear()
        self._transport.write(message)
        await self._until(lambda: not self._is_full or self._began, write_seconds, httpx.WriteTimeout)
        await self._until(lambda: self._began, read_seconds, httpx.ReadTimeout)

    async def read(self, seconds: float | None) -> bytes | None:
        """The next part of the answer's body; None at its end."""
        await self._until(lambda: bool(self._parts) or self._complete, seconds, httpx.ReadTimeout)
        if not self._parts:
            return None
        part = self._parts.popleft()
        self._waiting -= len(part)
        if self._waiting <= _HELD_BACK and self._transport is not None and not self.is_lost:
            self._transport.resume_reading()
        return part

    def drop(self) -> None:
        """Close at once."""
        self.is_lost = True
        if self._transport is not None:
            self._transport.abort()

    async def _until(self, is_so: Callable[[], bool], seconds: float | None, late: type[httpx.TransportError]) -> None:
        if is_so():
            return
        try:
            async with asyncio.timeout(seconds):
                while not is_so():
                    if self._trouble is not None:
                        raise self._trouble
                    if self.is_lost:
                        raise httpx.RemoteProtocolError("the connection ended before the answer")
                    self._waker = asyncio.get_running_loop().create_future()
                    await self._waker
        except TimeoutError:
            raise late("the provider took too long") from None

    def _wake(self) -> None:
        if self._waker is not None and not self._waker.done():
            self._waker.set_result(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by their type

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer. Those that nobody asked for end the line: they could be taken for the next answer."""
        if self._parser is None or self._complete:
            self.drop()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(httpx.RemoteProtocolError(type(error).__name__))
        except httptools.HttpParserUpgrade:
            self._fail(httpx.RemoteProtocolError("an upgrade that nobody asked for"))
        if self._waiting > _HELD_BACK and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection has ended. Only an answer that states no length may end with it."""
        self.is_lost = True
        if self._began and not self._complete and self._until_end and error is None:
            self._complete = True
        elif error is not None and self._trouble is None:
            self._trouble = httpx.ReadError(type(error).__name__)
        self._wake()

    def pause_writing(self) -> None:
        """The other end is behind."""
        self._is_full = True

    def resume_writing(self) -> None:
        """The other end has caught up."""
        self._is_full = False
        self._wake()

    def on_message_begin(self) -> None:
        """An answer begins, or one before it (100, 103); a second one is nobody's."""
        if self._complete:
            self._stays = False
        else:
            self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._size += len(name) + len(value)
        if self._size > LARGEST_HEAD:
            raise ValueError("larger than any honest head")
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        assert self._parser is not None  # noqa: S101 it is calling
        status = self._parser.get_status_code()
        if self._complete or status < httpx.codes.OK:
            return
        self.status, self._began = status, True
        named = {name.lower() for name, _ in self.headers}
        self._until_end = not named & {b"content-length", b"transfer-encoding"}
        self._complete = self._is_head

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        if self._began and not self._complete:
            self._parts.append(part)
            self._waiting += len(part)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        assert self._parser is not None  # noqa: S101 it is calling
        if self._began and not self._complete:
            self._complete, self._stays = True, self._parser.should_keep_alive()

    def _fail(self, trouble: httpx.TransportError) -> None:
        if not self._complete:
            self._trouble = trouble
        self._stays = False
        if self._transport is not None:
            self._transport.abort()


class _Body(httpx.AsyncByteStream):
    """An answer's body as it comes. When it is closed its line is free, whether it was read to the end or not."""

    def __init__(self, line: _Line, seconds: float | None, done: Callable[[_Line], None]) -> None:
        self._line: _Line | None = line
        self._seconds = seconds
        self._done = done

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Its parts."""
        while self._line is not None and (part := await self._line.read(self._seconds)) is not None:
            yield part

    async def aclose(self) -> None:
        """Give the line back."""
        if self._line is not None:
            line, self._line = self._line, None
            self._done(line)


def _origin(url: httpx.URL) -> Origin:
    return url.scheme, url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)


def _head(request: httpx.Request, length: int) -> bytes:
    """The request up to its body. Raises httpx.UnsupportedProtocol, httpx.LocalProtocolError: nothing was sent."""
    if request.url.scheme not in ("http", "https"):
        raise httpx.UnsupportedProtocol("only http:// and https:// are spoken here")
    lines = [b"%s %s HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    chunked = False
    for name, value in request.headers.raw:
        if name.lower() == b"transfer-encoding":
            chunked = True  # its content is whole by now: its length is told instead
            continue
        lines.append(b"%s: %s" % (name, value))
    if chunked:
        lines.append(b"content-length: %d" % length)
    if any(bad in line for line in lines for bad in _FORBIDDEN) or b" " in request.url.raw_path:
        _refuse()
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _refuse() -> NoReturn:
    raise httpx.LocalProtocolError("a header or address with a character that would end it")
