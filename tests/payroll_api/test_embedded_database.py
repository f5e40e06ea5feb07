"""The PostgreSQL that comes with the package, as tests and the service use it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from payroll_api.db import embedded
from payroll_api.db.embedded import Addresses
from payroll_api.db.session import Database, require_safe
from payroll_api.migrations import apply


async def test_the_database_of_the_tests_is_the_newest(addresses: Addresses) -> None:
    assert await apply.missing(addresses.owner) == []


async def test_the_application_role_is_safe_to_work_with(database: Database) -> None:
    await require_safe(database)


async def test_a_database_for_one_test_is_not_that_of_the_others(database: Database, empty_addresses: Addresses) -> None:
    alone = Database(empty_addresses.application)
    try:
        async with alone.nobody() as session, database.nobody() as other:
            name = text("select current_database()")
            assert (await session.execute(name)).scalar_one() != (await other.execute(name)).scalar_one()
    finally:
        await alone.close()


def test_a_test_cannot_reach_another_machine() -> None:
    with pytest.warns(UserWarning, match="192.0.2.1"), pytest.raises(RuntimeError, match="allowed"):
        socket.create_connection(("192.0.2.1", 443), timeout=1)


_STAYS = """
import sys, time
from pathlib import Path
from payroll_api.db import embedded
with embedded.running(Path(sys.argv[1])):
    print("up", flush=True)
    time.sleep(60)
"""


async def test_a_process_that_was_killed_does_not_keep_the_server_up_for_ever(run_folder: Path) -> None:
    folder = run_folder / f"killed-{os.getpid()}"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", _STAYS, str(folder), stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    assert await child.stdout.readline() == b"up\n"
    child.kill()
    await child.wait()
    with embedded.running(folder) as at:
        await embedded.ensure_database(at)
        await embedded.ensure_database(at)
        connection = await asyncpg.connect(at.owner)
        await connection.close()
        assert json.loads((folder / ".handle_pids.json").read_text()) == [os.getpid()]
    assert not (folder / "postmaster.pid").exists()
