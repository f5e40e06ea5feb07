"""Match a statement against our payments: each line and each payment gets its verdict, and what does not fit becomes a break."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import Money, currency
from importers.statements.contract import Statement, StatementError
from importers.statements.read import read_statements
from payroll_api.audit.journal import SYSTEM, Event, record
from payroll_api.clock import pay_day
from payroll_api.db.bulk import fetch
from payroll_api.failpoints import failpoint
from payroll_api.people.keys import account_key
from payroll_api.services import Services
from payroll_api.settlement import effects
from payroll_api.settlement.judged import Judged
from payroll_api.settlement.models import StatementFile
from reconciliation.contract import ExpectedPayment, SettlementMatch
from reconciliation.settlement import settle

# Every payment that this account may show: sent in some way, and not given up. Settled ones too: their line may come again. It was
# ordered when its dispatch was made: when we heard that it was paid says nothing of the bank's day. The index allows one `matched` line.
_EXPECTED = """
select p.id::text, a.reference, p.amount_minor, p.currency, d.created_at, p.account_key, p.settled_on is not null,
  d.reference, l.entry
from payments p
join attempts a on a.factory_id = p.factory_id and a.payment_id = p.id and a.number = p.attempt
join dispatches d on d.factory_id = a.factory_id and d.id = a.dispatch_id
left join statement_lines l on l.factory_id = p.factory_id and l.payment_id = p.id and l.kind = 'matched'
where p.factory_id = $1 and p.provider_account_id = $2 and p.currency = $3
  and p.state in ('paid', 'accepted', 'unknown', 'submitting', 'returned')
  and (p.settled_on is null or p.settled_on >= $4)
"""
_NAMED = """
select a.reference, p.id::text, p.state from attempts a join payments p on p.factory_id = a.factory_id and p.id = a.payment_id
where a.factory_id = $1 and a.reference = any($2) and p.provider_account_id = $3
"""
# Two statements of one account are judged one after the other, or both would take a booking for the first.
_LOCK = "select pg_advisory_xact_lock(hashtextextended('settle|' || $1::text, 0))"


async def match_statement(services: Services, factory_id: UUID, payload: Mapping[str, str]) -> None:
    """The job MATCH_STATEMENT: all of one statement in one transaction, so that it is matched or still waits, never half."""
    statement_id = UUID(payload["statement"])
    async with services.database.factory(factory_id) as session:
        file = await session.get_one(StatementFile, (factory_id, statement_id), with_for_update=True)
        if file.state != "received":
            return
        vault = await services.keys.vault(session)
        content = vault.open_bytes(file.content, "statement_files", statement_id, "content")
        now = services.clock()
        try:
            statements = await asyncio.to_thread(read_statements, content, file_name=file.file_name)
        except StatementError as error:
            file.state, file.detail = "refused", str(error)
            await session.flush()
            await record(session, now, Event(actor=SYSTEM, action="statement.refused", subject=f"statement:{statement_id}"))
            return
        await fetch(session, _LOCK, str(file.provider_account_id))
        kept: list[effects.Kept] = []
        # Day by day: what an earlier statement of the file settled is known to the next one.
        for statement in sorted(statements, key=lambda one: (one.opened_on, one.closed_on)):
            judged = await _judge(session, file, statement, lambda text: account_key(vault, text))
            kept.append(await effects.keep(session, services, file, judged, now, first=sum(len(one.parts) for one in kept)))
            await failpoint("D1")
        summary = effects.summary(kept)
        file.state, file.summary = "matched", summary
        file.identification = ", ".join(statement.identification for statement in statements)
        await session.flush()
        await record(session, now, Event(actor=SYSTEM, action="statement.matched", subject=f"statement:{statement_id}", data=summary))


async def _judge(session: AsyncSession, file: StatementFile, statement: Statement, key: Callable[[str], bytes]) -> Judged:
    # A return comes weeks after its payment at the latest; older settled payments cannot be meant.
    since = date.fromordinal(statement.opened_on.toordinal() - 60)
    rows = await fetch(session, _EXPECTED, file.factory_id, file.provider_account_id, statement.currency, since)
    expected = [
        ExpectedPayment(
            payment_id=payment,
            reference=reference,
            amount=Money(minor, currency(unit)),
            executed_on=pay_day(at),
            account_key=payee,
            already_settled=settled,
            batch_reference=batch,
            settled_entry=entry,
        )
        for payment, reference, minor, unit, at, payee, settled, batch, entry in rows
    ]
    verdicts = await asyncio.to_thread(settle, expected, statement.lines, account_key=key, as_of=statement.closed_on)
    return Judged(statement=statement, verdicts=await _named(session, file, statement, verdicts))


async def _named(
    session: AsyncSession, file: StatementFile, statement: Statement, verdicts: Sequence[SettlementMatch]
) -> tuple[SettlementMatch, ...]:
    """The verdicts; a line taken for foreign that names an attempt of ours says so: money moved for a payment that we gave up."""
    foreign = {
        match.line_index: statement.lines[match.line_index].references
        for match in verdicts
        if match.kind == "foreign" and match.line_index is not None
    }
    wanted = [reference for references in foreign.values() for reference in references]
    rows = await fetch(session, _NAMED, file.factory_id, wanted, file.provider_account_id) if wanted else []
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
