"""The accounting journal of a month: each run's wages, contributions and payments as balanced entries, in the factory's own accounts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import Money, currency
from importers.period import PayPeriod, RunKind
from payroll_api.access.actor import Actor, Permission
from payroll_api.audit.journal import Event, record
from payroll_api.errors import InvalidError, ProblemError
from payroll_api.factories.models import Factory
from payroll_api.factories.settings import get_factory
from payroll_api.reports.document import Column, Document, Section, Value
from payroll_api.reports.month import PaidRun, month_of
from payroll_api.reports.words import ReportWords
from payroll_api.services import Services

# What each line of a slip is booked on; anything else that is earned goes to `allowances`, anything else that is taken to `deductions`.
_EARNED: Mapping[str, str] = {
    **dict.fromkeys(("basic_pay", "piece_pay", "piece_top_up", "holiday_wage", "leave_pay", "sick_pay", "maternity_pay"), "wages"),
    **dict.fromkeys(("overtime_pay", "night_overtime_pay", "rest_day_pay", "holiday_pay", "night_pay"), "overtime"),
    **dict.fromkeys(("seniority_indemnity", "severance", "back_pay"), "indemnities"),
}
_TAKEN: Mapping[str, str] = {
    "pension": "nssf_payable",
    "salary_tax": "tax_payable",
    "first_half_paid": "first_half",
    "advance": "advances",
    "loan": "advances",
    "union_dues": "union_dues_payable",
}
_PAID_FROM: Mapping[str, str] = {"bank_account": "bank", "wallet": "wallet", "cash": "cash"}
# Who may take the journal, by page and by program.
JOURNAL_READERS = frozenset({Permission.SETTLE, Permission.PREPARE, Permission.AUDIT})
# Each account with the code that stands there until the factory gives its own.
ACCOUNTS: Mapping[str, str] = {
    name: name.upper().replace("_", "-")
    for name in (
        "wages", "overtime", "allowances", "indemnities", "employer_contributions", "wages_payable", "nssf_payable", "tax_payable",
        "union_dues_payable", "first_half", "advances", "deductions", "unexplained", "bank", "wallet", "cash",
    )
}  # fmt: skip
_CODE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,29}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One side of a booking: minor units, positive for debit."""

    day: date
    run_id: UUID
    account: str
    currency: str
    minor: int


async def set_accounts(session: AsyncSession, services: Services, actor: Actor, codes: Mapping[str, str]) -> Factory:
    """The factory's own account codes, in place of those set before. Raises InvalidError, NotAllowedError."""
    actor.require(Permission.ADMINISTER)
    wrong = [{"field": f"accounts.{name[:40]}", "problem": f"one of {', '.join(ACCOUNTS)}"} for name in codes if name not in ACCOUNTS]
    wrong += [
        {"field": f"accounts.{name}", "problem": "1 to 30 letters, figures, space, dot, dash, slash"}
        for name, code in codes.items()
        if name in ACCOUNTS and _CODE.fullmatch(code) is None
    ]
    if wrong:
        raise InvalidError("The account codes cannot be taken: see fields.", fields=wrong)
    factory = await get_factory(session)
    before, factory.journal_accounts = factory.journal_accounts, dict(codes)
    await session.flush()
    data = {"before": dict(before), "after": dict(codes)}
    event = Event(actor=actor.name, action="factory.accounts_changed", subject=f"factory:{factory.factory_id}", data=data)
    await record(session, services.clock(), event)
    return factory


async def journal_document(session: AsyncSession, services: Services, period: PayPeriod, words: ReportWords) -> Document:
    """The journal of everything that was paid for a period. Raises ProblemError `nobody_paid`."""
    month = await month_of(session, await services.keys.vault(session), period)
    if not month.workers:
        raise ProblemError(
            "nobody_paid",
            f"Nobody has been paid for {period} yet. The journal is made from payments that have arrived.",
            status=404,
        )
    factory = await get_factory(session)
    codes = {**ACCOUNTS, **{name: str(code) for name, code in factory.journal_accounts.items()}}
    sums: dict[tuple[date, UUID, str, str], int] = {}
    for worker in month.workers:
        for run in worker.runs:
            for entry in entries_of(run):
                key = (entry.day, entry.run_id, entry.currency, entry.account)
                sums[key] = sums.get(key, 0) + entry.minor
    order = {name: place for place, name in enumerate(ACCOUNTS)}
    rows: list[list[Value]] = []
    for (day, run_id, code, account), minor in sorted(sums.items(), key=lambda item: (item[0][:3], order[item[0][3]])):
        if minor:
            amount = Money(abs(minor), currency(code))
            debit, credit = (amount, None) if minor > 0 else (None, amount)
            rows.append([day, str(run_id)[:8], codes[account], words(f"account_of.{account}"), debit, credit, code, f"{period}"])
    columns = [
        Column(title=words("day"), weight=2),
        Column(title=words("journal.document"), weight=2),
        Column(title=words("account"), weight=3),
        Column(title=words("journal.name"), weight=4),
        Column(title=words("journal.debit"), weight=2, is_figure=True),
        Column(title=words("journal.credit"), weight=2, is_figure=True),
        Column(title=words("currency"), weight=1),
        Column(title=words("pay_period"), weight=1),
    ]
    own = factory.name_km if words.language == "km" else factory.name
    return Document(
        name=f"journal-{period}",
        title=words("name.journal"),
        language=words.language,
        sections=[Section(title=words("name.journal"), columns=columns, rows=rows)],
        facts=[(words("factory"), own), (words("pay_period"), str(period))],
        signatures=[words("prepared"), words("checked")],
        foot=f"{own} – {words('name.journal')} – {period}",
    )


def entries_of(run: PaidRun) -> list[Entry]:
    """One worker's entries in one run, each currency in balance and no wage left open.

    A first half is an advance on the month, which its balance takes off again. What was paid and is not explained by the lines stands in
    `unexplained`, where an accountant sees it.
    """
    found: list[Entry] = []

    def book(debit: str, credit: str, code: str, minor: int) -> None:
        for account, signed in ((debit, minor), (credit, -minor)):
            if minor:
                found.append(Entry(day=run.paid_on, run_id=run.run_id, account=account, currency=code, minor=signed))

    paid = run.paid.currency.code
    if run.kind is RunKind.FIRST_HALF:
        book("first_half", _PAID_FROM[run.method], paid, run.paid.minor)
        return found
    for line in run.lines:
        code, minor = line.amount.currency.code, line.amount.minor
        if line.side == "earning":
            book(_EARNED.get(line.line, "allowances"), "wages_payable", code, minor)
        elif line.side == "deduction":
            book("wages_payable", _TAKEN.get(line.line, "deductions"), code, minor)
        else:
            book("employer_contributions", "nssf_payable", code, minor)
    book("wages_payable", _PAID_FROM[run.method], paid, run.paid.minor)
    for code in sorted({entry.currency for entry in found}):
        book("unexplained", "wages_payable", code, sum(e.minor for e in found if (e.account, e.currency) == ("wages_payable", code)))
    return found
