"""Open breaks with a day by which they should be dealt with, and close those that a later line explains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.alarms.sound import Alarm, clear, sound_many
from payroll_api.audit.journal import SYSTEM, Event, record_many
from payroll_api.clock import PHNOM_PENH, pay_day
from payroll_api.db.base import new_id
from payroll_api.db.bulk import copy_in, fetch
from payroll_api.db.session import factory_of
from payroll_api.settlement.judged import Part
from payroll_api.settlement.models import StatementFile
from payroll_api.settlement.rules import Rules
from reconciliation.contract import SettlementMatch

_COLUMNS = (
    "factory_id", "id", "statement_id", "position", "provider_account_id", "payment_id", "kind", "reason", "currency", "amount_minor",
    "difference_minor", "state", "opened_at", "due_on",
)  # fmt: skip
_OPEN_MISSING = (
    "select payment_id from settlement_breaks where factory_id = $1 and kind = 'missing' and state <> 'closed' and payment_id = any($2)"
)
# A later line explains: a missing wage arrived; the second part of a wage came; what was booked twice was given back; the rest of a
# partial return followed. A person's proposal does not stand in the way of the bank's own word.
_EXPLAINED = """
update settlement_breaks b set state = 'closed', closed_at = $2, closed_by = 'system', closed_reason = n.reason, way_out = 'later_line'
from unnest($3::uuid[], $4::text[], $5::text[]) as n(payment_id, kind, reason)
where b.factory_id = $1 and b.payment_id = n.payment_id and b.kind = n.kind and b.state <> 'closed'
returning b.id, b.kind
"""
_FOLLOWS = {"split": ("amount", "the other part was booked"), "given_back": ("twice", "the bank gave it back")}


async def open_breaks(
    session: AsyncSession,
    file: StatementFile,
    rules: Rules,
    wrong: Sequence[tuple[int, Part]],
    missing: Sequence[SettlementMatch],
    at: datetime,
) -> None:
    """One break for each verdict that is one. A payment that is missing already is not missing twice."""
    today = pay_day(at)
    due: dict[str, date] = {}

    def row(position: int | None, match: SettlementMatch, minor: int | None, code: str | None) -> tuple[object, ...]:
        kind = match.kind
        day = due.get(kind) or due.setdefault(kind, rules.deadline(kind, today))
        difference = match.difference.minor if match.difference is not None else None
        payment = UUID(match.payment_id) if match.payment_id else None
        return (
            file.factory_id, new_id(), file.id, position, file.provider_account_id, payment, kind, match.reason, code, minor, difference,
            "open", at, day,
        )  # fmt: skip

    known = await _missing_already(session, missing)
    rows = [row(position, part.match, part.minor, part.line.amount.currency.code) for position, part in wrong]
    for match in missing:
        if match.payment_id not in known:
            absent = match.difference
            rows.append(row(None, match, -absent.minor if absent else None, absent.currency.code if absent else None))
    await copy_in(session, "settlement_breaks", _COLUMNS, rows)
    # The loudest of all, and not only when its day has passed: every hour that goes by makes the money harder to get back.
    loud = (entry for entry in rows if entry[6] == "twice")
    midnight = datetime.combine(due.get("twice", today) + timedelta(days=1), time.min, PHNOM_PENH)
    await sound_many(session, at, (Alarm(kind="paid_twice", subject=f"break:{entry[1]}", due_at=midnight) for entry in loud))
    data = {"statement": str(file.id)}
    await record_many(
        session,
        at,
        (Event(actor=SYSTEM, action="break.opened", subject=f"break:{entry[1]}", data={**data, "kind": entry[6]}) for entry in rows),
    )


async def _missing_already(session: AsyncSession, missing: Sequence[SettlementMatch]) -> set[str]:
    ids = [UUID(match.payment_id) for match in missing if match.payment_id]
    rows = await fetch(session, _OPEN_MISSING, factory_of(session), ids) if ids else []
    return {str(row[0]) for row in rows}


async def close_explained(session: AsyncSession, arrived: Mapping[UUID, date], parts: Iterable[Part], at: datetime) -> None:
    """Close what the new lines explain."""
    explained = [(payment, "missing", f"booked on {day}") for payment, day in arrived.items()]
    explained += [(part.payment, *_FOLLOWS[part.match.kind]) for part in parts if part.match.kind in _FOLLOWS and part.payment]
    if not explained:
        return
    ids, kinds, reasons = zip(*explained, strict=True)
    rows = await fetch(session, _EXPLAINED, factory_of(session), at, list(ids), list(kinds), list(reasons))
    for one, kind in rows:
        if kind == "twice":
            await clear(session, at, kind="paid_twice", subject=f"break:{one}")
    await record_many(
        session, at, (Event(actor=SYSTEM, action="break.closed", subject=f"break:{one}", data={"kind": kind}) for one, kind in rows)
    )
