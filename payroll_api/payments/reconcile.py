"""After a restore: find out from the journal, the providers and their statements what was sent that this database does not know."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import Connector, PayoutOutcome
from importers.statements.contract import StatementError
from importers.statements.read import read_statements
from payroll_api import logs
from payroll_api.audit.journal import SYSTEM, Event, record
from payroll_api.clock import pay_day
from payroll_api.db.bulk import fetch, run
from payroll_api.errors import ProblemError
from payroll_api.factories.models import ProviderAccount
from payroll_api.outside.journal import Sending, journal_at
from payroll_api.outside.models import RestoreCheck
from payroll_api.outside.unlock import close_check
from payroll_api.payments.adopt import adopt_sent, mark_sent
from payroll_api.payments.look_up import confirm
from payroll_api.services import Services

log = logs.get(__name__)

_MOST_DAYS = 62
_KEEP = """
insert into sent_outside (factory_id, reference, dispatch_id, dispatch_reference, sent_at, provider_account_id, payment_id, number,
  worker_code, period, kind, currency, amount_minor, payload_hash, status, on_statement)
select $1, n.reference, n.dispatch_id, n.dispatch, n.at, n.account, n.payment, n.number, n.code, n.period, n.kind, n.unit, n.minor, n.hash,
  'unasked', false
from unnest($2::text[], $3::uuid[], $4::text[], $5::timestamptz[], $6::uuid[], $7::uuid[], $8::bigint[], $9::text[], $10::text[],
  $11::text[], $12::text[], $13::bigint[], $14::bytea[])
  as n(reference, dispatch_id, dispatch, at, account, payment, number, code, period, kind, unit, minor, hash)
where not exists (select from attempts a where a.factory_id = $1 and a.reference = n.reference)
on conflict do nothing
"""
_UNADOPTED = (
    "select provider_account_id, dispatch_reference, array_agg(reference order by reference) from sent_outside"
    " where factory_id = $1 and adopted_at is null and status not in ('paid', 'rejected', 'returned') group by 1, 2 order by 2"
)
_ANSWERS = """
update sent_outside s set status = n.status, provider_reference = coalesce(n.provider_reference, s.provider_reference)
from unnest($2::text[], $3::text[], $4::text[]) as n(reference, status, provider_reference)
where s.factory_id = $1 and s.reference = n.reference
"""
_SEEN = "update sent_outside set on_statement = true where factory_id = $1 and reference = any($2) returning reference"
_OURS = "select reference from attempts where factory_id = $1 and reference = any($2)"
_COUNTS = "select status, adopted_at is not null, count(*) from sent_outside where factory_id = $1 group by 1, 2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look at the outside gave: orders by what became of them, statement lines nobody knows, and who could not be asked."""

    orders: Mapping[str, int]
    adopted: int
    strangers: int  # lines with a reference like ours that neither the database nor the journal knows
    unasked: Sequence[str]  # providers that could not be asked

    @property
    def is_clear(self) -> bool:
        """Whether the journal explains everything: each order is in the database again, or failed for sure."""
        rest = {status: count for status, count in self.orders.items() if status not in {"rejected", "returned"}}
        return not rest and not self.strangers and not self.unasked


async def reconcile_after_restore(services: Services, factory_id: UUID) -> Found | None:
    """Look now, and keep what is found; None when nothing is locked. Opens sending again by itself only when all is explained.

    Safe to repeat. Sends nothing: it reads, asks and fetches.
    """
    async with services.database.factory(factory_id) as session:
        check = await session.scalar(select(RestoreCheck).where(RestoreCheck.closed_at.is_(None)))
        accounts = [
            (account.id, account.name) for account in await session.scalars(select(ProviderAccount).where(ProviderAccount.kind != "sms"))
        ]
    if check is None:
        return None
    journal = journal_at(services.settings.journal_file)
    sendings = await asyncio.to_thread(lambda: list(journal.read(services.keys, factory_id)))
    now = services.clock()
    async with services.database.factory(factory_id) as session:
        await _keep(session, factory_id, sendings)
        maybe = await mark_sent(session, sendings, now)
        adopted = await adopt_sent(session, now)
    for dispatch in {*maybe, *adopted}:
        await confirm(services, factory_id, dispatch)
    unasked = await _ask(services, factory_id, dict(accounts))
    since = min((one.at for one in sendings if one.epoch > check.epoch_inside), default=now)
    strangers = await _statements(services, factory_id, dict(accounts), min(since, check.known_until or since), unasked)
    return await _conclude(services, factory_id, check.id, strangers, sorted(set(unasked)))


async def _keep(session: AsyncSession, factory_id: UUID, sendings: Sequence[Sending]) -> None:
    pairs = [(sending, order) for sending in sendings for order in sending.orders]
    await run(
        session,
        _KEEP,
        factory_id,
        [order.reference for _, order in pairs],
        [sending.dispatch_id for sending, _ in pairs],
        [sending.dispatch for sending, _ in pairs],
        [sending.at for sending, _ in pairs],
        [sending.provider_account_id for sending, _ in pairs],
        [order.payment_id for _, order in pairs],
        [order.number for _, order in pairs],
        [order.worker_code for _, order in pairs],
        [order.period for _, order in pairs],
        [order.kind for _, order in pairs],
        [order.currency for _, order in pairs],
        [order.amount_minor for _, order in pairs],
        [order.payload_hash for _, order in pairs],
    )


async def _connector(services: Services, factory_id: UUID, account: UUID) -> Connector | None:
    async with services.database.factory(factory_id) as session:
        try:
            return await services.connectors.payout(session, account)
        except ProblemError:
            return None


async def _ask(services: Services, factory_id: UUID, names: Mapping[UUID, str]) -> list[str]:
    """Ask each provider about the orders whose payment this database does not have; give the providers that could not be asked."""
    unasked = []
    async with services.database.factory(factory_id) as session:
        waiting = await fetch(session, _UNADOPTED, factory_id)
    for account, dispatch, references in waiting:
        connector = await _connector(services, factory_id, account)
        if connector is None or not connector.profile.looks_up:
            unasked.append(names.get(account, str(account)))
            continue
        answers = await connector.look_up(dispatch, references)
        async with services.database.factory(factory_id) as session:
            await _record(session, factory_id, answers)
    return unasked


async def _record(session: AsyncSession, factory_id: UUID, answers: Sequence[PayoutOutcome]) -> None:
    await run(
        session,
        _ANSWERS,
        factory_id,
        [answer.reference for answer in answers],
        [answer.status.value for answer in answers],
        [answer.provider_reference for answer in answers],
    )


async def _statements(services: Services, factory_id: UUID, names: Mapping[UUID, str], since: datetime, unasked: list[str]) -> set[str]:
    """References like ours on statements since the dump that nobody knows. What the journal knows is marked as seen."""
    strangers: set[str] = set()
    days = _days(pay_day(since), pay_day(services.clock()))
    for account, name in names.items():
        connector = await _connector(services, factory_id, account)
        if connector is None or not connector.profile.has_statements:
            continue
        for day in days:
            content = await connector.fetch_statement(day)
            if content is None:
                continue
            try:
                statements = await asyncio.to_thread(read_statements, content, file_name=f"{day}.txt")
            except StatementError:
                unasked.append(name)
                continue
            named = {text for one in statements for line in one.lines for text in line.references}
            ours = sorted(text for text in named if len(text) == 20 and text.startswith("GW"))  # noqa: PLR2004 as references.py makes them
            async with services.database.factory(factory_id) as session:
                seen = {row[0] for row in await fetch(session, _SEEN, factory_id, ours)}
                seen |= {row[0] for row in await fetch(session, _OURS, factory_id, ours)}
            strangers |= set(ours) - seen
    return strangers


def _days(first: date, last: date) -> list[date]:
    count = min((last - first).days, _MOST_DAYS)
    return [last - timedelta(days=number) for number in range(count, -1, -1)]


async def _conclude(services: Services, factory_id: UUID, check_id: UUID, strangers: set[str], unasked: Sequence[str]) -> Found:
    async with services.database.factory(factory_id) as session:
        check = await session.get_one(RestoreCheck, (factory_id, check_id), with_for_update=True)
        orders: Counter[str] = Counter()
        adopted = 0
        for status, is_adopted, count in await fetch(session, _COUNTS, factory_id):
            if is_adopted:
                adopted += count
            else:
                orders[status] += count
        found = Found(orders=orders, adopted=adopted, strangers=len(strangers), unasked=unasked)
        check.asked_at = services.clock()
        check.found = {"orders": dict(orders), "adopted": adopted, "strangers": len(strangers), "unasked": list(unasked)}
        await session.flush()
        await record(
            session, check.asked_at, Event(actor=SYSTEM, action="sending.reconciled", subject=f"restore:{check_id}", data=check.found)
        )
        # Without its journal, or with another one, nobody can say that everything was found: that takes two people.
        if check.closed_at is None and check.reason == "database_older" and found.is_clear:
            await close_check(session, services, check, by=SYSTEM)
        log.warning("restore_reconciled", factory=str(factory_id), clear=found.is_clear, closed=check.closed_at is not None)
        return found
