"""Look workers up. Personal values are masked unless the reader may see them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.audit.journal import Event, record
from payroll_api.encryption.vault import Vault
from payroll_api.errors import NotFoundError
from payroll_api.people.keys import masked
from payroll_api.people.models import Destination, Worker
from payroll_api.services import Services

_NAME_SHOWN = 0
_DIGITS_SHOWN = 3


async def list_workers(session: AsyncSession, services: Services, actor: Actor, *, after: str, limit: int) -> list[dict[str, object]]:
    """Workers by code, from after one."""
    query = select(Worker).where(Worker.worker_code > after).order_by(Worker.worker_code).limit(limit)
    vault = await services.keys.vault(session)
    open_ = Permission.READ_PERSONAL in actor.permissions
    return [_worker(vault, worker, open_=open_) for worker in await session.scalars(query)]


async def get_worker(session: AsyncSession, services: Services, actor: Actor, worker_id: UUID) -> dict[str, object]:
    """One worker with where she is paid, now and before. Reading unmasked data is audited. Raises NotFoundError."""
    worker = await session.get(Worker, (actor.factory_id, worker_id))
    if worker is None:
        raise NotFoundError("worker")
    vault = await services.keys.vault(session)
    open_ = Permission.READ_PERSONAL in actor.permissions
    if open_:
        await record(session, services.clock(), Event(actor=actor.name, action="worker.read", subject=f"worker:{worker_id}"))
    destinations = await session.scalars(select(Destination).where(Destination.worker_id == worker_id).order_by(Destination.id.desc()))
    return {**_worker(vault, worker, open_=open_), "destinations": [_destination(vault, item, open_=open_) for item in destinations]}


def _worker(vault: Vault, worker: Worker, *, open_: bool) -> dict[str, object]:
    def shown(column: str, keep: int) -> str | None:
        value = vault.open_or_none(getattr(worker, column), "workers", worker.id, column)
        return value if open_ else masked(value, keep)

    return {
        "id": worker.id,
        "worker_code": worker.worker_code,
        "name": shown("name", _NAME_SHOWN),
        "name_latin": shown("name_latin", _NAME_SHOWN),
        "phone": shown("phone", _DIGITS_SHOWN),
        "national_id": shown("national_id", _DIGITS_SHOWN),
        "sex": worker.sex,
        "department": worker.department,
        "joined_on": worker.joined_on,
        "left_on": worker.left_on,
    }


def _destination(vault: Vault, item: Destination, *, open_: bool) -> dict[str, object]:
    account = vault.open(item.account, "destinations", item.id, "account")
    holder = vault.open(item.holder, "destinations", item.id, "holder")
    return {
        "id": item.id,
        "kind": item.kind,
        "bank": item.bank,
        "account": account if open_ else masked(account, _DIGITS_SHOWN),
        "holder": holder if open_ else masked(holder, _NAME_SHOWN),
        "state": item.state,
        "is_proposal": item.is_proposal,
        "name_match": item.name_match,
        "detail": item.detail,
        "checked_at": item.checked_at,
        "created_at": item.created_at,
    }
