"""An awkward file with what must come of it, and the plain synthetic payroll that each is made from."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

HEAD = ("No.", "Worker code", "Name", "Gross pay (USD)", "Total deductions (USD)", "Net pay (USD)")
ROWS: tuple[tuple[Any, ...], ...] = (
    (1, "W001", "Sok Sophea", 250, 10, 240),
    (2, "W002", "Chan Dara", 231.5, 11.5, 220),
    (3, "W003", "ស្រី មុំ", 260.25, 10.25, 250),
)
PAID = (("W001", "240.00 USD"), ("W002", "220.00 USD"), ("W003", "250.00 USD"))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A file and what must come of it. `problems` are (code, cell) pairs."""

    name: str
    data: bytes
    file_name: str = "payroll.xlsx"
    paid: tuple[tuple[str, str], ...] = PAID
    problems: tuple[tuple[str, str], ...] = ()
    rejected: int = 0
    refused: str | None = None
    sheet: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def saved(book: Workbook) -> bytes:
    """The workbook as bytes."""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sheet_of(*rows: Sequence[Any], change: Callable[[Worksheet], object] | None = None) -> bytes:
    """A one-sheet workbook of these rows, changed by hand afterwards if need be."""
    book = Workbook()
    page = book.worksheets[0]
    page.title = "Pay"
    for row in rows:
        page.append(list(row))
    if change is not None:
        change(page)
    return saved(book)


def with_column(header: str, values: Iterable[Any], change: Callable[[Worksheet], object] | None = None) -> bytes:
    """The plain payroll with one more column (G)."""
    return sheet_of((*HEAD, header), *((*row, value) for row, value in zip(ROWS, values, strict=True)), change=change)


def with_net(*values: Any, header: str = "Net pay (USD)", change: Callable[[Worksheet], object] | None = None) -> bytes:
    """Code, name and a net column of these values, without gross."""
    rows = [(f"W{n:03}", ("Sok Sophea", "Chan Dara", "Kim Ly", "Tep Vanna")[n % 4], value) for n, value in enumerate(values, 1)]
    return sheet_of(("Worker code", "Name", header), *rows, change=change)


def put(place: str, value: Any, form: str | None = None) -> Callable[[Worksheet], None]:
    """Puts a value into a cell, under a number format if need be."""

    def change(page: Worksheet) -> None:
        page[place] = value
        if form is not None:
            page[place].number_format = form

    return change


def all_of(*changes: Callable[[Worksheet], object]) -> Callable[[Worksheet], None]:
    """One change after the other."""

    def change(page: Worksheet) -> None:
        for each in changes:
            each(page)

    return change


def formats(column: str, form: str, rows: Iterable[int]) -> Callable[[Worksheet], None]:
    """A number format for these rows of a column."""

    def change(page: Worksheet) -> None:
        for row in rows:
            page[f"{column}{row}"].number_format = form

    return change
