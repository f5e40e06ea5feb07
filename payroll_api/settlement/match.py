"""Match a statement against our payments: each line and each payment gets its verdict, and what does not fit becomes a break."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.statements.contract import Statement, StatementError, StatementLine
from importers.statements.read import read_statements
from payroll_api.audit.journal import SYSTEM, Event, record
from payroll_api.db.bulk import fetch
from payroll_api.failpoints import failpoint
from payroll_api.people.keys import account_key
from payroll_api.services import Services
from payroll_api.settlement import effects
from payroll_api.settlement.expect import expected_payments
from payroll_api.settlement.judged import Judged, Numbered
from payroll_api.settlement.layouts import layout_of
from payroll_api.settlement.models import StatementFile
from payroll_api.settlement.own_account import refuse_of_others
from payroll_api.settlement.rules import Rules, rules_of
from reconciliation.contract import SettlementMatch
from reconciliation.settlement import settle

_NAMED = """
select a.reference, p.id::text, p.state from attempts a join payments p on p.factory_id = a.factory_id and p.id = a.payment_id
where a.factory_id = $1 and a.reference = any($2) and p.provider_account_id = $3
"""
_KNOWN = "select line_key from statement_lines where factory_id = $1 and line_key = any($2)"
_MANY = 2_000  # lines after which the planner's statistics are refreshed
# Two statements of one account are judged one after the other, or both would take a booking for the first.
_LOCK = "select pg_advisory_xact_lock(hashtextextended('settle|' || $1::text, 0))"


async def match_statement(services: Services, factory_id: UUID, payload: Mapping[str, str]) -> None:
    """The job MATCH_STATEMENT: all of one statement in one transaction, so that it is matched or still waits, never half."""
    count = await _match(services, factory_id, UUID(payload["statement"]))
    if count > _MANY:
        await services.database.analyze("statement_lines")


async def _match(services: Services, factory_id: UUID, statement_id: UUID) -> int:
    """Read and match; how many parts of lines are new."""
    statements = await _read(services, factory_id, statement_id)
    if not statements:
        return 0
    async with services.database.factory(factory_id) as session:
        file = await session.get_one(StatementFile, (factory_id, statement_id), with_for_update=True)
        if file.state != "received":
            return 0
        vault = await services.keys.vault(session)
        key = cache(lambda text: account_key(vault, text))  # asked for each line twice: to compare it, and to keep it
        now = services.clock()
        rules = await rules_of(session)
        await fetch(session, _LOCK, str(file.provider_account_id))
        kept: list[effects.Kept] = []
        # Day by day: what an earlier statement of the file settled is known to the next one.
        for statement in sorted(statements, key=lambda one: (one.opened_on, one.closed_on)):
            await failpoint("D1")
            judged = await _judge(session, file, rules, statement, key)
            kept.append(await effects.keep(session, file, rules, judged, key, now, first=sum(len(one.parts) for one in kept)))
        summary = effects.summary(kept)
        file.state, file.summary = "matched", summary
        file.identification = ", ".join(statement.identification for statement in statements)
        await session.flush()
        await record(session, now, Event(actor=SYSTEM, action="statement.matched", subject=f"statement:{statement_id}", data=summary))
    return sum(len(one.parts) for one in kept)


async def _read(services: Services, factory_id: UUID, statement_id: UUID) -> tuple[Statement, ...]:
    """The file read into statements, with no transaction open meanwhile. One that cannot be read is refused, kept, and says why."""
    async with services.database.factory(factory_id) as session:
        file = await session.get_one(StatementFile, (factory_id, statement_id))
        if file.state != "received":
            return ()
        account = file.provider_account_id
        own = (await services.connectors.payout(session, account)).profile.own_account
        vault = await services.keys.vault(session)
        await session.refresh(file, ["content"])
        content = vault.open_bytes(file.content, "statement_files", statement_id, "content")
        name, layout = file.file_name, await layout_of(session, account)
    try:
        statements = await asyncio.to_thread(read_statements, content, file_name=name, layout=layout)
        refuse_of_others(statements, own, account)
    except StatementError as error:
        reason = str(error)
    else:
        return statements
    async with services.database.factory(factory_id) as session:
        file = await session.get_one(StatementFile, (factory_id, statement_id), with_for_update=True)
        if file.state == "received":
            file.state, file.detail = "refused", reason
            await session.flush()
            event = Event(actor=SYSTEM, action="statement.refused", subject=f"statement:{statement_id}")
            await record(session, services.clock(), event)
    return ()


async def _judge(session: AsyncSession, file: StatementFile, rules: Rules, statement: Statement, key: Callable[[str], bytes]) -> Judged:
    numbered = await asyncio.to_thread(Numbered.of, statement)
    known = {row[0] for row in await fetch(session, _KNOWN, file.factory_id, list(numbered.keys))}
    new = numbered.new(known)
    lines = [statement.lines[position] for position in new]
    expected = await expected_payments(session, file, statement, lines)
    verdicts = await asyncio.to_thread(
        settle,
        expected,
        lines,
        account_key=key,
        as_of=statement.closed_on,
        late_after_days=rules.late_after_days,
        missing_after_days=rules.missing_after_days,
        is_funding=rules.is_funding,
    )
    if not statement.is_complete:
        # A notification of single bookings says nothing of what it does not show.
        verdicts = tuple(match for match in verdicts if match.line_index is not None)
    return Judged(numbered=numbered, new=new, verdicts=await _named(session, file, lines, verdicts))


async def _named(
    session: AsyncSession, file: StatementFile, lines: Sequence[StatementLine], verdicts: Sequence[SettlementMatch]
) -> Sequence[SettlementMatch]:
    """The verdicts; a line taken for foreign that names an attempt of ours says so: money moved for a payment that we gave up."""
    foreign = {
        match.line_index: lines[match.line_index].references
        for match in verdicts
        if match.kind == "foreign" and match.line_index is not None
    }
    wanted = [reference for references in foreign.values() for reference in references]
    rows = await fetch(session, _NAMED, file.factory_id, wanted, file.provider_account_id) if wanted else []
    if not rows:
        return verdicts
    ours = {reference: (payment, state) for reference, payment, state in rows}

    def told(match: SettlementMatch) -> SettlementMatch:
        named = foreign.get(match.line_index, ()) if match.kind == "foreign" and match.line_index is not None else ()
        reference = next((one for one in named if one in ours), None)
        if reference is None:
            return match
        payment, state = ours[reference]
        reason = f"{reference} is an attempt of a payment that is {state}: ask the bank before anybody is paid again for it"
        return dataclasses.replace(match, payment_id=payment, reason=reason)

    return tuple(told(match) for match in verdicts)
