"""Numbers and money out of cells: Decimal all the way. A binary float is the file's, and ends at this door.

A spreadsheet stores 15 significant digits; what a float shows beyond them is the noise of binary fractions, not an amount.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

from importers.cells import Fault, fault_of
from importers.headers import currency_of
from importers.khmer import digits, has_hidden_direction, visible
from importers.money import Currency, Money, MoneyError, Rounding
from importers.workbook import Cell, Special

_NOISE = Decimal("1e-7")  # of a minor unit: what adding a hundred lines in binary can leave behind
_SIGNS = re.compile(r"us\$|usd|khr|riels?|dollars?|[$៛]|ដុល្លារ|រៀល", re.IGNORECASE)
_POINT = re.compile(r"^[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?$|^[0-9]+(?:\.[0-9]+)?$|^\.[0-9]+$")
_COMMA = re.compile(r"^[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+$|^[0-9]{1,3}(?:\.[0-9]{3}){2,}$|^[0-9]+,[0-9]{1,2}$")
_SPACED = re.compile(r"^[0-9]{1,3}(?:[ '’][0-9]{3})+(?:[.,][0-9]{1,2})?$")
_BETWEEN = str.maketrans("", "", " '’")
_ONE_DOT = re.compile(r"^[0-9]{1,3}\.[0-9]{3}$")
_ONE_COMMA = re.compile(r"^[0-9]{1,3},[0-9]{3}$")
DASHES = frozenset({"-", "–", "—", "--"})


def exact(number: float) -> Decimal | None:
    """A cell's binary number as the 15 digits that the spreadsheet keeps; None when it is not finite."""
    if number.is_integer():
        return Decimal(int(number))
    value = Decimal(f"{number:.15g}")
    return value if value.is_finite() else None


def read_number(cell: Cell, *, comma_is_decimal: bool = False) -> Decimal | Fault | None:
    """A plain number; a dash alone is zero, as accounting formats show it. Text must be unambiguous."""
    if isinstance(cell, Special):
        return fault_of(cell)
    if isinstance(cell, float):
        value = exact(cell)
        return Fault("number_not_read") if value is None else value
    if isinstance(cell, date | time | timedelta):
        return Fault("number_is_a_date")
    if has_hidden_direction(cell):
        return Fault("hidden_characters")
    return _parse(digits(visible(cell)).removeprefix("'"), comma_is_decimal=comma_is_decimal)


def _parse(text: str, *, comma_is_decimal: bool) -> Decimal | Fault | None:
    if not text:
        return None
    if text in DASHES:
        return Decimal(0)
    if set(text) == {"#"}:
        return Fault("hashes_saved")
    if text.startswith("#"):
        return Fault("error_cell")
    negative = False
    if text[0] == "(" and text[-1] == ")":
        text, negative = text[1:-1].strip(), True
    for minus in ("-", "−", "–"):
        if text.startswith(minus) or text.endswith(minus):
            text, negative = text.strip(minus).strip(), True
            break
    value = _unsigned(text.lstrip("+").strip(), comma_is_decimal=comma_is_decimal)
    return -value if negative and isinstance(value, Decimal) else value


def _unsigned(text: str, *, comma_is_decimal: bool) -> Decimal | Fault:
    if _ONE_DOT.match(text):
        # 1.025 may be a thousand or one and a bit; "0.125" and a column whose commas are decimals leave no doubt
        if comma_is_decimal:
            return Decimal(text.replace(".", ""))
        return Decimal(text) if text.startswith("0.") else Fault("number_ambiguous", Decimal(text))
    if _ONE_COMMA.match(text) and comma_is_decimal:
        return Fault("number_ambiguous")
    if _SPACED.match(text):
        text = text.translate(_BETWEEN)
    if _POINT.match(text):
        return Decimal(text.replace(",", ""))
    if _COMMA.match(text):
        return Decimal(text.replace(".", "").replace(",", "."))
    return Fault("number_not_read")


def commas_are_decimals(cells: Sequence[Cell]) -> bool:
    """Whether a column of text writes 12,50 and 1.234,50: decided by cells that can be read in one way only."""
    return any(isinstance(cell, str) and _COMMA.match(_SIGNS.sub("", digits(visible(cell))).strip(" '-()")) is not None for cell in cells)


def dots_are_thousands(cells: Sequence[Cell]) -> bool:
    """Whether a column of riel writes 889.200: riel have no decimals, and every dot in the column stands before three digits."""
    dotted = [text for cell in cells if isinstance(cell, str) and "." in (text := _SIGNS.sub("", digits(visible(cell))).strip(" '-()"))]
    return bool(dotted) and all(_ONE_DOT.match(text) or _COMMA.match(text) for text in dotted)


def money_reader(currency: Currency, *, strict: bool, comma_is_decimal: bool = False) -> Callable[[Cell], Money | Fault | None]:
    """A reader for a column of money in `currency`.

    `strict` refuses an amount with more decimals than circulate (the net is paid as it stands); otherwise such an amount is
    rounded half up, as its cell shows it, and the Fault carries the rounded value.
    """

    def read(cell: Cell) -> Money | Fault | None:
        if isinstance(cell, str):
            marked = currency_of(cell)
            if marked is not None and marked != currency.code:
                return Fault("currency_differs")
            cell = _SIGNS.sub("", cell)
        number = read_number(cell, comma_is_decimal=comma_is_decimal)
        if isinstance(number, Fault):
            return _as_money_fault(number)
        return None if number is None else _to_money(number, currency, strict=strict)

    return read


def _as_money_fault(fault: Fault) -> Fault:
    if fault.code == "number_is_a_date":
        return Fault("amount_is_a_date")
    if fault.code == "number_ambiguous":
        return Fault("amount_ambiguous")
    if fault.code == "number_not_read":
        return Fault("amount_not_read")
    return fault


def _to_money(number: Decimal, currency: Currency, *, strict: bool) -> Money | Fault:
    scaled = number.scaleb(currency.exponent)
    nearest = scaled.to_integral_value(rounding=ROUND_HALF_UP)
    try:
        money = Money(int(nearest), currency)
        if abs(scaled - nearest) <= _NOISE:
            return money
        rounded = Money.rounded(number, currency, Rounding.HALF_UP)
    except MoneyError:
        return Fault("amount_out_of_range")
    return Fault("too_many_decimals" if strict else "amount_unrounded", rounded)
