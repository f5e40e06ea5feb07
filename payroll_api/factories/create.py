"""A new factory: its place in the directory, its row, its own data keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from payroll_api.access.users import OPERATOR
from payroll_api.audit import journal
from payroll_api.db.base import new_id
from payroll_api.errors import InvalidError, ProblemError
from payroll_api.factories.models import Factory, FactoryDirectory
from payroll_api.factories.policies import read_policies
from payroll_api.factories.settings import DEFAULT_COOLING
from payroll_api.services import Services

_SLUG = re.compile(r"^[a-z0-9][a-z0-9-]{1,48}[a-z0-9]$")


async def create_factory(
    services: Services, *, slug: str, name: str, name_km: str, hotline: str, policies: Mapping[str, object] | None = None
) -> UUID:
    """Make a factory and give it its keys; the id is answered. Only the operator's commands call this.

    `hotline` stands on every slip. Raises InvalidError, ProblemError `factory_exists`.
    """
    if _SLUG.match(slug) is None:
        raise InvalidError(f"The short name {slug!r} is not 3 to 50 of a-z, 0-9 and -. Choose one such as angkor-knit.")
    if not name.strip() or not name_km.strip() or not hotline.strip():
        raise InvalidError("A factory needs a name, a Khmer name and a hotline, which stands on every slip. Give all three.")
    chosen = dict(policies or {})
    read_policies(chosen)
    factory_id = new_id()
    now = services.clock()
    async with services.database.factory(factory_id) as session:
        entry = insert(FactoryDirectory).values(factory_id=factory_id, slug=slug, created_at=now)
        if (await session.execute(entry.on_conflict_do_nothing().returning(FactoryDirectory.factory_id))).one_or_none() is None:
            raise ProblemError("factory_exists", f"There is a factory {slug!r} already. Choose another short name.")
        services.keys.make(session, now)
        session.add(
            Factory(
                factory_id=factory_id,
                name=name,
                name_km=name_km,
                hotline=hotline,
                policies=chosen,
                journal_accounts={},
                cooling_hours=DEFAULT_COOLING,
                created_at=now,
            ),
        )
        await session.flush()
        event = journal.Event(actor=OPERATOR, action="factory.created", subject=f"factory:{factory_id}", data={"slug": slug})
        await journal.record(session, now, event)
    return factory_id


async def factory_by_slug(services: Services, slug: str) -> UUID | None:
    """The factory with this short name, or None."""
    async with services.database.nobody() as session:
        return await session.scalar(
            FactoryDirectory.__table__.select().with_only_columns(FactoryDirectory.factory_id).where(FactoryDirectory.slug == slug)
        )
