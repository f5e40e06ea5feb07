"""The sheet's own totals against the sum of its rows. A total is compared, never paid."""

from __future__ import annotations

from bisect import bisect_left

from importers.cells import Fault
from importers.columns import ReadColumn, Reading
from importers.contract import ControlTotal
from importers.kinds import MONEY
from importers.money import Money, currency
from importers.numbers import money_reader
from importers.problems import problem
from importers.workbook import address


def stated_amount(reading: Reading, row: int, column: ReadColumn) -> Money | None:
    """The amount in a column's cell of a row that is no worker; None when there is none to read."""
    line = reading.grid.rows[row]
    if column.currency is None or column.index >= len(line):
        return None
    value = money_reader(currency(column.currency), strict=False)(line[column.index])
    readable = value.value if isinstance(value, Fault) else value  # rounded, when that was the fault
    return readable if isinstance(readable, Money) else None


def control_totals(reading: Reading) -> tuple[ControlTotal, ...]:
    """Every total that the sheet states for a money column, with what its rows add up to; differences become problems."""
    found: list[ControlTotal] = []
    rows = reading.lines.totals
    rounded = {
        entry.meaning for entry in reading.problems if entry.code == "amount_unrounded"
    }  # unrounded cells: their true sum may differ from the rounded one by half a minor unit each
    for column in reading.columns:
        if column.meaning not in MONEY or column.currency is None:
            continue
        sums = _running(column)
        previous = 0
        for number, row in enumerate(rows):
            here = sums[_count_before(reading, row)]
            stated = stated_amount(reading, row, column)
            block, whole = here - previous, here or sums[-1]  # a total above the first worker is of all below it
            previous = here
            if stated is None or (not stated.minor and not whole):
                continue
            slack = (_count_before(reading, row) + 1) // 2 if column.meaning in rounded else 0
            near = [added for added in (block, whole) if abs(abs(stated.minor) - abs(added)) <= slack]
            last = number == len(rows) - 1
            added = near[0] if near else whole if last else block
            entry = ControlTotal(
                meaning=column.meaning,
                cell=address(row, column.index),
                stated=stated,
                added=Money(added, stated.currency),
                sheet=reading.grid.name,
            )
            found.append(entry)
            if not near:
                _report(reading, row, column, entry)
    return tuple(found)


def _running(column: ReadColumn) -> list[int]:
    sums = [0]
    for value in column.sums:
        sums.append(sums[-1] + (value.minor if isinstance(value, Money) else 0))
    return sums


def _count_before(reading: Reading, row: int) -> int:

    return bisect_left(reading.lines.workers, row)


def _report(reading: Reading, row: int, column: ReadColumn, entry: ControlTotal) -> None:
    reading.problems.append(
        problem(
            "total_differs",
            sheet=reading.grid.name,
            cell=entry.cell,
            meaning=column.meaning,
            value=reading.grid.rows[row][column.index],
            hint=f"the sheet says {entry.stated}, its rows add up to {entry.added}",
        )
    )
