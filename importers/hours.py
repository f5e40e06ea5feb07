"""Hours and days out of cells, as exact decimals."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from importers.cells import Fault, fault_of
from importers.khmer import digits, visible
from importers.numbers import read_number
from importers.workbook import Cell, Special

MOST_HOURS = 400  # more than every hour a person can be awake in a month
MOST_DAYS = 31


def read_hours(cell: Cell) -> Decimal | Fault | None:  # noqa: PLR0911  one refusal after the other
    """Hours: 10.5, "10:30" and "10h30" are ten and a half. A date under the cell's number is a Fault, not ten days."""
    if isinstance(cell, Special):
        return fault_of(cell)
    if isinstance(cell, time):
        return _hours(cell.hour, cell.minute, cell.second)
    if isinstance(cell, timedelta):
        return _hours(0, 0, cell.days * 86400 + cell.seconds)
    if isinstance(cell, date):
        return Fault("hours_as_date")
    if isinstance(cell, str) and (clock := _clock(digits(visible(cell)).casefold().replace(" ", ""))) is not None:
        return clock
    number = read_number(cell)
    if not isinstance(number, Decimal):
        return Fault("hours_not_read") if isinstance(number, Fault) and number.code == "number_not_read" else number
    return number if 0 <= number <= MOST_HOURS else Fault("hours_out_of_range")


def _clock(text: str) -> Decimal | Fault | None:
    """10:30 or 10h30; None for a text that is no clock."""
    for mark in ("h", ":", "ម៉ោង"):
        hours, found, minutes = text.partition(mark)
        if not found or not hours.isascii() or not hours.isdigit():
            continue
        minutes = minutes.removesuffix("m").removesuffix("'")
        if not minutes and mark != ":":
            return Decimal(hours)
        if minutes.isdigit() and len(minutes) == 2 and int(minutes) < 60:  # noqa: PLR2004  a clock's minutes
            return _hours(int(hours), int(minutes), 0)
        return Fault("hours_not_read")
    return None


def _hours(hours: int, minutes: int, seconds: int) -> Decimal | Fault:
    minutes_in_all, rest = divmod(hours * 3600 + minutes * 60 + seconds, 60)
    value = (Decimal(minutes_in_all) + Decimal(rest) / 60) / 60
    if value > MOST_HOURS or value < 0:
        return Fault("hours_out_of_range")
    return value.quantize(Decimal("0.0001")).normalize() + 0


def read_days(cell: Cell) -> Decimal | Fault | None:
    """Days, whole or halves and quarters, 0 to 31."""
    if isinstance(cell, date | datetime | time | timedelta):
        return Fault("days_as_date")
    number = read_number(cell)
    if not isinstance(number, Decimal):
        return Fault("days_not_read") if isinstance(number, Fault) and number.code == "number_not_read" else number
    return number if 0 <= number <= MOST_DAYS else Fault("days_out_of_range")
