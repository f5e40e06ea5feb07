"""Two people for every decision about money that no run covers: one proposes, another confirms exactly what was shown to her.

Kinds: `finding` (what became of a payment that nobody knows about), `repay` (pay again after proven failure), `correction` (pay what an
earlier payment was short of), `lift` (let a stopped factory, rail or run send again). There is no bare "retry".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.access.api_keys import persons_behind
from payroll_api.access.four_eyes import require_other, require_person
from payroll_api.audit.journal import Event, record
from payroll_api.db.base import Json, new_id
from payroll_api.db.session import factory_of
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.payments.models import Proposal
from payroll_api.services import Services

SHORTEST_REASON = 5
# Who may propose, and who may confirm or refuse. Both are people, and never the same.
PERMISSIONS: Mapping[str, tuple[Permission, Permission]] = {
    "finding": (Permission.SETTLE, Permission.RELEASE),
    "repay": (Permission.PREPARE, Permission.APPROVE),
    "correction": (Permission.PREPARE, Permission.APPROVE),
    "lift": (Permission.RELEASE, Permission.RELEASE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is proposed. `content` holds ids, codes and sums; `sealed` is hashed with it and not shown (keyed hashes of accounts)."""

    kind: str
    subject: str
    content: Json
    sealed: str = ""


def content_hash(proposal_id: UUID, draft: Draft) -> str:
    """What the second person confirms: everything that will be done, under the proposal's own id."""
    plain = json.dumps([str(proposal_id), draft.kind, draft.subject, draft.content, draft.sealed], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"garment-wages/proposal/1|{plain}".encode()).hexdigest()


def reason_of(text: str) -> str:
    """A reason, trimmed. Raises InvalidError for one that says nothing."""
    if len(text.strip()) < SHORTEST_REASON:
        raise InvalidError("Write a reason that another person understands.", fields=[{"field": "reason", "problem": "too short"}])
    return text.strip()


def may_propose(actor: Actor, kind: str) -> None:
    """Asked first, before anything is looked up. Raises NotAllowedError, also for an API key."""
    actor.require(PERMISSIONS[kind][0])
    require_person(actor)


async def keep(session: AsyncSession, services: Services, actor: Actor, draft: Draft, *, reason: str) -> Proposal:
    """Write a proposal down. It does nothing before another person confirms it."""
    may_propose(actor, draft.kind)
    now, proposal_id = services.clock(), new_id()
    proposal = Proposal(
        factory_id=actor.factory_id,
        id=proposal_id,
        kind=draft.kind,
        subject=draft.subject,
        content=draft.content,
        content_hash=content_hash(proposal_id, draft),
        reason=reason_of(reason),
        state="proposed",
        proposed_by=actor.name,
        proposed_at=now,
    )
    session.add(proposal)
    await session.flush()
    data = {"proposal": str(proposal_id), "content": proposal.content_hash}
    await record(session, now, Event(actor=actor.name, action=f"{draft.kind}.proposed", subject=draft.subject, data=data))
    return proposal


async def lock(session: AsyncSession, actor: Actor, proposal_id: UUID) -> Proposal:
    """An open proposal that this person may decide about. Raises NotFoundError, NotAllowedError `four_eyes`, ProblemError `decided`."""
    proposal = await session.get(Proposal, (actor.factory_id, proposal_id), with_for_update=True, populate_existing=True)
    if proposal is None:
        raise NotFoundError("proposal")
    actor.require(PERMISSIONS[proposal.kind][1])
    require_other(actor, *await persons_behind(session, {proposal.proposed_by}))
    if proposal.state != "proposed":
        raise ProblemError("decided", f"The proposal is {proposal.state} already. Load it again.", extra={"state": proposal.state})
    return proposal


async def close(session: AsyncSession, services: Services, actor: Actor, proposal: Proposal, state: str, reason: str | None) -> None:
    """Write down who decided. The caller carries it out in the same transaction."""
    now = services.clock()
    proposal.state, proposal.decided_by, proposal.decided_at, proposal.decided_reason = state, actor.name, now, reason
    await session.flush()
    data = {"proposal": str(proposal.id), "content": proposal.content_hash}
    await record(session, now, Event(actor=actor.name, action=f"{proposal.kind}.{state}", subject=proposal.subject, data=data))


async def refuse(session: AsyncSession, services: Services, actor: Actor, proposal_id: UUID, *, reason: str) -> Proposal:
    """Say no. Whoever proposed may take it back herself."""
    proposal = await session.get(Proposal, (actor.factory_id, proposal_id))
    if proposal is None:
        raise NotFoundError("proposal")
    require_person(actor)
    if proposal.proposed_by != actor.name:
        await lock(session, actor, proposal_id)
    # What it is now, under its lock: another person may be confirming it at this moment.
    await session.refresh(proposal, with_for_update=True)
    if proposal.state != "proposed":
        raise ProblemError("decided", f"The proposal is {proposal.state} already. Load it again.", extra={"state": proposal.state})
    await close(session, services, actor, proposal, "refused", reason_of(reason))
    return proposal


def changed() -> ProblemError:
    """The facts are not those that were proposed."""
    return ProblemError("proposal_changed", "Something changed since this was proposed. Refuse it, look again, and propose anew.")


async def get_proposal(session: AsyncSession, proposal_id: UUID) -> Proposal:
    """A proposal. Raises NotFoundError."""
    proposal = await session.get(Proposal, (factory_of(session), proposal_id))
    if proposal is None:
        raise NotFoundError("proposal")
    return proposal


async def list_proposals(
    session: AsyncSession, *, only_open: bool = True, subject: str | None = None, before: UUID | None = None, limit: int = 50
) -> list[Proposal]:
    """Proposals, the newest first; those about one subject where asked."""
    query = select(Proposal).order_by(Proposal.id.desc()).limit(limit)
    if only_open:
        query = query.where(Proposal.state == "proposed")
    if subject is not None:
        query = query.where(Proposal.subject == subject)
    if before is not None:
        query = query.where(Proposal.id < before)
    return list(await session.scalars(query))
