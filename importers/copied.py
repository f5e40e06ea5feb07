"""A workbook of another format (`.xls`, `.ods`) as an xlsx of its values, so that it can go back annotated."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from importers.child import read
from importers.texts import write_text

_FORMATS = {"USD": '"$"#,##0.00', "KHR": '#,##0"៛"'}
_LONGEST_TITLE = 31


def copied(data: bytes) -> Workbook:
    """The sheets with their values, dates, currencies, merged cells and what is hidden. Raises RefusedFileError.

    Formulas come as their saved values; fonts, colours and widths stay behind. Runs inside a limited process.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    for sheet in read(data, []):
        page = book.create_sheet(str(sheet["name"])[:_LONGEST_TITLE])
        page.sheet_state = "visible" if sheet["visible"] else "hidden"
        for row, cells in enumerate(sheet["rows"], 1):
            for column, value in enumerate(cells, 1):
                if value != "":
                    _write(page.cell(row=row, column=column), value)
        for row, column, text in sheet["errors"]:
            write_text(page.cell(row=row + 1, column=column + 1), text)
        _format(page, sheet)
    return book


def _write(cell: Any, value: object) -> None:  # noqa: ANN401  openpyxl answers merged cells by another type; here is none yet
    if isinstance(value, str):
        write_text(cell, value)
        return
    cell.value = value
    if isinstance(value, datetime):
        cell.number_format = "yyyy-mm-dd hh:mm"
    elif isinstance(value, date):
        cell.number_format = "yyyy-mm-dd"
    elif isinstance(value, time | timedelta):
        cell.number_format = "[h]:mm"


def _format(page: Worksheet, sheet: dict[str, Any]) -> None:
    for column, first, last, code in sheet["currencies"]:
        for row in range(first, min(last, len(sheet["rows"]) - 1) + 1):
            page.cell(row=row + 1, column=column + 1).number_format = _FORMATS[code]
    for top, left, bottom, right in sheet["merged"]:
        others = (page.cell(row=row, column=column) for row in range(top + 1, bottom + 2) for column in range(left + 1, right + 2))
        if sum(1 for cell in others if isinstance(cell, Cell) and cell.value is not None) <= 1:
            page.merge_cells(start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1)
    for first, last in sheet["hidden_rows"]:
        for row in range(first, min(last, len(sheet["rows"]) - 1) + 1):
            page.row_dimensions[row + 1].hidden = True
    for first, last in sheet["hidden_columns"]:
        for column in range(first, min(last, page.max_column - 1) + 1):
            page.column_dimensions[get_column_letter(column + 1)].hidden = True
