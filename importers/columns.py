"""Every mapped column of a sheet, read for all workers at once, with each fault as a problem in its cell."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from importers.cells import Fault
from importers.contract import CellProblem, ColumnReading, Layout, Meaning, PayMethod, Severity
from importers.khmer import is_khmer
from importers.kinds import IDENTITIES, MONEY, NAMES, UNREAD
from importers.lines import Lines
from importers.period import PayPeriod
from importers.problems import problem, severity_of
from importers.progress import Progress
from importers.readers import reader
from importers.sheet_xml import Runs, column_index
from importers.workbook import Cell, Grid, address, text_of

_SHOWN_ONE_BY_ONE = 25  # warnings of one kind in one column; more are told once, with their number
_LEFT_OUT = frozenset({"date_out_of_range", "id_as_number", "number_ambiguous", "too_many_decimals"})
_BESIDE_THE_PAY = frozenset(
    {Meaning.POSITION, Meaning.DEPARTMENT, Meaning.SEX, Meaning.STATUS, Meaning.JOINED_ON, Meaning.LEFT_ON, Meaning.SPOUSE}
    | {Meaning.CHILDREN, Meaning.NATIONAL_ID, Meaning.NAME_LATIN, Meaning.ACCOUNT_NAME}
)


@dataclass(slots=True, kw_only=True)
class ReadColumn:
    """One column's values, in the order of the workers; None where the cell is empty or not read."""

    index: int
    meaning: Meaning
    currency: str | None
    values: list[Any]
    sums: list[Any] = field(default_factory=list)  # as `values`, with what could still be read of refused cells: for control totals only


@dataclass(slots=True, kw_only=True)
class Reading:
    """A sheet while it is read. Positions count the workers, from 0."""

    grid: Grid
    layout: Layout
    lines: Lines
    period: PayPeriod
    columns: list[ReadColumn] = field(default_factory=list)
    problems: list[CellProblem] = field(default_factory=list)
    stopped: set[int] = field(default_factory=set)
    told: set[tuple[int, int]] = field(default_factory=set)  # (position, column) of cells that stopped their row
    methods: Sequence[PayMethod | None] = ()
    strict_net: str | None = None  # the currency whose net is paid as it stands

    def find(self, meaning: Meaning) -> list[ReadColumn]:
        """The columns of one meaning."""
        return [column for column in self.columns if column.meaning is meaning]

    def report(
        self, position: int, index: int, meaning: Meaning | None, code: str, *, severity: Severity | None = None, hint: str = ""
    ) -> None:
        """Add a problem in a worker's cell, and stop her row if it reaches that far."""
        row = self.lines.workers[position]
        line = self.grid.rows[row]
        found = problem(
            code,
            sheet=self.grid.name,
            cell=address(row, index),
            meaning=meaning,
            value=line[index] if index < len(line) else "",
            severity=severity,
            hint=hint,
        )
        self.problems.append(found)
        if found.severity is Severity.STOPS_ROW:
            self.stopped.add(position)
            self.told.add((position, index))


def mapped(layout: Layout) -> list[ColumnReading]:
    """The columns whose cells are read, those that decide about others first."""
    first = {Meaning.PAY_METHOD: 0}
    known = [column for column in layout.columns if column.meaning is not None and column.meaning not in UNREAD]
    return sorted(known, key=lambda column: first.get(column.meaning or Meaning.IGNORED, 1))


def read_columns(reading: Reading, progress: Progress | None = None) -> None:
    """Read every mapped column of the sheet into `reading`."""
    rows = reading.grid.rows
    by_column = list(zip_longest(*(rows[place] for place in reading.lines.workers), fillvalue=""))
    entries = mapped(reading.layout)
    for number, entry in enumerate(entries):
        if progress is not None:
            progress.column(number, len(entries), len(reading.lines.workers))
        index, meaning = column_index(entry.column), entry.meaning or Meaning.IGNORED
        cells: Sequence[Cell] = by_column[index] if index < len(by_column) else [""] * len(reading.lines.workers)
        strict = meaning is Meaning.NET and entry.currency == reading.strict_net
        read = reader(meaning, entry.currency, cells, reading.period, strict=strict)
        column = ReadColumn(index=index, meaning=meaning, currency=entry.currency, values=[read[cell] for cell in cells])
        _apply_runs(reading, column, cells)
        if meaning is Meaning.ACCOUNT:
            _mark_lost_zeros(column.values)
        elif meaning is Meaning.WORKER_CODE:
            _mark_shortened(column.values, cells)
        _settle_faults(reading, column)
        reading.columns.append(column)
        if meaning is Meaning.PAY_METHOD:
            reading.methods = column.values


def _apply_runs(reading: Reading, column: ReadColumn, cells: Sequence[Cell]) -> None:
    """What the second look knows of single cells: formulas, another currency's format, a legacy font."""
    grid, values = reading.grid, column.values
    if column.meaning in IDENTITIES:
        for position in _covered(reading, column.index, grid.formulas):
            values[position] = Fault("formula_in_identity")
    if column.meaning in MONEY:
        for position in _covered(reading, column.index, [run for run in grid.currencies if run[3] != column.currency]):
            if values[position] is not None:
                values[position] = Fault("currency_differs")
    if column.meaning is Meaning.NAME:
        for position in _covered(reading, column.index, grid.legacy):
            if not is_khmer(text_of(cells[position])):
                values[position] = Fault("legacy_font")


def _covered(reading: Reading, index: int, runs: Runs) -> list[int]:
    """The positions of workers whose cell in this column lies in one of the runs."""
    workers = reading.lines.workers
    found: list[int] = []
    for column, first, last, _ in runs:
        if column == index:
            found.extend(range(bisect_left(workers, first), bisect_right(workers, last)))
    return found


def _mark_lost_zeros(values: list[Any]) -> None:
    """An account stored as a number and shorter than most accounts lost its zero; it is not a warning then but damage."""
    lengths = Counter(
        len(value if isinstance(value, str) else str(value.value)) for value in values if isinstance(value, str) or _as_number(value)
    )
    if not lengths:
        return
    usual, times = lengths.most_common(1)[0]
    if times < 3 or times * 10 < sum(lengths.values()) * 6:  # noqa: PLR2004  six accounts of ten say what is usual
        return
    for position, value in enumerate(values):
        if _as_number(value) and len(str(value.value)) < usual:
            values[position] = Fault("account_lost_zero")


def _mark_shortened(codes: list[Any], cells: Sequence[Cell]) -> None:
    """A code stored as a number where the others are text of one length: 0002 became 2."""
    lengths = Counter(len(code) for code, cell in zip(codes, cells, strict=True) if isinstance(cell, str) and isinstance(code, str))
    if not lengths or not any(isinstance(cell, float) for cell in cells):
        return
    usual, times = lengths.most_common(1)[0]
    if times * 2 <= len(codes) or not any(isinstance(code, str) and code.startswith("0") for code in codes):
        return
    for position, (code, cell) in enumerate(zip(codes, cells, strict=True)):
        if isinstance(cell, float) and isinstance(code, str) and len(code) < usual:
            codes[position] = Fault("code_lost_zero")


def _as_number(value: object) -> bool:
    return isinstance(value, Fault) and value.code == "account_as_number"


def _settle_faults(reading: Reading, column: ReadColumn) -> None:
    """Turn faults into problems, and leave in `values` only what may be used."""
    index, meaning, values = column.index, column.meaning, column.values
    sums = column.sums = list(values)
    found: dict[str, list[int]] = {}
    for position, value in enumerate(values):
        if type(value) is Fault:
            sums[position] = value.value
            keep = value.code not in _LEFT_OUT and _reach(reading, position, meaning, value.code) is Severity.WARNS
            values[position] = value.value if keep else None
            found.setdefault(value.code, []).append(position)
    for code, positions in found.items():
        warned = [position for position in positions if _reach(reading, position, meaning, code) is Severity.WARNS]
        if len(warned) > _SHOWN_ONE_BY_ONE or (warned and code in {"amount_unrounded", "currency_unknown"}):
            reading.report(warned[0], index, meaning, code, hint=_many(len(warned)), severity=Severity.WARNS)
            positions = [position for position in positions if _reach(reading, position, meaning, code) is not Severity.WARNS]  # noqa: PLW2901  those told in one sum are not told again
        for position in positions:
            reading.report(position, index, meaning, code, severity=_reach(reading, position, meaning, code))


def _many(number: int) -> str:
    return f"{number} cells in this column, the first one here" if number > 1 else "this cell"


def _reach(reading: Reading, position: int, meaning: Meaning, code: str) -> Severity:
    """How far a fault reaches in this column and this row."""
    if code == "hidden_characters" and meaning in NAMES | IDENTITIES:
        return Severity.STOPS_ROW
    if meaning in _BESIDE_THE_PAY:
        return Severity.WARNS
    method = reading.methods[position] if reading.methods else None
    own = severity_of(code)
    if meaning in {Meaning.ACCOUNT, Meaning.BANK}:
        return own if method in {None, PayMethod.BANK} else Severity.WARNS
    if meaning is Meaning.PHONE:
        usable = code == "phone_lost_zero"
        return Severity.STOPS_ROW if method is PayMethod.WALLET and not usable else Severity.WARNS
    if meaning in {Meaning.POSITION, Meaning.DEPARTMENT}:
        return Severity.WARNS
    return own
