"""A factory's month, worker by worker, as authorities and accountants ask for it: what was paid, and what the law takes of it.

Earnings and deductions are the figures that were paid: the law's where the law's net was paid, the sheet's own otherwise. Contributions
and tax are the law's, in riel at their own rates; they come from the runs that hold the whole month, so a first half has none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.kinds import DEDUCTIONS, EARNINGS
from importers.money import KHR, Money, currency
from importers.period import PayPeriod, RunKind
from payroll_api.clock import pay_day
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of
from payroll_api.encryption.vault import Vault

_PAID = ("paid",)
_ROWS = """
select w.worker_code, w.id, w.name, w.name_latin, w.national_id, w.phone, w.sex, w.department, w.joined_on, r.id, r.kind, e.currency,
  e.net_minor, e.lines, f.figures, p.amount_minor, p.currency, p.paid_at, d.kind, d.bank
from pay_runs r
join file_entitlements e on e.factory_id = r.factory_id and e.file_id = r.file_id
join workers w on w.factory_id = e.factory_id and w.id = e.worker_id
join payments p on p.factory_id = r.factory_id and p.run_id = r.id and p.worker_id = w.id and p.state = any($3)
join destinations d on d.factory_id = p.factory_id and d.id = p.destination_id
join lateral (select figures from file_rows t where t.factory_id = r.factory_id and t.file_id = r.file_id
  and t.worker_code = e.worker_code order by position limit 1) f on true
where r.factory_id = $1 and r.period = $2 and ($4::uuid is null or w.id = $4) and ($5::uuid is null or r.id = $5)
order by w.worker_code, r.pay_on, r.id
"""
_MISSING = """
select count(distinct p.worker_id) from payments p join pay_runs r on r.factory_id = p.factory_id and r.id = p.run_id
where p.factory_id = $1 and r.period = $2 and p.state not in ('paid', 'cancelled')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidLine:
    """One line as it was paid, with the law's sum in words and numbers where the law's figure was paid."""

    line: str
    side: str  # earning, deduction, employer
    amount: Money
    formula: str = ""
    riel: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidRun:
    """What one run paid one worker."""

    run_id: UUID
    kind: RunKind
    paid: Money
    paid_on: date
    method: str
    bank: str | None
    is_lawful: bool  # the law's net was paid, so the lines are the law's
    lines: Sequence[PaidLine]
    figures: Mapping[str, Any]

    def line(self, *names: str) -> Money | None:
        """The sum of some lines, or None where there is none."""
        found = [entry.amount for entry in self.lines if entry.line in names and entry.amount.currency == self.paid.currency]
        return Money(sum(amount.minor for amount in found), self.paid.currency) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidWorker:
    """One worker's month. Names and numbers are personal."""

    worker_id: UUID
    worker_code: str
    name: str = field(repr=False)
    name_latin: str | None = field(repr=False)
    national_id: str | None = field(repr=False)
    phone: str | None = field(repr=False)
    sex: str | None
    department: str | None
    joined_on: date | None
    runs: Sequence[PaidRun]

    @property
    def month(self) -> Sequence[PaidRun]:
        """The runs that hold the month's earnings: a first half is only a part of the pay that the balance lists whole."""
        whole = [run for run in self.runs if run.kind is not RunKind.FIRST_HALF]
        return whole or self.runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """Everybody who was paid in a period, by worker code, and how many were not."""

    period: PayPeriod
    workers: Sequence[PaidWorker]
    unpaid: int


async def month_of(
    session: AsyncSession, vault: Vault, period: PayPeriod, *, worker_id: UUID | None = None, run_id: UUID | None = None
) -> Month:
    """The month of the session's factory; of one worker or one run, where asked."""
    factory_id = factory_of(session)
    rows = await fetch(session, _ROWS, factory_id, str(period), list(_PAID), worker_id, run_id)
    unpaid = int((await fetch(session, _MISSING, factory_id, str(period)))[0][0])
    by_worker: dict[UUID, list[tuple[Any, ...]]] = {}
    for row in rows:
        by_worker.setdefault(row[1], []).append(row)
    return Month(period=period, workers=[_worker(vault, some) for some in by_worker.values()], unpaid=unpaid)


def _worker(vault: Vault, rows: Sequence[tuple[Any, ...]]) -> PaidWorker:
    code, worker_id, name, name_latin, national_id, phone, sex, department, joined_on = rows[0][:9]
    return PaidWorker(
        worker_id=worker_id,
        worker_code=code,
        name=vault.open(name, "workers", worker_id, "name"),
        name_latin=vault.open_or_none(name_latin, "workers", worker_id, "name_latin"),
        national_id=vault.open_or_none(national_id, "workers", worker_id, "national_id"),
        phone=vault.open_or_none(phone, "workers", worker_id, "phone"),
        sex=sex,
        department=department,
        joined_on=joined_on,
        runs=[_run(*row[9:]) for row in rows],
    )


def _run(
    run_id: UUID,
    kind: str,
    unit: str,
    net_minor: int,
    lines: object,
    figures: object,
    minor: int,
    paid_unit: str,
    paid_at: datetime,
    method: str,
    bank: str | None,
) -> PaidRun:
    paid, sheet = Money(minor, currency(paid_unit)), _json(figures)
    owed: list[Mapping[str, Any]] = _json(lines)
    is_lawful = (net_minor, unit) == (minor, paid_unit)
    shown = _lawful(owed) if is_lawful else [*_stated(sheet["amounts"]), *(line for line in _lawful(owed) if line.side == "employer")]
    return PaidRun(
        run_id=run_id,
        kind=RunKind(kind),
        paid=paid,
        paid_on=pay_day(paid_at),
        method=method,
        bank=bank,
        is_lawful=is_lawful,
        lines=shown,
        figures={**sheet, "law": {line["line"]: line.get("riel") for line in owed}},
    )


def _json(value: object) -> Any:  # noqa: ANN401 what our own column holds
    return json.loads(value) if isinstance(value, str) else value


def _lawful(lines: Iterable[Mapping[str, Any]]) -> list[PaidLine]:
    return [
        PaidLine(
            line=line["line"],
            side=line["side"],
            amount=Money(line["minor"], currency(line["currency"])),
            formula=line["formula"],
            riel=line.get("riel"),
        )
        for line in lines
    ]


def _stated(amounts: Mapping[str, Sequence[Any]]) -> list[PaidLine]:
    sides = {meaning.value: "earning" for meaning in EARNINGS} | {meaning.value: "deduction" for meaning in DEDUCTIONS}
    return [
        PaidLine(line=name, side=sides[name], amount=Money(minor, currency(unit)))
        for name, (minor, unit) in amounts.items()
        if name in sides and minor
    ]


def riel(amount: int | None) -> Money | None:
    """Whole riel as money; None stays None."""
    return None if amount is None else Money(amount, KHR)
