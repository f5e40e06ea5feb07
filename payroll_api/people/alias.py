"""Spellings of a worker's name that a person has confirmed: a Khmer name cannot be compared with Latin letters, so somebody says it once.

An alias makes a stranger's account pass the name check, so whoever prepares payroll cannot confirm one: an approver does.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import Destination as ProviderDestination
from connectors.payouts.contract import DestinationCheck, NameMatch
from connectors.payouts.names import LONGEST_NAME
from payroll_api.access.actor import Actor, Permission
from payroll_api.access.api_keys import persons_behind
from payroll_api.access.four_eyes import require_other
from payroll_api.audit.journal import Event, record
from payroll_api.db.base import new_id
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of
from payroll_api.encryption.vault import Vault
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.people import keys
from payroll_api.people.models import Destination, NameAlias, Worker
from payroll_api.services import PayoutConnector, Services

_SHORTEST_REASON = 5


async def confirm_alias(session: AsyncSession, services: Services, actor: Actor, worker_id: UUID, *, alias: str, reason: str) -> NameAlias:
    """Confirm that a worker's name is also written like this; her doubtful account is then checked again.

    Raises NotAllowedError for whoever brought her account, InvalidError, NotFoundError, ProblemError `alias_known`.
    """
    actor.require(Permission.APPROVE)
    alias = " ".join(alias.split())
    if not 1 < len(alias) <= LONGEST_NAME or not alias.isprintable() or len(reason.strip()) < _SHORTEST_REASON:
        raise InvalidError(
            "Write the name as the bank or wallet writes it, and how you know that it is hers (such as: seen her identity card).",
            fields=[{"field": "alias", "problem": f"2 to {LONGEST_NAME} characters"}, {"field": "reason", "problem": "how you know"}],
        )
    worker = await session.get(Worker, (actor.factory_id, worker_id), with_for_update=True)
    if worker is None:
        raise NotFoundError("worker")
    waiting = list(
        await session.scalars(
            select(Destination).where(Destination.worker_id == worker_id, Destination.state == "doubtful").with_for_update()
        )
    )
    require_other(actor, *await persons_behind(session, {item.created_by for item in waiting}))
    vault, at, alias_id = await services.keys.vault(session), services.clock(), new_id()
    key = keys.name_key(vault, alias)
    if await session.scalar(select(NameAlias.id).where(NameAlias.worker_id == worker_id, NameAlias.alias_key == key)) is not None:
        raise ProblemError("alias_known", "This spelling is confirmed already.")
    confirmed = NameAlias(
        factory_id=actor.factory_id,
        id=alias_id,
        worker_id=worker_id,
        alias=vault.seal(alias, "name_aliases", alias_id, "alias"),
        alias_key=key,
        reason=reason.strip(),
        confirmed_by=actor.name,
        confirmed_at=at,
    )
    session.add(confirmed)
    for item in waiting:
        item.state = "proposed"
    await session.flush()
    await record(session, at, Event(actor=actor.name, action="worker.alias_confirmed", subject=f"worker:{worker_id}"))
    if waiting:
        await enqueue(session, Job.CHECK_DESTINATIONS, {"destinations": json.dumps([str(item.id) for item in waiting])})
    return confirmed


async def aliases_of(session: AsyncSession, vault: Vault, workers: Sequence[UUID]) -> dict[UUID, list[str]]:
    """The confirmed spellings of workers."""
    rows = await fetch(
        session,
        "select worker_id, id, alias from name_aliases where factory_id = $1 and worker_id = any($2) order by id",
        factory_of(session),
        list(workers),
    )
    found: dict[UUID, list[str]] = {}
    for worker, alias_id, sealed in rows:
        found.setdefault(worker, []).append(vault.open(sealed, "name_aliases", alias_id, "alias"))
    return found


async def asked_again(
    connector: PayoutConnector,
    places: Sequence[ProviderDestination],
    said: Sequence[DestinationCheck],
    spellings: Sequence[Sequence[str]],
) -> list[DestinationCheck]:
    """The answers, with those that did not match asked again under each confirmed spelling of the worker's name."""
    answers = list(said)
    again = [
        (position, dataclasses.replace(place, holder=alias))
        for position, (place, check, aliases) in enumerate(zip(places, said, spellings, strict=True))
        if check.exists and check.name_match is not NameMatch.MATCH
        for alias in aliases
    ]
    if again:
        told = await connector.check_destinations([place for _, place in again])
        for (position, _), check in zip(again, told, strict=True):
            if check.name_match is NameMatch.MATCH:
                answers[position] = dataclasses.replace(check, detail="by a spelling that a person confirmed")
    return answers
