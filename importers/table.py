"""Where the table is: the header rows under titles and company names, and what stands above each column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from importers.headers import currency_of, key, known_word
from importers.khmer import visible
from importers.workbook import Cell, Grid, text_of

_SEARCHED_ROWS = 60
_MOST_HEADER_ROWS = 4
_FEWEST_UNKNOWN, _FEWEST_FIGURES = 4, 2  # captions and figures of a table in words we do not know
_FEWEST_KNOWN = 3
_LONGEST_CAPTION = 120
_TITLE_SHARE = 0.6  # a merge over this share of the table's width is a title, not a group of columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """What stands above one column: the captions of groups it belongs to, and its own."""

    groups: tuple[str, ...]
    own: tuple[str, ...]

    @property
    def header(self) -> str:
        """As HR reads it, from top to bottom."""
        return " / ".join((*self.groups, *self.own))


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The table of a sheet. Rows and columns count from 0; data may begin right below the last header row."""

    header_rows: tuple[int, ...]
    captions: tuple[Caption, ...]

    @property
    def first_row(self) -> int:
        """The first row below the headers."""
        return self.header_rows[-1] + 1


@lru_cache(maxsize=8192)
def _is_known(text: str) -> bool:
    return known_word(text)


def find_table(grid: Grid) -> Table | None:
    """The table whose header row knows the most words, with the header rows above and below that belong to it."""
    best, most = -1, _FEWEST_KNOWN - 1
    for index, row in enumerate(grid.rows[:_SEARCHED_ROWS]):
        known = sum(1 for cell in row if isinstance(cell, str) and cell and len(cell) <= _LONGEST_CAPTION and _is_known(cell))
        if known > most:
            best, most = index, known
    if best < 0:
        return _by_shape(grid)
    rows = _with_neighbours(grid, best)
    return Table(header_rows=tuple(rows), captions=captions(grid, rows))


def _by_shape(grid: Grid) -> Table | None:
    """A header in words we do not know: a row of different texts over rows with figures. A person then says what they mean."""
    for index, row in enumerate(grid.rows[:_SEARCHED_ROWS]):
        texts = [visible(cell) for cell in row if isinstance(cell, str) and visible(cell)]
        if len(texts) < _FEWEST_UNKNOWN or len(set(texts)) < len(texts) or any(not _is_caption(text) for text in texts):
            continue
        if any(not isinstance(cell, str) for cell in row):
            continue
        below = [sum(1 for cell in line if _is_figure(cell)) for line in grid.rows[index + 1 : index + 4]]
        if below and min(below) >= _FEWEST_FIGURES:
            return Table(header_rows=(index,), captions=captions(grid, [index]))
    return None


def _is_caption(text: str) -> bool:
    return len(text) <= _LONGEST_CAPTION and not _is_figure(text) and any(map(str.isalpha, text))


def _is_figure(cell: Cell) -> bool:
    return isinstance(cell, float) or (
        isinstance(cell, str) and cell != "" and any(map(str.isdecimal, cell)) and not any(map(str.isalpha, cell))
    )


def _with_neighbours(grid: Grid, best: int) -> list[int]:
    rows = [best]
    while len(rows) < _MOST_HEADER_ROWS and rows[0] > 0 and _belongs_above(grid, rows[0] - 1, rows[0]):
        rows.insert(0, rows[0] - 1)
    while len(rows) < _MOST_HEADER_ROWS and rows[-1] + 1 < len(grid.rows) and _belongs_below(grid, rows[-1] + 1, rows):
        rows.append(rows[-1] + 1)
    return rows


def _texts(grid: Grid, row: int) -> list[str]:
    return [cell for cell in grid.rows[row] if isinstance(cell, str) and visible(cell)]


def _is_title(grid: Grid, row: int) -> bool:
    return any(top <= row <= bottom and right - left + 1 > _TITLE_SHARE * grid.width for top, left, bottom, right in grid.merged)


def _belongs_above(grid: Grid, row: int, header: int) -> bool:
    texts = _texts(grid, row)
    if not texts or _is_title(grid, row):
        return False
    if any(isinstance(cell, float) for cell in grid.rows[row]):
        return False
    if any(top <= row and header <= bottom for top, _, bottom, _ in grid.merged):
        return True
    groups = [merge for merge in grid.merged if merge[0] == merge[2] == row and merge[3] > merge[1]]
    known = sum(1 for text in texts if len(text) <= _LONGEST_CAPTION and _is_known(text))
    return known > 0 and (known > 1 or bool(groups) or len(texts) == 1) and not _is_lone_first(grid, row)


def _is_lone_first(grid: Grid, row: int) -> bool:
    """A single text in the first column above the table is a title or a department's name, not a group caption."""
    filled = [index for index, cell in enumerate(grid.rows[row]) if not isinstance(cell, str) or visible(cell)]
    return filled in ([0], [])


def _belongs_below(grid: Grid, row: int, rows: list[int]) -> bool:
    cells = grid.rows[row]
    texts = _texts(grid, row)
    if not texts or any(not isinstance(cell, str) for cell in cells):
        return False
    if any(top <= rows[-1] and row <= bottom for top, _, bottom, _ in grid.merged):
        return True
    known = sum(1 for text in texts if len(text) <= _LONGEST_CAPTION and (_is_known(text) or _is_currency(text)))
    return known > 0 and known * 2 >= len(texts) and not _repeats(grid, row, rows)


def _is_currency(text: str) -> bool:
    """Whether a caption is a currency and nothing else: USD and KHR under "Net pay"."""
    return not key(text) and currency_of(text) is not None


def _repeats(grid: Grid, row: int, rows: list[int]) -> bool:
    return {key(text) for text in _texts(grid, row)} == {key(text) for text in _texts(grid, rows[-1])}


def _caption(cell: Cell) -> str:
    """A caption as HR reads it; lines inside one cell are usually one language each."""
    return " / ".join(filter(None, (visible(line) for line in text_of(cell).splitlines())))


def captions(grid: Grid, rows: list[int]) -> tuple[Caption, ...]:
    """Each column's captions over the header rows, with merged cells spread over the columns they cover."""
    spread: dict[tuple[int, int], tuple[str, bool]] = {}
    for top, left, bottom, right in grid.merged:
        if bottom < rows[0] or top > rows[-1] or top >= len(grid.rows) or left >= len(grid.rows[top]):
            continue
        text = _caption(grid.rows[top][left])
        for column in range(left, min(right, grid.width - 1) + 1):
            for row in range(max(top, rows[0]), min(bottom, rows[-1]) + 1):
                spread[row, column] = (text if row == max(top, rows[0]) else "", right > left)
    groups: list[list[str]] = [[] for _ in range(grid.width)]
    own: list[list[str]] = [[] for _ in range(grid.width)]
    for row in rows:
        line = grid.rows[row]
        carried = ""
        for column in range(grid.width):
            text, is_group = spread.get((row, column), (_caption(line[column]) if column < len(line) else "", False))
            if (row, column) not in spread and row != rows[-1]:
                text, is_group, carried = _carried(grid, rows, (row, column), text, carried)
            elif (row, column) in spread:
                carried = ""
            if text and text not in own[column] and text not in groups[column]:
                (groups if is_group else own)[column].append(text)
    return tuple(Caption(groups=tuple(above), own=tuple(below)) for above, below in zip(groups, own, strict=True))


def _carried(grid: Grid, rows: list[int], place: tuple[int, int], text: str, carried: str) -> tuple[str, bool, str]:
    """Delimited text has no merged cells: a group caption stands over its first column and blanks over the others.

    Answers the caption here, whether it is a group's, and the caption to carry on to the next column.
    """
    row, column = place
    below = any(column < len(grid.rows[lower]) and visible(text_of(grid.rows[lower][column])) for lower in rows if lower > row)
    if text:
        is_group = below and _next_is_open(grid, rows, row, column)
        return text, is_group, text if is_group else ""
    if carried and below:
        return carried, True, carried
    return "", False, ""


def _next_is_open(grid: Grid, rows: list[int], row: int, column: int) -> bool:
    line, last = grid.rows[row], grid.rows[rows[-1]]
    following = visible(text_of(line[column + 1])) if column + 1 < len(line) else ""
    return not following and column + 1 < len(last) and bool(visible(text_of(last[column + 1])))


def caption_keys(table: Table) -> list[frozenset[str]]:
    """Each column's captions as `key` compares them."""
    return [frozenset(key(part) for part in (*caption.own, *caption.groups)) for caption in table.captions]


def header_again(line: Sequence[Cell], keys: Sequence[frozenset[str]]) -> str:
    """`again` where a row repeats the header, as printed sheets do on every page; `other` for a header of other columns; else nothing.

    A header of which one known word stands over another column is `other`: the rows below it may not be read by the first one.
    """
    same = filled = known = 0
    for column, cell in enumerate(line):
        if not isinstance(cell, str):
            if cell:
                return ""
            continue
        if not visible(cell):
            continue
        filled += 1
        if column < len(keys) and keys[column] and len(cell) <= _LONGEST_CAPTION and key(cell) in keys[column]:
            same += 1
        elif len(cell) <= _LONGEST_CAPTION and _is_known(cell):
            known += 1
    if filled > 1 and same * 2 > filled:
        return "other" if known else "again"
    return "other" if same + known >= _FEWEST_KNOWN and (same + known) * 2 > filled else ""
