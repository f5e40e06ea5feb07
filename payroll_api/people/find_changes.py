"""Look changes up, as a person sees them who must decide: what she has, what is proposed, who was told, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.clock import pay_day
from payroll_api.encryption.vault import Vault
from payroll_api.factories.policies import policy
from payroll_api.people.keys import masked
from payroll_api.people.models import ChangeNotice, Destination, Worker, WorkerChange
from payroll_api.services import Services

_DIGITS = 3


async def list_changes(
    session: AsyncSession,
    services: Services,
    actor: Actor,
    *,
    only_open: bool = True,
    workers: Sequence[UUID] | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[dict[str, object]]:
    """Changes, the newest first, each with its old and new value beside each other (masked unless the reader may see them)."""
    query = select(WorkerChange, Worker).join(
        Worker, (Worker.factory_id == WorkerChange.factory_id) & (Worker.id == WorkerChange.worker_id)
    )
    query = query.order_by(WorkerChange.id.desc()).limit(limit)
    if only_open:
        query = query.where(WorkerChange.state == "proposed")
    if workers is not None:
        query = query.where(WorkerChange.worker_id.in_(workers))
    if before is not None:
        query = query.where(WorkerChange.id < before)
    found = [(change, worker) for change, worker in await session.execute(query)]
    places = await _places(session, [worker.id for _, worker in found], [change.destination_id for change, _ in found])
    notices = await _notices(session, [change.id for change, _ in found])
    vault, now = await services.keys.vault(session), services.clock()
    days = (await policy(session)).account_change_days
    open_ = Permission.READ_PERSONAL in actor.permissions
    return [
        {
            **_facts(change, worker),
            **_diff(vault, change, worker, places, open_=open_),
            "told": notices.get(change.id, []),
            "waits_for": waits_for(change, places.get(change.destination_id), now, days),
        }
        for change, worker in found
    ]


def waits_for(change: WorkerChange, proposed: Destination | None, now: datetime, days: int) -> list[str]:
    """What must still happen before it is adopted: `check`, `confirmation`, `time`, and `second` or days."""
    if change.state != "proposed":
        return []
    missing = []
    if proposed is not None and proposed.state in {"proposed", "doubtful", "refused"}:
        missing.append("check")
    if change.confirmed_by is None:
        missing.append("confirmation")
    if change.effective_at > now:
        missing.append("time")
    if change.second_by is None and (pay_day(now) - pay_day(change.proposed_at)).days < days:
        missing.append("second")
    return missing


def _facts(change: WorkerChange, worker: Worker) -> dict[str, object]:
    names = (
        "id", "worker_id", "what", "state", "source", "proposed_by", "proposed_at", "effective_at", "confirmed_by", "confirmed_at",
        "second_by", "reason", "ended_at", "ended_by",
    )  # fmt: skip
    return {**{name: getattr(change, name) for name in names}, "worker_code": worker.worker_code}


def _diff(vault: Vault, change: WorkerChange, worker: Worker, places: dict[UUID | None, Destination], *, open_: bool) -> dict[str, object]:
    def shown(value: str | None) -> str | None:
        return value if open_ else masked(value, _DIGITS)

    if change.what == "phone":
        was = vault.open_or_none(worker.phone, "workers", worker.id, "phone")
        new = vault.open_or_none(change.phone, "worker_changes", change.id, "phone")
        return {"was": {"phone": shown(was)}, "new": {"phone": shown(new)}}

    def place(item: Destination | None) -> dict[str, object] | None:
        if item is None:
            return None
        account = vault.open(item.account, "destinations", item.id, "account")
        return {
            "kind": item.kind,
            "bank": item.bank,
            "account": shown(account) if item.kind != "cash" else None,
            "state": item.state,
            "name_match": item.name_match,
            "detail": item.detail,
        }

    return {"was": place(places.get(worker.id)), "new": place(places.get(change.destination_id))}


async def _places(session: AsyncSession, workers: Sequence[UUID], proposed: Sequence[UUID | None]) -> dict[UUID | None, Destination]:
    """Current destinations by worker, and proposed ones by their own id."""
    query = select(Destination).where(
        Destination.id.in_([one for one in proposed if one])
        | (Destination.worker_id.in_(workers) & (Destination.state != "retired") & Destination.is_proposal.is_(False))
    )
    found: dict[UUID | None, Destination] = {}
    for item in await session.scalars(query):
        if item.id in proposed:
            found[item.id] = item
        if not item.is_proposal and item.state != "retired":
            found[item.worker_id] = item
    return found


async def _notices(session: AsyncSession, changes: Sequence[UUID]) -> dict[UUID, list[dict[str, object]]]:
    found: dict[UUID, list[dict[str, object]]] = {}
    for notice in await session.scalars(
        select(ChangeNotice).where(ChangeNotice.change_id.in_(changes)).order_by(ChangeNotice.goes_to.desc())
    ):
        found.setdefault(notice.change_id, []).append({"to": notice.goes_to, "state": notice.state, "sent_at": notice.sent_at})
    return found
