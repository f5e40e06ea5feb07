"""Where two readings of a workbook differ, the row is held: neither reading is believed."""

from __future__ import annotations

from collections.abc import Sequence

from importers.columns import Reading
from importers.contract import Meaning, Severity
from importers.kinds import WHO
from importers.problems import problem
from importers.workbook import Differing, address, text_of


def check_second_reading(reading: Reading, differing: Sequence[Differing]) -> None:
    """A problem for every mapped cell that a second reading shows otherwise.

    In a worker's row it stops her row. A header, or a code, name or net where the first reading sees no worker, stops the file:
    somebody may be missing.
    """
    grid = reading.grid
    positions = {row: position for position, row in enumerate(reading.lines.workers)}
    meanings = {column.index: column.meaning for column in reading.columns}
    for cell in differing:
        meaning = meanings.get(cell.column)
        if cell.sheet != grid.name or meaning is None:
            continue
        position = positions.get(cell.row)
        if position is not None:
            reading.report(position, cell.column, meaning, "readers_differ", hint=_both(reading, cell))
            continue
        is_grave = cell.row + 1 in reading.layout.header_rows or (
            cell.row + 1 > max(reading.layout.header_rows) and meaning in WHO | {Meaning.NET}
        )
        reading.problems.append(
            problem(
                "readers_differ",
                sheet=grid.name,
                cell=address(cell.row, cell.column),
                meaning=meaning,
                value=_first(reading, cell),
                severity=Severity.STOPS_FILE if is_grave else Severity.WARNS,
                hint=_both(reading, cell),
            )
        )


def _first(reading: Reading, cell: Differing) -> str:
    line = reading.grid.rows[cell.row] if cell.row < len(reading.grid.rows) else []
    return text_of(line[cell.column]) if cell.column < len(line) else ""


def _both(reading: Reading, cell: Differing) -> str:
    first = _first(reading, cell)
    return f"One shows {'nothing' if not first else 'what stands there'}, the other {'nothing' if not cell.text else 'something else'}."
