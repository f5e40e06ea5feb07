"""What ids are called on a page: people by the name their colleagues know, workers by their code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.models import ApiKey, User
from payroll_api.people.models import Worker
from payroll_api.web.page import Page

_SHORT = 8


async def actors(session: AsyncSession, page: Page, names: Iterable[object]) -> Mapping[object, str]:
    """What to call actors (`user:<id>`, `key:<id>`, `system`, `provider:<name>`), by what records call them."""
    wanted = {name for name in names if isinstance(name, str)}
    users = {found for name in wanted if (found := _id_of(name, "user:"))}
    keys = {found for name in wanted if (found := _id_of(name, "key:"))}
    known: dict[str, str] = {}
    if users:
        vault = await page.services.keys.vault(session)
        for user in await session.scalars(select(User).where(User.id.in_(users))):
            known[f"user:{user.id}"] = vault.open(user.display_name, "users", user.id, "display_name")
    if keys:
        for key in await session.scalars(select(ApiKey).where(ApiKey.id.in_(keys))):
            known[f"key:{key.id}"] = page.words("who.key", id=key.name)
    return {name: known.get(name) or _otherwise(page, name) for name in wanted}


async def worker_codes(session: AsyncSession, ids: Iterable[UUID]) -> Mapping[UUID, str]:
    """Workers' codes by their ids."""
    rows = await session.execute(select(Worker.id, Worker.worker_code).where(Worker.id.in_(set(ids))))
    return {worker_id: code for worker_id, code in rows}  # noqa: C416 rows are no pairs to a type checker


def _id_of(name: str, prefix: str) -> UUID | None:
    try:
        return UUID(name.removeprefix(prefix)) if name.startswith(prefix) else None
    except ValueError:
        return None


def _otherwise(page: Page, name: str) -> str:
    kind, _, rest = name.partition(":")
    return page.words(f"who.{kind}", id=rest[:_SHORT]) if f"who.{kind}" in page.words.texts else name
