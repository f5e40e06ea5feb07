"""Which sheets of a workbook are the payroll, and by which layout they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from importers.contract import CellProblem, ColumnReading, Layout, Meaning, SheetChoice
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The sheets to read (several when a person said so), or why none can be; `choices` are those that could have been meant."""

    candidates: tuple[Candidate, ...] = ()
    problem: CellProblem | None = None
    choices: tuple[SheetChoice, ...] = ()


def choose_sheets(grids: Sequence[Grid], period: PayPeriod, layouts: Sequence[Layout], named: Sequence[str]) -> Choice:
    """The sheets to read. `named` are the sheets that a person chose; without them it must be clear which one is meant.

    `layouts` are confirmed, the newest first. Each remembers the sheets chosen with it: they are taken again where the next
    workbook leaves the same question open.
    """
    names = {grid.name for grid in grids}
    if any(name not in names for name in named):
        return Choice(problem=problem("no_such_sheet", sheets=", ".join(grid.name for grid in grids)))
    if named:
        return _several([grid for grid in grids if grid.name in named], layouts)
    for known in layouts:
        if confirmed := [placed for grid in grids if (placed := _by_layout(grid, known)) is not None]:
            return _one_of(confirmed, period, known.chosen)
    visible = [grid for grid in grids if grid.visible] or list(grids)
    found = [candidate for grid in visible if (candidate := _proposed(grid)) is not None]
    payrolls = [candidate for candidate in found if _is_payroll(candidate.layout)]
    if not found:
        return Choice(problem=problem("no_table_found", sheet=grids[0].name if grids else ""))
    chosen = _one_of(payrolls, period) if payrolls else Choice(candidates=(max(found, key=_understood),))
    return _compared(chosen, layouts)


def _proposed(grid: Grid) -> Candidate | None:
    table = find_table(grid)
    return None if table is None else Candidate(grid=grid, table=table, layout=propose(grid, table))


def _several(grids: Sequence[Grid], layouts: Sequence[Layout]) -> Choice:
    """The sheets that a person chose, by one layout: they are read as one payroll only where their columns are the very same."""
    first = next((found for known in layouts if (found := _by_layout(grids[0], known)) is not None), None) or _proposed(grids[0])
    if first is None:
        return Choice(problem=problem("no_table_found", sheet=grids[0].name))
    chosen = [first]
    for grid in grids[1:]:
        alike = _by_layout(grid, first.layout)
        if alike is None:
            other = _proposed(grid)
            hint = _changes(first.layout, other.layout) if other is not None else "It has no table."
            return Choice(problem=problem("sheets_differ", sheet=grid.name, sheets=grids[0].name, hint=hint))
        chosen.append(alike)
    names = tuple(grid.name for grid in grids)
    marked = tuple(replace(candidate, layout=replace(candidate.layout, chosen=names)) for candidate in chosen)
    return _compared(Choice(candidates=marked), layouts)


def _compared(chosen: Choice, layouts: Sequence[Layout]) -> Choice:
    """With what changed since the newest layout was confirmed."""
    if not layouts or any(candidate.layout.confirmed for candidate in chosen.candidates):
        return chosen
    told = tuple(replace(candidate, changed=_changes(layouts[0], candidate.layout)) for candidate in chosen.candidates)
    return replace(chosen, candidates=told)


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


def _one_of(candidates: Sequence[Candidate], period: PayPeriod, before: Sequence[str] = ()) -> Choice:
    """The only candidate, or the only one that names the period in its sheet's name or title, or those chosen before by a person."""
    if len(candidates) == 1:
        return Choice(candidates=(candidates[0],))
    choices = _choices(candidates, period)
    of_period = [candidate for candidate, choice in zip(candidates, choices, strict=True) if choice.names_period]
    if len(of_period) == 1:
        return Choice(candidates=(of_period[0],), choices=choices)
    again = tuple(candidate for candidate in candidates if candidate.grid.name in before)
    if before and len(again) == len(before):
        return Choice(candidates=again, choices=choices)
    named = ", ".join(candidate.grid.name for candidate in candidates)
    code = "department_sheets" if _hold_others(candidates) else "ambiguous_sheet"
    return Choice(problem=problem(code, sheets=named), choices=choices)


def _choices(candidates: Sequence[Candidate], period: PayPeriod) -> tuple[SheetChoice, ...]:
    kinds: dict[str, int] = {}
    return tuple(
        SheetChoice(
            name=candidate.grid.name,
            rows=sum(1 for row in candidate.grid.rows[candidate.table.first_row :] if any(cell != "" for cell in row)),
            kind=kinds.setdefault(candidate.layout.fingerprint, len(kinds)),
            names_period=period in months_named(candidate.grid, candidate.table),
        )
        for candidate in candidates
    )


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
