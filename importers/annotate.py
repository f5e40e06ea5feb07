"""The same workbook back, with every problem marked in its cell and a first sheet that lists and links them all."""

from __future__ import annotations

import io
import json
import sys
from collections import defaultdict
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from importers.contract import ImportedSheet
from importers.copied import copied
from importers.csv_file import read_text_table
from importers.formulas import is_plain_formula
from importers.guard import Kind, RefusedFileError, inspect, kind_of
from importers.sandbox import limit_this_process, run_limited
from importers.texts import write_text

WALL_SECONDS = 90.0
_MOST_COMMENTS = 5_000  # beyond, cells are coloured and listed; thousands of comment boxes make Excel crawl
_LONGEST_COMMENT = 600
_TITLE = "Problems បញ្ហា"
_HEADINGS = ("No.", "Severity", "Sheet", "Cell", "Column", "Value", "Problem", "What to do", "ដំណោះស្រាយ", "Code")
_WIDTHS = (6, 12, 16, 9, 18, 22, 50, 50, 50, 22)
_COLOURS = {"stops_file": "FF9999", "stops_row": "FFC7CE", "warns": "FFEB9C"}
_COPIED = (Kind.OLD_EXCEL, Kind.OPEN_DOCUMENT)
_COPY_NOTE = (
    "This is a copy of your file's values: its formulas, fonts and colours stay in your own file; correct that one."
    " នេះជាច្បាប់ចម្លងតម្លៃក្នុងឯកសាររបស់អ្នក៖ រូបមន្ត និងទម្រង់នៅក្នុងឯកសារដើម។ សូមកែឯកសារដើម។"
)
_RANK = {"stops_file": 0, "stops_row": 1, "warns": 2}


def annotate(data: bytes, sheet: ImportedSheet) -> bytes:
    """The uploaded file as an xlsx with its problems; a file that cannot be opened safely comes back as the list alone.

    The work is done in a limited child process. Text is written as text: nothing in a cell becomes a formula.
    """
    problems = [
        {
            "sheet": found.sheet,
            "cell": found.cell,
            "meaning": found.meaning.value if found.meaning else "",
            "value": found.value,
            "code": found.code,
            "severity": found.severity.value,
            "message": found.message,
            "remedy": found.remedy,
            "remedy_km": found.remedy_km,
        }
        for found in sheet.problems
    ]
    head = json.dumps(problems).encode() + b"\n"
    try:
        return run_limited("importers.annotate", head + data, wall_seconds=WALL_SECONDS)
    except RefusedFileError:
        return run_limited("importers.annotate", head, wall_seconds=WALL_SECONDS)


def _annotated(data: bytes, problems: list[dict[str, Any]]) -> bytes:
    book = _opened(data)
    _without_strange_formulas(book)
    by_cell: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for entry in problems:
        if entry["cell"] and entry["sheet"] in book.sheetnames:
            by_cell[entry["sheet"], entry["cell"]].append(entry)
    for number, ((name, place), entries) in enumerate(by_cell.items()):
        _mark(book[name], place, entries, commented=number < _MOST_COMMENTS)
    _list(book, problems)
    if kind_of(data) in _COPIED:
        write_text(book.worksheets[0].cell(row=len(problems) + 3, column=2), _COPY_NOTE)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _opened(data: bytes) -> Workbook:
    kind = kind_of(data)
    if kind is not None:
        try:
            return copied(data) if kind is not Kind.EXCEL else _loaded(data)
        except (RefusedFileError, InvalidFileException, ValueError, KeyError, TypeError, AttributeError, OSError):
            return _empty()
    try:
        rows = read_text_table(data) if data.strip() else []
    except RefusedFileError:
        return _empty()
    book = _empty()
    if rows:
        page = book.create_sheet("CSV")
        for row, cells in enumerate(rows, 1):
            for column, text in enumerate(cells, 1):
                write_text(page.cell(row=row, column=column), text)
    return book


def _loaded(data: bytes) -> Workbook:
    inspect(data)
    return load_workbook(io.BytesIO(data))


def _empty() -> Workbook:
    book = Workbook()
    book.remove(book.worksheets[0])
    return book


def _without_strange_formulas(book: Workbook) -> None:
    """Her sums stay formulas; what could call out or run something becomes text."""
    for page in book.worksheets:
        for row in page.iter_rows():
            for cell in row:
                if cell.data_type == "f" and not is_plain_formula(cell.value):
                    write_text(cell, f"[formula removed] {cell.value}")


def _mark(page: Worksheet, place: str, entries: list[dict[str, Any]], *, commented: bool) -> None:
    cell = page[place]
    if isinstance(cell, MergedCell):
        area = next((area for area in page.merged_cells.ranges if place in area), None)
        if area is not None:
            cell = page.cell(row=area.min_row, column=area.min_col)
    worst = min((entry["severity"] for entry in entries), key=lambda severity: _RANK[severity])
    cell.fill = PatternFill("solid", fgColor=_COLOURS[worst])
    if commented and isinstance(cell, Cell):
        text = "\n\n".join(f"{entry['message']}\n{entry['remedy']}\n{entry['remedy_km']}" for entry in entries)
        comment = Comment(ILLEGAL_CHARACTERS_RE.sub("", text)[:_LONGEST_COMMENT], "Garment Wages")
        comment.width, comment.height = 360, 160
        cell.comment = comment


def _list(book: Workbook, problems: list[dict[str, Any]]) -> None:
    title = _TITLE
    while title in book.sheetnames:
        title += " "
        title = title.rstrip() + "+"
    page = book.create_sheet(title[:31], 0)
    book.active = 0
    for other in book.worksheets[1:]:
        other.sheet_view.tabSelected = False
    for column, (heading, width) in enumerate(zip(_HEADINGS, _WIDTHS, strict=True), 1):
        cell = page.cell(row=1, column=column, value=heading)
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="DDEBF7")
        page.column_dimensions[cell.column_letter].width = width
    page.freeze_panes = "A2"
    for number, entry in enumerate(sorted(problems, key=lambda entry: _RANK[entry["severity"]]), 1):
        row = number + 1
        page.cell(row=row, column=1, value=number)
        texts = ("severity", "sheet", "cell", "meaning", "value", "message", "remedy", "remedy_km", "code")
        for column, field in enumerate(texts, 2):
            cell = page.cell(row=row, column=column)
            write_text(cell, str(entry[field]))
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        page.cell(row=row, column=2).fill = PatternFill("solid", fgColor=_COLOURS[entry["severity"]])
        if entry["cell"] and entry["sheet"] in book.sheetnames:
            target = page.cell(row=row, column=4)
            name = entry["sheet"].replace("'", "''")
            target.hyperlink = Hyperlink(ref=target.coordinate, location=f"'{name}'!{entry['cell']}")
            target.font = Font(color="0563C1", underline="single")


def main() -> None:
    """Answer one annotated workbook: problems as a JSON line on stdin, then the file's bytes."""
    limit_this_process(memory=2048 * 1024 * 1024, cpu_seconds=80)
    head, _, data = sys.stdin.buffer.read().partition(b"\n")
    sys.stdout.buffer.write(_annotated(data, json.loads(head)))


if __name__ == "__main__":
    main()
