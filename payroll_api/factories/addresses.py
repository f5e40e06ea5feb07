"""Whose webhook addresses these are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from payroll_api.factories.models import WebhookDirectory
from payroll_api.factories.provider_accounts import webhook_hash
from payroll_api.services import Services


async def by_factory(services: Services, keys: Sequence[str]) -> Mapping[UUID, Mapping[int, UUID]]:
    """For each factory, which of `keys` (by position) are the secret parts of its addresses, and of which provider account.

    A key that is nobody's is not among them.
    """
    hashes = [webhook_hash(key) for key in keys]
    async with services.database.nobody() as session:
        found = await session.scalars(select(WebhookDirectory).where(WebhookDirectory.key_hash.in_(set(hashes))))
        addresses = {address.key_hash: address for address in found}
    factories: dict[UUID, dict[int, UUID]] = {}
    for position, key_hash in enumerate(hashes):
        if (address := addresses.get(key_hash)) is not None:
            factories.setdefault(address.factory_id, {})[position] = address.provider_account_id
    return factories
