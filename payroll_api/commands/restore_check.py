"""`payroll restore-check`: ask the providers what was sent that this database does not know, and say whether anything is sent."""

from __future__ import annotations

import argparse
import sys
from uuid import UUID

from sqlalchemy import select

from payroll_api import settings as configuration
from payroll_api import wiring
from payroll_api.commands import place
from payroll_api.errors import ConfigurationError
from payroll_api.factories.models import FactoryDirectory
from payroll_api.outside.guard import check_guard
from payroll_api.outside.journal import journal_at
from payroll_api.payments.reconcile import Found, reconcile_after_restore
from payroll_api.services import Services


async def restore_check(given: argparse.Namespace) -> int:
    """Print a line for each factory; 0 when every one may send, 1 when one is locked. Sends nothing itself."""
    async with place.opened(configuration.load()) as here, wiring.build(here.settings) as services:
        factories = await _factories(services, given.factory)
        locked = 0
        for slug, factory_id in factories:
            found = None if await check_guard(services, factory_id) else await reconcile_after_restore(services, factory_id)
            is_open = await check_guard(services, factory_id)
            locked += not is_open
            sys.stdout.write(f"{slug}: {told(found, is_open=is_open)}\n")
        known = {factory_id for _, factory_id in await _factories(services, None)}
        for gone in sorted(journal_at(services.settings.journal_file).factories() - known, key=str):
            sys.stdout.write(
                f"The journal knows a factory {gone} that this database does not have. Ask its providers before it is made again.\n"
            )
    return 1 if locked else 0


def told(found: Found | None, *, is_open: bool) -> str:
    """What was found, in a sentence."""
    if found is None:
        return "may send; the database is as new as what was sent" if is_open else "LOCKED"
    rest = ", ".join(f"{count} {status}" for status, count in sorted(found.orders.items())) or "none"
    unasked = f"; NOT ASKED: {', '.join(found.unasked)}" if found.unasked else ""
    facts = f"{found.adopted} orders taken back, others: {rest}, {found.strangers} strangers on statements{unasked}"
    if is_open:
        return f"{facts}. Everything is explained: sending is open again."
    return f"LOCKED; {facts}. An administrator and a second person open sending on the page /restore."


async def _factories(services: Services, slug: str | None) -> list[tuple[str, UUID]]:
    query = select(FactoryDirectory.slug, FactoryDirectory.factory_id).order_by(FactoryDirectory.slug)
    if slug is not None:
        query = query.where(FactoryDirectory.slug == slug)
    async with services.database.nobody() as session:
        found = [(row[0], row[1]) for row in await session.execute(query)]
    if slug is not None and not found:
        raise ConfigurationError(f"There is no factory {slug!r}. Leave --factory out to look at all of them.")
    return found
