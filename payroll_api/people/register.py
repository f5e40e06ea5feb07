"""Bring the workers of a file into the register. Who was never paid takes what the file says; a paid worker's data changes by decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.db.base import new_id
from payroll_api.db.bulk import copy_in, fetch, run
from payroll_api.db.session import factory_of
from payroll_api.encryption.vault import Vault
from payroll_api.people import keys
from payroll_api.people.banks import bank_key

CASH_ACCOUNT = "cash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What a file says of a worker."""

    worker_code: str
    name: str
    name_latin: str | None = None
    phone: str | None = None
    national_id: str | None = None
    sex: str | None = None
    department: str | None = None
    joined_on: date | None = None
    left_on: date | None = None
    destination_kind: str  # bank_account, wallet, cash
    bank: str | None = None
    account: str  # the number, or CASH_ACCOUNT
    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A worker as the register knows her now."""

    worker_id: UUID
    destination_id: UUID
    account_key: bytes
    destination_state: str
    name_key: bytes
    phone_key: bytes | None
    national_id_key: bytes | None
    joined_on: date | None
    left_on: date | None
    was_in_run: bool
    account_changed_at: datetime | None  # since she was first in a run
    added_at: datetime
    added_by: str
    bank_key: str | None = None


_REGISTER = """
select w.worker_code, w.id, d.id, d.account_key, d.state, w.name_key, w.phone_key, w.national_id_key, w.joined_on, w.left_on,
  w.in_run_since is not null, case when d.created_at > w.in_run_since then d.created_at end, w.created_at, f.created_by, d.bank_key
from workers w join destinations d on d.factory_id = w.factory_id and d.worker_id = w.id and d.state <> 'retired' and not d.is_proposal
join (select distinct on (worker_id) worker_id, created_by from destinations where factory_id = $1 order by worker_id, id) f
  on f.worker_id = w.id
where w.factory_id = $1 and ($2::text[] is null or w.worker_code = any($2))
"""

_WORKER_COLUMNS = (
    "factory_id", "id", "worker_code", "name", "name_latin", "phone", "national_id", "name_key", "phone_key", "national_id_key",
    "sex", "department", "joined_on", "left_on", "created_at",
)  # fmt: skip
_DESTINATION_COLUMNS = (
    "factory_id", "id", "worker_id", "kind", "bank", "bank_key", "account", "holder", "account_key", "state", "name_match", "detail",
    "checked_at", "decided_by", "created_by", "created_at", "is_proposal",
)  # fmt: skip

_CURRENT = (
    "select worker_id, id, kind, bank, account, holder from destinations"
    " where factory_id = $1 and worker_id = any($2) and state <> 'retired' and not is_proposal"
)
_RETIRE = (
    "update destinations set state = 'retired' where factory_id = $1 and worker_id = any($2) and state <> 'retired' and not is_proposal"
)
_UPDATE_WORKERS = """
update workers w set name = n.name, name_latin = n.name_latin, phone = n.phone, national_id = n.national_id, name_key = n.name_key,
  phone_key = n.phone_key, national_id_key = n.national_id_key, sex = n.sex, department = n.department, joined_on = n.joined_on,
  left_on = n.left_on
from unnest($2::uuid[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bytea[], $8::bytea[], $9::bytea[], $10::text[],
  $11::text[], $12::date[], $13::date[])
  as n(id, name, name_latin, phone, national_id, name_key, phone_key, national_id_key, sex, department, joined_on, left_on)
where w.factory_id = $1 and w.id = n.id and w.in_run_since is null
"""


async def registered(session: AsyncSession, worker_codes: Sequence[str] | None = None) -> dict[str, Registered]:
    """The register, by worker code: all of it, or these codes."""
    rows = await fetch(session, _REGISTER, factory_of(session), None if worker_codes is None else list(worker_codes))
    return {
        row[0]: Registered(
            worker_id=row[1],
            destination_id=row[2],
            account_key=row[3],
            destination_state=row[4],
            name_key=row[5],
            phone_key=row[6],
            national_id_key=row[7],
            joined_on=row[8],
            left_on=row[9],
            was_in_run=row[10],
            account_changed_at=row[11],
            added_at=row[12],
            added_by=row[13],
            bank_key=row[14],
        )
        for row in rows
    }


async def add(
    session: AsyncSession, vault: Vault, people: Sequence[Person], *, created_by: str, at: datetime
) -> dict[str, tuple[UUID, UUID]]:
    """Add workers with a proposed destination each, by two COPYs. Gives worker and destination ids by code."""
    factory_id = factory_of(session)
    ids = {person.worker_code: (new_id(), new_id()) for person in people}
    await copy_in(session, "workers", _WORKER_COLUMNS, (_worker(vault, factory_id, ids[p.worker_code][0], p, at) for p in people))
    await copy_in(
        session,
        "destinations",
        _DESTINATION_COLUMNS,
        (_destination(vault, factory_id, *ids[p.worker_code], p, created_by, at) for p in people),
    )
    return ids


async def take_anew(
    session: AsyncSession, vault: Vault, people: Mapping[UUID, Person], *, created_by: str, at: datetime
) -> dict[str, tuple[UUID, UUID]]:
    """Bring workers who were never in a run up to date with a later file. Gives worker and destination ids by code.

    They keep their ids: an earlier file that waits for its run names them too. A destination that says the same keeps its check; any
    other is retired, so that the earlier file does not pay into an account that was not checked for it.
    """
    factory_id = factory_of(session)
    rows = [_worker(vault, factory_id, worker_id, person, at) for worker_id, person in people.items()]
    columns = [list(values) for values in zip(*rows, strict=True)] if rows else [[] for _ in _WORKER_COLUMNS]
    await run(session, _UPDATE_WORKERS, factory_id, columns[1], *columns[3:14])
    current = {
        worker: (destination, kind, bank, account, holder)
        for worker, destination, kind, bank, account, holder in await fetch(session, _CURRENT, factory_id, list(people))
    }
    ids = {}
    changed: dict[UUID, tuple[UUID, Person]] = {}
    for worker_id, person in people.items():
        destination_id, kind, bank, account, holder = current[worker_id]
        said = (
            vault.open(account, "destinations", destination_id, "account"),
            vault.open(holder, "destinations", destination_id, "holder"),
        )
        if (kind, bank, *said) != (person.destination_kind, person.bank, person.account, person.holder):
            changed[worker_id] = (new_id(), person)
        ids[person.worker_code] = (worker_id, changed[worker_id][0] if worker_id in changed else destination_id)
    await run(session, _RETIRE, factory_id, list(changed))
    await copy_in(
        session,
        "destinations",
        _DESTINATION_COLUMNS,
        (_destination(vault, factory_id, worker, destination, person, created_by, at) for worker, (destination, person) in changed.items()),
    )
    return ids


async def mark_in_run(session: AsyncSession, worker_ids: Iterable[UUID], at: datetime) -> None:
    """From now on these workers' data changes only by a decision: a file no longer overwrites it."""
    await run(
        session,
        "update workers set in_run_since = $3 where factory_id = $1 and id = any($2) and in_run_since is null",
        factory_of(session),
        list(worker_ids),
        at,
    )


async def take_first(session: AsyncSession, vault: Vault, worker_id: UUID, person: Person, *, created_by: str, at: datetime) -> UUID:
    """Give a worker who was never paid another first account; it is checked before money moves."""
    factory_id, destination_id = factory_of(session), new_id()
    await run(session, _RETIRE, factory_id, [worker_id])
    record = _destination(vault, factory_id, worker_id, destination_id, person, created_by, at)
    await copy_in(session, "destinations", _DESTINATION_COLUMNS, [record])
    return destination_id


async def add_proposal(session: AsyncSession, vault: Vault, worker_id: UUID, person: Person, *, created_by: str, at: datetime) -> UUID:
    """Keep an account that is proposed for a worker beside the one she has. Nothing is paid there until it is adopted."""
    factory_id, destination_id = factory_of(session), new_id()
    record = _destination(vault, factory_id, worker_id, destination_id, person, created_by, at, is_proposal=True)
    await copy_in(session, "destinations", _DESTINATION_COLUMNS, [record])
    return destination_id


def _worker(vault: Vault, factory_id: UUID, worker_id: UUID, person: Person, at: datetime) -> tuple[object, ...]:
    def sealed(value: str | None, column: str) -> bytes | None:
        return None if value is None else vault.seal(value, "workers", worker_id, column)

    return (
        factory_id,
        worker_id,
        person.worker_code,
        sealed(person.name, "name"),
        sealed(person.name_latin, "name_latin"),
        sealed(person.phone, "phone"),
        sealed(person.national_id, "national_id"),
        keys.name_key(vault, person.name),
        keys.phone_key(vault, person.phone) if person.phone else None,
        keys.national_id_key(vault, person.national_id) if person.national_id else None,
        person.sex,
        person.department,
        person.joined_on,
        person.left_on,
        at,
    )


def _destination(
    vault: Vault,
    factory_id: UUID,
    worker_id: UUID,
    destination_id: UUID,
    person: Person,
    created_by: str,
    at: datetime,
    *,
    is_proposal: bool = False,
) -> tuple[object, ...]:
    cash = person.destination_kind == "cash"
    # Two workers paid in cash do not share an account: the envelope is each worker's own.
    number = f"{CASH_ACCOUNT}|{worker_id}" if cash else person.account
    return (
        factory_id,
        destination_id,
        worker_id,
        person.destination_kind,
        person.bank,
        place_key(person),
        vault.seal(person.account, "destinations", destination_id, "account"),
        vault.seal(person.holder, "destinations", destination_id, "holder"),
        keys.account_key(vault, number),
        "confirmed" if cash else "proposed",
        None,
        "",
        at if cash else None,
        created_by if cash else None,
        created_by,
        at,
        is_proposal,
    )


def place_key(person: Person) -> str | None:
    """At which bank a number is, as it is compared: wallets and envelopes are places of their own."""
    return bank_key(person.bank) if person.destination_kind == "bank_account" else person.destination_kind
