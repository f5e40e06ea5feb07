"""Which rows below the header are workers, which are totals, and which are neither.

No row with an amount is passed over: what is neither a worker nor a total nor a heading is a problem that HR sees.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from importers.headers import key
from importers.khmer import visible
from importers.table import Table, is_header_again
from importers.workbook import Cell, Grid, text_of

_TOTALS = re.compile(r"^(?:grand|sub|net|page|sum|overall|line|dept|section)?totals?|^(?:ផលបូក)?សរុប|^合计|^总计|^小计|^共计|^总额")
_STATISTICS = frozenset(
    key(word)
    for word in (
        "average",
        "avg",
        "mean",
        "minimum",
        "min",
        "maximum",
        "max",
        "sum",
        "count",
        "headcount",
        "មធ្យម",
        "ផលបូក",
        "平均",
        "最大",
        "最小",
    )
)
_EXAMPLE = re.compile(r"^(?:example|sample|ឧទាហរណ៍|គំរូ|例)", re.IGNORECASE)
_COLUMN_NUMBER = re.compile(r"^\(?([0-9]{1,3})\)?$")
_FEWEST_NUMBERS = 3


@dataclass(slots=True, kw_only=True)
class Lines:
    """Rows by what they are; all count from 0."""

    workers: list[int] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    unlabelled: list[int] = field(default_factory=list)  # an amount to pay, no worker, no label
    unread: list[int] = field(default_factory=list)  # figures, but neither a worker nor a total


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The columns (from 0) by which a row is recognised."""

    code: int
    names: tuple[int, ...]
    net: tuple[int, ...]
    figures: tuple[int, ...]  # every other column of money, hours or days


@lru_cache(maxsize=65536)
def is_total_label(text: str) -> bool:
    """Whether a text is the label of a totals, average, minimum or maximum row."""
    plain = key(text)
    return _TOTALS.match(plain) is not None or plain in _STATISTICS


def classify(grid: Grid, table: Table, places: Places) -> Lines:
    """Every row below the header, sorted by what it is."""
    lines = Lines()
    after_total = False
    for index in range(table.first_row, len(grid.rows)):
        row = grid.rows[index]
        kind = _kind(grid, table, places, index, row, after_total=after_total)
        if kind == "worker":
            lines.workers.append(index)
            after_total = False
        elif kind == "total":
            lines.totals.append(index)
            after_total = True
        elif kind == "unlabelled":
            lines.unlabelled.append(index)
        elif kind == "unread":
            lines.unread.append(index)
    return lines


def _at(row: Sequence[Cell], column: int) -> Cell:
    return row[column] if column < len(row) else ""


def _filled(cell: Cell) -> bool:
    return bool(visible(cell)) if isinstance(cell, str) else True


def _kind(grid: Grid, table: Table, places: Places, index: int, row: Sequence[Cell], *, after_total: bool) -> str:
    code = _at(row, places.code)
    names = [cell for column in places.names if _filled(cell := _at(row, column))]
    has_code, has_net = _filled(code), any(_filled(_at(row, column)) for column in places.net)
    if isinstance(code, str) and _EXAMPLE.match(code):
        return "other"
    labelled = any(isinstance(cell, str) and is_total_label(cell) for cell in (code, *names))
    if has_code and names and has_net and not labelled and not _is_numbering(grid, table, index):
        return "other" if is_header_again(grid, index, table) else "worker"
    filled = [cell for cell in row if _filled(cell)]
    if not filled or _is_numbering(grid, table, index) or is_header_again(grid, index, table):
        return "other"
    if labelled or (not (has_code and names) and any(isinstance(cell, str) and is_total_label(cell) for cell in filled)):
        return "total"
    return _doubtful(places, row, filled, has_code=has_code, names=names, has_net=has_net, after_total=after_total)


def _doubtful(  # noqa: PLR0911  one refusal after the other
    places: Places, row: Sequence[Cell], filled: list[Cell], *, has_code: bool, names: list[Cell], has_net: bool, after_total: bool
) -> str:
    """A row that lacks its code, its name or its net."""
    figures = sum(1 for column in places.figures if not isinstance(cell := _at(row, column), str) or any(map(str.isdecimal, cell)))
    if not has_code and (not names or all(isinstance(cell, float) for cell in names)):
        if has_net and _has_figure(row, places.net):
            return "unlabelled"
        return "unread" if figures else "other"
    if has_net and _has_figure(row, places.net):
        return "worker"
    if figures > 1:
        return "worker"
    if after_total or len(filled) == 1:
        return "other"  # a signature block below the totals, or a department's name between its workers
    coded = any(map(str.isdecimal, text_of(_at(row, places.code))))
    if coded and names:
        return "worker"
    return "other" if figures == 0 and not coded else "unread"


def _has_figure(row: Sequence[Cell], columns: Sequence[int]) -> bool:
    return any(not isinstance(cell := _at(row, column), str) or any(map(str.isdecimal, cell)) for column in columns)


def _is_numbering(grid: Grid, table: Table, index: int) -> bool:
    """A row of column numbers (1), (2), (3) directly under the header."""
    if index > table.first_row + 1:
        return False
    numbers = []
    for cell in grid.rows[index]:
        if not _filled(cell):
            continue
        match = _COLUMN_NUMBER.match(visible(text_of(cell)))
        if match is None:
            return False
        numbers.append(int(match[1]))
    return len(numbers) >= _FEWEST_NUMBERS and all(later == earlier + 1 for earlier, later in pairwise(numbers))
