"""What the shape of a table says against reading it row by row: a second table, several months, merged workers, shifted fields."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import date

from importers.choose import Candidate, months_named
from importers.columns import Reading
from importers.contract import CellProblem, Layout, Meaning
from importers.headers import TAKEN_FROM, guess, key
from importers.kinds import WHO
from importers.lines import Lines
from importers.period import PayPeriod
from importers.periods import periods_in
from importers.problems import problem
from importers.sheet_xml import column_index
from importers.table import Table
from importers.workbook import Cell, Grid, address, text_of

_SPREAD = frozenset({Meaning.DEPARTMENT, Meaning.POSITION, Meaning.STATUS, Meaning.PAY_METHOD, Meaning.BANK})
_MONTH_HEADERS = frozenset(
    key(word)
    for word in ("month", "period", "pay period", "pay month", "payroll month", "payroll period", "ខែ", "ប្រចាំខែ", "月份", "月", "월")
)
_MOST_SHARE = 2  # more than half of the rows with an extra field are a column without a header, not shifted rows


def stops_of_table(chosen: Candidate, lines: Lines) -> list[CellProblem]:
    """The problems by which no row of the table can be trusted."""
    return [*_second_table(chosen.grid, lines), *_several_months(chosen, lines)]


def _second_table(grid: Grid, lines: Lines) -> list[CellProblem]:
    row = lines.second_table
    if row is None or not lines.workers:
        return []
    texts = [cell for cell in grid.rows[row] if isinstance(cell, str) and cell]
    if not any(entry.meaning in WHO and entry.score >= TAKEN_FROM for text in texts for entry in guess(text)):
        return []  # a summary by department, or the notes of the cash: its rows are no workers
    column = next(index for index, cell in enumerate(grid.rows[row]) if cell != "")
    return [problem("second_table", sheet=grid.name, cell=address(row, column), value=grid.rows[row][column])]


def _several_months(chosen: Candidate, lines: Lines) -> list[CellProblem]:
    grid, table = chosen.grid, chosen.table
    if not lines.workers:
        return []
    found: set[str] = set()
    place = ""
    for row in lines.headings:
        if row > lines.workers[-1]:
            break
        named = {month for cell in grid.rows[row] if isinstance(cell, str) for month in periods_in(cell)}
        if named:
            found |= {str(month) for month in named}
            place = place or address(row, 0)
    if found:
        found |= {str(month) for month in months_named(grid, table)} if lines.workers[0] < lines.headings[0] else set()
    for reading in chosen.layout.columns:
        index = column_index(reading.column)
        if reading.meaning is None and key(reading.header) in _MONTH_HEADERS:
            months = {month for row in lines.workers if (month := _month(grid.rows[row], index))}
            if len(months) > 1:
                found |= months
                place = place or address(table.first_row, index)
    return [problem("several_months", sheet=grid.name, cell=place, hint=", ".join(sorted(found)[:6]))] if len(found) > 1 else []


def _month(row: list[Cell], index: int) -> str:
    cell = row[index] if index < len(row) else ""
    if isinstance(cell, date):
        return str(PayPeriod(cell.year, cell.month))
    named = periods_in(text_of(cell))
    return str(named.pop()) if len(named) == 1 else text_of(cell).strip()


def spread_merged(grid: Grid, table: Table, layout: Layout) -> None:
    """A department or bank that is merged over several rows stands in each of them: so the sheet shows it."""
    spread = {column_index(column.column) for column in layout.columns if column.meaning in _SPREAD}
    for top, left, bottom, right in grid.merged:
        if left != right or left not in spread or top < table.first_row or top >= len(grid.rows) or left >= len(grid.rows[top]):
            continue
        for line in grid.rows[top + 1 : bottom + 1]:
            if len(line) > left and any(cell != "" for cell in line):
                line[left] = grid.rows[top][left]


def check_merged(reading: Reading) -> None:
    """A code or name merged over several rows with amounts is one worker in pieces."""
    grid, workers = reading.grid, reading.lines.workers
    who = {column.index: column.meaning for column in reading.columns if column.meaning in WHO}
    with_amounts = sorted({*workers, *reading.lines.unlabelled, *reading.lines.unread})
    for top, left, bottom, right in grid.merged:
        meaning = next((who[index] for index in who if left <= index <= right), None)
        if meaning is None or bottom == top or bisect_right(with_amounts, bottom) - bisect_left(with_amounts, top) <= 1:
            continue
        position = bisect_left(workers, top)
        if position < len(workers) and workers[position] <= bottom:
            reading.report(position, left, meaning, "merged_rows")


def check_shifted(reading: Reading) -> None:
    """A line of delimited text with more fields than the header, where most have not: an unquoted 1,240 made two fields."""
    if not reading.grid.is_text:
        return
    last = max((column_index(column.column) for column in reading.layout.columns if column.header), default=-1)
    wide = list(_wide(reading, last))
    if len(wide) * _MOST_SHARE > len(reading.lines.workers):
        return
    for position, index in wide:
        reading.report(position, index, None, "fields_shifted")


def _wide(reading: Reading, last: int) -> Iterable[tuple[int, int]]:
    for position, row in enumerate(reading.lines.workers):
        line = reading.grid.rows[row]
        if len(line) > last + 1:
            index = next((index for index in range(last + 1, len(line)) if text_of(line[index]).strip()), None)
            if index is not None:
                yield position, index
