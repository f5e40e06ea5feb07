"""What verdicts do: lines are kept, payments are settled, late news reaches their state, and what does not fit becomes a break."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import PayoutStatus
from importers.money import Money, currency
from importers.statements.contract import Direction, Statement
from payroll_api.db.bulk import copy_in, run
from payroll_api.settlement.breaks import close_explained, open_breaks
from payroll_api.settlement.judged import Judged, Part
from payroll_api.settlement.models import StatementFile
from payroll_api.settlement.postings import post_lines, post_opening
from payroll_api.settlement.rules import Rules
from payroll_api.settlement.tell import lock_messages, tell
from reconciliation.contract import SettlementMatch, SettlementVerdict

_COLUMNS = (
    "factory_id", "statement_id", "position", "provider_account_id", "line_key", "entry", "direction", "currency", "amount_minor",
    "booked_on", "reference", "account_key", "verdict", "kind", "payment_id",
)  # fmt: skip
_SETTLED = (
    "update payments p set settled_on = n.day from unnest($2::uuid[], $3::date[]) as n(id, day)"
    " where p.factory_id = $1 and p.id = n.id and p.settled_on is null"
)
_BALANCE = """
insert into statement_balances (factory_id, statement_id, number, provider_account_id, currency, opened_on, closed_on, opening_minor,
  closing_minor)
select $1, $2, count(*), $3, $4, $5, $6, $7, $8 from statement_balances where factory_id = $1 and statement_id = $2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One statement with what was written of it: the parts of its new lines, and the payments without a line."""

    judged: Judged
    parts: Sequence[Part]
    missing: Sequence[SettlementMatch]

    @property
    def statement(self) -> Statement:
        """The statement itself."""
        return self.judged.statement


async def keep(
    session: AsyncSession,
    file: StatementFile,
    rules: Rules,
    judged: Judged,
    account_key: Callable[[str], bytes],
    at: datetime,
    *,
    first: int,
) -> Kept:
    """Write the new lines of one statement from position `first`, settle payments, post what is certain, open and close breaks."""
    parts = list(judged.parts())
    missing = list(judged.without_line())
    arrived = {part.payment: part.line.booked_on for part in parts if part.payment and part.match.money_arrived}
    came_back = [(part.payment, part.line.booked_on) for part in parts if part.match.kind == "returned" and part.payment]
    # A line's row points to its payment and so locks it: the messages come before.
    await lock_messages(session, [part.payment for part in parts if part.payment])
    await _write_lines(session, file, parts, account_key, first)
    await _write_balance(session, file, judged.statement)
    await post_opening(session, file, judged.statement, at)
    await run(session, _SETTLED, file.factory_id, list(arrived), list(arrived.values()))
    actor = f"statement:{file.id}"
    for day, payments in _by_day(arrived.items()).items():
        await tell(session, payments, PayoutStatus.PAID, actor=actor, at=at, booked_on=day)
    for day, payments in _by_day(came_back).items():
        await tell(session, payments, PayoutStatus.RETURNED, actor=actor, at=at, booked_on=day)
    await post_lines(session, file, parts, at)
    await close_explained(session, arrived, parts, at)
    wrong = [(position, part) for position, part in enumerate(parts, start=first) if part.match.verdict is SettlementVerdict.BREAK]
    await open_breaks(session, file, rules, wrong, missing, at)
    return Kept(judged=judged, parts=parts, missing=missing)


def _by_day(items: Iterable[tuple[UUID, date]]) -> dict[date, list[UUID]]:
    found: dict[date, list[UUID]] = defaultdict(list)
    for payment, day in items:
        found[day].append(payment)
    return found


async def _write_lines(
    session: AsyncSession, file: StatementFile, parts: Sequence[Part], account_key: Callable[[str], bytes], first: int
) -> None:
    await copy_in(
        session,
        "statement_lines",
        _COLUMNS,
        [
            (
                file.factory_id, file.id, position, file.provider_account_id, part.key, part.line.entry, part.line.direction.value,
                part.line.amount.currency.code, part.minor, part.line.booked_on, part.line.references[0] if part.line.references else None,
                account_key(part.line.account) if part.line.account else None, part.match.verdict.value, part.match.kind,
                part.payment,
            )
            for position, part in enumerate(parts, start=first)
        ],
    )  # fmt: skip


async def _write_balance(session: AsyncSession, file: StatementFile, statement: Statement) -> None:
    if not statement.is_complete:
        return
    opening, closing = statement.opening, statement.closing
    await run(
        session, _BALANCE, file.factory_id, file.id, file.provider_account_id, statement.currency, statement.opened_on,
        statement.closed_on, opening.minor if opening else None, closing.minor if closing else None,
    )  # fmt: skip


def summary(kept: Sequence[Kept]) -> dict[str, object]:
    """What people see of a statement file. Lines that an earlier file showed are counted (`again`) and not judged a second time."""
    parts = [part for one in kept for part in one.parts]
    kinds = Counter(part.match.kind for part in parts)
    kinds.update(match.kind for one in kept for match in one.missing)
    return {
        "lines": sum(len(one.statement.lines) for one in kept),
        "new": sum(len(one.judged.new) for one in kept),
        "again": sum(one.judged.again for one in kept),
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
