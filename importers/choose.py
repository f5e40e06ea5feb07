"""Which sheet of a workbook is the payroll, and by which layout it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from importers.contract import CellProblem, ColumnReading, Layout, Meaning
from importers.headers import identity
from importers.layouts import fingerprint, propose
from importers.lines import is_total_label
from importers.period import PayPeriod
from importers.periods import periods_in
from importers.problems import problem
from importers.sheet_xml import column_index
from importers.table import Table, captions, find_table
from importers.workbook import Grid, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A sheet with its table and layout. `changed` says what differs from the layout that was confirmed before."""

    grid: Grid
    table: Table
    layout: Layout
    changed: str = ""


def choose_sheet(grids: Sequence[Grid], period: PayPeriod, layout: Layout | None, sheet: str | None) -> Candidate | CellProblem:
    """The one sheet to read, or the problem that says why it cannot be told."""
    names = ", ".join(grid.name for grid in grids)
    if sheet is not None:
        grids = [grid for grid in grids if grid.name == sheet]
        if not grids:
            return problem("no_such_sheet", sheets=names)
    if layout is not None and layout.confirmed:
        confirmed = [known for grid in grids if (known := _by_layout(grid, layout)) is not None]
        if confirmed:
            return _one_of(confirmed, period)
    visible = [grid for grid in grids if grid.visible] or list(grids)
    found = [Candidate(grid=grid, table=table, layout=propose(grid, table)) for grid in visible if (table := find_table(grid))]
    payrolls = [candidate for candidate in found if _is_payroll(candidate.layout)]
    if not found:
        return problem("no_table_found", sheet=grids[0].name if grids else "")
    chosen = _one_of(payrolls, period) if payrolls else max(found, key=_understood)
    if isinstance(chosen, Candidate) and layout is not None and layout.confirmed:
        return replace(chosen, changed=_changes(layout, chosen.layout))
    return chosen


def _understood(candidate: Candidate) -> int:
    return sum(1 for column in candidate.layout.columns if column.score)


def _is_payroll(layout: Layout) -> bool:
    meanings = {column.meaning for column in layout.columns}
    return Meaning.NET in meanings and bool(meanings & {Meaning.WORKER_CODE, Meaning.NAME, Meaning.NAME_LATIN})


def _by_layout(grid: Grid, layout: Layout) -> Candidate | None:
    """The sheet under a confirmed layout, if its headers are the very same (they may have moved up or down)."""
    rows = [row - 1 for row in layout.header_rows]
    tables = []
    if rows and rows[-1] < len(grid.rows):
        tables.append(Table(header_rows=tuple(rows), captions=captions(grid, rows)))
    if (found := find_table(grid)) is not None:
        tables.append(found)
    for table in tables:
        if fingerprint(table) == layout.fingerprint:
            placed = replace(layout, sheet=grid.name, header_rows=tuple(row + 1 for row in table.header_rows))
            return Candidate(grid=grid, table=table, layout=placed)
    return None


def _one_of(candidates: Sequence[Candidate], period: PayPeriod) -> Candidate | CellProblem:
    """The only candidate, or the only one that names the period in its sheet's name or title."""
    if len(candidates) == 1:
        return candidates[0]
    of_period = [candidate for candidate in candidates if period in months_named(candidate.grid, candidate.table)]
    if len(of_period) == 1:
        return of_period[0]
    named = ", ".join(candidate.grid.name for candidate in candidates)
    return problem("department_sheets" if _hold_others(candidates) else "ambiguous_sheet", sheets=named)


def _hold_others(candidates: Sequence[Candidate]) -> bool:
    """Whether the sheets hold different workers, one department each: then none of them is the payroll alone."""
    seen: set[str] = set()
    twice = 0
    for candidate in candidates:
        wanted = {Meaning.WORKER_CODE}, {Meaning.NAME, Meaning.NAME_LATIN}
        columns = [next((c.column for c in candidate.layout.columns if c.meaning in meanings), None) for meanings in wanted]
        column = next((column_index(letters) for letters in columns if letters), None)
        if column is None:
            return False
        rows = candidate.grid.rows[candidate.table.first_row :]
        who = {text_of(row[column]).strip() for row in rows if column < len(row) and row[column] != ""}
        who = {text for text in who if not is_total_label(text)}
        twice += len(seen & who)
        seen |= who
    return bool(seen) and twice * 10 < len(seen)


def months_named(grid: Grid, table: Table) -> set[PayPeriod]:
    """The months that the sheet's name and the titles above its table speak of."""
    titles = [text_of(cell) for row in grid.rows[: table.header_rows[0]] for cell in row if cell]
    found = periods_in(grid.name)
    for title in titles:
        found |= periods_in(title)
    return found


def _changes(old: Layout, new: Layout) -> str:
    before, after = _headers(old.columns), _headers(new.columns)
    gone = [header for key, header in before.items() if key not in after]
    come = [header for key, header in after.items() if key not in before]
    parts = []
    if come:
        parts.append("New: " + ", ".join(come[:5]))
    if gone:
        parts.append("Gone: " + ", ".join(gone[:5]))
    return "; ".join(parts) + "." if parts else "The columns stand in another order."


def _headers(columns: Sequence[ColumnReading]) -> dict[str, str]:
    return {identity(column.header): f"'{column.header}' ({column.column})" for column in columns if column.header}
