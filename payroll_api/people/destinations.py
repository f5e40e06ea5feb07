"""Check who owns an account before money moves, and let a person decide where the provider cannot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import Destination as ProviderDestination
from connectors.payouts.contract import DestinationCheck, DestinationKind, NameMatch
from payroll_api.access.actor import Actor, Permission
from payroll_api.access.four_eyes import require_person
from payroll_api.audit.journal import SYSTEM, Event, record, record_many
from payroll_api.db.bulk import run
from payroll_api.db.session import factory_of
from payroll_api.encryption.vault import Vault
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.factories.models import ProviderAccount
from payroll_api.people.alias import aliases_of, asked_again
from payroll_api.people.models import Destination
from payroll_api.services import PayoutConnector, Services

_NO_PROVIDER = DestinationCheck(exists=None, name_match=NameMatch.NOT_APPLICABLE, detail="the factory has no provider of this kind")
_SHORTEST_REASON = 5


async def check_destinations(services: Services, factory_id: UUID, payload: Mapping[str, str]) -> None:
    """The job CHECK_DESTINATIONS: ask the provider about each proposed destination of a chunk."""
    ids = [UUID(text) for text in json.loads(payload["destinations"])]
    async with services.database.factory(factory_id) as session:
        vault = await services.keys.vault(session)
        proposed = list(await session.scalars(select(Destination).where(Destination.id.in_(ids), Destination.state == "proposed")))
        connectors = {kind: await provider_of(session, services, kind) for kind in sorted({item.kind for item in proposed})}
        spellings = await aliases_of(session, vault, [item.worker_id for item in proposed])
    answers: list[tuple[Destination, DestinationCheck]] = []
    for kind, found in connectors.items():
        items = [item for item in proposed if item.kind == kind]
        if found is None:
            answers += [(item, _NO_PROVIDER) for item in items]
        else:
            places = [opened(vault, item) for item in items]
            said = await found[1].check_destinations(places)
            told = await asked_again(found[1], places, said, [spellings.get(item.worker_id, []) for item in items])
            answers += zip(items, told, strict=True)
    answers = await with_existence(services, factory_id, vault, answers)
    async with services.database.factory(factory_id) as session:
        await _keep(session, services, answers)


async def provider_of(session: AsyncSession, services: Services, kind: str) -> tuple[UUID, PayoutConnector] | None:
    """The factory's enabled provider account for a kind of destination, and its connector; the oldest where there are several."""
    account = await session.scalar(
        select(ProviderAccount)
        .where(ProviderAccount.kind == kind, ProviderAccount.is_enabled)
        .order_by(ProviderAccount.created_at, ProviderAccount.id)
        .limit(1)
    )
    return None if account is None else (account.id, await services.connectors.payout(session, account.id))


async def with_existence(
    services: Services, factory_id: UUID, vault: Vault, answers: Sequence[tuple[Destination, DestinationCheck]]
) -> list[tuple[Destination, DestinationCheck]]:
    """The answers, with the word of whoever only checks accounts (Bakong), where the factory has such a one.

    It refuses an account that does not exist, whatever the provider that pays thinks of it; it confirms no name.
    """
    async with services.database.factory(factory_id) as session:
        found = await provider_of(session, services, "check")
    open_ = [item for item, said in answers if said.exists is not False]
    if found is None or not open_:
        return list(answers)
    said = await found[1].check_destinations([opened(vault, item) for item in open_])
    told = dict(zip((item.id for item in open_), said, strict=True))
    return [(item, _both(first, told.get(item.id))) for item, first in answers]


def _both(first: DestinationCheck, second: DestinationCheck | None) -> DestinationCheck:
    if second is None or second.exists is None or (second.exists and first.exists is not None):
        return first
    return second


def opened(vault: Vault, item: Destination) -> ProviderDestination:
    """A destination as a connector takes it. Raises SealBrokenError when its account was moved from another row."""
    return ProviderDestination(
        kind=DestinationKind(item.kind),
        account=vault.open(item.account, "destinations", item.id, "account"),
        holder=vault.open(item.holder, "destinations", item.id, "holder"),
        bank=item.bank,
    )


def state_after(check: DestinationCheck) -> str:
    """What a provider's answer makes of a destination. Only an exact match of the name verifies it; the rest goes to a person."""
    if check.exists is False:
        return "refused"
    return "verified" if check.exists and check.name_match is NameMatch.MATCH else "doubtful"


async def _keep(session: AsyncSession, services: Services, answers: Sequence[tuple[Destination, DestinationCheck]]) -> None:
    now = services.clock()
    states = [state_after(check) for _, check in answers]
    await run(
        session,
        "update destinations d set state = n.state, name_match = n.name_match, detail = n.detail, checked_at = $6"
        " from unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) as n(id, state, name_match, detail)"
        " where d.factory_id = $1 and d.id = n.id and d.state = 'proposed'",
        factory_of(session),
        [item.id for item, _ in answers],
        states,
        [check.name_match.value for _, check in answers],
        [check.detail for _, check in answers],
        now,
    )
    await record_many(
        session,
        now,
        (
            Event(
                actor=SYSTEM,
                action=f"destination.{state}",
                subject=f"destination:{item.id}",
                data={
                    "worker": str(item.worker_id),
                    "kind": item.kind,
                    "name_match": check.name_match.value,
                    "account": item.account_key.hex(),
                },
            )
            for (item, check), state in zip(answers, states, strict=True)
        ),
    )


async def decide(
    session: AsyncSession, services: Services, actor: Actor, destination_id: UUID, *, confirmed: bool, reason: str
) -> Destination:
    """A person vouches for a destination that the provider could not settle, or refuses it.

    Raises ProblemError `destination_refused` for one that the provider says does not exist: nobody can vouch for that.
    """
    actor.require(Permission.PREPARE)
    require_person(actor)
    if len(reason.strip()) < _SHORTEST_REASON:
        raise InvalidError(
            "Write how you made sure whose account it is, for example: seen her bank book.",
            fields=[{"field": "reason", "problem": "too short"}],
        )
    item = await session.get(Destination, (actor.factory_id, destination_id), with_for_update=True)
    if item is None or item.state == "retired":
        raise NotFoundError("payout destination")
    if item.state == "refused" and confirmed:
        raise ProblemError(
            "destination_refused",
            "The provider says that this account does not exist. Ask the worker for the right one and correct the sheet.",
        )
    item.state = "confirmed" if confirmed else "refused"
    item.decided_by = actor.name
    item.detail = reason.strip()
    await session.flush()
    data = {"worker": str(item.worker_id), "account": item.account_key.hex()}
    await record(
        session, services.clock(), Event(actor=actor.name, action=f"destination.{item.state}", subject=f"destination:{item.id}", data=data)
    )
    return item
