"""A bank's CSV or workbook, by a layout that a person configured once: which column means what, how dates and amounts are written."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date as calendar_day
from datetime import datetime
from decimal import Decimal

from importers.guard import RefusedFileError
from importers.money import Money, MoneyError
from importers.statements.balances import amount_of
from importers.statements.contract import Direction, Statement, StatementError, StatementLine
from importers.statements.text_references import references_in
from importers.workbook import Cell, open_grids, text_of

LARGEST = 64 * 1024 * 1024
_HEADER_WITHIN = 40  # rows: banks write the account and the period above the table
_ENCODINGS = ("utf-8-sig", "cp1252")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_MOST_WARNINGS = 50
_LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLayout:
    """Where things stand. Columns are header texts as the bank writes them.

    Either `amount` (negative leaves the account) or both `debit` and `credit`. `references` and `text` are searched for our
    references. `date_format` is Python's, such as %d/%m/%Y: a date is never guessed (a workbook's own date needs none). A file has one
    account and one currency. `sheet` is the workbook's sheet by name; without it the first that has the columns.
    """

    account: str
    currency: str
    date: str
    date_format: str
    amount: str | None = None
    debit: str | None = None
    credit: str | None = None
    entry: str | None = None
    references: tuple[str, ...] = ()
    payee_account: str | None = None
    text: str | None = None
    decimal_comma: bool = False
    sheet: str | None = None

    def __post_init__(self) -> None:
        if (self.amount is None) == (self.debit is None or self.credit is None):
            raise StatementError("the layout must name either the amount's column, or both the debit's and the credit's")

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the file must have."""
        single = (self.date, self.amount, self.debit, self.credit, self.entry, self.payee_account, self.text)
        return (*(column for column in single if column is not None), *self.references)


def read_csv(data: bytes, layout: TableLayout, *, file_name: str) -> Statement:
    """The movements in the file. A row that cannot be read is a warning with its number. Raises StatementError."""
    if len(data) > LARGEST:
        raise StatementError(f"{file_name}: the file is larger than {LARGEST // 1024 // 1024} MiB; ask the bank for one file a day")
    try:
        rows = list(csv.reader(io.StringIO(text := _decode(data), newline=""), delimiter=_delimiter(text, layout)))
    except csv.Error:
        raise StatementError(f"{file_name}: the file is no CSV; fetch it from the bank again") from None
    return _read(rows, layout, file_name)


def read_workbook(data: bytes, layout: TableLayout, *, file_name: str) -> Statement:
    """The same from a workbook, opened in a process with limits of its own. Raises StatementError."""
    try:
        with open_grids(data, file_name) as opened:
            grids = opened.grids
            opened.second_opinion()
    except RefusedFileError as error:
        raise StatementError(f"{file_name}: the workbook cannot be opened ({error.code}); save it again, or ask the bank for CSV") from None
    named = [grid for grid in grids if layout.sheet in {None, grid.name}]
    tables = [[[_text(cell, layout) for cell in row] for row in grid.rows] for grid in named]
    fitting = [table for table in tables if _header_row(table, layout) is not None]
    if not fitting:
        sheets = ", ".join(grid.name for grid in grids)
        raise StatementError(f"{file_name}: no sheet ({sheets}) has a row with the layout's columns once each; correct the layout")
    return _read(fitting[0], layout, file_name)


def _text(cell: Cell, layout: TableLayout) -> str:
    """A cell as the layout would find it in a CSV. A number has Excel's fifteen digits, so 0.1 + 0.2 is 0.3."""
    if isinstance(cell, calendar_day):
        return cell.strftime(layout.date_format)
    if isinstance(cell, float):
        number = f"{Decimal(f'{cell:.15g}'):f}"
        return number.replace(".", ",") if layout.decimal_comma else number
    return text_of(cell)


def _read(rows: Sequence[Sequence[str]], layout: TableLayout, file_name: str) -> Statement:
    start, places = _header(rows, layout, file_name)
    lines: list[StatementLine] = []
    warnings: list[str] = []
    for number, row in enumerate(rows[start + 1 :], start + 2):
        if not any(cell.strip() for cell in row):
            continue
        try:
            lines.append(_line(_Row(row, places), layout, number))
        except (MoneyError, ValueError) as error:
            warnings.append(f"row {number} was left out: {error}")
    if not lines:
        raise StatementError(f"{file_name}: no movement could be read below the header in row {start + 1}; check the layout")
    days = [line.booked_on for line in lines]
    return Statement(
        identification=file_name,
        account=layout.account,
        currency=layout.currency,
        opened_on=min(days),
        closed_on=max(days),
        opening=None,
        closing=None,
        lines=_named(lines),
        warnings=tuple(warnings[:_MOST_WARNINGS]),
    )


def _decode(data: bytes) -> str:
    for encoding in ("utf-16",) if data.startswith(_UTF16) else _ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _delimiter(text: str, layout: TableLayout) -> str:
    """The delimiter that parts the header's columns."""
    head = next((line for line in text.splitlines()[:_HEADER_WITHIN] if all(column in line for column in layout.columns)), "")
    return max(",;\t|", key=head.count)


def _header(rows: Sequence[Sequence[str]], layout: TableLayout, file_name: str) -> tuple[int, Mapping[str, int]]:
    number = _header_row(rows, layout)
    if number is None:
        raise StatementError(f"{file_name}: no row holds the layout's columns once each ({', '.join(layout.columns)}); correct the layout")
    names = [cell.strip() for cell in rows[number]]
    return number, {column: names.index(column) for column in layout.columns}


def _header_row(rows: Sequence[Sequence[str]], layout: TableLayout) -> int | None:
    for number, row in enumerate(rows[:_HEADER_WITHIN]):
        names = [cell.strip() for cell in row]
        if all(names.count(column) == 1 for column in layout.columns):
            return number
    return None


@dataclass(frozen=True, slots=True)
class _Row:
    cells: Sequence[str]
    places: Mapping[str, int]

    def __call__(self, column: str | None) -> str:
        place = self.places[column] if column is not None else len(self.cells)
        return self.cells[place].strip().lstrip("'") if place < len(self.cells) else ""


def _line(row: _Row, layout: TableLayout, number: int) -> StatementLine:
    booked_on = _day(row(layout.date), layout.date_format)
    if layout.amount is not None:
        signed = _money(row(layout.amount), layout)
    else:
        debit, credit = row(layout.debit), row(layout.credit)
        if bool(_nonzero(debit)) == bool(_nonzero(credit)):
            raise ValueError("it states neither or both of debit and credit")
        signed = -abs(_money(debit, layout)) if _nonzero(debit) else abs(_money(credit, layout))
    if not signed:
        raise ValueError("it moves nothing")
    text = row(layout.text)
    named = [row(column) for column in layout.references]
    references = dict.fromkeys((*(name for name in named if name), *references_in(" ".join((*named, text)))))
    return StatementLine(
        entry=row(layout.entry) or f"#{number}",
        direction=Direction.IN if signed.minor > 0 else Direction.OUT,
        amount=abs(signed),
        booked_on=booked_on,
        references=tuple(references),
        account=row(layout.payee_account) or None,
        text=text[:_LONGEST_TEXT],
    )


def _nonzero(text: str) -> str:
    return text if text.strip("0.,- ") else ""


def _day(text: str, form: str) -> calendar_day:
    try:
        return datetime.strptime(text, form).date()  # noqa: DTZ007 a bank's day has no time zone
    except ValueError:
        raise ValueError(f"its date is not written as {form}") from None


def _money(text: str, layout: TableLayout) -> Money:
    """The amount; thousands may be parted by the sign that is not the decimal one, or by spaces. Brackets or a minus are negative."""
    thousands, decimal = (".", ",") if layout.decimal_comma else (",", ".")
    plain = text.replace(" ", "").replace("\u00a0", "").removeprefix(layout.currency).removesuffix(layout.currency)
    negative = plain.startswith(("-", "(")) or plain.endswith("-")
    plain = plain.strip("-()+")
    whole, _, part = plain.partition(decimal)
    groups = whole.split(thousands)
    if len(groups) > 1 and (not 1 <= len(groups[0]) <= 3 or any(len(group) != 3 for group in groups[1:])):  # noqa: PLR2004 thousands
        raise ValueError(f"its amount does not part thousands by {thousands!r}; check the layout's decimal sign")
    digits = "".join(groups)
    if not (digits.isascii() and digits.isdigit()) or (part and not (part.isascii() and part.isdigit())):
        raise ValueError("its amount cannot be read")
    amount = amount_of(f"{digits}.{part}" if part else digits, layout.currency)
    return -amount if negative else amount


def _named(lines: Sequence[StatementLine]) -> tuple[StatementLine, ...]:
    """The lines with ids that differ: the same booking twice must stay two bookings."""
    seen: dict[str, int] = {}
    named = []
    for line in lines:
        times = seen[line.entry] = seen.get(line.entry, 0) + 1
        named.append(line if times == 1 else replace(line, entry=f"{line.entry}~{times}"))
    return tuple(named)
