"""P6 and the slow clients: signed webhooks, each durable in PostgreSQL before its answer, through the real service.

    python -m bench.webhooks                  beside a bare FastAPI application that only inserts the same body, in the same run
    python -m bench.webhooks --slow 300       honest messages beside so many clients with slow headers, and as many with slow bodies

The service runs as a process of its own without a worker, and so does the bare application; clients are another process. Every
message is another one: nothing is answered from what came before.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from bench import webhooks_bare
from connectors.signatures import hmac_hex
from payroll_api import wiring
from payroll_api.access.actor import PERMISSIONS, Actor, Role
from payroll_api.commands.demo_folder import free_port
from payroll_api.db import embedded
from payroll_api.encryption import master
from payroll_api.factories.create import create_factory
from payroll_api.factories.provider_accounts import add_provider_account
from payroll_api.migrations import apply
from payroll_api.settings import Settings

SECRET = "a callback secret of the bench"  # noqa: S105 of a simulated wallet
CONNECTIONS = 32
WALLET = {
    "base_url": "http://127.0.0.1:1/v1.1.2/mm",
    "client_id": "bench",
    "api_key": "wallet-api-key",
    "callback_secret": SECRET,
    "debit_party_value": "9000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a row of requests took: all answers, and the time of each in seconds."""

    seconds: float
    times: list[float]
    refused: int

    def __str__(self) -> str:
        ordered = sorted(self.times)
        p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
        rate = len(ordered) / self.seconds
        return f"{rate:7.0f}/s   p50 {p50 * 1000:6.1f} ms   p99 {p99 * 1000:6.1f} ms   refused {self.refused}"


def body(number: int) -> bytes:
    """One message of a wallet about a batch."""
    return json.dumps({"batchId": str(number), "batchStatus": "completed", "batchTitle": f"GWBENCH{number:013}"}).encode()


async def _connection(port: int, path: str, numbers: Iterator[int], times: list[float], refused: list[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in numbers:
        content, method = body(number), "POST" if path == "/" else "PUT"  # a wallet of the GSMA calls back by PUT
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n"
            f"X-Callback-Signature: {hmac_hex(SECRET.encode(), content)}\r\n\r\n"
        )
        began = time.perf_counter()
        writer.write(head.encode() + content)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next((int(line[15:]) for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
        await reader.readexactly(length)
        times.append(time.perf_counter() - began)
        if not answer.startswith(b"HTTP/1.1 2"):
            refused.append(number)
    writer.close()


async def send(port: int, path: str, first: int, count: int, connections: int = CONNECTIONS) -> Figures:
    """Send `count` messages over some kept connections, each waiting for its answer."""
    numbers = iter(range(first, first + count))
    times: list[float] = []
    refused: list[int] = []
    began = time.perf_counter()
    await asyncio.gather(*(_connection(port, path, numbers, times, refused) for _ in range(connections)))
    return Figures(seconds=time.perf_counter() - began, times=times, refused=len(refused))


@contextlib.contextmanager
def process(*arguments: str, **environment: str) -> Iterator[psutil.Process]:
    """A Python process of this project, ended at the end."""
    running = subprocess.Popen(  # noqa: S603 our own modules
        [sys.executable, *arguments], env={**os.environ, **environment}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(running.pid)
    finally:
        running.terminate()
        running.wait(20)


async def ready(port: int) -> None:
    """Wait until somebody listens and answers."""
    for _ in range(600):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = await reader.readline()
            writer.close()
            if answer:
                return
        await asyncio.sleep(0.1)
    raise TimeoutError("the service did not get ready")


@contextlib.asynccontextmanager
async def service(folder: Path) -> AsyncIterator[tuple[int, str, str, psutil.Process]]:
    """The real service over a database of its own: its port, the path of a wallet's webhooks, the owner's address, its process."""
    with embedded.running(folder / "postgres") as at:
        await embedded.ensure_database(at)
        await apply.upgrade(at.owner)
        settings = Settings(data_dir=folder, database_url=at.application)
        master.load(settings.master_key_file, create=True)
        async with wiring.build(settings) as services:
            factory = await create_factory(services, slug="bench", name="Bench", name_km="Bench", hotline="012 345 678")
            actor = Actor(factory_id=factory, name="bench", permissions=PERMISSIONS[Role.ADMINISTRATOR])
            async with services.database.factory(factory) as session:
                account = await add_provider_account(
                    session, services, actor, name="Wallet", kind="wallet", connector="gsma_mobile_money", config=WALLET
                )
        port = free_port()
        environment = {"PAYROLL_DATABASE_URL": at.application, "PAYROLL_DATA_DIR": str(folder), "PAYROLL_LOG_LEVEL": "INFO"}
        with process("-m", "payroll_api", "serve", "--no-worker", "--port", str(port), **environment) as running:
            await ready(port)
            yield port, f"/webhooks/gsma_mobile_money/{account.webhook_key}/GWBENCH0000000000001", at.owner, running


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gw-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as a user of its own when we are root
        yield folder


async def compare(count: int) -> bool:
    """Ours beside the bare application, twice each in turn; the better run of each counts."""
    with _folder() as folder:
        async with service(folder) as (port, path, owner, _):
            await webhooks_bare.prepare(owner)
            bare_port = free_port()
            with process("-m", "bench.webhooks_bare", str(bare_port), BENCH_DATABASE=owner):
                await ready(bare_port)
                await send(port, path, 10**9, 500)
                await send(bare_port, "/", 0, 500)
                ours, bare = [], []
                for turn in range(2):
                    bare.append(await send(bare_port, "/", 0, count))
                    ours.append(await send(port, path, turn * count, count))
            stored = await _stored(owner)
    best, peer = min(ours, key=lambda one: one.seconds), min(bare, key=lambda one: one.seconds)
    print(f"ours: verified, sealed, audited, committed   {best}")
    print(f"bare FastAPI: one INSERT, committed          {peer}")
    print(f"ours is {peer.seconds / best.seconds:.2f} times the bare rate; stored {stored} of {2 * count + 500}")
    return stored == 2 * count + 500 and not any(one.refused for one in ours)


async def _stored(owner: str) -> int:
    connection = await asyncpg.connect(owner)
    try:
        return int(await connection.fetchval("select count(*) from provider_messages"))
    finally:
        await connection.close()


async def _slow(port: int, head: bytes, drip: bytes) -> float:
    """A client that sends a byte every second, until it is cut; how long it was held."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    with contextlib.suppress(OSError):
        while time.monotonic() - began < 60:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.read(100), 1)
                break
            writer.write(drip)
            await writer.drain()
    writer.close()
    return time.monotonic() - began


async def beside_slow_ones(count: int) -> bool:
    """Honest messages beside `count` slow headers and `count` slow bodies; then one body of 64 MiB in chunks."""
    with _folder() as folder:
        async with service(folder) as (port, path, _, running):
            await send(port, path, 10**9, 300, 8)
            memory = running.memory_info().rss
            line = f"POST {path} HTTP/1.1\r\nHost: x\r\n".encode()
            slow = [asyncio.create_task(_slow(port, line, b"X-A: 1\r\n")) for _ in range(count)]
            slow += [asyncio.create_task(_slow(port, line + b"Content-Length: 9000\r\n\r\n", b"x")) for _ in range(count)]
            await asyncio.sleep(2)
            honest = await send(port, path, 0, 2_000, 8)
            giant = await _giant(port, line)
            grown = (running.memory_info().rss - memory) / 2**20
            held = max(await asyncio.gather(*slow))
    print(f"honest beside {2 * count} slow clients   {honest}")
    print(f"slow ones were cut after at most {held:.1f} s; 64 MiB in chunks: {giant}; memory grew by {grown:.0f} MiB")
    return not honest.refused and held <= 15 and "413" in giant


async def _giant(port: int, line: bytes) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(line + b"Transfer-Encoding: chunked\r\n\r\n")
    with contextlib.suppress(OSError):
        for _ in range(1024):
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()
    answer = await reader.readline()
    writer.close()
    return answer.decode().strip()


def main() -> int:
    """Measure; 1 if something was lost or refused."""
    parser = argparse.ArgumentParser(prog="python -m bench.webhooks", description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--workers", type=int, help=argparse.SUPPRESS)  # what `python -m bench` hands to all
    parser.add_argument("--slow", type=int, help="so many clients with slow headers, and as many with slow bodies")
    given = parser.parse_args()
    is_right = asyncio.run(beside_slow_ones(given.slow) if given.slow else compare(given.messages))
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
