"""A workbook of Excel 97 to 2003 (`.xls`) read on its own by xlrd: its values for a second opinion, and what stands beside them.

Before either reader opens it, its records are walked once: macros, passwords, links to other files, embedded files and cells far
away are refused by what the file says, not by what a parser makes of it. Formats: [MS-CFB] for the container, [MS-XLS] for the records.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import xlrd
from xlrd.book import Book
from xlrd.compdoc import CompDoc, CompDocError
from xlrd.sheet import Sheet

from importers.guard import RefusedFileError
from importers.second_reader import Strings
from importers.sheet_xml import SecondLook, currency_of_format, is_legacy_font, runs_of

MOST_CELLS = 4_000_000
_MACROS = ("_vba_project_cur", "vba", "_vba_project")
_EMBEDDED = ("mbd", "\x01ole10native", "objectpool", "lnk0", "package")
_BOF, _EOF, _FILEPASS, _SHEET, _LINK, _FORMULA, _MANY = 0x809, 0x0A, 0x2F, 0x85, 0x1AE, 0x06, 0xBD
_CELLS = frozenset({_FORMULA, _MANY, 0x203, 0x27E, 0xFD, 0x204, 0x205, 0xD6})  # also NUMBER, RK, LABELSST, LABEL, BOOLERR, RSTRING
_BIFF8, _MACRO_SHEET, _WORKSHEET, _MACRO_PART = 0x600, 1, 0x10, 0x40
_OWN_BOOK, _ADD_IN = 0x401, 0x3A01  # what a workbook calls itself, and functions of Excel's own tool packs
_SECTORS = {3: 9, 4: 12}  # container version -> size of its sectors, as a power of two


@dataclass(slots=True)
class _Cells:
    """Where the cells of one sheet stand, by the records."""

    last_row: int = -1
    last_column: int = -1
    formulas: list[tuple[int, int, str]] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)  # the first and the last cell of each record

    def take(self, code: int, size: int, row: int, column: int) -> None:
        """A record of one cell or of several side by side."""
        last = column + (size - 6) // 6 - 1 if code == _MANY else column
        self.places.append((row << 16 | column, row << 16 | last))
        if code == _FORMULA:
            self.formulas.append((column, row, "f"))
        self.last_row, self.last_column = max(self.last_row, row), max(self.last_column, last)


def look_at_old_sheets(data: bytes) -> tuple[dict[str, SecondLook], Strings]:
    """Each worksheet's name with what the file says of it, and its epoch. Raises RefusedFileError for what no honest payroll contains."""
    cells = _walk(_workbook_stream(data))
    book = xlrd.open_workbook(file_contents=data, formatting_info=True, ragged_rows=True, logfile=io.StringIO())
    currency = {index: code for index, xf in enumerate(book.xf_list) if (code := _currency(book, xf.format_key))}
    legacy = {index: name for index, xf in enumerate(book.xf_list) if is_legacy_font(name := book.font_list[xf.font_index].name)}
    if len(cells) != book.nsheets:
        raise RefusedFileError("damaged_file")
    looks = {sheet.name: _look(sheet, cells[index], currency, legacy) for index, sheet in enumerate(book.sheets())}
    return looks, Strings(from_1904=bool(book.datemode))


def _currency(book: Book, key: int) -> str | None:
    found = book.format_map.get(key)
    return currency_of_format(found.format_str) if found is not None else None


def _workbook_stream(data: bytes) -> bytes:
    """The workbook inside the container. Raises RefusedFileError for macros, embedded files, and containers of anything else."""
    major, order, power, small = struct.unpack_from("<HHHH", data, 26)
    if order != 0xFFFE or _SECTORS.get(major) != power or small != 6:  # noqa: PLR2004  the values that [MS-CFB] 2.2 allows
        raise RefusedFileError("damaged_file")
    try:
        container = CompDoc(data, logfile=io.StringIO())
        names = [entry.name.lower() for entry in container.dirlist]
        if any(name in _MACROS for name in names):
            raise RefusedFileError("macros_refused")
        if any(name.startswith(_EMBEDDED) for name in names):
            raise RefusedFileError("active_content")
        stream = container.get_named_stream("Workbook")
    except (CompDocError, struct.error, IndexError) as error:
        raise RefusedFileError("damaged_file") from error
    if stream is None:
        raise RefusedFileError("old_excel" if "book" in names else "not_a_workbook")
    return bytes(stream)


def _walk(stream: bytes) -> list[_Cells]:
    """Every record once; answers the cells of each worksheet, in the file's order."""
    sheets: list[_Cells] = []
    inside: list[_Cells | None] = []  # the parts that are open here: a sheet, perhaps a chart in it
    for code, place, size in _records(stream):
        current = inside[-1] if inside else None
        if code == _BOF:
            inside.append(_begin(*struct.unpack_from("<HH", stream, place)))
            if (begun := inside[-1]) is not None:
                sheets.append(begun)
        elif code == _EOF and inside:
            inside.pop()
        elif current is None:
            _refuse(code, stream, place)
        elif code in _CELLS:
            current.take(code, size, *struct.unpack_from("<HH", stream, place))
    for sheet in sheets:
        if any(later[0] <= earlier[1] for earlier, later in pairwise(sorted(sheet.places))):
            raise RefusedFileError("cells_twice")
        if (sheet.last_row + 1) * (sheet.last_column + 1) > MOST_CELLS:
            raise RefusedFileError("sheet_too_wide")
    return sheets


def _begin(version: int, kind: int) -> _Cells | None:
    """What a part of the file is, by its first record: a worksheet with its cells, or something without any."""
    if version != _BIFF8:
        raise RefusedFileError("old_excel")
    if kind == _MACRO_PART:
        raise RefusedFileError("macros_refused")
    return _Cells() if kind == _WORKSHEET else None


def _records(stream: bytes) -> Iterator[tuple[int, int, int]]:
    place = 0
    while place + 4 <= len(stream):
        code, size = struct.unpack_from("<HH", stream, place)
        if not code and not size:
            return  # the sector's rest
        if place + 4 + size > len(stream):
            raise RefusedFileError("damaged_file")
        yield code, place + 4, size
        place += 4 + size


def _refuse(code: int, stream: bytes, place: int) -> None:
    """Records of the workbook itself that say what is refused."""
    if code == _FILEPASS:
        raise RefusedFileError("encrypted")
    if code == _SHEET and stream[place + 5] == _MACRO_SHEET:
        raise RefusedFileError("macros_refused")
    if code == _LINK and struct.unpack_from("<H", stream, place + 2)[0] not in {_OWN_BOOK, _ADD_IN}:
        raise RefusedFileError("external_links")


def _look(sheet: Sheet, cells: _Cells, currency: dict[int, str], legacy: dict[int, str]) -> SecondLook:
    look = SecondLook(values={}, merged=[(top, left, bottom - 1, right - 1) for top, bottom, left, right in sheet.merged_cells])
    kinds: dict[int, Callable[[int, int, object], None]] = {
        xlrd.XL_CELL_ERROR: lambda row, column, value: look.errors.append(
            (row, column, xlrd.error_text_from_code.get(int(str(value)), "#ERROR"))
        ),
        xlrd.XL_CELL_BOOLEAN: lambda row, column, _: look.booleans.append((row, column)),
    }
    shown, fonts = [], []
    for row in range(sheet.nrows):
        for column, (kind, value) in enumerate(zip(sheet.row_types(row), sheet.row_values(row), strict=True)):
            if kind in {xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK} or value == "":
                continue
            if kind in kinds:
                kinds[kind](row, column, value)
            if kind != xlrd.XL_CELL_ERROR and look.values is not None:
                look.values[row, column] = bool(value) if kind == xlrd.XL_CELL_BOOLEAN else value
            style = sheet.cell_xf_index(row, column)
            if style in currency and kind != xlrd.XL_CELL_TEXT:
                shown.append((column, row, currency[style]))
            if style in legacy:
                fonts.append((column, row, legacy[style]))
    look.formulas, look.currencies, look.legacy = runs_of(cells.formulas), runs_of(shown), runs_of(fonts)
    look.hidden_rows = [(row, row) for row, info in sheet.rowinfo_map.items() if info.hidden or info.height == 0]
    look.hidden_columns = [(column, column) for column, info in sheet.colinfo_map.items() if info.hidden or info.width == 0]
    return look
