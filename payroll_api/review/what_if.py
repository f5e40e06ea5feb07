"""What a changed law or choice would cost the factory: its last checked payroll computed twice, the difference by line."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from importers.contract import PayrollRow
from importers.money import USD, Money
from importers.period import PayPeriod, RunKind
from payroll_api.access.actor import Actor, Permission
from payroll_api.errors import InvalidError, ProblemError
from payroll_api.factories.law_values import law_book
from payroll_api.factories.policies import choices, policy, read_policies
from payroll_api.factories.settings import exchange_rates
from payroll_api.intake.models import PayrollFile
from payroll_api.people import register
from payroll_api.review.private import ASKED_BY_FEW, INSIDE, may_read
from payroll_api.review.rows import known_worker, rows_of
from payroll_api.services import Services
from reconciliation.contract import Citation, ExchangeRates, KnownWorker, Line, Side, WorkMonth
from reconciliation.facts import work_month
from reconciliation.law.book import LawBook
from reconciliation.law.enter import value_of
from reconciliation.law.parameter import LawBookError, LawUnknownError
from reconciliation.policy import FactoryPolicy, PolicyError
from reconciliation.what_if import Cost, what_if

_MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The cost by line, and in all in dollars; months are the payroll's and the one it is asked for."""

    file_id: UUID
    of: PayPeriod
    month: PayPeriod
    workers: int
    costs: Mapping[Line, Cost]
    wages: Money  # what workers earn more
    employer: Money  # what the employer pays more beside it

    @property
    def total(self) -> Money:
        """What the change costs the factory in a month."""
        return self.wages + self.employer


async def cost_of(
    session: AsyncSession,
    services: Services,
    actor: Actor,
    *,
    law: Mapping[str, str],
    policies: Mapping[str, object] | None = None,
    month: PayPeriod | None = None,
) -> Answer:
    """The factory's last checked monthly payroll under changed values of the law and choices, in its own month or in another.

    Who reads masked gets dues, sick days and maternity inside other lines, and may not ask for what would count the sick.

    Raises ProblemError `no_payroll` before there is one, InvalidError for a value that cannot be, or that is needed for the month asked.
    """
    actor.require(Permission.READ)
    if not ASKED_BY_FEW.isdisjoint({*law, *(policies or {})}):
        actor.require(Permission.READ_PERSONAL)
    if not 1 <= len(law) + len(policies or {}) <= _MOST:
        raise InvalidError(
            f"Change one to {_MOST} values of the law or choices.", fields=[{"field": "law", "problem": "nothing to compare"}]
        )
    query = select(PayrollFile).where(PayrollFile.state == "reconciled", PayrollFile.kind == RunKind.BALANCE.value)
    file = await session.scalar(query.order_by(PayrollFile.period.desc(), PayrollFile.uploaded_at.desc()).limit(1))
    if file is None:
        raise ProblemError("no_payroll", "There is no checked payroll of a whole month yet. Upload one, then ask again.")
    of = PayPeriod.parse(file.period)
    asked = month or of
    rates, own, book = await exchange_rates(session, of), await policy(session, of), await law_book(session, services)
    then = own
    if policies:
        then = replace(read_policies({**await choices(session, of), **policies}), agreements=own.agreements)
    rows = await rows_of(session, await services.keys.vault(session), file.id)
    known = {code: known_worker(code, one) for code, one in (await register.registered(session)).items()}
    try:
        costs = await asyncio.to_thread(
            _costs, rows, known, of, asked, book, _changed(book, law, asked), own, then, rates, {} if may_read(actor) else INSIDE
        )
    except (LawBookError, LawUnknownError, PolicyError) as error:
        raise InvalidError(str(error), code="what_if_impossible", fields=[{"field": "law", "problem": str(error)}]) from error
    earned = sum(cost.difference.minor for cost in costs.values() if cost.side is Side.EARNING)
    riel = sum(cost.difference.minor for cost in costs.values() if cost.side is Side.EMPLOYER)
    return Answer(
        file_id=file.id,
        of=of,
        month=asked,
        workers=len(rows),
        costs=costs,
        wages=Money(earned, USD),
        employer=Money.rounded(Decimal(riel) / rates.tax, USD),
    )


def _changed(book: LawBook, law: Mapping[str, str], month: PayPeriod) -> LawBook:
    for name, text in law.items():
        if name not in book.parameters:
            raise LawBookError(f"{name[:40]!r} is not a value of the law book: see its list")
        value = value_of(book.parameters[name], text, month.first_day)
        book = book.with_parameter(name, value=value, since=month.first_day, citation=Citation(title="What if"), signed_off_by="what if")
    return book


def _costs(
    rows: Sequence[PayrollRow],
    known: Mapping[str, KnownWorker],
    of: PayPeriod,
    asked: PayPeriod,
    book: LawBook,
    changed: LawBook,
    own: FactoryPolicy,
    then: FactoryPolicy,
    rates: ExchangeRates,
    inside: Mapping[Line, Line],
) -> Mapping[Line, Cost]:
    shown = frozenset(meaning for row in rows for meaning in (*row.amounts, *row.time))

    def facts(policy: FactoryPolicy) -> list[WorkMonth]:
        return [
            work_month(
                row, period=of, kind=RunKind.BALANCE, known=known.get(row.worker_code), shown=shown, monthly_days=policy.monthly_days
            )
            for row in rows
        ]

    before = facts(own)
    after = before if then.monthly_days == own.monthly_days else facts(then)
    if asked != of:
        after = [_moved(month, of, asked) for month in after]
    return what_if(
        before, book=book, policy=own, rates=rates, changed_book=changed, changed_policy=then, changed_months=after, inside=inside
    )


def _moved(month: WorkMonth, of: PayPeriod, to: PayPeriod) -> WorkMonth:
    """The same work in another month: who joined or left within the first is there for the whole of the other."""
    joined = month.joined_on
    if joined is not None and joined > of.first_day:
        joined = min(of.first_day, to.first_day)
    return replace(month, period=to, joined_on=joined, left_on=None)
