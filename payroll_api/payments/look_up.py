"""Ask the provider what became of a dispatch. An unanswered order is looked up, and sent again only where that cannot pay twice."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import Connector, Finality, PayoutOrder, PayoutOutcome, PayoutStatus, Profile, RepeatBehaviour
from payroll_api import logs
from payroll_api.clock import pay_day
from payroll_api.db.bulk import fetch
from payroll_api.factories.models import ProviderAccount
from payroll_api.factories.provider_accounts import callback_url
from payroll_api.failpoints import failpoint
from payroll_api.outside.guard import may_send
from payroll_api.payments.intent import Intent, batch_of
from payroll_api.payments.models import Dispatch
from payroll_api.payments.orders import orders_of
from payroll_api.payments.outcomes import record_outcomes
from payroll_api.payments.submit import ask_look_up, keep_answer
from payroll_api.services import Services

log = logs.get(__name__)

# An order that the provider ever had: it took it, gave it a number, stated an amount for it, or said that it came twice.
_OPEN = """
select reference, state, state = 'accepted' or provider_reference is not null or coalesce(code, '') in ('amount_differs', 'duplicate')
from attempts where factory_id = $1 and dispatch_id = $2
  and (state in ('intent', 'accepted', 'unknown') or state = 'paid' and reference = any($3)) order by reference
"""
_LONGEST_PAUSE = timedelta(minutes=30)
_MOST_REPEATS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    connector: Connector
    account: ProviderAccount
    reference: str
    open: list[str]
    known: frozenset[str]  # orders that the provider ever had: "not found" about these proves nothing
    is_whole: bool  # no order of the dispatch has ever been known to the provider
    fence: int
    sent_at: datetime  # when it was last given to be sent


async def look_up_dispatch(services: Services, factory_id: UUID, payload: Mapping[str, str]) -> None:
    """The job LOOK_UP_DISPATCH."""
    await confirm(services, factory_id, UUID(payload["dispatch"]))


async def confirm(services: Services, factory_id: UUID, dispatch_id: UUID, also: Sequence[str] = ()) -> None:
    """Look a dispatch up now, record what the provider says, and see to it that it is asked again while something is open.

    `also` are references that are asked about although they are paid: the provider says that something happened to them since.
    """
    question = await _question(services, factory_id, dispatch_id, also)
    if question is None:
        return
    answers = await question.connector.look_up(question.reference, question.open)
    await failpoint("C9")
    resend: Intent | None = None
    async with services.database.factory(factory_id) as session:
        dispatch = await session.get_one(Dispatch, (factory_id, dispatch_id), with_for_update=True)
        now = services.clock()
        dispatch.looked_up += 1
        if dispatch.state == "intent":
            dispatch.state = "open"
        pause = _pause(services, dispatch, question, now)
        dispatch.look_up_after = now + pause
        await session.flush()
        actor = f"provider:{question.connector.profile.name}"
        quiet = _quiet_is_over(question, now)
        still_open = await record_outcomes(session, dispatch, _concluded(question, answers) if quiet else answers, actor=actor, at=now)
        if quiet and _never_arrived(question, answers) and dispatch.fence == question.fence:
            resend = await _take_up(session, services, dispatch, question.connector.profile, now)
        if still_open and resend is None:
            await ask_look_up(session, dispatch, pause)
    if resend is not None and await may_send(services, factory_id, resend.dispatch_id):
        address = callback_url(services.settings, question.account, resend.batch.reference)
        await failpoint("B2")
        outcomes = await question.connector.submit(dataclasses.replace(resend.batch, callback_url=address))
        await keep_answer(services, factory_id, question.connector, resend, outcomes)


def _pause(services: Services, dispatch: Dispatch, question: _Question, now: datetime) -> timedelta:
    """How long to wait before asking again: longer each time, but not past the moment when "not found" becomes an answer."""
    pause: timedelta = min(timedelta(seconds=services.settings.look_up_seconds) * 2 ** min(dispatch.looked_up, 10), _LONGEST_PAUSE)
    quiet = question.connector.profile.not_found_is_final_after
    if quiet is None or now - question.sent_at >= quiet:
        return pause
    return min(pause, question.sent_at + quiet - now)


async def _question(services: Services, factory_id: UUID, dispatch_id: UUID, also: Sequence[str]) -> _Question | None:
    async with services.database.factory(factory_id) as session:
        dispatch = await session.get_one(Dispatch, (factory_id, dispatch_id))
        connector = await services.connectors.payout(session, dispatch.provider_account_id)
        # What people confirm by hand cannot be asked for. But a list that was interrupted while it was written must become one:
        # its connector says so without asking anybody.
        is_by_hand = connector.profile.finality is Finality.BY_HAND
        if not (connector.profile.looks_up or is_by_hand):
            dispatch.look_up_after = services.clock() + _LONGEST_PAUSE
            return None
        rows = await fetch(session, _OPEN, factory_id, dispatch_id, list(also))
        open_references = [reference for reference, state, _ in rows if not (is_by_hand and state == "accepted")]
        known = frozenset(reference for reference, state, was_known in rows if was_known or state == "paid")
        if not open_references:
            # Nobody can be asked about the rest: the periodic task need not come by every few seconds.
            dispatch.look_up_after = services.clock() + _LONGEST_PAUSE
            return None
        account = await session.get_one(ProviderAccount, (factory_id, dispatch.provider_account_id))
        return _Question(
            connector=connector,
            account=account,
            reference=dispatch.reference,
            open=open_references,
            known=known,
            is_whole=len(open_references) == dispatch.count and not known,
            fence=dispatch.fence,
            sent_at=max(dispatch.created_at, dispatch.answered_at or dispatch.created_at),
        )


def _quiet_is_over(question: _Question, now: datetime) -> bool:
    """Whether "not found" has held for so long that the provider would have seen the order."""
    quiet = question.connector.profile.not_found_is_final_after
    return quiet is not None and now - question.sent_at >= quiet


def _never_arrived(question: _Question, answers: Sequence[PayoutOutcome]) -> bool:
    """Whether the provider knows nothing of the whole dispatch, and never did."""
    return question.is_whole and all(answer.status is PayoutStatus.NOT_FOUND for answer in answers)


def _concluded(question: _Question, answers: Sequence[PayoutOutcome]) -> list[PayoutOutcome]:
    """Answers in which an order that the provider left out of a message that it has is taken for refused: it will not come any more.

    Not where the provider once had the order and now knows nothing of it: it forgot, and the money may have moved.
    """
    if _never_arrived(question, answers):
        return list(answers)
    detail = "the provider took the message without this order"
    return [
        dataclasses.replace(answer, status=PayoutStatus.REJECTED, code="not_received", detail=detail)
        if answer.status is PayoutStatus.NOT_FOUND and answer.reference not in question.known
        else answer
        for answer in answers
    ]


async def _take_up(session: AsyncSession, services: Services, dispatch: Dispatch, profile: Profile, now: datetime) -> Intent | None:
    """Raise the fence and give the same dispatch again, with the same references and content.

    Only where the provider recognises a repeated reference and still remembers this one: a sender that was frozen and wakes up then
    does no harm either. Everywhere else it waits for a person.
    """
    forgotten = profile.idempotency_window is not None and now - dispatch.created_at > profile.idempotency_window
    account = await session.get_one(ProviderAccount, (dispatch.factory_id, dispatch.provider_account_id))
    if profile.repeat is RepeatBehaviour.PAYS_AGAIN or forgotten or dispatch.fence > _MOST_REPEATS or not account.is_enabled:
        log.error("dispatch_needs_a_person", dispatch=str(dispatch.id))
        return None
    orders: list[PayoutOrder] = await orders_of(session, await services.keys.vault(session), dispatch)
    if not orders:
        return None
    dispatch.fence += 1
    dispatch.answered_at = now  # "not found" says nothing again until the provider had its time with this sending
    await session.flush()
    log.warning("dispatch_sent_again", dispatch=str(dispatch.id), fence=dispatch.fence)
    return Intent(dispatch_id=dispatch.id, fence=dispatch.fence, batch=batch_of(dispatch.id, orders, pay_day(dispatch.created_at)))


async def due(session: AsyncSession, now: datetime) -> list[Dispatch]:
    """Dispatches without a final answer whose time to be looked up has come."""
    return list(
        await session.scalars(
            select(Dispatch)
            .where(Dispatch.state.in_(("intent", "open")), Dispatch.look_up_after < now)
            .order_by(Dispatch.created_at)
            .limit(500)
        )
    )
