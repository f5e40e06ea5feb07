"""What the law asks of a file as a whole: consent to union dues, final pay within 48 hours, holidays that a calendar knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from importers.contract import Meaning, PayrollRow
from importers.period import PayPeriod, RunKind
from reconciliation.contract import Discrepancy
from reconciliation.discrepancies import tell
from reconciliation.law.cambodia.calendar import holidays_of_month, public_holidays
from reconciliation.law.figures import Figures
from reconciliation.law.parameter import LawUnknownError

_SUNDAY = 6


def whole_file(rows: Sequence[PayrollRow], period: PayPeriod, kind: RunKind, figures: Figures) -> Iterator[Discrepancy]:
    """Differences of no single row. Who pays dues is never named: membership of a union is nobody's business on a list."""
    members = sum(bool(row.amounts.get(Meaning.UNION_DUES)) for row in rows)
    if members:
        cites = figures.cite("deductions_allowed")
        words = f"{members} workers" if members > 1 else "1 worker"
        yield tell("dues_need_consent", None, "union_dues", basis=words, basis_km=f"កម្មករ {members} នាក់", citations=cites)
    ended = min((row.left_on for row in rows if row.left_on is not None), default=None)
    if kind is RunKind.FINAL_PAY and ended is not None:
        due = ended + timedelta(hours=int(figures.number("final_pay_hours")))
        basis, khmer = f"{ended}, so by {due}", f"នៅ {ended} ដូច្នេះត្រឹម {due}"
        yield tell("final_pay_due", None, "register", basis=basis, basis_km=khmer, citations=figures.cite("final_pay_hours"))
    if any(row.time.get(Meaning.HOLIDAY_HOURS) for row in rows):
        try:
            public_holidays(figures.book, period.year)
        except LawUnknownError as unknown:
            yield tell("calendar_not_known", None, "holiday_pay", basis=f"{unknown}", basis_km=unknown.khmer)


def piece_holidays(workers: int, period: PayPeriod, figures: Figures) -> Iterator[Discrepancy]:
    """What art. 163 owes cannot be held against a sheet that does not count the days: told where the month has such days, or may have."""
    words = f"{workers} workers paid by the piece" if workers > 1 else "1 worker paid by the piece"
    khmer = f"កម្មករ {workers} នាក់ស៊ីឈ្នួលតាមបរិមាណផលិតផល"
    try:
        days = [day for day in holidays_of_month(figures.book, period) if day.weekday() != _SUNDAY]
    except LawUnknownError:
        words, khmer = f"{words}, the list of holidays of {period.year} is not loaded,", f"{khmer} បញ្ជីថ្ងៃបុណ្យឆ្នាំ {period.year} មិនទាន់បញ្ចូល"
    else:
        if not days:
            return
        words, khmer = f"{words} in a month of {len(days)} public holidays", f"{khmer} ក្នុងខែដែលមានបុណ្យ {len(days)} ថ្ងៃ"
    yield tell("piece_holidays_not_shown", None, "holiday_wage", basis=words, basis_km=khmer, citations=figures.cite("holiday_wage"))
