"""Send one dispatch: intent committed, the gate passed, one message with no transaction open, the answer recorded under the fence."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import Connector, PayoutOutcome
from payroll_api import logs
from payroll_api.clock import pay_day
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of
from payroll_api.factories.models import ProviderAccount
from payroll_api.factories.provider_accounts import callback_url
from payroll_api.failpoints import failpoint
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue, enqueue_many
from payroll_api.outside.guard import may_claim, may_send
from payroll_api.payments.gate import pass_gate
from payroll_api.payments.intent import Intent, claim
from payroll_api.payments.load import load_leaving
from payroll_api.payments.models import Dispatch
from payroll_api.payments.outcomes import record_words
from payroll_api.payments.prepare import chunk_size
from payroll_api.payments.protocol import LookUp, after_answer, may_still_send
from payroll_api.payments.verdict import Source, Word
from payroll_api.runs.models import PayRun
from payroll_api.services import Services

log = logs.get(__name__)

_LONGEST_READY = timedelta(minutes=1)
_FORGOTTEN = """
select p.run_id, p.provider_account_id, p.currency, count(*)
from payments p
join pay_runs r on r.factory_id = p.factory_id and r.id = p.run_id and r.state in ('released', 'completed') and r.pay_on <= $3
join provider_accounts a on a.factory_id = p.factory_id and a.id = p.provider_account_id and a.is_enabled
where p.factory_id = $1 and p.state = 'ready' and p.state_since not between $2 and $4 group by 1, 2, 3
"""


async def submit_chunk(services: Services, factory_id: UUID, payload: Mapping[str, str]) -> None:
    """The job SUBMIT_CHUNK. If it dies before the gate, its intent is taken up; if it dies later, it is looked up. Never by guess."""
    run_id, provider_id = UUID(payload["run"]), UUID(payload["provider"])
    await failpoint("B1")
    async with services.database.factory(factory_id) as session:
        if not await may_claim(session, services):
            return
        connector = await services.connectors.payout(session, provider_id)
        pay_run = await session.get_one(PayRun, (factory_id, run_id))
        intent = await claim(
            session,
            await services.keys.vault(session),
            run_id=run_id,
            provider_account_id=provider_id,
            unit=payload["currency"],
            limit=await chunk_size(session, services, provider_id),
            period=pay_run.period,
            at=services.clock(),
            look_up_after=timedelta(seconds=services.settings.look_up_seconds),
        )
    passed = await pass_gate(services, factory_id, intent) if intent is not None else None
    if passed is not None:
        await send(services, factory_id, connector, passed)


async def send(services: Services, factory_id: UUID, connector: Connector, intent: Intent) -> None:
    """Give a dispatch that passed the gate to its provider, once, and record the answer.

    It is counted after the gate: a copy of the database that knows the count knows the gate, too, and takes nothing for unsent that left.
    """
    if not await may_send(services, factory_id, intent.dispatch_id):
        return
    async with services.database.factory(factory_id) as session:
        dispatch = await session.get_one(Dispatch, (factory_id, intent.dispatch_id))
        account = await session.get_one(ProviderAccount, (factory_id, dispatch.provider_account_id))
    address = callback_url(services.settings, account, intent.batch.reference)
    await failpoint("B2")
    async with services.database.factory(factory_id) as session:
        dispatch = await session.get_one(Dispatch, (factory_id, intent.dispatch_id))
        here = await load_leaving(session, dispatch)
    references = [order.reference for order in intent.batch.orders]
    slept = services.uptime() - intent.passed
    if not may_still_send(here, references, fence=intent.fence, now=services.clock(), slept=slept):
        # Whoever slept since the gate lets it be: it is looked up, as everything that may have been sent.
        log.warning("slept_since_the_gate", dispatch=str(intent.dispatch_id))
        return
    outcomes = await connector.submit(dataclasses.replace(intent.batch, callback_url=address))
    await keep_answer(services, factory_id, connector, intent, outcomes)
    await failpoint("B10")


async def ask_forgotten(session: AsyncSession, services: Services, now: datetime) -> None:
    """Ask again for payments that are ready and have waited too long: for their pay day, or because their job was lost or counted short.

    What is ready since a moment to come waits by a clock that was put back: it is asked for as well.

    An extra job does no harm: it finds nothing ready.
    """
    rows = await fetch(session, _FORGOTTEN, factory_of(session), now - _LONGEST_READY, pay_day(now), now)
    for run_id, provider, unit, count in rows:
        jobs = -(-count // await chunk_size(session, services, provider))
        payload = {"run": str(run_id), "provider": str(provider), "currency": unit}
        keys = [f"{run_id}|{provider}|{unit}|{number}" for number in range(jobs)]
        await enqueue_many(session, Job.SUBMIT_CHUNK, [payload] * jobs, once=keys)


async def keep_answer(
    services: Services, factory_id: UUID, connector: Connector, intent: Intent, outcomes: Sequence[PayoutOutcome]
) -> None:
    """Record what the provider answered, unless somebody else has taken the dispatch up meanwhile: then it is looked up instead."""
    await failpoint("B7")
    async with services.database.factory(factory_id) as session:
        dispatch = await session.get_one(Dispatch, (factory_id, intent.dispatch_id), with_for_update=True)
        if dispatch.fence != intent.fence:
            log.warning("fenced_out", dispatch=str(dispatch.id))
            await ask_look_up(session, dispatch, timedelta(0))
            return
        if dispatch.state == "sending":
            dispatch.state = "open"
        words = [Word(outcome=outcome, source=Source.ANSWER, is_repeat=intent.is_repeat) for outcome in outcomes]
        profile, now = connector.profile, services.clock()
        still_open = await record_words(session, dispatch, words, profile, actor=f"provider:{profile.name}", at=now)
        step = after_answer(still_open, profile, timedelta(seconds=services.settings.look_up_seconds))
        if isinstance(step, LookUp):
            await ask_look_up(session, dispatch, step.after)
        await failpoint("B8")


async def ask_look_up(session: AsyncSession, dispatch: Dispatch, after: timedelta) -> None:
    """Enqueue a look-up of a dispatch. The key counts the look-ups done, so that one under way does not swallow the next."""
    payload = {"dispatch": str(dispatch.id)}
    assert factory_of(session) == dispatch.factory_id  # noqa: S101 a dispatch is looked up in its own factory only
    await enqueue(session, Job.LOOK_UP_DISPATCH, payload, after=after, once=f"{dispatch.id}|{dispatch.looked_up}")
