"""The reader of each column, by what the column means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from importers.cells import Column, Fault, read_code, read_name, read_text
from importers.contract import Meaning
from importers.dates import date_reader
from importers.destinations import PAY_METHODS, SEXES, STATUSES, read_account, read_national_id, read_phone
from importers.hours import read_days, read_hours
from importers.kinds import DAYS, HOURS, MONEY
from importers.money import currency
from importers.numbers import commas_are_decimals, dots_are_thousands, money_reader, read_number
from importers.period import PayPeriod
from importers.workbook import Cell

_MOST_DEPENDANTS = 20


def _read_count(cell: Cell) -> int | Fault | None:
    number = read_number(cell)
    if isinstance(number, Decimal):
        whole = number == number.to_integral_value() and 0 <= number <= _MOST_DEPENDANTS
        return int(number) if whole else Fault("count_not_read")
    return Fault("count_not_read") if isinstance(number, Fault) and number.code.startswith("number_") else number


_PLAIN: dict[Meaning, Callable[[Cell], Any]] = {
    Meaning.WORKER_CODE: read_code,
    Meaning.NAME: read_name,
    Meaning.NAME_LATIN: read_name,
    Meaning.ACCOUNT_NAME: read_name,
    Meaning.SEX: SEXES,
    Meaning.NATIONAL_ID: read_national_id,
    Meaning.PHONE: read_phone,
    Meaning.POSITION: read_text,
    Meaning.DEPARTMENT: read_text,
    Meaning.STATUS: STATUSES,
    Meaning.SPOUSE: _read_count,
    Meaning.CHILDREN: _read_count,
    Meaning.PAY_METHOD: PAY_METHODS,
    Meaning.BANK: read_text,
    Meaning.ACCOUNT: read_account,
}


def reader(meaning: Meaning, code: str | None, cells: Sequence[Cell], period: PayPeriod, *, strict: bool) -> Column[Any]:
    """A column's reader. `code` is the currency of a money column; `strict` as in `money_reader`."""
    if meaning in MONEY:
        if code is None:
            return Column(_without_currency)
        unit, texts = currency(code), [cell for cell in cells if isinstance(cell, str)]
        comma = commas_are_decimals(texts) or (not unit.exponent and dots_are_thousands(texts))
        return Column(money_reader(unit, strict=strict, comma_is_decimal=comma))
    if meaning in HOURS:
        return Column(read_hours)
    if meaning in DAYS:
        return Column(read_days)
    if meaning in {Meaning.JOINED_ON, Meaning.LEFT_ON}:
        return Column(date_reader(period.last_day))
    return Column(_PLAIN[meaning])


def _without_currency(cell: Cell) -> Fault | None:
    return None if isinstance(cell, str) and not cell.strip() else Fault("currency_unknown")
