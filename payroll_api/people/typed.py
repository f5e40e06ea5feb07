"""An account or phone that a person types or a program sends, read as a sheet's cell would be."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.cells import Fault
from importers.destinations import read_account, read_phone
from payroll_api.access.actor import Actor
from payroll_api.errors import InvalidError, NotFoundError
from payroll_api.people.models import Worker
from payroll_api.people.register import CASH_ACCOUNT, Person
from payroll_api.services import Services

KINDS = ("bank_account", "wallet", "cash")


def typed_phone(text: str) -> str:
    """A phone as E.164. Raises InvalidError."""
    found = read_phone(text)
    if isinstance(found, str):
        return found
    raise InvalidError("This is not a phone number of Cambodia.", fields=[{"field": "phone", "problem": "write it like 012 345 678"}])


def typed_account(kind: str, text: str) -> str:
    """An account of a kind: a wallet's phone, a bank's number, or cash. Raises InvalidError."""
    if kind not in KINDS:
        raise InvalidError("Choose how she is paid.", fields=[{"field": "kind", "problem": f"one of {', '.join(KINDS)}"}])
    if kind == "cash":
        return CASH_ACCOUNT
    if kind == "wallet":
        return typed_phone(text)
    found = read_account(text)
    if isinstance(found, str) and not isinstance(found, Fault):
        return found
    raise InvalidError(
        "This is not an account number.", fields=[{"field": "account", "problem": "digits as in her bank book, with leading zeros"}]
    )


async def person_with(
    session: AsyncSession, services: Services, actor: Actor, worker_id: UUID, *, kind: str, bank: str | None, account: str
) -> Person:
    """A worker of the register as if a sheet had named this account for her. Raises NotFoundError, InvalidError."""
    worker = await session.get(Worker, (actor.factory_id, worker_id))
    if worker is None:
        raise NotFoundError("worker")
    vault = await services.keys.vault(session)
    name = vault.open(worker.name, "workers", worker.id, "name")
    latin = vault.open_or_none(worker.name_latin, "workers", worker.id, "name_latin")
    return Person(
        worker_code=worker.worker_code,
        name=name,
        name_latin=latin,
        destination_kind=kind,
        bank=(bank or "").strip() or None,
        account=typed_account(kind, account),
        holder=latin or name,
    )
