"""`payroll migrate`: bring the tables to the newest version, or say what is missing."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from payroll_api import settings as configuration
from payroll_api.db import embedded
from payroll_api.encryption import master
from payroll_api.errors import ConfigurationError
from payroll_api.migrations import apply


async def migrate(given: argparse.Namespace) -> int:
    """Migrate, or with --check compare and change nothing."""
    settings = configuration.load()
    url = settings.owner_database_url
    if url is None and settings.database_url is not None:
        raise ConfigurationError(
            "PAYROLL_DATABASE_URL is the application's address, which may not change tables."
            " Set PAYROLL_OWNER_DATABASE_URL to the owner's address too and run this again."
        )
    try:
        if given.check:
            return await _check(url)
        if url is not None:
            await apply.upgrade(url)
        else:
            with embedded.running(settings.data_dir / "postgres") as at:
                await embedded.ensure_database(at)
                await apply.upgrade(at.owner)
        master.load(settings.master_key_file, create=True)
    except (OSError, DBAPIError) as error:
        if isinstance(error, OSError) and error.filename:
            raise
        raise ConfigurationError(f"The database did not take the migration ({type(error).__name__}): {_first_line(error)}") from None
    sys.stdout.write("The tables are those of this version.\n")
    return 0


async def _check(url: str | None) -> int:
    if url is not None:
        return _tell(await apply.missing(url))
    # The database of the service migrates itself; what can be wrong is the code: migrations that do not give its tables.
    with tempfile.TemporaryDirectory(prefix="gw-migrate-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103 PostgreSQL runs as a user of its own when we are root
        with embedded.running(Path(folder) / "postgres") as at:
            await embedded.ensure_database(at)
            await apply.upgrade(at.owner)
            return _tell(await apply.missing(at.owner))


def _tell(missing: list[str]) -> int:
    for sentence in missing:
        sys.stdout.write(f"{sentence}\n")
    if not missing:
        sys.stdout.write("The migrations give exactly the tables of this version.\n")
    return 1 if missing else 0


def _first_line(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return str(cause).splitlines()[0][:200] if str(cause) else "no reason given"
