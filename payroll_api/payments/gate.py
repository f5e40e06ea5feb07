"""The gate: the last thing that is asked before a byte leaves, and the way of an intent whose sender died before it.

A stop, a hold or a cancel that commits before the gate wins; one that comes after is told honestly that it is too late.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import Connector, PayoutOrder
from payroll_api import logs
from payroll_api.clock import pay_day
from payroll_api.db.bulk import fetch
from payroll_api.payments.intent import Intent, batch_of
from payroll_api.payments.load import load_leaving
from payroll_api.payments.models import Dispatch
from payroll_api.payments.orders import orders_of
from payroll_api.payments.outcomes import close_if_done
from payroll_api.payments.protocol import LONGEST_PAUSE, Gate, may_pass
from payroll_api.payments.withdraw import contradicted, hold_withdrawn
from payroll_api.services import Services

log = logs.get(__name__)

# A sender holds this lock in shared mode for the moment of its gate, whoever presses a stop holds it alone: of the two, one is first.
_STILL = "select pg_advisory_xact_lock_shared(hashtextextended('gate|' || $1::text, 0))"
_STOPPED = """
select not a.is_enabled or exists (
  select from stops s where s.factory_id = a.factory_id and s.lifted_at is null
    and (s.run_id is null and s.provider_account_id is null or s.run_id = $3 or s.provider_account_id = a.id))
from provider_accounts a where a.factory_id = $1 and a.id = $2
"""


async def is_stopped(session: AsyncSession, dispatch: Dispatch) -> bool:
    """Whether nothing may be sent for this dispatch now. The answer holds until the transaction ends."""
    await fetch(session, _STILL, str(dispatch.factory_id))
    return bool((await fetch(session, _STOPPED, dispatch.factory_id, dispatch.provider_account_id, dispatch.run_id))[0][0])


async def gate_of(session: AsyncSession, dispatch: Dispatch, fence: int) -> Gate:
    """What the gate says now to a sender with this fence."""
    stopped = await is_stopped(session, dispatch)
    return may_pass(await load_leaving(session, dispatch), fence=fence, is_stopped=stopped)


def wait_at_gate(services: Services, dispatch: Dispatch, gate: Gate) -> None:
    """An intent that may not be sent now is tried again: soon where a stop may be lifted."""
    again = timedelta(seconds=services.settings.look_up_seconds) if gate.refused == "stopped" else LONGEST_PAUSE
    dispatch.look_up_after = services.clock() + again


async def pass_gate(services: Services, factory_id: UUID, intent: Intent) -> Intent | None:
    """The intent as it may be sent now, without what was withdrawn since; None when it may not."""
    async with services.database.factory(factory_id) as session:
        dispatch = await session.get_one(Dispatch, (factory_id, intent.dispatch_id), with_for_update=True)
        gate = await gate_of(session, dispatch, intent.fence)
        if gate.refused is not None:
            log.warning("not_sent", dispatch=str(dispatch.id), why=gate.refused)
            return None
        standing = await _without_contradicted(session, dispatch, gate.references, services.clock())
        if not standing:
            await close_if_done(session, dispatch, services.clock())
            return None
        dispatch.state, dispatch.sent_at = "sending", services.clock()
        passed = services.uptime()
    return dataclasses.replace(only(intent, standing), passed=passed)


async def _without_contradicted(session: AsyncSession, dispatch: Dispatch, standing: Sequence[str], at: datetime) -> list[str]:
    """The orders without those whose payment has arrived already, as the provider says since it was claimed: they are held."""
    doubtful = await contradicted(session, dispatch)
    await hold_withdrawn(session, dispatch, [reference for reference in doubtful if reference in set(standing)], "contradicted", at)
    return [reference for reference in standing if reference not in set(doubtful)]


async def take_up(services: Services, factory_id: UUID, dispatch_id: UUID) -> tuple[Connector, Intent] | None:
    """Pass the gate with an intent whose sender is gone. Nothing was sent: it is sent as it was committed, under the next fence.

    An order whose account is no longer the approved one is held instead, and the others go.
    """
    async with services.database.factory(factory_id) as session:
        dispatch = await session.get_one(Dispatch, (factory_id, dispatch_id), with_for_update=True, populate_existing=True)
        now = services.clock()
        gate = await gate_of(session, dispatch, dispatch.fence)
        if gate.refused is not None:
            wait_at_gate(services, dispatch, gate)
            return None
        references = set(await _without_contradicted(session, dispatch, gate.references, now))
        orders, changed = await orders_of(session, await services.keys.vault(session), dispatch)
        standing = [order for order in orders if order.reference in references]
        gone = [reference for reference in changed if reference in references]
        await hold_withdrawn(session, dispatch, gone, "destination_changed", now)
        dispatch.fence += 1
        if not standing:
            await close_if_done(session, dispatch, now)
            return None
        dispatch.state, dispatch.sent_at = "sending", now
        dispatch.look_up_after = now + timedelta(seconds=services.settings.look_up_seconds)
        await session.flush()
        connector = await services.connectors.payout(session, dispatch.provider_account_id)
        log.warning("dispatch_taken_up", dispatch=str(dispatch.id), fence=dispatch.fence)
        return connector, as_intent(dispatch, standing, passed=services.uptime(), is_repeat=False)


def as_intent(dispatch: Dispatch, orders: Sequence[PayoutOrder], *, passed: timedelta, is_repeat: bool) -> Intent:
    """A dispatch with these orders of it, ready to be sent under its fence of now."""
    batch = batch_of(dispatch.id, orders, pay_day(dispatch.created_at))
    return Intent(dispatch_id=dispatch.id, fence=dispatch.fence, batch=batch, passed=passed, is_repeat=is_repeat)


def only(intent: Intent, references: Sequence[str]) -> Intent:
    """The intent with the orders named, in their order."""
    if len(references) == len(intent.batch.orders):
        return intent
    kept = set(references)
    orders = [order for order in intent.batch.orders if order.reference in kept]
    return dataclasses.replace(intent, batch=dataclasses.replace(intent.batch, orders=orders))
