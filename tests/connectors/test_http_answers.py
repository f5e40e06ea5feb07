"""What goes to a provider is written once, and what comes back is its whole answer to this request, or an error."""

from __future__ import annotations

import asyncio
import contextlib
import socketserver
import ssl
import threading
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import cast

import httpx2 as httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import http

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwell"


@dataclass
class Provider:
    """A server that says exactly the bytes it is told to, and remembers what it was sent."""

    url: str = ""
    asked: list[bytes] = field(default_factory=list)
    lines: int = 0


@contextlib.asynccontextmanager
async def provider(
    *answers: bytes | Sequence[bytes], then_close: bool = False, pause: float = 0.0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Provider]:
    """The n-th request of each line is answered with the n-th answer, in its parts; the last is said again and again."""
    here, talks = Provider(), set[asyncio.Task[None]]()

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(1_000):
            here.asked.append(await reader.readuntil(b"\r\n\r\n"))
            await asyncio.sleep(pause)
            answer = answers[min(number, len(answers) - 1)]
            for part in [answer] if isinstance(answer, bytes) else answer:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
            if then_close:
                return

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here.lines += 1
        talks.add(cast("asyncio.Task[None]", asyncio.current_task()))
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await say(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    here.url = f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield here
    finally:
        server.close()
        if talks:
            await asyncio.wait(talks, timeout=5)


async def ask(client: httpx.AsyncClient, path: str = "/pay") -> bytes:
    return (await http.send(client, client.build_request("POST", path, content=b"one order"))).content


async def test_requests_one_after_another_share_a_line() -> None:
    async with provider(OK) as there, http.client(there.url) as client:
        assert [await ask(client) for _ in range(5)] == [b"well"] * 5
        assert (there.lines, len(there.asked)) == (1, 5)


async def test_a_hundred_at_once_open_no_more_lines_than_allowed() -> None:
    async with provider(OK, pause=0.01) as there, http.client(there.url) as client:
        assert await asyncio.gather(*(ask(client) for _ in range(100))) == [b"well"] * 100
        assert there.lines <= 32
        assert len(there.asked) == 100


NO_ANSWERS = {
    "nothing": b"",
    "shorter than it says": b"HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\nwell",
    "without its last chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nwell\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\ncontent-le",
    "another protocol": b"SSH-2.0-hello\r\n",
    "an upgrade": b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    "a head without end": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 60_000 + b"\r\n",
}


@pytest.mark.parametrize("answer", NO_ANSWERS.values(), ids=NO_ANSWERS)
async def test_an_answer_that_is_cut_short_or_none_is_an_error_and_the_order_is_not_sent_again(answer: bytes) -> None:
    async with provider(answer, then_close=True) as there, http.client(there.url) as client:
        with pytest.raises(httpx.TransportError) as caught:
            await ask(client)
        assert not http.nothing_was_sent(caught.value)
        assert len(there.asked) == 1


async def test_an_answer_without_a_length_ends_with_its_line() -> None:
    async with provider(b"HTTP/1.1 200 OK\r\n\r\nwell", then_close=True) as there, http.client(there.url) as client:
        assert await ask(client) == b"well"
        assert await ask(client) == b"well"
        assert there.lines == 2


async def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one() -> None:
    late = OK.replace(b"well", b"late")
    async with provider(late, pause=0.3) as there, http.client(there.url, read_seconds=0.1) as client:
        with pytest.raises(httpx.ReadTimeout):
            await ask(client)
        await asyncio.sleep(0.4)
        with pytest.raises(httpx.ReadTimeout):
            await ask(client)
        assert there.lines == 2


async def test_a_request_that_was_given_up_leaves_no_line_to_the_next_one() -> None:
    async with provider(OK, pause=0.2) as there, http.client(there.url) as client:
        given_up = asyncio.create_task(ask(client))
        await asyncio.sleep(0.05)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        assert await ask(client) == b"well"
        assert there.lines == 2


async def test_what_comes_before_the_answer_is_passed_over() -> None:
    before = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\n"
    async with provider(before + OK) as there, http.client(there.url) as client:
        response = await http.send(client, client.build_request("GET", "/"))
        assert (response.status_code, response.content, "link" in response.headers) == (200, b"well", False)


async def test_a_line_that_the_provider_closed_while_it_was_quiet_is_not_used_again() -> None:
    async with provider(OK, then_close=True) as there, http.client(there.url) as client:
        for _ in range(3):
            assert await ask(client) == b"well"
            await asyncio.sleep(0.3)
        assert there.lines == 3


async def test_a_line_that_was_closed_while_we_were_busy_is_not_used_again() -> None:
    asked = []

    class Once(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked.append(self.rfile.readline())
            self.wfile.write(OK)
            time.sleep(0.1)  # and closes: our loop stands still and sees nothing of it

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Once) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        async with http.client(f"http://127.0.0.1:{server.server_address[1]}") as client:
            assert await ask(client) == b"well"
            time.sleep(0.4)  # noqa: ASYNC251 a long computation in the same process
            assert await ask(client) == b"well"
        server.shutdown()
    assert len(asked) == 2


async def test_where_nobody_listens_it_is_certain_that_nothing_was_sent() -> None:
    async with provider(OK) as there:
        address = there.url
    async with http.client(address) as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await ask(client)
        assert http.nothing_was_sent(caught.value)


async def test_a_header_cannot_carry_a_second_request() -> None:
    async with provider(OK) as there, http.client(there.url) as client:
        request = client.build_request("GET", "/", headers={b"x-client": b"a\r\n\r\nGET /pay HTTP/1.1"})
        with pytest.raises(httpx.LocalProtocolError):
            await http.send(client, request)
        assert there.asked == []


async def test_a_body_without_end_is_refused_and_its_line_closed() -> None:
    endless = b"HTTP/1.1 200 OK\r\ncontent-length: 30000000\r\n\r\n" + b"x" * 30_000_000
    async with provider(endless) as there, http.client(there.url) as client:
        with pytest.raises(http.AnswerTooLargeError):
            await http.send(client, client.build_request("GET", "/"), largest=1_000_000)
        assert there.lines == 1


async def test_the_answer_to_head_has_no_body() -> None:
    async with provider(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n") as there, http.client(there.url) as client:
        assert (await http.send(client, client.build_request("HEAD", "/"))).content == b""


@given(cuts=st.lists(st.integers(min_value=1, max_value=30), max_size=8), is_chunked=st.booleans())
@settings(max_examples=40, deadline=None)
def test_an_answer_is_the_same_however_it_is_cut_up_on_the_way(cuts: list[int], is_chunked: bool) -> None:
    whole = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nwell\r\n0\r\n\r\n" if is_chunked else OK
    parts, rest = [], whole
    for cut in [*cuts, len(whole)]:
        parts.append(rest[:cut])
        rest = rest[cut:]

    async def story() -> None:
        async with provider(parts) as there, http.client(there.url) as client:
            assert await ask(client) == b"well"

    asyncio.run(story())


def _self_signed(folder: Path) -> ssl.SSLContext:
    """A server that says that it is 127.0.0.1, with nobody's word for it but its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


async def test_a_server_that_cannot_prove_who_it_is_gets_not_a_byte_of_the_order(tmp_path: Path) -> None:
    async with provider(OK, tls=_self_signed(tmp_path)) as there:
        async with http.client(there.url) as client:
            with pytest.raises(httpx.ConnectError) as caught:
                await ask(client)
            assert http.nothing_was_sent(caught.value)
            assert there.asked == []
        # The same server, trusted by name: it was the proof that was missing, and nothing else.
        trusting = ssl.create_default_context(cafile=str(tmp_path / "server.pem"))
        async with http.client(there.url, verify=trusting) as client:
            assert await ask(client) == b"well"
            assert len(there.asked) == 1
