"""What verdicts do: payments are settled, late news reaches their state, and what does not fit becomes a break."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from importers.money import Money, currency
from importers.statements.contract import Direction, Statement
from payroll_api.db.base import new_id
from payroll_api.db.bulk import fetch, run
from payroll_api.payments.models import Dispatch
from payroll_api.payments.outcomes import record_words
from payroll_api.payments.verdict import Source, Word
from payroll_api.people.keys import account_key
from payroll_api.services import Services
from payroll_api.settlement.judged import Judged, Part
from payroll_api.settlement.models import StatementFile
from reconciliation.contract import SettlementMatch, SettlementVerdict

_LINES = """
insert into statement_lines (factory_id, statement_id, position, line_key, entry, direction, currency, amount_minor, booked_on, reference,
  account_key, verdict, kind, payment_id)
select $1, $2, n.* from unnest($3::bigint[], $4::bytea[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::date[], $10::text[],
  $11::bytea[], $12::text[], $13::text[], $14::uuid[]) as n
on conflict do nothing returning line_key
"""
_SETTLED = (
    "update payments p set settled_on = n.day from unnest($2::uuid[], $3::date[]) as n(id, day)"
    " where p.factory_id = $1 and p.id = n.id and p.settled_on is null"
)
_REFERENCES = (
    "select a.payment_id, a.reference, a.dispatch_id, p.state from attempts a join payments p on p.factory_id = a.factory_id"
    " and p.id = a.payment_id and p.attempt = a.number where a.factory_id = $1 and a.payment_id = any($2)"
)
_BREAKS = """
insert into settlement_breaks (factory_id, id, statement_id, position, payment_id, kind, reason, currency, difference_minor, state,
  opened_at)
select $1, n.id, $2, n.position, n.payment_id, n.kind, n.reason, n.currency, n.difference, 'open', $3
from unnest($4::uuid[], $5::bigint[], $6::uuid[], $7::text[], $8::text[], $9::text[], $10::bigint[])
  as n(id, position, payment_id, kind, reason, currency, difference)
on conflict do nothing
"""
_EXPLAINED = (
    "update settlement_breaks set state = 'closed', closed_at = $3, closed_by = 'system', closed_reason = 'booked in a later statement'"
    " where factory_id = $1 and payment_id = any($2) and kind = 'missing' and state = 'open'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One statement with what was written of it: its verdicts, the payments without a line, and how many lines were new."""

    statement: Statement
    parts: Sequence[Part]
    missing: Sequence[SettlementMatch]
    new: int


async def keep(session: AsyncSession, services: Services, file: StatementFile, judged: Judged, at: datetime, *, first: int) -> Kept:
    """Write the lines of one statement from position `first`, settle payments, open and close breaks."""
    vault = await services.keys.vault(session)
    parts = list(judged.parts(lambda text: account_key(vault, text)))
    new = await _write_lines(session, file, parts, first)
    fresh = [(position, part) for position, part in enumerate(parts, start=first) if part.key in new]
    arrived = {UUID(part.match.payment_id): part.line.booked_on for _, part in fresh if part.match.money_arrived and part.match.payment_id}
    await run(session, _SETTLED, file.factory_id, list(arrived), list(arrived.values()))
    await run(session, _EXPLAINED, file.factory_id, list(arrived), at)
    came_back = [UUID(part.match.payment_id) for _, part in fresh if part.match.kind == "returned" and part.match.payment_id]
    await _tell(session, file, arrived, PayoutStatus.PAID, at)
    await _tell(session, file, came_back, PayoutStatus.RETURNED, at)
    missing = list(judged.without_line())
    wrong = [(position, part.match) for position, part in fresh if part.match.verdict is SettlementVerdict.BREAK]
    await _open_breaks(session, file, [*wrong, *((None, match) for match in missing)], at)
    return Kept(statement=judged.statement, parts=parts, missing=missing, new=len(new))


async def _write_lines(session: AsyncSession, file: StatementFile, parts: Sequence[Part], first: int) -> set[bytes]:
    rows = await fetch(
        session,
        _LINES,
        file.factory_id,
        file.id,
        list(range(first, first + len(parts))),
        [part.key for part in parts],
        [part.line.entry for part in parts],
        [part.line.direction.value for part in parts],
        [part.line.amount.currency.code for part in parts],
        [part.minor for part in parts],
        [part.line.booked_on for part in parts],
        [part.line.references[0] if part.line.references else None for part in parts],
        [part.account_key for part in parts],
        [part.match.verdict.value for part in parts],
        [part.match.kind for part in parts],
        [UUID(part.match.payment_id) if part.match.payment_id else None for part in parts],
    )
    return {row[0] for row in rows}


async def _tell(session: AsyncSession, file: StatementFile, payments: Iterable[UUID], status: PayoutStatus, at: datetime) -> None:
    """The statement is the last word: a payment that it shows is paid, one that it shows coming back is returned."""
    by_dispatch: dict[UUID, list[Word]] = {}
    for _, reference, dispatch_id, state in await fetch(session, _REFERENCES, file.factory_id, list(payments)):
        if state != status.value:
            outcome = PayoutOutcome(reference=reference, status=status, detail="as the statement shows")
            by_dispatch.setdefault(dispatch_id, []).append(Word(outcome=outcome, source=Source.STATEMENT))
    for dispatch_id, words in by_dispatch.items():
        dispatch = await session.get_one(Dispatch, (file.factory_id, dispatch_id), with_for_update=True)
        await record_words(session, dispatch, words, None, actor=f"statement:{file.id}", at=at)


async def _open_breaks(
    session: AsyncSession, file: StatementFile, found: Sequence[tuple[int | None, SettlementMatch]], at: datetime
) -> None:
    await run(
        session,
        _BREAKS,
        file.factory_id,
        file.id,
        at,
        [new_id() for _ in found],
        [position for position, _ in found],
        [UUID(match.payment_id) if match.payment_id else None for _, match in found],
        [match.kind for _, match in found],
        [match.reason for _, match in found],
        [match.difference.currency.code if match.difference else None for _, match in found],
        [match.difference.minor if match.difference else None for _, match in found],
    )


def summary(kept: Sequence[Kept]) -> dict[str, object]:
    """What people see of a statement file."""
    parts = [part for one in kept for part in one.parts]
    missing = [match for one in kept for match in one.missing]
    kinds = Counter(part.match.kind for part in parts)
    kinds.update(match.kind for match in missing)
    return {
        "lines": sum(len(one.statement.lines) for one in kept),
        "new": sum(one.new for one in kept),
        "kinds": dict(sorted(kinds.items())),
        "matched": _sums(part for part in parts if part.match.verdict is SettlementVerdict.MATCHED),
        "not_matched": _sums(part for part in parts if part.match.verdict is SettlementVerdict.BREAK),
        "balances": [
            {
                "currency": one.statement.currency,
                "from": one.statement.opened_on.isoformat(),
                "to": one.statement.closed_on.isoformat(),
                "opening": str(one.statement.opening.amount) if one.statement.opening else None,
                "closing": str(one.statement.closing.amount) if one.statement.closing else None,
            }
            for one in kept
        ],
        "warnings": [warning for one in kept for warning in one.statement.warnings],
    }


def _sums(parts: Iterable[Part]) -> dict[str, dict[str, str]]:
    """Sums by direction and currency, in major units."""
    sums: Counter[tuple[str, str]] = Counter()
    for part in parts:
        sums[part.line.direction.value, part.line.amount.currency.code] += part.minor
    told: dict[str, dict[str, str]] = {Direction.OUT.value: {}, Direction.IN.value: {}}
    for (direction, code), minor in sorted(sums.items()):
        told[direction][code] = str(Money(minor, currency(code)).amount)
    return told
