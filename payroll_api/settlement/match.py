"""Match a statement against our payments: each line and each payment gets its verdict, and what does not fit becomes a break."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import Money, currency
from importers.statements.contract import Statement, StatementError
from importers.statements.read import read_statements
from payroll_api.audit.journal import SYSTEM, Event, record
from payroll_api.clock import pay_day
from payroll_api.db.bulk import fetch
from payroll_api.people.keys import account_key
from payroll_api.services import Services
from payroll_api.settlement import effects
from payroll_api.settlement.judged import Judged
from payroll_api.settlement.models import StatementFile
from reconciliation.contract import ExpectedPayment
from reconciliation.settlement import settle

# Every payment that this account may show: sent in some way, and not given up. Settled ones too: their line may come again.
_EXPECTED = """
select p.id::text, a.reference, p.amount_minor, p.currency, coalesce(p.paid_at, p.state_since), p.account_key, p.settled_on is not null,
  d.reference, l.entry
from payments p
join attempts a on a.factory_id = p.factory_id and a.payment_id = p.id and a.number = p.attempt
join dispatches d on d.factory_id = a.factory_id and d.id = a.dispatch_id
left join statement_lines l on l.factory_id = p.factory_id and l.payment_id = p.id and l.verdict = 'matched'
where p.factory_id = $1 and p.provider_account_id = $2 and p.currency = $3
  and p.state in ('paid', 'accepted', 'unknown', 'submitting', 'returned')
  and (p.settled_on is null or p.settled_on >= $4)
"""


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
        judged = [await _judge(session, file, statement, lambda text: account_key(vault, text)) for statement in statements]
        summary = await effects.keep(session, services, file, judged, now)
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
    return Judged(statement=statement, verdicts=verdicts)
