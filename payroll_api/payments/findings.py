"""What people found out about payments that nobody knows about: it was paid, no money moved, or keep asking. With evidence, by two."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from payroll_api.access.actor import Actor
from payroll_api.alarms.sound import Alarm, clear, sound
from payroll_api.audit.journal import Event, record_many
from payroll_api.db.bulk import fetch, run
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.payments.models import Dispatch, Proposal
from payroll_api.payments.outcomes import record_words
from payroll_api.payments.proposals import Draft, changed, keep, may_propose
from payroll_api.payments.submit import ask_look_up
from payroll_api.payments.verdict import Source, Word
from payroll_api.services import Services

_EVIDENCE = re.compile(r"[0-9A-Za-z][0-9A-Za-z ./:_-]{2,79}", re.ASCII)

# What nobody knows about: sent in some way and without an end, or with an end that the provider contradicts.
_OPEN = """
select p.id, a.number, a.reference, a.state, a.dispatch_id, p.currency, p.amount_minor, p.state, (select q.state from payments q
  where q.factory_id = p.factory_id and q.worker_id = p.worker_id and q.period = p.period and q.kind = p.kind and q.id <> p.id
    and q.state <> 'cancelled')
from attempts a join payments p on p.factory_id = a.factory_id and p.id = a.payment_id
join dispatches d on d.factory_id = a.factory_id and d.id = a.dispatch_id
where a.factory_id = $1 and ($2::uuid is null or p.id = $2) and ($3::uuid is null or d.id = $3)
  and (p.attempt = a.number and d.state in ('sending', 'open') and a.state in ('intent', 'accepted', 'unknown')
    or a.contradicted_by is not null)
order by p.id
"""
# What a confirmed finding must have made of an attempt.
_NOT_SO = (
    "select p.state from attempts a join payments p on p.factory_id = a.factory_id and p.id = a.payment_id"
    " where a.factory_id = $1 and a.reference = any($2) and a.state <> $3 limit 1"
)
_AGREED = "update attempts set contradicted_by = null where factory_id = $1 and reference = any($2)"
_TWICE = "update attempts set contradicted_by = 'paid_twice' where factory_id = $1 and reference = any($2)"


class Result(enum.StrEnum):
    """What became of it."""

    PAID = "paid"
    NO_MONEY_MOVED = "no_money_moved"
    KEEP_ASKING = "keep_asking"


class Evidence(enum.StrEnum):
    """What it is known by."""

    PROVIDER_LETTER = "provider_letter"
    PROVIDER_REFERENCE = "provider_reference"
    STATEMENT_LINE = "statement_line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A result with its evidence: what kind, and under which number anybody can look it up. No names, no account numbers."""

    result: Result
    evidence: Evidence
    reference: str


async def propose_finding(
    session: AsyncSession,
    services: Services,
    actor: Actor,
    found: Found,
    *,
    payment_id: UUID | None = None,
    dispatch_id: UUID | None = None,
    reason: str,
) -> Proposal:
    """Say what became of one payment, or of every open one of a message. Another person confirms.

    Raises NotFoundError, InvalidError for evidence without a reference, ProblemError `nothing_open` where all of it is known.
    """
    may_propose(actor, "finding")
    if not _EVIDENCE.fullmatch(found.reference.strip()):
        raise InvalidError(
            "Write the number of the letter, the provider's reference, or the entry of the statement: letters, digits and . / : - only.",
            fields=[{"field": "evidence_reference", "problem": "3 to 80 letters and digits"}],
        )
    rows = await fetch(session, _OPEN, actor.factory_id, payment_id, dispatch_id)
    if not rows:
        await _exists(session, actor.factory_id, payment_id, dispatch_id)
        raise ProblemError("nothing_open", "Nothing is open here: it was never sent, or its end is known.")
    subject = f"payment:{payment_id}" if payment_id is not None else f"dispatch:{dispatch_id}"
    return await keep(session, services, actor, Draft(kind="finding", subject=subject, content=_content(found, rows)), reason=reason)


async def apply_finding(session: AsyncSession, services: Services, actor: Actor, proposal: Proposal) -> Draft:
    """Carry a confirmed finding out: payments and ledger as the evidence has it, or another round of questions."""
    content: Any = proposal.content
    found = Found(result=Result(content["result"]), evidence=Evidence(content["evidence"]), reference=content["evidence_reference"])
    dispatches = sorted({UUID(item["dispatch"]) for item in content["items"]})
    # Messages first, then payments, in the order of their ids, as everywhere.
    locked = {
        one: await session.get_one(Dispatch, (actor.factory_id, one), with_for_update=True, populate_existing=True) for one in dispatches
    }
    kind, _, one = proposal.subject.partition(":")
    payment_id, dispatch_id = (UUID(one), None) if kind == "payment" else (None, UUID(one))
    rows = await fetch(session, _OPEN, actor.factory_id, payment_id, dispatch_id)
    draft = Draft(kind="finding", subject=proposal.subject, content=_content(found, rows))
    if draft.content != content:
        raise changed()
    now = services.clock()
    for dispatch in locked.values():
        mine = [row for row in rows if row[4] == dispatch.id]
        if found.result is Result.KEEP_ASKING:
            dispatch.looked_up = 0
            dispatch.look_up_after = now
            await session.flush()
            await ask_look_up(session, dispatch, timedelta(0))
            continue
        status = PayoutStatus.PAID if found.result is Result.PAID else PayoutStatus.REJECTED
        if status is PayoutStatus.PAID:
            twice = [row for row in mine if _is_second(row)]
            await _keep_twice(session, services, actor, found, twice)
            mine = [row for row in mine if row not in twice]
        outcomes = [
            PayoutOutcome(reference=row[2], status=status, code="found_out", detail=f"{found.evidence.value}: {found.reference}")
            for row in mine
        ]
        words = [Word(outcome=outcome, source=Source.PEOPLE) for outcome in outcomes]
        await record_words(session, dispatch, words, None, actor=actor.name, at=now)
        wrong = await fetch(session, _NOT_SO, actor.factory_id, [row[2] for row in mine], status.value)
        if wrong:
            state = wrong[0][0]
            raise ProblemError(
                "payment_state",
                f"The payment is {state} by now: it cannot become {status.value}. Call the operator.",
                extra={"state": state},
            )
        # Where the finding confirms what stood there already, nothing moved; the contradiction is settled all the same.
        await run(session, _AGREED, actor.factory_id, [row[2] for row in mine])
        for payment in sorted({row[0] for row in mine}):
            await clear(session, now, kind="paid_twice", subject=f"payment:{payment}")
    return draft


def _is_second(row: tuple[Any, ...]) -> bool:
    """Whether an attempt that is found paid is one too many: the payment, or another of that worker and month, was paid beside it.

    Raises ProblemError `payment_state` while the other may still be paid: then nobody can say yet which of the two counts.
    """
    if row[3] != "rejected":
        return False
    of_this, beside = row[7], row[8]  # another payment of hers that was not given up: then this one was
    state = beside or of_this
    is_under_way = state in ("submitting", "accepted", "unknown")
    if is_under_way or (beside is not None and beside != "paid"):
        todo = "Wait for its end" if is_under_way else "Give that one up first"
        detail = f"Another payment or attempt for her wage of this month is {state}. {todo}, then confirm this again."
        raise ProblemError("payment_state", detail, extra={"state": state})
    return bool(state == "paid")


async def _keep_twice(session: AsyncSession, services: Services, actor: Actor, found: Found, rows: Sequence[tuple[Any, ...]]) -> None:
    """She has the money twice. It stays a contradiction, with an alarm of its own, until a finding says that it came back."""
    await run(session, _TWICE, actor.factory_id, [row[2] for row in rows])
    data = {"evidence": found.evidence.value, "evidence_reference": found.reference.strip()}
    events = [
        Event(
            actor=actor.name,
            action="attempt.paid_twice",
            subject=f"payment:{row[0]}",
            data={**data, "reference": row[2], "attempt": row[1]},
        )
        for row in rows
    ]
    await record_many(session, services.clock(), events)
    for row in rows:
        now = services.clock()
        await sound(session, now, Alarm(kind="paid_twice", subject=f"payment:{row[0]}", due_at=now, data={"reference": row[2]}))


def _content(found: Found, rows: Sequence[tuple[Any, ...]]) -> dict[str, object]:
    return {
        "result": found.result.value,
        "evidence": found.evidence.value,
        "evidence_reference": found.reference.strip(),
        "items": [
            {
                "payment": str(payment),
                "attempt": number,
                "reference": reference,
                "state": state,
                "dispatch": str(dispatch),
                "currency": unit,
                "minor": minor,
            }
            for payment, number, reference, state, dispatch, unit, minor, *_ in rows
        ],
    }


async def _exists(session: AsyncSession, factory_id: UUID, payment_id: UUID | None, dispatch_id: UUID | None) -> None:
    table, one, what = ("payments", payment_id, "payment") if payment_id is not None else ("dispatches", dispatch_id, "dispatch")
    if not await fetch(session, f"select from {table} where factory_id = $1 and id = $2", factory_id, one):
        raise NotFoundError(what)
