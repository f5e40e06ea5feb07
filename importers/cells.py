"""One cell -> an exact value, or a Fault that says what is wrong with it. Nothing damaged is repaired by guess.

A reader is made once per column and asked once per distinct cell (columns repeat themselves: 10 dollars of attendance bonus,
20,000 times), so a reader may take its time and a column is read by dictionary look-up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Generic, TypeVar

from importers.khmer import digits, has_hidden_direction, is_garbled, is_legacy_font_text, normalise, visible
from importers.workbook import Cell, Special

MOST_DIGITS = 15  # a spreadsheet keeps 15 significant digits of a number and writes zeros for the rest
LONGEST_TEXT = 200

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a cell: a code of `problems.toml`. `value` is what could still be read, for the sums."""

    code: str
    value: object = None


class Column(dict[Cell, "T | Fault | None"], Generic[T]):
    """A column's reader with its memory: `column[cell]` is the value, a Fault, or None for an empty cell."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[Cell], T | Fault | None]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, cell: Cell) -> T | Fault | None:
        value = self._read(cell)
        self[cell] = value
        return value


def blank(cell: Cell) -> bool:
    """Whether a cell holds nothing a person can see."""
    return isinstance(cell, str) and not visible(cell)


def fault_of(cell: Special) -> Fault:
    """The fault of a cell that holds no value at all."""
    if cell.kind == "error":
        return Fault("error_cell")
    return Fault("formula_not_saved" if cell.kind == "unsaved" else "not_a_value")


def whole(cell: float) -> str | None:
    """A numeric cell as its digits, when it is a whole number that the spreadsheet kept completely."""
    if not cell.is_integer() or abs(cell) >= 10**MOST_DIGITS:
        return None
    return f"{cell:.0f}"


def read_text(cell: Cell) -> str | Fault | None:
    """Free text: a position, a department, a note."""
    if isinstance(cell, Special):
        return fault_of(cell)
    if isinstance(cell, float):
        return whole(cell) or repr(cell)
    if not isinstance(cell, str):
        return str(cell)
    if has_hidden_direction(cell):
        return Fault("hidden_characters")
    text = visible(cell)
    if len(text) > LONGEST_TEXT:
        return Fault("text_too_long")
    return text or None


def read_name(cell: Cell) -> str | Fault | None:
    """A person's name as written, without invisible characters. Numbers and text in legacy fonts are no names."""
    if isinstance(cell, float | date | time | timedelta):
        return Fault("name_is_number")
    text = read_text(cell)
    if not isinstance(text, str):
        return text
    if is_legacy_font_text(text):
        return Fault("legacy_font")
    if is_garbled(text):
        return Fault("garbled_text")
    if not any(character.isalpha() for character in text):
        return Fault("name_is_number")
    return text


def read_code(cell: Cell) -> str | Fault | None:
    """A worker's code. A number is its digits; text stays as it is, so that 007 and 7 are two workers."""
    if isinstance(cell, float):
        return whole(cell) or Fault("code_damaged")
    if isinstance(cell, date | time | timedelta):
        return Fault("code_damaged")
    text = read_text(cell)
    if not isinstance(text, str):
        return text
    text = digits(text).removeprefix("'").replace(" ", "")
    if is_scientific(text) or text.endswith(".0") or set(text) == {"#"}:
        return Fault("code_damaged")
    return text if any(character.isalnum() for character in text) else Fault("code_damaged")


def is_scientific(text: str) -> bool:
    """Whether text is a number in the notation by which spreadsheets lose digits: 1.23457E+13."""
    if "E" not in text and "e" not in text:
        return False
    mantissa, sign, exponent = text.upper().partition("E+")
    if not sign:
        mantissa, sign, exponent = text.upper().replace(",", ".").partition("E")
        if "." not in mantissa:
            return False
    return bool(sign) and exponent.isdigit() and mantissa.replace(",", "").replace(".", "").isdigit()


def reader_of_words(words: dict[str, T], code: str) -> Callable[[Cell], T | Fault | None]:
    """A reader for a column of fixed words; anything else is a Fault with `code`."""
    known = {normalise(word).casefold().replace(" ", ""): value for word, value in words.items()}

    def read(cell: Cell) -> T | Fault | None:
        text = read_text(cell)
        if not isinstance(text, str):
            return text
        return known.get(normalise(digits(text)).casefold().replace(" ", ""), Fault(code))

    return read
