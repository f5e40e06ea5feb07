"""Propose another account or phone for a worker. Nothing changes yet: she is told, another person confirms, and a while must pass."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.access.api_keys import persons_behind
from payroll_api.alarms.sound import Alarm, sound_many
from payroll_api.audit.journal import Event, record
from payroll_api.db.base import new_id
from payroll_api.db.bulk import fetch
from payroll_api.errors import NotFoundError, ProblemError
from payroll_api.factories.settings import get_factory
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.people import keys, notices, register
from payroll_api.people.banks import same_bank
from payroll_api.people.models import Destination, Worker, WorkerChange
from payroll_api.people.register import Person
from payroll_api.services import Services

_EVER_PAID = (
    "select from payments where factory_id = $1 and worker_id = $2"
    " and state in ('submitting', 'accepted', 'paid', 'unknown', 'returned') limit 1"
)
_PAYABLE = ("verified", "confirmed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a change comes from: the sheet, a page or the API; who said so; who else had a hand in it (the sheet's uploader)."""

    source: str
    by: str
    makers: Collection[str] = ()


async def propose_account(session: AsyncSession, services: Services, worker_id: UUID, person: Person, origin: Origin) -> UUID:
    """Propose the account in `person`; the id of the destination that it would be. The same account proposed twice is one change.

    A worker who was never paid and whose account is not payable anyway gets it as her first account: there is nothing to divert yet.
    Raises NotFoundError, ProblemError `account_unchanged`.
    """
    worker, current = await _locked(session, worker_id)
    vault = await services.keys.vault(session)
    key, place = keys.account_key(vault, person.account), register.place_key(person)
    if (
        person.destination_kind != "cash"
        and (current.account_key, current.kind) == (key, person.destination_kind)
        and same_bank(current.bank_key, place)
    ):
        raise ProblemError("account_unchanged", "This is the account that she has already. There is nothing to change.")
    at = services.clock()
    if current.state not in _PAYABLE and not await fetch(session, _EVER_PAID, worker.factory_id, worker_id):
        first = await register.take_first(session, vault, worker_id, person, created_by=origin.by, at=at)
        await _check(session, first)
        return first
    if (waiting := await _waiting(session, worker_id, "account")) is not None:
        proposed = await session.get_one(Destination, (worker.factory_id, waiting.destination_id))
        if (proposed.account_key, proposed.bank_key, proposed.kind) == (key, place, person.destination_kind):
            return proposed.id
        await _withdraw(session, waiting, origin.by, services)
    destination = await register.add_proposal(session, vault, worker_id, person, created_by=origin.by, at=at)
    await _open(session, services, worker, origin, "account", person, destination)
    await _check(session, destination)
    return destination


async def propose_phone(session: AsyncSession, services: Services, worker_id: UUID, phone: str, origin: Origin) -> UUID:
    """Propose another phone (E.164); the id of the change. Raises NotFoundError, ProblemError `phone_unchanged`."""
    worker, _ = await _locked(session, worker_id)
    vault = await services.keys.vault(session)
    key = keys.phone_key(vault, phone)
    if worker.phone_key == key:
        raise ProblemError("phone_unchanged", "This is the phone that she has already. There is nothing to change.")
    if (waiting := await _waiting(session, worker_id, "phone")) is not None:
        if waiting.phone_key == key:
            return waiting.id
        await _withdraw(session, waiting, origin.by, services)
    return await _open(session, services, worker, origin, "phone", phone, None)


async def propose_phones(session: AsyncSession, services: Services, phones: Mapping[UUID, str], origin: Origin) -> int:
    """What a sheet says of phones: each that differs is proposed, unless somebody refused that very number before."""
    vault = await services.keys.vault(session)
    made = 0
    for worker_id, phone in phones.items():
        refused = await session.scalar(
            select(WorkerChange.id).where(
                WorkerChange.worker_id == worker_id,
                WorkerChange.phone_key == keys.phone_key(vault, phone),
                WorkerChange.state == "refused",
            )
        )
        if refused is None:
            await propose_phone(session, services, worker_id, phone, origin)
            made += 1
    return made


def by_person(actor: Actor, source: str) -> Origin:
    """A change that somebody proposes by page or API. Raises NotAllowedError."""
    actor.require(Permission.PREPARE)
    return Origin(source=source, by=actor.name)


async def current_destination(session: AsyncSession, worker_id: UUID) -> UUID | None:
    """Where a worker is paid as things stand."""
    found: UUID | None = await session.scalar(
        select(Destination.id).where(Destination.worker_id == worker_id, Destination.state != "retired", Destination.is_proposal.is_(False))
    )
    return found


async def _locked(session: AsyncSession, worker_id: UUID) -> tuple[Worker, Destination]:
    worker = await session.scalar(select(Worker).where(Worker.id == worker_id).with_for_update())
    current = await session.scalar(
        select(Destination).where(Destination.worker_id == worker_id, Destination.state != "retired", Destination.is_proposal.is_(False))
    )
    if worker is None or current is None:
        raise NotFoundError("worker")
    return worker, current


async def _waiting(session: AsyncSession, worker_id: UUID, what: str) -> WorkerChange | None:
    found: WorkerChange | None = await session.scalar(
        select(WorkerChange)
        .where(WorkerChange.worker_id == worker_id, WorkerChange.what == what, WorkerChange.state == "proposed")
        .with_for_update()
    )
    return found


async def _withdraw(session: AsyncSession, change: WorkerChange, by: str, services: Services) -> None:
    """A later proposal takes an earlier one's place, and its waiting begins anew."""
    at = services.clock()
    change.state, change.ended_at, change.ended_by = "withdrawn", at, by
    await session.flush()
    if change.destination_id is not None:
        proposed = await session.get_one(Destination, (change.factory_id, change.destination_id))
        proposed.state = "retired"
        await session.flush()
    await record(session, at, Event(actor=by, action="change.withdrawn", subject=f"change:{change.id}"))
    await notices.drop_alarm(session, change.id, at)


async def _open(
    session: AsyncSession, services: Services, worker: Worker, origin: Origin, what: str, to: Person | str, destination: UUID | None
) -> UUID:
    vault, at, change_id = await services.keys.vault(session), services.clock(), new_id()
    factory = await get_factory(session)
    phone = to if isinstance(to, str) else None
    change = WorkerChange(
        factory_id=worker.factory_id,
        id=change_id,
        worker_id=worker.id,
        what=what,
        destination_id=destination,
        phone=None if phone is None else vault.seal(phone, "worker_changes", change_id, "phone"),
        phone_key=None if phone is None else keys.phone_key(vault, phone),
        state="proposed",
        source=origin.source,
        makers=sorted(await persons_behind(session, {origin.by, *origin.makers})),
        proposed_by=origin.by,
        proposed_at=at,
        effective_at=at + timedelta(hours=factory.cooling_hours),
        reason="",
    )
    session.add(change)
    await session.flush()
    # The sheet that brings another account may bring another phone too: both numbers are told, the one that she had above all.
    new_phone = phone or (to.phone if isinstance(to, Person) else None)
    await notices.compose_notices(session, services, factory, change, worker, new_phone)
    data = {"worker": str(worker.id), "what": what, "source": origin.source}
    await record(session, at, Event(actor=origin.by, action="change.proposed", subject=f"change:{change_id}", data=data))
    alarm = Alarm(kind="change_unconfirmed", subject=f"change:{change_id}", due_at=change.effective_at, data={"worker": worker.worker_code})
    await sound_many(session, at, [alarm])
    return change_id


async def _check(session: AsyncSession, destination: UUID) -> None:
    await enqueue(session, Job.CHECK_DESTINATIONS, {"destinations": json.dumps([str(destination)])})
