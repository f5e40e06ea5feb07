"""What HR should know about the file and its columns before she looks at rows."""

from __future__ import annotations

from collections.abc import Sequence

from importers.choose import Candidate, months_named
from importers.contract import CellProblem
from importers.csv_file import TEXT_NAMES
from importers.guard import Kind
from importers.headers import WEAK, guess
from importers.kinds import MONEY, WHO
from importers.layouts import ASSUMED
from importers.lines import is_total_label
from importers.period import PayPeriod
from importers.problems import problem
from importers.sheet_xml import column_index, column_letters
from importers.table import Table, find_table
from importers.workbook import Grid, address, text_of


def notes_on_file(file_name: str, read: Sequence[Candidate], grids: Sequence[Grid], kind: Kind | None) -> list[CellProblem]:
    """Name against content, hidden sheets, and sheets with workers that were not read."""
    first = read[0].grid.name
    notes = []
    if not file_name.lower().endswith(kind.value if kind is not None else TEXT_NAMES):
        notes.append(problem("extension_differs", sheet=first))
    names = {candidate.grid.name for candidate in read}
    notes.extend(
        problem("hidden_sheet", sheet=other.name, hint=other.name)
        for other in grids
        if not other.visible and other.name not in names and any(any(row) for row in other.rows)
    )
    if others := _not_read(read, grids):
        notes.append(problem("sheets_not_read", sheet=first, sheets=", ".join(others)))
    return notes


def notes_on_sheet(chosen: Candidate, period: PayPeriod) -> list[CellProblem]:
    """Another month, saved formulas, hidden rows and columns."""
    grid, table = chosen.grid, chosen.table
    notes = []
    months = months_named(grid, table)
    if months and period not in months:
        named = ", ".join(str(month) for month in sorted(months))
        notes.append(problem("period_differs", sheet=grid.name, hint=named))
    formulas = sum(last - max(first, table.first_row) + 1 for _, first, last, _ in grid.formulas if last >= table.first_row)
    if formulas:
        notes.append(problem("formulas_read", sheet=grid.name, hint=f"{formulas:,}"))
    notes.extend(_hidden(chosen))
    return notes


def _not_read(read: Sequence[Candidate], grids: Sequence[Grid]) -> list[str]:
    """Other visible sheets with a table that names workers, beside figures. A sheet that lists the same workers is no payroll missed."""
    found = []
    names = {candidate.grid.name for candidate in read}
    for grid in grids:
        if grid.name in names or not grid.visible or (table := find_table(grid)) is None:
            continue
        meanings = {entry.meaning for caption in table.captions for entry in guess(caption.header) if entry.score >= WEAK}
        if meanings & WHO and meanings & MONEY and len(grid.rows) > table.first_row and not _same_workers(read, grid, table):
            found.append(grid.name)
    return found


def _same_workers(read: Sequence[Candidate], grid: Grid, table: Table) -> bool:
    """Whether hardly a code or name of the other sheet is missing from the sheets that are read."""
    known = {text_of(cell).strip() for candidate in read for row in candidate.grid.rows for cell in row if cell != ""}
    columns = [index for index, caption in enumerate(table.captions) if any(entry.meaning in WHO for entry in guess(caption.header))]
    for column in columns:
        there = {text_of(row[column]).strip() for row in grid.rows[table.first_row :] if column < len(row) and row[column] != ""}
        there = {text for text in there if not is_total_label(text)}
        if there and len(there - known) * 10 <= len(there):
            return True
    return False


def _hidden(chosen: Candidate) -> list[CellProblem]:
    grid, first = chosen.grid, chosen.table.first_row
    rows = [
        row for start, end in grid.hidden_rows for row in range(max(start, first), min(end, len(grid.rows) - 1) + 1) if any(grid.rows[row])
    ]
    columns = [
        column
        for start, end in grid.hidden_columns
        for column in range(start, min(end, grid.width - 1) + 1)
        if any(line[column] for line in grid.rows if column < len(line))
    ]
    found = []
    if rows:
        hint = f"rows ({', '.join(str(row + 1) for row in rows[:5])}{', ...' if len(rows) > 5 else ''}; {len(rows)} in all)"  # noqa: PLR2004  the first five are named
        found.append(problem("hidden_data", sheet=grid.name, cell=address(rows[0], 0), hint=hint))
    if columns:
        hint = f"columns ({', '.join(column_letters(column) for column in columns[:10])})"
        found.append(problem("hidden_data", sheet=grid.name, cell=address(first, columns[0]), hint=hint))
    return found


def notes_on_layout(chosen: Candidate) -> list[CellProblem]:
    """Columns that a person is asked about, currencies taken by size, and what changed since the layout was confirmed."""
    layout, header = chosen.layout, chosen.table.header_rows[-1]
    notes = []
    if chosen.changed:
        notes.append(problem("layout_changed", sheet=layout.sheet, hint=chosen.changed))
    for column in layout.columns:
        place = address(header, column_index(column.column))
        if column.meaning is None:
            notes.append(problem("column_not_understood", sheet=layout.sheet, cell=place, value=column.header, hint=column.reason))
        elif column.meaning in MONEY and ASSUMED in column.reason and not layout.confirmed:
            names = {"USD": "dollars", "KHR": "riel"}
            notes.append(
                problem(
                    "currency_assumed",
                    sheet=layout.sheet,
                    cell=place,
                    meaning=column.meaning,
                    value=column.header,
                    hint=names.get(column.currency or "", "unknown"),
                )
            )
    return notes
