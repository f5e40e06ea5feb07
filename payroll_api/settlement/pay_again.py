"""A break whose way out is to pay the worker again: closing it opens the same proposal as everywhere, which another person confirms."""

from __future__ import annotations

import dataclasses
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.db.bulk import fetch
from payroll_api.payments.correct import propose_correction
from payroll_api.payments.models import Proposal
from payroll_api.payments.repay import Way, propose_repay
from payroll_api.services import Services
from payroll_api.settlement.models import SettlementBreak
from payroll_api.settlement.ways import WayOut

_WAYS = {WayOut.REPAID: Way.CURRENT, WayOut.REPAID_CASH: Way.CASH}
# Somebody was quicker: the payment has such a proposal since the break was found, open or confirmed.
_PROPOSED = """
select o.id from proposals o where o.factory_id = $1 and o.kind in ('repay', 'correction') and o.state <> 'refused'
  and o.proposed_at >= $3 and (o.subject = 'payment:' || $2::uuid::text
    or o.id = (select p.decision_id from payments p where p.factory_id = $1 and p.id = $2))
limit 1
"""
_STATE = "select state from payments where factory_id = $1 and id = $2"


async def propose_from(
    session: AsyncSession, services: Services, actor: Actor, found: SettlementBreak, way: WayOut, reason: str
) -> Proposal | None:
    """The proposal that a break's way out asks for; None where there is one already, or no payment is meant.

    A wage that failed or came back whole is paid again; of one that arrived short, or came back in part, the rest is paid as a correction.
    Raises ProblemError as `propose_repay` and `propose_correction` do, for what cannot be paid again now.
    """
    if way not in _WAYS or found.payment_id is None:
        return None
    if await fetch(session, _PROPOSED, actor.factory_id, found.payment_id, found.opened_at):
        return None
    # Who may close a break may propose what closes it. An approver confirms, and is another person.
    proposer = dataclasses.replace(actor, permissions=actor.permissions | {Permission.PREPARE})
    payment: UUID = found.payment_id
    ((state,),) = await fetch(session, _STATE, actor.factory_id, payment)
    short = -(found.difference_minor or 0)
    if way is WayOut.REPAID and state == "paid" and short > 0 and found.kind in ("amount", "partial_return"):
        return await propose_correction(session, services, proposer, payment, minor=short, reason=reason)
    return await propose_repay(session, services, proposer, [payment], way=_WAYS[way], reason=reason)
