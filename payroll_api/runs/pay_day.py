"""Is the pay day of a run one that the law allows? Told before the run is approved; a person decides, because a late wage is still owed.

Labour Law art. 115 (not on a day off, but before it), art. 116 (at least twice a month, at most sixteen days apart; within 48 hours after
the end of a contract). Days are Phnom Penh days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from importers.period import RunKind
from payroll_api.clock import PHNOM_PENH
from payroll_api.factories.law_values import law_book
from payroll_api.people.models import Worker
from payroll_api.review.models import FileEntitlement
from payroll_api.runs.models import PayRun
from payroll_api.services import Services
from reconciliation.contract import Citation, Line
from reconciliation.law.book import LawBook
from reconciliation.law.cambodia.calendar import public_holidays
from reconciliation.law.cambodia.payday import final_pay_due, payday, too_far_apart
from reconciliation.law.parameter import LawUnknownError

_OF_THE_MONTH = (RunKind.FIRST_HALF.value, RunKind.BALANCE.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """Why a pay day is too late: `day_off`, `too_far`, `no_first_half` or `final_late`; `no_calendar` says what could not be looked at.

    `by` is the last day that the law allows, where it names one.
    """

    kind: str
    by: date | None
    citation: Citation


async def concerns(session: AsyncSession, services: Services, run: PayRun) -> list[Concern]:
    """What the law has against the pay day of a run; nothing where it is as it should be."""
    book, day = await law_book(session, services), run.pay_on
    found = _day_off(book, day)
    if run.kind in _OF_THE_MONTH:
        before = await session.scalar(
            select(func.max(PayRun.pay_on)).where(
                PayRun.kind.in_(_OF_THE_MONTH), PayRun.state != "rejected", PayRun.pay_on < day, PayRun.id != run.id
            )
        )
        if before is not None and too_far_apart([before, day], book):
            last = before + timedelta(days=int(book.number("payday_gap_days", day)))
            found.append(Concern(kind="too_far", by=last, citation=book.citation("payday_gap_days", day)))
    if run.kind == RunKind.BALANCE.value and not await _paid_in_part(session, run.file_id, run.period):
        found.append(Concern(kind="no_first_half", by=None, citation=book.citation("payday_gap_days", day)))
    if run.kind == RunKind.FINAL_PAY.value:
        workers = select(FileEntitlement.worker_id).where(FileEntitlement.file_id == run.file_id)
        ended = await session.scalar(select(func.min(Worker.left_on)).where(Worker.id.in_(workers)))
        if ended is not None:
            due = final_pay_due(datetime.combine(ended, time(), PHNOM_PENH), book).date()
            if day > due:
                found.append(Concern(kind="final_late", by=due, citation=book.citation("final_pay_hours", day)))
    return found


def _day_off(book: LawBook, day: date) -> list[Concern]:
    cite = book.citation("paid_to_the_worker", day)
    found: list[Concern] = []
    holidays: Mapping[date, str] = {}
    try:
        holidays = public_holidays(book, day.year)
    except LawUnknownError:
        found.append(Concern(kind="no_calendar", by=None, citation=cite))
    earlier = payday(day, holidays)
    if earlier != day:
        found.insert(0, Concern(kind="day_off", by=earlier, citation=cite))
    return found


async def _paid_in_part(session: AsyncSession, file_id: UUID, period: str) -> bool:
    """Whether a first half was paid: by a run of this month, or as the sheet itself takes it off."""
    by_run = exists().where(PayRun.period == period, PayRun.kind == RunKind.FIRST_HALF.value, PayRun.state != "rejected")
    taken = [{"line": Line.FIRST_HALF_PAID.value}]
    by_sheet = exists().where(FileEntitlement.file_id == file_id, FileEntitlement.lines.contains(taken))
    return bool(await session.scalar(select(by_run | by_sheet)))
