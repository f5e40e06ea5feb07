"""Two workers on one account, such as husband and wife: held both, until two people have agreed and written down why."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.access.four_eyes import require_other, require_person
from payroll_api.audit.journal import Event, record
from payroll_api.db.base import new_id
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.people.banks import same_bank
from payroll_api.people.models import Destination, SharedAccount
from payroll_api.services import Services

_SHORTEST_REASON = 5


async def propose_sharing(
    session: AsyncSession, services: Services, actor: Actor, first: UUID, second: UUID, *, reason: str
) -> SharedAccount:
    """Propose that two workers may use their one account. Raises InvalidError, ProblemError `not_shared`, `sharing_known`."""
    actor.require(Permission.PREPARE)
    require_person(actor)
    if len(reason.strip()) < _SHORTEST_REASON or first == second:
        raise InvalidError(
            "Name two workers and write why they share an account, for example: husband and wife, family book seen.",
            fields=[{"field": "reason", "problem": "who they are to each other, and how you know"}],
        )
    one, other = await _account(session, first), await _account(session, second)
    if one.account_key != other.account_key or one.kind != other.kind or not same_bank(one.bank_key, other.bank_key):
        raise ProblemError("not_shared", "These two workers do not have the same account: there is nothing to agree to.")
    pair = sorted((first, second))
    known = await session.scalar(
        select(SharedAccount).where(
            SharedAccount.worker_a == pair[0],
            SharedAccount.worker_b == pair[1],
            SharedAccount.account_key == one.account_key,
            SharedAccount.revoked_at.is_(None),
        )
    )
    if known is not None:
        raise ProblemError("sharing_known", "This was proposed or agreed to before. Open that one.", extra={"id": str(known.id)})
    at = services.clock()
    agreed = SharedAccount(
        factory_id=actor.factory_id,
        id=new_id(),
        worker_a=pair[0],
        worker_b=pair[1],
        account_key=one.account_key,
        reason=reason.strip(),
        proposed_by=actor.name,
        proposed_at=at,
    )
    session.add(agreed)
    await session.flush()
    await _tell(session, actor, agreed, "proposed", services)
    return agreed


async def agree(session: AsyncSession, services: Services, actor: Actor, sharing_id: UUID) -> SharedAccount:
    """The second person agrees; from now on both workers are paid. Raises NotAllowedError `four_eyes`, ProblemError `sharing_state`."""
    actor.require(Permission.APPROVE)
    agreed = await _locked(session, actor, sharing_id)
    require_other(actor, agreed.proposed_by)
    if agreed.approved_at is not None:
        raise ProblemError("sharing_state", "Two people have agreed to this already.")
    agreed.approved_by, agreed.approved_at = actor.name, services.clock()
    await session.flush()
    await _tell(session, actor, agreed, "agreed", services)
    return agreed


async def revoke(session: AsyncSession, services: Services, actor: Actor, sharing_id: UUID) -> SharedAccount:
    """Take a proposal or an agreement back: runs that are made from now on hold both workers again."""
    if Permission.APPROVE not in actor.permissions:
        actor.require(Permission.PREPARE)
    agreed = await _locked(session, actor, sharing_id)
    agreed.revoked_by, agreed.revoked_at = actor.name, services.clock()
    await session.flush()
    await _tell(session, actor, agreed, "revoked", services)
    return agreed


async def list_sharings(session: AsyncSession, *, worker_id: UUID | None = None) -> list[SharedAccount]:
    """Agreements and proposals that hold, the newest first; of one worker, or all."""
    query = select(SharedAccount).where(SharedAccount.revoked_at.is_(None)).order_by(SharedAccount.id.desc()).limit(200)
    if worker_id is not None:
        query = query.where(or_(SharedAccount.worker_a == worker_id, SharedAccount.worker_b == worker_id))
    return list(await session.scalars(query))


async def _account(session: AsyncSession, worker_id: UUID) -> Destination:
    found = await session.scalar(
        select(Destination).where(
            Destination.worker_id == worker_id,
            Destination.state != "retired",
            Destination.is_proposal.is_(False),
            Destination.kind != "cash",
        )
    )
    if found is None:
        raise NotFoundError("worker with an account")
    return found


async def _locked(session: AsyncSession, actor: Actor, sharing_id: UUID) -> SharedAccount:
    found = await session.get(SharedAccount, (actor.factory_id, sharing_id), with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFoundError("shared account")
    if found.revoked_at is not None:
        raise ProblemError("sharing_state", "This was taken back. Propose it anew if it is right after all.")
    return found


async def _tell(session: AsyncSession, actor: Actor, agreed: SharedAccount, what: str, services: Services) -> None:
    data = {"first": str(agreed.worker_a), "second": str(agreed.worker_b)}
    await record(session, services.clock(), Event(actor=actor.name, action=f"sharing.{what}", subject=f"sharing:{agreed.id}", data=data))
