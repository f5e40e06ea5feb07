"""A document as a workbook: a sheet for each section, figures as numbers, and text that can never become a formula."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from importers.money import Money
from payroll_api.reports.document import Document, Section, Value
from payroll_api.reports.neutral import in_xml

_BOLD = Font(bold=True)
_TITLE = Font(bold=True, size=14)
_HEAD = PatternFill("solid", fgColor="E6EEF5")
_TOP = Alignment(vertical="top", wrap_text=True)
_NOT_IN_A_NAME = str.maketrans("[]:*?/\\", "-------")
_WIDTH_OF_A_WEIGHT = 7
_LONGEST_NAME = 31  # of a sheet


def write_xlsx(document: Document) -> bytes:
    """The bytes of the workbook. Sums are figures, not formulas: what was exported is what was seen."""
    book = Workbook(write_only=True)
    for number, section in enumerate(document.sections, start=1):
        sheet = book.create_sheet(_name(section.title, number))
        for place, column in enumerate(section.columns, start=1):
            sheet.column_dimensions[get_column_letter(place)].width = _WIDTH_OF_A_WEIGHT * column.weight
        sheet.append([_text(sheet, document.title, _TITLE)])
        for label, value in document.facts:
            sheet.append([_text(sheet, f"{label}: {value}")])
        sheet.append([])
        _table(sheet, section)
        if section.note:
            sheet.append([])
            sheet.append([_text(sheet, section.note)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _table(sheet: WriteOnlyWorksheet, section: Section) -> None:
    heads = [_text(sheet, column.title, _BOLD) for column in section.columns]
    for head in heads:
        head.fill, head.alignment = _HEAD, _TOP
    sheet.append(heads)
    for row in section.rows:
        sheet.append(list(_cells(sheet, row)))
    for row in section.totals:
        sheet.append(list(_cells(sheet, row, _BOLD)))


def _cells(sheet: WriteOnlyWorksheet, row: Iterable[Value], font: Font | None = None) -> Iterable[Cell | None]:
    for value in row:
        if value is None:
            yield None
        elif isinstance(value, str):
            yield _text(sheet, value, font)
        else:
            cell: Cell = WriteOnlyCell(sheet)
            cell.value = value.amount if isinstance(value, Money) else value
            if isinstance(value, Money):
                cell.number_format = "#,##0" + ("." + "0" * value.currency.exponent if value.currency.exponent else "")
            elif isinstance(value, date):
                cell.number_format = "yyyy-mm-dd"
            if font:
                cell.font = font
            yield cell


def _text(sheet: WriteOnlyWorksheet, text: str, font: Font | None = None) -> Cell:
    cell: Cell = WriteOnlyCell(sheet, in_xml(text))
    cell.data_type = "s"  # openpyxl would take "=..." for a formula and "#N/A" for an error
    if font:
        cell.font = font
    return cell


def _name(title: str, number: int) -> str:
    """A sheet's name: few signs are allowed, and two sheets of one book never have the same."""
    return f"{number} {in_xml(title).translate(_NOT_IN_A_NAME)}"[:_LONGEST_NAME].rstrip("' ")
