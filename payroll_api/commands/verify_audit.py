"""`payroll verify-audit`: check each factory's chain against its signed heads and those remembered outside the database."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from payroll_api import settings as configuration
from payroll_api.audit import signing
from payroll_api.audit.verify import ChainReport, verify
from payroll_api.commands import place
from payroll_api.db.session import Database
from payroll_api.encryption import master
from payroll_api.errors import ConfigurationError
from payroll_api.factories.models import FactoryDirectory


async def verify_audit(given: argparse.Namespace) -> int:
    """Print one line for each factory; 1 if any chain is broken."""
    async with place.opened(configuration.load()) as here:
        signer = signing.Signer(master.load(here.settings.master_key_file, create=False))
        database = Database(here.settings.database_url or "", pool_size=2)
        try:
            reports = await check_chains(database, signer, here.settings.checkpoint_file, given.factory)
        finally:
            await database.close()
    for slug, report in reports:
        sys.stdout.write(f"{slug}: {told(report)}\n")
    if not reports:
        sys.stdout.write("There is no factory yet, so there is nothing to verify.\n")
    return 0 if all(report.intact for _, report in reports) else 1


async def check_chains(database: Database, signer: signing.Signer, checkpoints: Path, slug: str | None) -> list[tuple[str, ChainReport]]:
    """Check the chain of each factory, or of one. Raises ConfigurationError for a factory that is not there."""
    outside = signing.remembered(checkpoints)
    reports = []
    for name, factory_id in await _factories(database, slug):
        async with database.factory(factory_id) as session:
            reports.append((name, await verify(session, signer.key_id, outside)))
    return reports


def told(report: ChainReport) -> str:
    """A report as a sentence."""
    if report.intact:
        newest = f"; {report.unsealed} newer ones wait to be sealed" if report.unsealed else ""
        return f"intact, {report.events} events in {report.blocks} sealed blocks{newest}"
    first = f" First broken event: {report.event}." if report.event else ""
    return f"BROKEN: {report.broken}.{first} Keep this database as it is, and compare it with a backup from before."


async def _factories(database: Database, slug: str | None) -> list[tuple[str, UUID]]:
    query = select(FactoryDirectory.slug, FactoryDirectory.factory_id).order_by(FactoryDirectory.slug)
    if slug is not None:
        query = query.where(FactoryDirectory.slug == slug)
    async with database.nobody() as session:
        found = [(row[0], row[1]) for row in await session.execute(query)]
    if slug is not None and not found:
        raise ConfigurationError(f"There is no factory {slug!r}. Leave --factory out to verify all of them.")
    return found
