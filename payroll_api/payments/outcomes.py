"""The one place where a word about orders is carried out: guarded, set-based, with its ledger and audit in the same transaction.

What a word is worth and what it makes of an order is decided in `verdict.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import PayoutStatus, Profile
from payroll_api import logs
from payroll_api.audit.journal import Event, record_many
from payroll_api.db.bulk import fetch, run, run_over
from payroll_api.failpoints import failpoint
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.ledger.book import post
from payroll_api.payments.finish import complete_if_done
from payroll_api.payments.load import lock_orders
from payroll_api.payments.models import Dispatch
from payroll_api.payments.overdue import clear_needs_person
from payroll_api.payments.protocol import Absence
from payroll_api.payments.run_dry import stop_if_dry
from payroll_api.payments.verdict import Change, Ignored, OrderNow, Source, Word, decide, event, transfers

log = logs.get(__name__)

_FROM_OUTSIDE = (Source.ANSWER, Source.LOOK_UP, Source.MESSAGE, Source.STATEMENT)
_ATTEMPTS = """
update attempts a set state = n.state, provider_reference = coalesce(n.provider_reference, a.provider_reference), code = n.code,
  detail = n.detail, changed_at = $2, absent_since = null, absent_answers = 0,
  contradicted_by = case when n.code = 'found_out' then null else a.contradicted_by end
from {rows} where a.factory_id = $1 and a.payment_id = n.payment_id and a.number = n.number
"""
_PAYMENTS = """
update payments p set state = n.state, state_since = $2, code = n.code, detail = n.detail,
  paid_at = case when n.state = 'paid' then $2 else p.paid_at end,
  paid_by = case when n.number < p.attempt then n.number else p.paid_by end
from {rows} where p.factory_id = $1 and p.id = n.id and p.state = n.was
"""
_ATTEMPT_ROWS = {
    "payment_id": "uuid", "number": "bigint", "state": "text", "provider_reference": "text", "code": "text", "detail": "text",
}  # fmt: skip
_PAYMENT_ROWS = {"id": "uuid", "was": "text", "state": "text", "code": "text", "detail": "text", "number": "bigint"}
_ABSENT = """
update attempts a set absent_since = n.since, absent_answers = n.answers
from unnest($2::text[], $3::timestamptz[], $4::bigint[]) as n(reference, since, answers)
where a.factory_id = $1 and a.reference = n.reference and a.state in ('intent', 'accepted', 'unknown')
"""
_CONTRADICTED = (
    "update attempts set contradicted_by = $3 where factory_id = $1 and reference = any($2) and contradicted_by is null"
    " returning payment_id"
)
_LEFT = "select count(*) from attempts where factory_id = $1 and dispatch_id = $2 and state in ('intent', 'accepted', 'unknown')"


async def record_words(
    session: AsyncSession,
    dispatch: Dispatch,
    words: Sequence[Word],
    profile: Profile | None,
    *,
    actor: str,
    at: datetime,
    booked_on: date | None = None,
    completes: bool = True,
) -> int:
    """Apply words to their attempts and payments; give how many attempts of the dispatch are still open.

    The caller holds the dispatch's lock. A word about another dispatch's attempt changes nothing. `profile` is the provider's, or None
    where the word does not hang on it (see `verdict.believed`). `booked_on` is the bank's own day, where its statement speaks. A caller
    that closes many dispatches of one run says `completes=False`, and completes the run once.
    """
    spoken = {word.outcome.reference: word for word in words if word.outcome.status is not PayoutStatus.NOT_FOUND}
    orders = await lock_orders(session, dispatch, list(spoken))
    verdicts = [decide(order, spoken[reference], profile) for reference, order in orders.items()]
    changes = [verdict for verdict in verdicts if isinstance(verdict, Change)]
    if dispatch.state == "intent" and any(spoken[reference].source in _FROM_OUTSIDE for reference in orders):
        # The provider knows of it although we know of no sending: an older copy of the database was restored. It was sent, then.
        dispatch.state, dispatch.sent_at = "open", at
    for change in changes:
        if change.outcome.code == "amount_differs":
            log.error("amount_differs", payment=str(change.order.payment_id), status=change.state)
    if changes:
        await _apply(session, changes, actor, at, booked_on)
        await stop_if_dry(session, dispatch, changes, at)
        if any(change.state == "paid" for change in changes):
            paid = {"run": str(dispatch.run_id), "dispatch": str(dispatch.id)}
            await enqueue(session, Job.COMPOSE_SLIPS, paid, once=f"{dispatch.id}|{at.isoformat()}")
    await _keep_contradictions(session, [one for one in verdicts if isinstance(one, Ignored) and one.contradicts], actor, at)
    return await close_if_done(session, dispatch, at, completes=completes)


async def close_if_done(session: AsyncSession, dispatch: Dispatch, at: datetime, *, completes: bool = True) -> int:
    """Count the open orders of a dispatch; close it and, with `completes`, complete its run where none is left."""
    still_open = int((await fetch(session, _LEFT, dispatch.factory_id, dispatch.id))[0][0])
    if not still_open:
        dispatch.state = "closed"
        await clear_needs_person(session, at, dispatch.id)
    elif dispatch.state not in ("intent", "sending"):
        dispatch.state = "open"
    await session.flush()
    if not still_open and completes:
        await complete_if_done(session, dispatch.run_id, at)
    return still_open


async def keep_absences(session: AsyncSession, dispatch: Dispatch, absences: Sequence[Absence]) -> None:
    """Remember how often in a row the provider has not known an order."""
    if absences:
        references = [absence.reference for absence in absences]
        since, answers = [absence.since for absence in absences], [absence.answers for absence in absences]
        await run(session, _ABSENT, dispatch.factory_id, references, since, answers)


async def _apply(session: AsyncSession, changes: Sequence[Change], actor: str, at: datetime, booked_on: date | None) -> None:
    factory_id = session.info["factory_id"]
    ids = [change.order.payment_id for change in changes]
    numbers = [change.order.number for change in changes]
    states = [change.state for change in changes]
    codes = [change.outcome.code for change in changes]
    details = [change.outcome.detail for change in changes]
    references = [change.outcome.provider_reference for change in changes]
    payments: list[Sequence[object]] = [ids, [change.was for change in changes], states, codes, details, numbers]
    moved = await run_over(session, _PAYMENTS, _PAYMENT_ROWS, payments, factory_id, at)
    attempts: list[Sequence[object]] = [ids, numbers, states, references, codes, details]
    tried = await run_over(session, _ATTEMPTS, _ATTEMPT_ROWS, attempts, factory_id, at)
    if not moved == tried == len(changes):
        raise RuntimeError("a payment changed under its lock")
    await post(session, at, (transfer for change in changes for transfer in transfers(change)), booked_on=booked_on)
    await failpoint("E1")
    await record_many(session, at, (event(change, actor) for change in changes))


async def _keep_contradictions(session: AsyncSession, found: Sequence[Ignored], actor: str, at: datetime) -> None:
    """A word that money moved where we have proof that it did not, or the other way round: kept, told, and a person's."""
    by_status: dict[str, list[OrderNow]] = {}
    for ignored in found:
        by_status.setdefault(ignored.outcome.status.value, []).append(ignored.order)
    for status, orders in by_status.items():
        references = [order.reference for order in orders]
        new = {row[0] for row in await fetch(session, _CONTRADICTED, session.info["factory_id"], references, status)}
        events = []
        for order in orders:
            if order.payment_id in new:
                log.error("provider_contradicts", payment=str(order.payment_id), status=status)
                data = {"reference": order.reference, "attempt": order.number, "said": status, "is": order.attempt_state}
                events.append(Event(actor=actor, action="attempt.contradicted", subject=f"payment:{order.payment_id}", data=data))
        await record_many(session, at, events)
