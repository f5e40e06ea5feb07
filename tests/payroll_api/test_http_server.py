"""The service on a real socket: slow, oversized and broken clients get a short answer, and honest ones do not notice them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn

from payroll_api.app import create_app
from payroll_api.commands import http_server
from payroll_api.commands.http_server import LARGEST_HEADERS, PatientProtocol
from payroll_api.services import Services
from tests.payroll_api.test_api_webhooks import BODY, path_of, signed, stored, wallet

if TYPE_CHECKING:
    from tests.conftest import SampleFactory

HEAD = b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


class Hurried(PatientProtocol):
    """The same with less patience, so that a test is short."""

    header_seconds = 0.5
    body_grace_seconds = 0.5


@contextlib.asynccontextmanager
async def served(services: Services) -> AsyncIterator[int]:
    config = http_server.config(create_app(services), trusted=None, stop_seconds=1)
    config.http = Hurried
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        listener.setblocking(False)  # noqa: FBT003 the standard library's own argument
        server = http_server.Server(config)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 uvicorn has nothing to wait for
            await asyncio.sleep(0.01)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await running


@pytest.fixture
async def port(services: Services) -> AsyncIterator[int]:
    async with served(services) as port:
        yield port


async def said(port: int, *pieces: bytes, pause: float = 0.0) -> tuple[bytes, float]:
    """Send pieces, read until the service closes, and how long that took."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            with contextlib.suppress(ConnectionError):
                writer.write(piece)
                await writer.drain()
            await asyncio.sleep(pause)
        async with asyncio.timeout(20):
            answer = b""
            with contextlib.suppress(ConnectionError):
                answer = await reader.read()
    finally:
        writer.close()
    return answer, time.monotonic() - began


def test_the_service_waits_no_longer_than_it_says() -> None:
    config = http_server.config(lambda: None, trusted=None, stop_seconds=10)
    assert isinstance(config, uvicorn.Config)
    assert config.http is PatientProtocol
    assert PatientProtocol.header_seconds <= 10
    assert PatientProtocol.body_grace_seconds <= 10


async def test_a_client_that_says_nothing_or_half_a_header_is_cut(port: int) -> None:
    answers = await asyncio.gather(said(port), said(port, b"POST /api/v1/sess"), said(port, HEAD, b"X-One: 1\r\n"))
    for answer, seconds in answers:
        assert answer.startswith(b"HTTP/1.1 408 "), answer
        assert seconds < 5


async def test_a_client_that_drips_its_body_is_cut_although_each_byte_comes_in_time(port: int) -> None:
    drops = [HEAD + b"Content-Length: 400\r\n\r\n", *([b" "] * 12)]
    answer, seconds = await said(port, *drops, pause=0.1)
    assert answer.startswith(b"HTTP/1.1 408 ") or answer == b""  # whoever goes on sending may never read it
    assert seconds < 5


async def test_a_slow_line_that_keeps_coming_is_heard_out(port: int) -> None:
    body = b'{"login": "nobody", "password": "' + b"x" * 4000 + b'"}'
    pieces = [body[start : start + 300] for start in range(0, len(body), 300)]
    answer, seconds = await said(port, HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body), *pieces, pause=0.08)
    assert seconds > 1  # twice the patience of this server
    assert answer.startswith((b"HTTP/1.1 401 ", b"HTTP/1.1 422 ")), answer


async def test_a_second_request_on_a_kept_connection_has_its_own_patience(port: int) -> None:
    first = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    answer, _ = await said(port, first, b"GET /healthz HT", pause=0.2)
    assert answer.count(b"HTTP/1.1 200 OK") == 1
    assert b"HTTP/1.1 408 " in answer


async def test_headers_without_end_and_headers_too_large_are_refused(port: int) -> None:
    pile = b"X-Pile: " + b"x" * 8000 + b"\r\n"
    endless, _ = await said(port, HEAD, *([pile] * 8))
    assert endless.startswith(b"HTTP/1.1 431 ") or endless == b""  # a client that goes on sending may never read it
    whole, _ = await said(port, HEAD + pile * (LARGEST_HEADERS // 8000 + 1) + b"\r\n")
    assert whole.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))


async def test_honest_messages_beside_a_hundred_slow_clients_are_answered_at_once(
    port: int, services: Services, factory: SampleFactory
) -> None:
    path = path_of(services, await wallet(services, factory))
    slow = [asyncio.create_task(said(port, HEAD)) for _ in range(50)]
    slow += [asyncio.create_task(said(port, HEAD + b"Content-Length: 900\r\n\r\n", b" ")) for _ in range(50)]
    await asyncio.sleep(0.1)
    took = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        for number in range(20):
            body = BODY + b" " * number
            began = time.monotonic()
            assert (await client.put(path, content=body, headers=signed(body))).status_code == 204
            took.append(time.monotonic() - began)
    assert max(took) < 5  # a loaded machine; the figure is the bench's
    assert await stored(services, factory) == 20
    for answer, _ in await asyncio.gather(*slow):
        assert answer.startswith(b"HTTP/1.1 408 ")


LINE = b"POST /webhooks/gsma_mobile_money/%s HTTP/1.1\r\nHost: x\r\n"
KEY = b"k" * 32
CLOSE = b"Connection: close\r\n"
HOSTILE = {
    "two lengths": LINE % KEY + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    "a length and chunks": LINE % KEY + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a negative length": LINE % KEY + b"Content-Length: -1\r\n\r\n",
    "a length in words": LINE % KEY + b"Content-Length: two\r\n\r\n{}",
    "a length beyond numbers": LINE % KEY + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "a declared giant": LINE % KEY + CLOSE + b"Content-Length: 67108864\r\n\r\n",
    "a chunked giant": LINE % KEY
    + CLOSE
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 8
    + b"0\r\n\r\n",
    "a chunk size that is no number": LINE % KEY + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n",
    "an unknown transfer coding": LINE % KEY + CLOSE + b"Transfer-Encoding: gzip\r\n\r\n",
    "a packed body": LINE % KEY + CLOSE + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "no body": LINE % KEY + CLOSE + b"Content-Length: 0\r\n\r\n",
    "bytes that are no text": LINE % KEY + CLOSE + b"Content-Length: 4\r\n\r\n\xff\xfe\x00\x01",
    "NUL in the address": b"POST /webhooks/gsma_mobile_money/kk\x00kk HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL written in the address": LINE % b"kkkkkkkk%00kkkk" + CLOSE + b"Content-Length: 2\r\n\r\n{}",
    "a percent sign alone": LINE % b"%%%zz%" + CLOSE + b"Content-Length: 2\r\n\r\n{}",
    "bytes in the address": LINE % b"\xe1\x9e\x80\xff" + CLOSE + b"Content-Length: 2\r\n\r\n{}",
    "climbing the tree": LINE % b"../../../etc/passwd" + CLOSE + b"Content-Length: 2\r\n\r\n{}",
    "a long address": LINE % (b"k" * 20000) + CLOSE + b"Content-Length: 2\r\n\r\n{}",
    "a query for a database": LINE % b"kkkkkkkk'%20or%201=1--" + CLOSE + b"Content-Length: 2\r\n\r\n{}",
    "NUL in a header": LINE % KEY + b"X-Callback-Signature: a\x00b\r\nContent-Length: 2\r\n\r\n{}",
    "bytes in a header": LINE % KEY + CLOSE + b"X-Callback-Signature: \xff\xfe\xe1\x9e\x80\r\nContent-Length: 2\r\n\r\n{}",
    "a header without a name": LINE % KEY + b": value\r\nContent-Length: 2\r\n\r\n{}",
    "a folded header": LINE % KEY + b"X-Fold: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    "five hundred headers": LINE % KEY + CLOSE + b"".join(b"X-%d: 1\r\n" % n for n in range(500)) + b"Content-Length: 2\r\n\r\n{}",
    "a method of nobody's": b"BREW /webhooks/gsma_mobile_money/" + KEY + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "TRACE": b"TRACE /webhooks/gsma_mobile_money/" + KEY + b" HTTP/1.1\r\nHost: x\r\n" + CLOSE + b"\r\n",
    "CONNECT": b"CONNECT bank.example:443 HTTP/1.1\r\nHost: x\r\n" + CLOSE + b"\r\n",
    "an old protocol": b"POST /webhooks/gsma_mobile_money/" + KEY + b"\r\n",
    "a protocol of the future": b"POST /webhooks/gsma_mobile_money/" + KEY + b" HTTP/9.9\r\nHost: x\r\n\r\n",
    "somebody else's protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello over TLS",
    "an upgrade": LINE % KEY + b"Connection: Upgrade, close\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\n{}",
    "a deep JSON": LINE % KEY + CLOSE + b"Content-Length: 100000\r\n\r\n" + b"[" * 100000,
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_whatever_is_thrown_at_a_webhook_the_service_does_not_stumble(port: int, name: str) -> None:
    answer, _ = await said(port, HOSTILE[name])
    assert not answer.startswith((b"HTTP/1.1 5", b"HTTP/1.1 2")), f"{name}: {answer[:200]!r}"
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        assert (await client.get("/healthz")).status_code == 200
