"""What an accountant asks of settlement, as documents: the day's end, a run, what is unpaid and why, returns, breaks by age, charges."""

from __future__ import annotations

import calendar
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import Money, currency
from payroll_api.clock import pay_day
from payroll_api.errors import InvalidError, NotFoundError
from payroll_api.factories.provider_accounts import get_account
from payroll_api.factories.settings import get_factory
from payroll_api.reports.day_end import day_end_sections, movements_section
from payroll_api.reports.document import Column, Document, Section, Value
from payroll_api.reports.words import ReportWords
from payroll_api.runs.find import get_run
from payroll_api.services import Services
from payroll_api.settlement import lists
from payroll_api.settlement.day_end import day_end

ON_A_PAGE = 200
_ALL = 200_000
_LONGEST_PERIOD = 400  # days


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a report is asked about. `for_page` shows the first rows only."""

    words: ReportWords
    first: date
    last: date
    account: UUID | None = None
    currency: str | None = None
    run: UUID | None = None
    for_page: bool = False

    @property
    def limit(self) -> int:
        """How many rows each list takes."""
        return ON_A_PAGE + 1 if self.for_page else _ALL


_Built = tuple[list[tuple[str, str]], list[Section]]


def period_of(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    """The days asked for; with one end only, its month; with none, this month so far."""
    if last is None:
        last = today if first is None else first.replace(day=calendar.monthrange(first.year, first.month)[1])
    return first or last.replace(day=1), last


async def document(session: AsyncSession, services: Services, name: str, wanted: Wanted) -> Document:
    """A report by its name. Raises NotFoundError for a name, account or run that there is not, InvalidError for a period that is none."""
    build = _REPORTS.get(name)
    if build is None:
        raise NotFoundError("report")
    if not 0 <= (wanted.last - wanted.first).days <= _LONGEST_PERIOD:
        raise InvalidError(f"Choose a period of 1 to {_LONGEST_PERIOD} days, its first day first.")
    words, factory = wanted.words, await get_factory(session)
    facts, sections = await build(session, wanted, pay_day(services.clock()))
    own = factory.name_km if words.language == "km" else factory.name
    return Document(
        name=f"{name}-{wanted.last.isoformat()}",
        title=words(f"name.{name}"),
        language=words.language,
        sections=[_cut(section, words) for section in sections] if wanted.for_page else sections,
        facts=[(words("factory"), own), *facts, (words("made"), pay_day(services.clock()).isoformat())],
        signatures=[words("prepared"), words("checked")],
        foot=f"{own} – {words(f'name.{name}')} – {wanted.last.isoformat()}",
        is_wide=name in _WIDE,
    )


def _cut(section: Section, words: ReportWords) -> Section:
    if len(section.rows) <= ON_A_PAGE:
        return section
    note = " ".join(part for part in (section.note, words("more", count=ON_A_PAGE)) if part)
    return Section(title=section.title, columns=section.columns, rows=section.rows[:ON_A_PAGE], totals=section.totals, note=note)


async def _day_end(session: AsyncSession, wanted: Wanted, today: date) -> _Built:
    del today
    if wanted.account is None or wanted.currency is None:
        raise InvalidError("Choose an account and a currency for a day's end.")
    account = await get_account(session, wanted.account)
    found = await day_end(session, wanted.account, wanted.currency, wanted.first, wanted.last)
    words = wanted.words
    facts = [(words("account"), account.name), (words("currency"), found.currency), _period(wanted)]
    own = (session, wanted.account, wanted.currency)
    moved = await lists.movements(*own, first=wanted.first, last=wanted.last, limit=wanted.limit)
    return facts, [*day_end_sections(found, words), movements_section(moved, found, words)]


async def _run(session: AsyncSession, wanted: Wanted, today: date) -> _Built:
    del today
    words = wanted.words
    if wanted.run is None:
        raise InvalidError("Choose the pay run that the report is about.")
    run = await get_run(session, wanted.run)
    names = ("ordered", "on_statement", "paid_unseen", "on_way", "not_paid")
    columns = [Column(title=words("account"), weight=3), Column(title=words("currency"), weight=1)]
    for name in names:
        columns += [
            Column(title=words(f"run.{name}"), weight=2, is_figure=True),
            Column(title=words("count"), weight=1, is_figure=True),
        ]
    rows: list[list[Value]] = []
    for account, code, *figures in await lists.of_run(session, wanted.run):
        row: list[Value] = [account, code]
        for minor, count in zip(figures[::2], figures[1::2], strict=True):
            row += [_money(minor, code), count]
        rows.append(row)
    facts = [(words("run.period"), f"{run.period} {run.kind}, {run.pay_on.isoformat()}")]
    table = Section(title=words("run.by_account"), columns=columns, rows=rows, empty=words("nothing"))
    return facts, [table, await _unpaid_rows(session, wanted)]


async def _unpaid(session: AsyncSession, wanted: Wanted, today: date) -> _Built:
    del today
    return [] if wanted.run else [_period(wanted)], [await _unpaid_rows(session, wanted)]


async def _unpaid_rows(session: AsyncSession, wanted: Wanted) -> Section:
    words = wanted.words
    found = await lists.unpaid(session, run_id=wanted.run, first=wanted.first, last=wanted.last, limit=wanted.limit)
    rows: list[list[Value]] = [
        [worker, account, reference, _money(minor, code), code, words(f"payment.{state}"), detail or code_ or "", since]
        for worker, account, reference, minor, code, state, code_, detail, since in found
    ]
    columns = [
        Column(title=words("worker"), weight=2),
        Column(title=words("account"), weight=2),
        Column(title=words("reference"), weight=3),
        Column(title=words("amount"), weight=2, is_figure=True),
        Column(title=words("currency"), weight=1),
        Column(title=words("state"), weight=2),
        Column(title=words("why"), weight=5),
        Column(title=words("since"), weight=2),
    ]
    return Section(title=words("unpaid.rows"), columns=columns, rows=rows, empty=words("nothing"))


async def _returned(session: AsyncSession, wanted: Wanted, today: date) -> _Built:
    del today
    words = wanted.words
    found = await lists.returned(session, first=wanted.first, last=wanted.last, limit=wanted.limit)
    rows: list[list[Value]] = [
        [
            day,
            worker,
            account,
            reference,
            entry,
            _money(minor, code),
            code,
            words("returned.whole" if kind == "returned" else "returned.in_part"),
        ]
        for day, worker, account, reference, entry, minor, code, kind in found
    ]
    columns = [
        Column(title=words("day"), weight=2),
        Column(title=words("worker"), weight=2),
        Column(title=words("account"), weight=2),
        Column(title=words("reference"), weight=3),
        Column(title=words("returned.entry"), weight=2),
        Column(title=words("amount"), weight=2, is_figure=True),
        Column(title=words("currency"), weight=1),
        Column(title=words("returned.part"), weight=2),
    ]
    return [_period(wanted)], [Section(title=words("returned.rows"), columns=columns, rows=rows, empty=words("nothing"))]


async def _breaks(session: AsyncSession, wanted: Wanted, today: date) -> _Built:
    words = wanted.words
    ages = ("young", "week", "month", "old")
    kinds: list[list[Value]] = [
        [words.known(f"kind.{kind}", kind), code or "", *counts, _money(minor, code)]
        for kind, code, *counts, minor in await lists.aging(session, today)
    ]
    by_kind = [Column(title=words("breaks.kind"), weight=4), Column(title=words("currency"), weight=1)]
    by_kind += [Column(title=words(f"breaks.{age}"), weight=1, is_figure=True) for age in ages]
    by_kind.append(Column(title=words("amount"), weight=2, is_figure=True))
    rows: list[list[Value]] = [
        [words.known(f"kind.{kind}", kind), account, _money(minor, code), code or "", (today - opened).days, due]
        for kind, account, minor, code, opened, due in await lists.open_breaks(session, limit=wanted.limit)
    ]
    columns = [
        Column(title=words("breaks.kind"), weight=4),
        Column(title=words("account"), weight=3),
        Column(title=words("amount"), weight=2, is_figure=True),
        Column(title=words("currency"), weight=1),
        Column(title=words("breaks.age"), weight=1, is_figure=True),
        Column(title=words("breaks.due"), weight=2),
    ]
    return [], [
        Section(title=words("breaks.by_kind"), columns=by_kind, rows=kinds, empty=words("nothing")),
        Section(title=words("breaks.rows"), columns=columns, rows=rows, empty=words("nothing")),
    ]


async def _charges(session: AsyncSession, wanted: Wanted, today: date) -> _Built:
    del today
    words = wanted.words
    months = await lists.charges_by_month(session, first=wanted.first, last=wanted.last)
    sums: list[list[Value]] = [[account, month, _money(minor, code), code, count] for account, month, code, minor, count in months]
    found = await lists.charges(session, first=wanted.first, last=wanted.last, limit=wanted.limit)
    rows: list[list[Value]] = [[day, account, entry, _money(minor, code), code] for day, account, entry, minor, code in found]
    amount = [Column(title=words("amount"), weight=2, is_figure=True), Column(title=words("currency"), weight=1)]
    by_month = [
        Column(title=words("account"), weight=3),
        Column(title=words("charges.month"), weight=2),
        *amount,
        Column(title=words("count"), weight=1, is_figure=True),
    ]
    lines = [
        Column(title=words("day"), weight=2),
        Column(title=words("account"), weight=3),
        Column(title=words("returned.entry"), weight=3),
        *amount,
    ]
    return [_period(wanted)], [
        Section(title=words("charges.sums"), columns=by_month, rows=sums, empty=words("nothing")),
        Section(title=words("charges.rows"), columns=lines, rows=rows, empty=words("nothing")),
    ]


def _period(wanted: Wanted) -> tuple[str, str]:
    first, last = wanted.first.isoformat(), wanted.last.isoformat()
    return wanted.words("period"), first if first == last else f"{first} – {last}"


def _money(minor: int | None, code: str | None) -> Money | None:
    return None if minor is None or code is None else Money(int(minor), currency(code))


_REPORTS: Mapping[str, Callable[[AsyncSession, Wanted, date], Awaitable[_Built]]] = {
    "day-end": _day_end,
    "run": _run,
    "unpaid": _unpaid,
    "returned": _returned,
    "breaks": _breaks,
    "charges": _charges,
}
NAMES = tuple(_REPORTS)
_WIDE = frozenset({"run", "unpaid", "returned"})
