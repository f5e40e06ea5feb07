"""The statement is the last word: a payment that it shows is paid, one that it shows coming back is returned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of
from payroll_api.payments.finish import complete_if_done
from payroll_api.payments.models import Dispatch
from payroll_api.payments.outcomes import record_words
from payroll_api.payments.verdict import Source, Word

_REFERENCES = """
select a.reference, a.dispatch_id from attempts a
join payments p on p.factory_id = a.factory_id and p.id = a.payment_id and a.number = coalesce(p.paid_by, p.attempt)
where a.factory_id = $1 and a.payment_id = any($2) and p.state <> $3 order by a.dispatch_id
"""
_MESSAGES = """
select d.id from dispatches d where d.factory_id = $1 and d.id in (
  select a.dispatch_id from attempts a
  join payments p on p.factory_id = a.factory_id and p.id = a.payment_id and a.number = coalesce(p.paid_by, p.attempt)
  where a.factory_id = $1 and a.payment_id = any($2)) order by d.id for update of d
"""


async def lock_messages(session: AsyncSession, payments: Sequence[UUID]) -> None:
    """Take the locks of the messages that carry these payments, before any of their payments is touched.

    Everywhere a message's lock comes before its payments': a look-up or a sender that holds one would wait for us, and we for it.
    """
    if payments:
        await fetch(session, _MESSAGES, factory_of(session), list(payments))


async def tell(session: AsyncSession, payments: Sequence[UUID], status: PayoutStatus, *, actor: str, at: datetime, booked_on: date) -> None:
    """Record what a statement shows of payments whose state does not say so yet, dispatch by dispatch in the order of their ids.

    The ledger books it on the bank's day, `booked_on`.
    """
    by_dispatch: dict[UUID, list[Word]] = {}
    rows = await fetch(session, _REFERENCES, factory_of(session), list(payments), status.value) if payments else []
    for reference, dispatch_id in rows:
        outcome = PayoutOutcome(reference=reference, status=status, detail="as the statement shows")
        by_dispatch.setdefault(dispatch_id, []).append(Word(outcome=outcome, source=Source.STATEMENT))
    done: set[UUID] = set()  # runs: whether a run has come to rest is asked once, not for each of its messages
    for dispatch_id, words in by_dispatch.items():
        dispatch = await session.get_one(Dispatch, (factory_of(session), dispatch_id), with_for_update=True)
        if not await record_words(session, dispatch, words, None, actor=actor, at=at, booked_on=booked_on, completes=False):
            done.add(dispatch.run_id)
    for run_id in sorted(done):
        await complete_if_done(session, run_id, at)
