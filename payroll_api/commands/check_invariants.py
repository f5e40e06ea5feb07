"""`payroll check-invariants`: look at every payment that ever was, not only at what changed in the last minutes."""

from __future__ import annotations

import argparse
import sys

from sqlalchemy import select

from payroll_api import settings as configuration
from payroll_api.commands import place
from payroll_api.db.session import Database
from payroll_api.factories.models import FactoryDirectory
from payroll_api.payments.invariants import CHECKS, violations


async def check_invariants(given: argparse.Namespace) -> int:
    """Print what does not hold in each factory; 1 if anything does not."""
    broken = 0
    async with place.opened(configuration.load()) as here:
        database = Database(here.settings.database_url or "", pool_size=2)
        try:
            async with database.nobody() as session:
                factories = list(await session.scalars(select(FactoryDirectory).order_by(FactoryDirectory.slug)))
            for factory in factories:
                if given.factory not in (None, factory.slug):
                    continue
                async with database.factory(factory.factory_id) as session:
                    found = await violations(session)
                broken += len(found)
                for one in found:
                    sys.stdout.write(f"{factory.slug}: BROKEN {one.invariant}: {one.count}, the first is {one.first}\n")
                if not found:
                    sys.stdout.write(f"{factory.slug}: all {len(CHECKS)} invariants hold\n")
        finally:
            await database.close()
    return 1 if broken else 0
