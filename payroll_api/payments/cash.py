"""Envelopes: count as paid what workers signed for, and count back what nobody came for. Nobody can be asked about cash but people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from importers.money import Money, currency
from payroll_api.access.actor import Actor, Permission
from payroll_api.access.four_eyes import require_person
from payroll_api.audit.journal import Event, record
from payroll_api.errors import InvalidError, ProblemError
from payroll_api.factories.models import ProviderAccount
from payroll_api.payments.models import Attempt, Dispatch, Payment
from payroll_api.payments.outcomes import record_words
from payroll_api.payments.verdict import Source, Word
from payroll_api.services import Services

Pile = tuple[int, Money]  # how many envelopes, and what they hold in all
_Envelope = tuple[Attempt, Payment, Dispatch]


async def confirm_cash(session: AsyncSession, services: Services, actor: Actor, run_id: UUID, worker_codes: Sequence[str] | None) -> int:
    """Count envelopes as paid that workers have signed for: these codes, or all of the run. Gives how many were counted."""
    actor.require(Permission.SETTLE)
    require_person(actor)
    found = await _open_envelopes(session, run_id, worker_codes)
    return await _speak(session, services, actor, found, PayoutStatus.PAID, None, "signed for")


async def count_back(session: AsyncSession, services: Services, actor: Actor, run_id: UUID, counted: Mapping[str, Pile]) -> int:
    """Take back the envelopes of a run that nobody has signed for. Each wage stays owed, and people decide how it is paid.

    `counted` is what lies on the table, by currency. It must be what the list says is left, in number and in money: a missing envelope
    was handed over without a signature, or is lost, and then nothing is taken back. Gives how many came back.

    Raises ProblemError `envelopes_differ`, InvalidError where nothing is left, NotAllowedError for a key or without the right to settle.
    """
    actor.require(Permission.SETTLE)
    require_person(actor)
    found = await _open_envelopes(session, run_id, None)
    left = _piles(found)
    if not left:
        raise InvalidError("No envelope of this run is left: all were signed for or counted back.")
    if left != {unit: pile for unit, pile in counted.items() if pile[0] or pile[1].minor}:
        raise ProblemError(
            "envelopes_differ",
            f"Envelopes left by the list: {_told(left)}. Counted: {_told(counted)}. Nothing was taken back. "
            "Confirm those who have signed since, look for what is missing, and count again.",
            extra={"left": _told(left), "counted": _told(counted)},
        )
    taken = await _speak(session, services, actor, found, PayoutStatus.REJECTED, "not_collected", "nobody came for the envelope")
    data = {unit: {"envelopes": count, "amount_minor": money.minor} for unit, (count, money) in left.items()}
    await record(session, services.clock(), Event(actor=actor.name, action="cash.counted_back", subject=f"run:{run_id}", data=data))
    return taken


async def _open_envelopes(session: AsyncSession, run_id: UUID, worker_codes: Sequence[str] | None) -> Sequence[_Envelope]:
    """The envelopes that are neither signed for nor back, with their lists locked: two people who count do so one after the other."""
    of_cash = (
        select(Dispatch)
        .join(ProviderAccount, (ProviderAccount.factory_id == Dispatch.factory_id) & (ProviderAccount.id == Dispatch.provider_account_id))
        .where(Dispatch.run_id == run_id, Dispatch.state != "closed", ProviderAccount.kind == "cash")
        .order_by(Dispatch.id)
        .with_for_update(of=Dispatch)
    )
    lists = {dispatch.id: dispatch for dispatch in await session.scalars(of_cash)}
    query = (
        select(Attempt, Payment)
        .join(Payment, (Payment.factory_id == Attempt.factory_id) & (Payment.id == Attempt.payment_id))
        .where(Attempt.dispatch_id.in_(lists), Payment.state == "accepted", Attempt.number == Payment.attempt)
    )
    if worker_codes is not None:
        query = query.where(Payment.worker_code.in_(worker_codes))
    return [(attempt, payment, lists[attempt.dispatch_id]) for attempt, payment in await session.execute(query)]


async def _speak(
    session: AsyncSession, services: Services, actor: Actor, found: Sequence[_Envelope], status: PayoutStatus, code: str | None, detail: str
) -> int:
    by_list: dict[UUID, tuple[Dispatch, list[Word]]] = {}
    for attempt, _, dispatch in found:
        outcome = PayoutOutcome(reference=attempt.reference, status=status, code=code, detail=detail)
        by_list.setdefault(dispatch.id, (dispatch, []))[1].append(Word(outcome=outcome, source=Source.PEOPLE))
    now = services.clock()
    for dispatch, words in by_list.values():
        await record_words(session, dispatch, words, None, actor=actor.name, at=now)
    return len(found)


def _piles(found: Sequence[_Envelope]) -> dict[str, Pile]:
    counts, sums = Counter[str](), Counter[str]()
    for _, payment, _ in found:
        counts[payment.currency] += 1
        sums[payment.currency] += payment.amount_minor
    return {unit: (counts[unit], Money(sums[unit], currency(unit))) for unit in counts}


def _told(piles: Mapping[str, Pile]) -> str:
    return ", ".join(f"{count} ({money})" for _, (count, money) in sorted(piles.items())) or "0"
