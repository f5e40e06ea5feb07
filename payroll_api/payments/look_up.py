"""Ask the provider what became of a dispatch, and carry out what follows from the answers. What follows is decided in `protocol.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import Connector, PayoutOutcome
from payroll_api import logs
from payroll_api.failpoints import failpoint
from payroll_api.outside.guard import check_guard
from payroll_api.payments.gate import as_intent, gate_of, is_stopped, take_up, wait_at_gate
from payroll_api.payments.intent import Intent
from payroll_api.payments.load import load_dispatch
from payroll_api.payments.models import Dispatch
from payroll_api.payments.orders import orders_of
from payroll_api.payments.outcomes import keep_absences, record_words
from payroll_api.payments.overdue import sound_needs_person
from payroll_api.payments.payee import with_payee
from payroll_api.payments.protocol import LONGEST_PAUSE, AskPerson, LookUp, Repeat, Step, to_ask, weigh
from payroll_api.payments.submit import ask_look_up, send
from payroll_api.services import Services

log = logs.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    connector: Connector
    reference: str
    references: Sequence[str]
    fence: int


async def look_up_dispatch(services: Services, factory_id: UUID, payload: Mapping[str, str]) -> None:
    """The job LOOK_UP_DISPATCH."""
    await confirm(services, factory_id, UUID(payload["dispatch"]))


async def confirm(services: Services, factory_id: UUID, dispatch_id: UUID, also: Sequence[str] = (), *, is_told: bool = False) -> None:
    """Look a dispatch up now, record what the provider says, and see to it that it is asked again while something is open.

    `also` are references that are asked about although they are paid: the provider says that something happened to them since. An intent
    whose sender died before the gate is sent instead. `is_told`: a message is the reason, and the next look-up that was planned stays
    the next one. Otherwise each message would begin a row of look-ups of its own.
    """
    question = await _question(services, factory_id, dispatch_id, also)
    if question == "intent" and await check_guard(services, factory_id):
        taken = await take_up(services, factory_id, dispatch_id)
        if taken is not None:
            await send(services, factory_id, *taken)
    elif isinstance(question, _Question):
        answers = await question.connector.look_up(question.reference, question.references)
        await failpoint("C9")
        again = await _keep(services, factory_id, dispatch_id, question, answers, is_told=is_told)
        if again is not None:
            await send(services, factory_id, question.connector, again)


async def _question(services: Services, factory_id: UUID, dispatch_id: UUID, also: Sequence[str]) -> _Question | str | None:
    async with services.database.factory(factory_id) as session:
        dispatch = await session.get_one(Dispatch, (factory_id, dispatch_id))
        if dispatch.state == "intent":
            gate = await gate_of(session, dispatch, dispatch.fence)
            if gate.refused is None:
                return "intent"
            wait_at_gate(services, dispatch, gate)
            return None
        connector = await services.connectors.payout(session, dispatch.provider_account_id)
        asked = to_ask(await load_dispatch(session, dispatch, also, lock=False), connector.profile, also)
        if not asked:
            # Nobody can be asked about the rest: the periodic task need not come by every few seconds.
            dispatch.look_up_after = services.clock() + LONGEST_PAUSE
            return None
        return _Question(connector=connector, reference=dispatch.reference, references=asked, fence=dispatch.fence)


async def _keep(
    services: Services, factory_id: UUID, dispatch_id: UUID, question: _Question, answers: Sequence[PayoutOutcome], *, is_told: bool
) -> Intent | None:
    """Record the answers; give the dispatch to send again, where that is what follows."""
    profile = question.connector.profile
    async with services.database.factory(factory_id) as session:
        dispatch = await session.get_one(Dispatch, (factory_id, dispatch_id), with_for_update=True)
        now = services.clock()
        answers = await with_payee(session, services, dispatch, answers)
        dispatch.looked_up += 1
        if dispatch.state == "sending":
            dispatch.state = "open"
        weighed = weigh(
            await load_dispatch(session, dispatch, question.references, lock=True),
            answers,
            profile,
            now,
            fence=question.fence,
            is_stopped=await is_stopped(session, dispatch),
            shortest=timedelta(seconds=services.settings.look_up_seconds),
        )
        await keep_absences(session, dispatch, weighed.absences)
        await record_words(session, dispatch, weighed.words, profile, actor=f"provider:{profile.name}", at=now)
        is_planned = is_told and dispatch.look_up_after > now
        return await _carry_out(session, services, dispatch, weighed.step, now, is_planned=is_planned)


async def _carry_out(
    session: AsyncSession, services: Services, dispatch: Dispatch, step: Step, now: datetime, *, is_planned: bool
) -> Intent | None:
    if isinstance(step, Repeat):
        orders, changed = await orders_of(session, await services.keys.vault(session), dispatch)
        again = [order for order in orders if order.reference in set(step.references)]
        # Of the rest it does not matter: what was withdrawn before the gate may have another account by now.
        if set(changed) & set(step.references) or len(again) != len(step.references):
            step = AskPerson(why="changed_since", after=LONGEST_PAUSE)
        else:
            # It may have been sent before, so it stays beyond the gate; the fence shuts out whoever sent it then.
            dispatch.fence += 1
            dispatch.sent_at = now
            dispatch.look_up_after = now + timedelta(seconds=services.settings.look_up_seconds)
            await session.flush()
            log.warning("dispatch_sent_again", dispatch=str(dispatch.id), fence=dispatch.fence)
            return as_intent(dispatch, again, passed=services.uptime(), is_repeat=True)
    if isinstance(step, AskPerson):
        log.error("dispatch_needs_a_person", dispatch=str(dispatch.id), why=step.why)
        await sound_needs_person(session, now, dispatch.id, step.why)
    if isinstance(step, LookUp | AskPerson) and not is_planned:
        dispatch.look_up_after = now + step.after
        await ask_look_up(session, dispatch, step.after)
    return None


async def due(session: AsyncSession, now: datetime) -> list[Dispatch]:
    """Dispatches without a final answer whose time to be looked up, or taken up, has come.

    Nothing is planned further ahead than the longest pause: where it is, the clock was put back since, and nobody waits for it to catch up.
    """
    return list(
        await session.scalars(
            select(Dispatch)
            .where(
                Dispatch.state.in_(("intent", "sending", "open")),
                ~Dispatch.look_up_after.between(now, now + 2 * LONGEST_PAUSE),
            )
            .order_by(Dispatch.created_at)
            .limit(500)
        )
    )
