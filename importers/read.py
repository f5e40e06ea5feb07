"""`read_sheet`: a payroll file's bytes -> trusted rows and located problems. The left edge of the system on one screen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from importers.checks import (
    check_clock_fractions,
    check_codes_alike,
    check_destinations,
    check_marked,
    check_net,
    check_row_sums,
    check_two_currencies,
    check_unlabelled,
    check_workers,
    flip_deductions,
)
from importers.choose import Candidate, choose_sheets
from importers.columns import ReadColumn, Reading, read_columns
from importers.contract import CellProblem, Counts, ImportedSheet, Layout, Meaning, Severity, SheetChoice
from importers.guard import RefusedFileError, kind_of
from importers.join import SheetPart, in_order, joined, with_notes
from importers.kinds import DAYS, HOURS, MONEY, UNREAD
from importers.layouts import side_by_side
from importers.lines import Places, classify
from importers.money import Money
from importers.names import with_whole_names
from importers.notes import notes_on_file, notes_on_layout, notes_on_sheet
from importers.period import PayPeriod
from importers.problems import problem
from importers.progress import Progress
from importers.rows import build_rows, canonical_lines, net_sums
from importers.second_opinion import check_second_reading
from importers.sheet_xml import column_index
from importers.table_checks import check_merged, check_shifted, spread_merged, stops_of_table
from importers.totals import control_totals
from importers.workbook import Opened, address, open_grids


def read_sheet(
    data: bytes,
    *,
    file_name: str,
    period: PayPeriod,
    layouts: Sequence[Layout] = (),
    sheets: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> ImportedSheet:
    """Read a payroll file; never raises for what stands in it.

    A file that cannot be read is an ImportedSheet with one problem that stops the file. `layouts` are a factory's confirmed
    mappings, the newest first; one is taken when the headers have its fingerprint; without one the mapping is proposed and waits
    for a person, and the rows are a preview. `sheets` names the sheets to read where several could be meant; several are read as
    one payroll where their columns are the same. `progress(done, rows)` is called now and then, also from another thread; `done`
    only grows and is `rows` at the end.
    """
    source = _Source(file_name=file_name, content_hash=hashlib.sha256(data).hexdigest())
    told = Progress(progress) if progress is not None else None
    try:
        with open_grids(data, file_name, told.opened if told else None) as opened:
            source = replace(source, sheets=tuple(grid.name for grid in opened.grids))
            choice = choose_sheets(opened.grids, period, [layout for layout in layouts if layout.confirmed], sheets)
            source = replace(source, choices=choice.choices)
            if choice.problem is not None:
                return _refused(source, [choice.problem])
            parts = []
            for chosen in choice.candidates:
                parts.append(_sheet(source, chosen, period, opened, told))
                if told is not None:
                    told.sheet_done()
    except RefusedFileError as refused:
        return _refused(source, [problem(refused.code)])
    notes = notes_on_file(file_name, choice.candidates, opened.grids, kind_of(data))
    return joined([replace(parts[0], sheet=with_notes(parts[0].sheet, notes)), *parts[1:]])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """The file, for the record of what was read."""

    file_name: str
    content_hash: str
    sheets: tuple[str, ...] = ()
    choices: tuple[SheetChoice, ...] = ()


def _sheet(source: _Source, chosen: Candidate, period: PayPeriod, opened: Opened, progress: Progress | None) -> SheetPart:
    """One sheet of the file, or why nothing can be taken from it."""
    notes = notes_on_sheet(chosen, period)
    found, chosen = chosen.layout, with_whole_names(chosen)
    missing = _missing_column(chosen)
    if missing is not None:
        return SheetPart(sheet=_refused(source, [missing, *notes, *notes_on_layout(chosen)], layout=found))
    part = _read(source, chosen, notes, period, opened, progress)
    return replace(part, sheet=replace(part.sheet, layout=found))


def _read(
    source: _Source, chosen: Candidate, notes: list[CellProblem], period: PayPeriod, opened: Opened, progress: Progress | None
) -> SheetPart:
    grid, layout = chosen.grid, chosen.layout
    spread_merged(grid, chosen.table, layout)
    lines = classify(grid, chosen.table, _places(layout))
    if not lines.workers and not lines.unlabelled:
        empty = problem("no_rows_found", sheet=grid.name, cell=address(chosen.table.first_row, 0))
        return SheetPart(sheet=_refused(source, [empty, *notes], layout=layout))
    net_currency = _net_currency(layout)
    reading = Reading(grid=grid, layout=layout, lines=lines, period=period, strict_net=net_currency)
    read_columns(reading, progress)
    reading.problems.extend(stops_of_table(chosen, lines))
    net = next(column for column in reading.find(Meaning.NET) if column.currency == net_currency)
    flip_deductions(reading)
    check_marked(reading)
    check_merged(reading)
    check_shifted(reading)
    check_workers(reading)
    check_codes_alike(reading)
    check_net(reading, net)
    check_destinations(reading)
    check_two_currencies(reading)
    check_row_sums(reading, net)
    check_clock_fractions(reading)
    without_worker = check_unlabelled(reading, net)
    totals = control_totals(reading)
    check_second_reading(reading, opened.second_opinion())
    reading.problems.extend(problem("row_not_read", sheet=grid.name, cell=address(row, 0), value=grid.rows[row][0]) for row in lines.unread)
    stops = any(found.severity is Severity.STOPS_FILE for found in reading.problems)
    rows = () if stops else build_rows(reading, net_currency, progress)
    read = len(lines.workers) + len(without_worker)
    rejected = [_stated(reading, net, position) for position in range(len(lines.workers)) if stops or position in reading.stopped]
    sheet = ImportedSheet(
        file_name=source.file_name,
        content_hash=source.content_hash,
        canonical_hash=source.content_hash,
        layout=layout,
        rows=rows,
        problems=in_order([*notes, *notes_on_layout(chosen), *reading.problems]),
        counts=Counts(read=read, accepted=len(rows), rejected=read - len(rows)),
        net_accepted=net_sums(row.net for row in rows),
        net_rejected=net_sums([*rejected, *(amount for _, amount in without_worker)]),
        control_totals=totals,
        sheets=source.sheets,
        choices=source.choices,
    )
    return SheetPart(sheet=sheet, lines=tuple(canonical_lines(reading)) if rows else ())


def _stated(reading: Reading, net: ReadColumn, position: int) -> Money | None:
    """What a rejected row states as net: in the other currency where only that one is filled in."""
    stated = (column.sums[position] for column in (net, *reading.find(Meaning.NET)))
    return next((amount for amount in stated if amount is not None), None)


def _net_currency(layout: Layout) -> str:
    """Dollars where the net stands in both: cents are finer than riel rounded to the hundred."""
    codes = {column.currency for column in layout.columns if column.meaning is Meaning.NET and column.currency}
    return "USD" if "USD" in codes else codes.pop()


def _missing_column(chosen: Candidate) -> CellProblem | None:
    """The problem of a sheet that lacks a column without which nobody can be paid."""
    grid, layout = chosen.grid, chosen.layout
    meanings = {column.meaning for column in layout.columns}
    if (beside := side_by_side(layout)) is not None:
        return problem("side_by_side", sheet=grid.name, cell=address(chosen.table.header_rows[-1], column_index(beside)), hint=beside)
    place = address(chosen.table.header_rows[-1], 0)
    if Meaning.NET not in meanings:
        maybe = [column.column for column in layout.columns if column.meaning is None and "maybe net" in column.reason]
        hint = f"It may be column {', '.join(maybe)}." if maybe else ""
        return problem("no_net_column", sheet=grid.name, cell=place, meaning=Meaning.NET, hint=hint)
    if Meaning.WORKER_CODE not in meanings:
        return problem("no_code_column", sheet=grid.name, cell=place, meaning=Meaning.WORKER_CODE)
    if not meanings & {Meaning.NAME, Meaning.NAME_LATIN}:
        return problem("no_name_column", sheet=grid.name, cell=place, meaning=Meaning.NAME)
    nets = [column for column in layout.columns if column.meaning is Meaning.NET]
    if all(column.currency is None for column in nets):
        cell = f"{nets[0].column}{chosen.table.header_rows[-1] + 1}"
        return problem("net_currency_unknown", sheet=grid.name, cell=cell, meaning=Meaning.NET)
    return None


def _places(layout: Layout) -> Places:
    columns = [(column.meaning, column_index(column.column)) for column in layout.columns if column.meaning not in UNREAD]
    return Places(
        code=next(index for meaning, index in columns if meaning is Meaning.WORKER_CODE),
        names=tuple(index for meaning, index in columns if meaning in {Meaning.NAME, Meaning.NAME_LATIN}),
        net=tuple(index for meaning, index in columns if meaning is Meaning.NET),
        number=next((column_index(column.column) for column in layout.columns if column.meaning is Meaning.LINE_NUMBER), None),
        figures=tuple(index for meaning, index in columns if meaning in MONEY | HOURS | DAYS and meaning is not Meaning.NET),
    )


def _refused(source: _Source, problems: list[CellProblem], *, layout: Layout | None = None) -> ImportedSheet:
    return ImportedSheet(
        file_name=source.file_name,
        content_hash=source.content_hash,
        canonical_hash=source.content_hash,
        layout=layout,
        rows=(),
        problems=in_order(problems),
        counts=Counts(read=0, accepted=0, rejected=0),
        net_accepted={},
        net_rejected={},
        sheets=source.sheets,
        choices=source.choices,
    )
