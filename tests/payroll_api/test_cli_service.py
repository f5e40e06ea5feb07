"""`payroll serve`, `worker`, `migrate`, `admin` and `verify-audit` as an operator meets them: real processes, real signals."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path

import asyncpg
import httpx
import pytest

from payroll_api.commands.demo_folder import free_port
from payroll_api.db import embedded
from payroll_api.db.embedded import Addresses
from tests.journeys.real_processes import environment, payroll

pytestmark = pytest.mark.timeout(240)
PASSWORD = {"PAYROLL_PASSWORD": "nine herons over the paddy"}
NEW = ("--slug", "kampot-knit", "--login", "boss@kampot", "--name", "Kampot Knit", "--hotline", "012 300 400")


async def _served(run_folder: Path, port: int, settings: dict[str, str], *arguments: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "payroll_api", "serve", "--port", str(port), *arguments),
        stderr=asyncio.subprocess.PIPE,
        env={**environment(run_folder), **settings},
    )
    async with httpx.AsyncClient(trust_env=False) as http:
        for _ in range(600):
            try:
                if (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                    return process
            except httpx.TransportError:
                await asyncio.sleep(0.1)
    raise AssertionError("the service did not get ready")


@pytest.mark.long
async def test_a_service_begins_without_accounts_and_an_administrator_is_made_at_its_console(run_folder: Path) -> None:
    settings = {"PAYROLL_DATA_DIR": str(run_folder / "fresh-service")}
    port = free_port()
    service = await _served(run_folder, port, settings)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", trust_env=False) as http:
            login = {"login": "boss@kampot", "password": PASSWORD["PAYROLL_PASSWORD"]}
            assert (await http.post("/sessions", json={"login": "sokha", "password": login["password"]})).status_code == 401
            status, told = await payroll(run_folder, "admin", "create", *NEW, extra={**settings, **PASSWORD})
            assert status == 0, told
            assert (await http.post("/sessions", json=login)).status_code == 201
        status, told = await payroll(run_folder, "admin", "create", *NEW, extra={**settings, **PASSWORD})
        assert status == 1
        assert "kampot-knit" in told
        status, told = await payroll(run_folder, "verify-audit", extra=settings)
        assert (status, "intact" in told) == (0, True), told
    finally:
        began = time.monotonic()
        service.send_signal(signal.SIGTERM)
        _, wrote = await service.communicate()
    assert service.returncode == 0
    assert time.monotonic() - began < 15
    assert PASSWORD["PAYROLL_PASSWORD"].encode() not in wrote


async def test_a_port_that_is_taken_is_told_before_anything_starts(run_folder: Path) -> None:
    taken = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    folder = run_folder / "never-made"
    async with taken:
        status, told = await payroll(run_folder, "serve", "--port", str(port), extra={"PAYROLL_DATA_DIR": str(folder)})
    assert status == 1
    assert f"Port {port} is in use" in told
    assert not folder.exists()


async def test_a_database_that_is_not_migrated_or_not_safe_is_refused(run_folder: Path, server: Addresses, addresses: Addresses) -> None:
    cases = [
        ({"PAYROLL_DATABASE_URL": addresses.owner}, "superuser"),
        ({"PAYROLL_DATABASE_URL": server.application.replace("/payroll?", "/postgres?")}, "payroll migrate"),
        ({"PAYROLL_DATABASE_URL": "postgresql://payroll_app@127.0.0.1:9/payroll"}, "cannot be reached"),
        ({"PAYROLL_DATABASE_URL": "mysql://somewhere"}, "postgresql://"),
        ({"PAYROLL_POOL_SIZE": "many"}, "PAYROLL_POOL_SIZE"),
    ]
    began = [payroll(run_folder, "worker", extra={"PAYROLL_DATA_DIR": str(run_folder / "unsafe"), **settings}) for settings, _ in cases]
    for (status, told), (_, word) in zip(await asyncio.gather(*began), cases, strict=True):
        assert status == 1, told
        assert word in told
        assert "Traceback" not in told


async def test_migrations_give_the_tables_of_the_code_and_a_missing_one_is_told(run_folder: Path, empty_addresses: Addresses) -> None:
    settings = {"PAYROLL_OWNER_DATABASE_URL": empty_addresses.owner, "PAYROLL_DATA_DIR": str(run_folder / "migrated")}
    assert (await payroll(run_folder, "migrate", "--check", extra=settings))[0] == 0
    owner = await asyncpg.connect(empty_addresses.owner)
    await owner.execute("alter table slips drop column segments")
    await owner.close()
    status, told = await payroll(run_folder, "migrate", "--check", extra=settings)
    assert status == 1
    assert "segments" in told


@pytest.mark.long
async def test_a_broken_chain_is_named_with_its_event(run_folder: Path) -> None:
    folder = run_folder / "tampered"
    settings = {"PAYROLL_DATA_DIR": str(folder)}
    assert (await payroll(run_folder, "admin", "create", *NEW, extra={**settings, **PASSWORD}))[0] == 0
    port = free_port()
    service = await _served(run_folder, port, settings)
    with embedded.running(folder / "postgres") as at:
        owner = await asyncpg.connect(at.owner)
        for _ in range(150):
            if await owner.fetchval("select count(*) from audit_blocks"):
                break
            await asyncio.sleep(0.2)
        service.send_signal(signal.SIGTERM)
        await service.communicate()
        # Whoever owns the tables can switch the triggers off. The chain tells.
        await owner.execute("set session_replication_role = replica")
        await owner.execute("update audit_events set body = $1 where id = (select min(id) from audit_events)", b"{}")
        await owner.close()
        status, told = await payroll(run_folder, "verify-audit", extra=settings)
    assert status == 1
    assert "BROKEN" in told
    assert "First broken event" in told
