"""A server that may forget what it has confirmed is refused before anything is sent: with it, a crash would pay twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from payroll_api.commands.place import require_ready
from payroll_api.db import embedded
from payroll_api.db.tenancy import APP_ROLE
from payroll_api.errors import ConfigurationError

_FORGETFUL = "synchronous_commit or fsync off"


@pytest.fixture
async def forgetful(run_folder: Path) -> AsyncIterator[tuple[embedded.Addresses, Any]]:
    """A PostgreSQL of its own that was started with fsync off, and its superuser's connection."""
    folder = run_folder / "forgetful"
    with embedded.running(folder):
        pass
    with (folder / "postgresql.conf").open("a") as conf:
        conf.write("\nfsync = off\n")
    with embedded.running(folder) as at:
        await embedded.ensure_database(at)
        connection = await asyncpg.connect(at.owner)
        await connection.execute(f"create role {APP_ROLE} login")
        yield at, connection
        await connection.close()


async def test_a_service_does_not_start_on_a_server_that_may_forget(forgetful: tuple[embedded.Addresses, Any]) -> None:
    at, connection = forgetful
    assert await connection.fetchval("show fsync") == "off"
    with pytest.raises(ConfigurationError, match=_FORGETFUL):
        await require_ready(at.application)
    # fsync alone is mended; now the role's own setting lets a COMMIT return before it is on disk.
    await connection.execute("alter system set fsync = on")
    await connection.execute("select pg_reload_conf()")
    await connection.execute(f"alter role {APP_ROLE} set synchronous_commit = off")
    with pytest.raises(ConfigurationError, match=_FORGETFUL):
        await require_ready(at.application)
    await connection.execute(f"alter role {APP_ROLE} reset synchronous_commit")
    # Durable now: what is missing next is another sentence, which proves that this one was about the setting alone.
    with pytest.raises(ConfigurationError, match="tables of this database"):
        await require_ready(at.application)
