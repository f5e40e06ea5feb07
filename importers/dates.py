"""Dates out of cells: real dates, ISO, day first as Cambodia writes them, and Khmer month names."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from importers.cells import Fault, fault_of
from importers.khmer import digits, normalise
from importers.workbook import Cell, Special

_ISO = re.compile(r"^([12][0-9]{3})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[T ][0-9:.]*)?$")
_DAY_FIRST = re.compile(r"^(?:[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})? )?([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4}|[0-9]{2})(?: [0-9:]+)?$")
_NAMED = re.compile(r"^([0-9]{1,2})[-/., ]*([^\d\s\-/.,]+)[-/., ]*([0-9]{4})$")
_SERIAL = re.compile(r"^[0-9]{5}$")
_EPOCH = date(1899, 12, 30)  # serials from March 1900 on, as every spreadsheet counts them
_OLDEST = date(1950, 1, 1)

_KHMER_MONTHS = ("មករា", "កុម្ភៈ", "មីនា", "មេសា", "ឧសភា", "មិថុនា", "កក្កដា", "សីហា", "កញ្ញា", "តុលា", "វិច្ឆិកា", "ធ្នូ")
_ENGLISH_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
MONTHS = (
    {normalise(name): number for number, name in enumerate(_KHMER_MONTHS, 1)}
    | {name: number for number, name in enumerate(_ENGLISH_MONTHS, 1)}
    | {name[:3]: number for number, name in enumerate(_ENGLISH_MONTHS, 1)}
    | {"កុម្ភះ": 2, "កុម្ភ": 2, "sept": 9}
)


def date_reader(latest: date) -> Callable[[Cell], date | Fault | None]:
    """A reader of dates up to `latest` (the period's last day); a two-digit year is never after it."""

    def read(cell: Cell) -> date | Fault | None:
        if isinstance(cell, Special):
            return fault_of(cell)
        found = _read(cell, latest)
        if not isinstance(found, date):
            return found
        return Fault("date_out_of_range", found) if not _OLDEST <= found <= latest else found

    return read


def _read(cell: str | float | date | time | timedelta, latest: date) -> date | Fault | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, time | timedelta):
        return Fault("date_not_read")
    if isinstance(cell, float):
        # a date whose cell lost its format: serials of 1950 to 2099 are no other number that stands in a date column
        if not cell.is_integer() or not 18_264 <= cell <= 73_050:  # noqa: PLR2004  1 January 1950 to 31 December 2099
            return Fault("date_not_read")
        return _EPOCH + timedelta(days=int(cell))
    text = normalise(digits(cell)).casefold().replace("ថ្ងៃទី", "").replace("ខែ", " ").replace("ឆ្នាំ", " ")
    return _read_text(" ".join(text.split()), latest)


def _read_text(text: str, latest: date) -> date | Fault | None:
    if not text or text in {"-", "–"}:
        return None
    if match := _ISO.match(text):
        return _made(int(match[1]), int(match[2]), int(match[3]))
    if match := _DAY_FIRST.match(text):
        year = int(match[3])
        if len(match[3]) == 2:  # noqa: PLR2004  a year of two digits
            year += 2000 if year + 2000 <= latest.year else 1900
        return _made(year, int(match[2]), int(match[1]))
    if match := _NAMED.match(text):
        month = MONTHS.get(match[2])
        return _made(int(match[3]), month, int(match[1])) if month else Fault("date_not_read")
    if _SERIAL.match(text):
        return _EPOCH + timedelta(days=int(text))
    return Fault("date_not_read")


def _made(year: int, month: int, day: int) -> date | Fault:
    try:
        return date(year, month, day)
    except ValueError:
        return Fault("date_not_read")
