"""The factory's named choices where the law leaves one: dated by month, each change with its reason, an old month with its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from importers.period import PayPeriod
from payroll_api.access.actor import Actor, Permission
from payroll_api.audit import journal
from payroll_api.clock import pay_day
from payroll_api.db.base import new_id
from payroll_api.errors import InvalidError
from payroll_api.factories.law_values import agreements
from payroll_api.factories.models import PolicyChoices
from payroll_api.factories.settings import get_factory
from payroll_api.services import Services
from reconciliation.facts_told import fault, place
from reconciliation.policy import FactoryPolicy, PolicyError

_policies = TypeAdapter(FactoryPolicy)
_names = frozenset(field.name for field in dataclasses.fields(FactoryPolicy))
_AGREED = "agreements"


async def policy(session: AsyncSession, period: PayPeriod | None = None) -> FactoryPolicy:
    """The factory's choices for a month (the latest without one), agreements among them, and defaults for what it has not chosen."""
    chosen = read_policies(await choices(session, period))
    return dataclasses.replace(chosen, agreements=(*chosen.agreements, *await agreements(session)))


async def choices(session: AsyncSession, period: PayPeriod | None = None) -> Mapping[str, object]:
    """What the factory chose for a month, as it is stored: the change with the latest month not after it, of those the last made."""
    query = select(PolicyChoices).order_by(PolicyChoices.since.desc(), PolicyChoices.id.desc()).limit(1)
    if period is not None:
        query = query.where(PolicyChoices.since <= str(period))
    found = await session.scalar(query)
    return found.choices if found is not None else (await get_factory(session)).policies


def read_policies(given: Mapping[str, object]) -> FactoryPolicy:
    """Choices as they are stored and sent (JSON) as a FactoryPolicy. Raises InvalidError naming each that is wrong."""
    wrong = [{"field": "policies", "problem": f"there is no policy {name[:40]!r}"} for name in sorted(set(given) - _names)]
    wrong += [
        {"field": f"policies.{name}", "problem": 'write numbers with decimals as text, such as "0.5"'}
        for name, value in given.items()
        if isinstance(value, float)
    ]
    found = None
    if not wrong:
        try:
            found = _policies.validate_python(dict(given))
        except ValidationError as error:
            wrong = [
                {"field": place(("policies", *entry["loc"])), "problem": fault(dict(entry))}
                for entry in error.errors(include_input=False, include_url=False)
            ]
        except PolicyError as error:
            wrong = [{"field": "policies", "problem": str(error)}]
    if found is None:
        known = ", ".join(sorted(_names))
        raise InvalidError(f"The policies cannot be taken: see fields. Policies are {known}.", code="policy_invalid", fields=wrong)
    return found


async def set_policies(
    session: AsyncSession,
    services: Services,
    actor: Actor,
    given: Mapping[str, object],
    *,
    since: PayPeriod | None = None,
    reason: str = "",
) -> PolicyChoices:
    """Replace the factory's choices from a month on: this one, or one to come. Months past keep theirs.

    Raises InvalidError, NotAllowedError.
    """
    actor.require(Permission.ADMINISTER)
    read_policies(given)
    now = services.clock()
    today = pay_day(now)
    month = PayPeriod(today.year, today.month)
    since = since or month
    if _AGREED in given:
        raise InvalidError(
            "What was agreed beyond the law is added by itself, with its text and its date: see the law's page.",
            code="policy_invalid",
            fields=[{"field": "policies.agreements", "problem": "is not set here"}],
        )
    if str(since) < str(month):
        raise InvalidError(
            f"Choices hold from {month} on at the earliest: months that are past keep theirs, so that their results stay.",
            code="policy_invalid",
            fields=[{"field": "since", "problem": f"{month} or later"}],
        )
    before = await choices(session, since)
    row = PolicyChoices(
        factory_id=actor.factory_id,
        id=new_id(),
        since=str(since),
        choices=dict(given),
        reason=reason.strip(),
        set_by=actor.name,
        set_at=now,
    )
    session.add(row)
    await session.flush()
    changed: dict[str, object] = {
        name: [before.get(name), given.get(name)] for name in sorted(before.keys() | given.keys()) if before.get(name) != given.get(name)
    }
    data = {"since": str(since), "changed": changed, "reason": reason.strip()}
    await journal.record(
        session, now, journal.Event(actor=actor.name, action="factory.policies_changed", subject=f"factory:{row.factory_id}", data=data)
    )
    return row


async def history(session: AsyncSession) -> Sequence[PolicyChoices]:
    """Every change, the newest first."""
    return (await session.scalars(select(PolicyChoices).order_by(PolicyChoices.id.desc()).limit(100))).all()
