"""From a sheet's row to the facts of a work month. What the sheet does not say has the law's default; nothing else is assumed.

What only the factory knows (advances, loans, dues, other allowances, the half already paid) is `given`. So is a pay whose hours the
sheet does not show in any row: it cannot be checked, and `reconcile` says so once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal

from importers.contract import Meaning, PayrollRow, WorkerStatus
from importers.money import Money
from importers.period import PayPeriod, RunKind
from reconciliation.contract import KnownWorker, Line, WorkMonth
from reconciliation.law.cambodia.month import working_days

HOURS: Mapping[Meaning, Meaning] = {
    Meaning.OVERTIME_HOURS: Meaning.OVERTIME_PAY,
    Meaning.NIGHT_OVERTIME_HOURS: Meaning.NIGHT_OVERTIME_PAY,
    Meaning.REST_DAY_HOURS: Meaning.REST_DAY_PAY,
    Meaning.HOLIDAY_HOURS: Meaning.HOLIDAY_PAY,
    Meaning.NIGHT_HOURS: Meaning.NIGHT_PAY,
}
_GIVEN = (
    Meaning.OTHER_ALLOWANCE,
    Meaning.BACK_PAY,
    Meaning.FIRST_HALF_PAID,
    Meaning.ADVANCE,
    Meaning.LOAN,
    Meaning.UNION_DUES,
    Meaning.OTHER_DEDUCTION,
)
_IN_KIND = {Meaning.TRANSPORT_ALLOWANCE: Line.TRANSPORT_ALLOWANCE, Meaning.MEAL_ALLOWANCE: Line.MEAL_ALLOWANCE}
_WHOLE_MONTH = (RunKind.BALANCE, RunKind.FINAL_PAY)
_NONE = Decimal(0)


def work_month(
    row: PayrollRow,
    *,
    period: PayPeriod,
    kind: RunKind,
    known: KnownWorker | None,
    shown: Collection[Meaning],
    monthly_days: int,
) -> WorkMonth:
    """The facts of one row. `shown` are the columns of the whole sheet, of which a row may have left a cell empty."""
    joined, left = _service(row, known)
    piece = row.amounts.get(Meaning.PIECE_PAY)
    by_piece = row.status is WorkerStatus.PIECE_RATE or (piece is not None and Meaning.BASIC_PAY not in shown)
    absent = _absent(row, period, monthly_days)
    holidays = max(row.time.get(Meaning.DAYS_HOLIDAY, _NONE), _NONE) if by_piece else _NONE
    wage = _wage(row, kind, absent, row.time.get(Meaning.DAYS_SICK, _NONE), joined is not None and joined > period.first_day)
    leave_apart = _positive(row, Meaning.LEAVE_PAY) and row.time.get(Meaning.DAYS_LEAVE, _NONE) > 0
    return WorkMonth(
        worker_code=row.worker_code,
        period=period,
        kind=kind,
        status=row.status or WorkerStatus.REGULAR,
        joined_on=joined,
        left_on=left,
        basic_wage=None if by_piece else wage,
        piece_value=piece if by_piece and kind in _WHOLE_MONTH else None,
        days_absent=absent,
        days_leave=row.time.get(Meaning.DAYS_LEAVE, _NONE),
        days_sick=row.time.get(Meaning.DAYS_SICK, _NONE),
        days_holiday=holidays,
        piece_days=_piece_days(row, period) if holidays else None,
        overtime_days=row.time.get(Meaning.OVERTIME_DAYS, _NONE if Meaning.OVERTIME_DAYS in shown else None),
        hours={meaning: row.time[meaning] for meaning in HOURS if row.time.get(meaning)},
        spouse=row.spouse or 0,
        children=row.children or 0,
        given=_given(row, kind, shown, joined, by_piece=by_piece, leave_apart=leave_apart),
        provided=frozenset(line for meaning, line in _IN_KIND.items() if meaning not in shown and shows_earnings(shown)),
        leave_apart=leave_apart,
    )


def shows_earnings(columns: Collection[Meaning]) -> bool:
    """Whether a sheet shows what a wage is made of, rather than only what is paid out."""
    return Meaning.BASIC_PAY in columns or Meaning.BASIC_WAGE in columns or Meaning.PIECE_PAY in columns


def _positive(row: PayrollRow, meaning: Meaning) -> bool:
    amount = row.amounts.get(meaning)
    return amount is not None and amount.minor > 0


def _service(row: PayrollRow, known: KnownWorker | None) -> tuple[date | None, date | None]:
    """Joining and leaving dates: the earlier joining date favours the worker, unless she left and came back."""
    if known is None:
        return row.joined_on, row.left_on
    came_back = known.left_on is not None and row.joined_on is not None and row.joined_on > known.left_on
    if came_back:
        return row.joined_on, row.left_on
    dates = [day for day in (row.joined_on, known.joined_on) if day is not None]
    return min(dates, default=None), row.left_on or known.left_on


def _absent(row: PayrollRow, period: PayPeriod, monthly_days: int) -> Decimal:
    """Days absent as stated; or from the days worked, where the sheet itself pays less than the whole wage."""
    stated = row.time.get(Meaning.DAYS_ABSENT)
    worked = row.time.get(Meaning.DAYS_WORKED)
    if stated is not None or worked is None:
        return stated or _NONE
    wage, pay = row.amounts.get(Meaning.BASIC_WAGE), row.amounts.get(Meaning.BASIC_PAY)
    if wage is None or pay is None or pay.currency != wage.currency or pay >= wage:
        return _NONE
    off = sum((row.time.get(meaning, _NONE) for meaning in (Meaning.DAYS_LEAVE, Meaning.DAYS_SICK, Meaning.DAYS_HOLIDAY)), _NONE)
    return max(_NONE, min(monthly_days, _employed(row, period)) - worked - off)


def _employed(row: PayrollRow, period: PayPeriod) -> int:
    """Working days of the calendar between joining and leaving."""
    first, last = max(row.joined_on or period.first_day, period.first_day), min(row.left_on or period.last_day, period.last_day)
    return working_days(first, last)


def _piece_days(row: PayrollRow, period: PayPeriod) -> Decimal | None:
    """The days worked, where the sheet has them; if they seem to hold the days off too, these are taken off, which favours the worker."""
    worked = row.time.get(Meaning.DAYS_WORKED)
    if worked is None:
        return None
    off = (Meaning.DAYS_ABSENT, Meaning.DAYS_LEAVE, Meaning.DAYS_SICK, Meaning.DAYS_HOLIDAY)
    return max(_NONE, min(worked, _employed(row, period) - sum((row.time.get(meaning, _NONE) for meaning in off), _NONE)))


def _wage(row: PayrollRow, kind: RunKind, absent: Decimal, sick: Decimal, joins: bool) -> Money | None:
    """The agreed wage; from the pay where the sheet has no wage column and the month is whole; else None, the minimum."""
    stated = row.amounts.get(Meaning.BASIC_WAGE)
    if stated is not None:
        return stated or None
    whole = kind in _WHOLE_MONTH and not absent and not sick and not joins and row.left_on is None
    return row.amounts.get(Meaning.BASIC_PAY) or None if whole else None


def _given(
    row: PayrollRow, kind: RunKind, columns: Collection[Meaning], joined: date | None, *, by_piece: bool, leave_apart: bool
) -> dict[Line, Money]:
    amounts = row.amounts
    if kind is RunKind.CORRECTION:
        stated = {line: amounts[meaning] for meaning, line in EARNINGS_AND_DEDUCTIONS.items() if amounts.get(meaning)}
        return stated or {Line.OTHER_ALLOWANCE: row.net}
    taken = [meaning for meaning in _GIVEN if amounts.get(meaning)]
    if kind in _WHOLE_MONTH:
        taken += [pay for hours, pay in HOURS.items() if hours not in columns and amounts.get(pay)]
        if Meaning.DAYS_HOLIDAY not in columns and amounts.get(Meaning.HOLIDAY_WAGE):
            taken.append(Meaning.HOLIDAY_WAGE)
        elif by_piece and row.time.get(Meaning.DAYS_HOLIDAY) and Meaning.HOLIDAY_WAGE not in columns and Meaning.HOLIDAY_PAY in taken:
            taken.remove(Meaning.HOLIDAY_PAY)  # the one column of holidays holds those that were not worked
        if joined is None and amounts.get(Meaning.SENIORITY_BONUS):
            taken.append(Meaning.SENIORITY_BONUS)
        if amounts.get(Meaning.LEAVE_PAY) and not leave_apart:
            taken.append(Meaning.LEAVE_PAY)
    given = {Line(meaning.value): amounts[meaning] for meaning in taken}
    piece = amounts.get(Meaning.PIECE_PAY)
    if piece and not by_piece:
        other = given.get(Line.OTHER_ALLOWANCE)
        if other is not None and other.currency != piece.currency:
            given[Line.PIECE_TOP_UP] = piece
        else:
            given[Line.OTHER_ALLOWANCE] = piece if other is None else other + piece
    return given


# Columns whose word is also the word of a pay-slip line.
EARNINGS_AND_DEDUCTIONS: Mapping[Meaning, Line] = {
    meaning: Line(meaning.value) for meaning in Meaning if meaning.value in {line.value for line in Line}
}
