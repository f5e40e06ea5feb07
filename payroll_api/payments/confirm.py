"""Confirm a proposal: what is carried out is compared, by its hash, with what the second person was shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor
from payroll_api.payments.correct import apply_correction
from payroll_api.payments.findings import apply_finding
from payroll_api.payments.models import Proposal
from payroll_api.payments.proposals import Draft, changed, close, content_hash, lock
from payroll_api.payments.repay import apply_repay
from payroll_api.payments.stops import lift
from payroll_api.services import Services

_CARRY_OUT: Mapping[str, Callable[[AsyncSession, Services, Actor, Proposal], Awaitable[Draft]]] = {
    "finding": apply_finding,
    "repay": apply_repay,
    "correction": apply_correction,
    "lift": lift,
}


async def confirm(session: AsyncSession, services: Services, actor: Actor, proposal_id: UUID, *, shown: str) -> Proposal:
    """Confirm exactly what was shown: `shown` is the content hash of it. It is carried out in the caller's transaction.

    Raises NotAllowedError `four_eyes` for who proposed it, ProblemError `proposal_changed` when the facts are others by now, `decided`.
    """
    proposal = await lock(session, actor, proposal_id)
    if shown != proposal.content_hash:
        raise changed()
    await close(session, services, actor, proposal, "confirmed", None)
    draft = await _CARRY_OUT[proposal.kind](session, services, actor, proposal)
    if content_hash(proposal.id, draft) != proposal.content_hash:
        raise changed()
    return proposal
