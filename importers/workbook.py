"""Opens a file as grids of plain cells: a workbook through the limited child process, delimited text directly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from importers.csv_file import TEXT_NAMES, is_table, kind_of_text, looks_like_text, read_text_table
from importers.guard import RefusedFileError, kind_of, refuse_by_magic
from importers.sandbox import LimitedChild
from importers.sheet_xml import Runs, column_letters

WALL_SECONDS = 90.0  # the child's processor time is bounded; on a machine with six at work for each core that takes so long
_MERGE_LOOK = 50  # rows of a merged area that are looked at: headers and titles are no taller


@dataclass(frozen=True, slots=True)
class Special:
    """A cell that is no value: `error` (#REF!), `unsaved` (a formula without a saved value) or `boolean`."""

    kind: str
    text: str


Cell = str | float | date | time | timedelta | Special  # an empty cell is ''


@dataclass(slots=True, kw_only=True)
class Grid:
    """One sheet as cells from A1 on, and what the file says beside the values. Rows and columns count from 0."""

    name: str
    rows: list[list[Cell]]
    visible: bool = True
    merged: Sequence[Sequence[int]] = ()
    formulas: Runs = field(default_factory=list)
    currencies: Runs = field(default_factory=list)
    legacy: Runs = field(default_factory=list)
    hidden_rows: Sequence[tuple[int, int]] = ()
    hidden_columns: Sequence[tuple[int, int]] = ()
    is_text: bool = False  # from delimited text: every cell is a string

    width: int = field(init=False, default=0)  # of the widest row

    def __post_init__(self) -> None:
        self.width = max(map(len, self.rows), default=0)


def address(row: int, column: int) -> str:
    """The A1 address of a cell that counts from 0."""
    return f"{column_letters(column)}{row + 1}"


def text_of(cell: Cell) -> str:
    """A cell as text, as near as it can be to what the sheet shows; whole numbers without a decimal point."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() and abs(cell) < 1e15 else repr(cell)  # noqa: PLR2004  Excel's 15 digits
    if isinstance(cell, Special):
        return cell.text
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """A cell that a second reading shows otherwise. Row and column count from 0."""

    sheet: str
    row: int
    column: int
    text: str


@dataclass(slots=True, kw_only=True)
class Opened:
    """The sheets of a file, in its order, and a second opinion on their values that may still be on its way."""

    grids: list[Grid]
    child: LimitedChild | None = None
    said: list[str] = field(default_factory=list)

    def second_opinion(self) -> list[Differing]:
        """The cells that the second reading shows otherwise. Waits for it; raises RefusedFileError when it dies or takes too long."""
        if self.child is not None:
            self.child.finish()
        told = [json.loads(line) for line in self.said]
        return [Differing(sheet=sheet, row=row, column=column, text=text) for sheet, row, column, text in told]


@contextmanager
def open_grids(data: bytes, file_name: str, seen: Callable[[int], None] | None = None) -> Iterator[Opened]:
    """Open a file. Raises RefusedFileError with the problem's code.

    `seen(rows)` is called with each sheet's length as soon as it is known, while the values are still being read.
    """
    refuse_by_magic(data)
    if kind_of(data) is None:
        if not looks_like_text(data):
            raise RefusedFileError(kind_of_text(data))
        if not file_name.lower().endswith(TEXT_NAMES) and not is_table(data):
            raise RefusedFileError("not_a_workbook")
        yield Opened(grids=[Grid(name="CSV", rows=[list(row) for row in read_text_table(data)], is_text=True)])
        return
    said: list[str] = []

    def told(line: str) -> None:
        if line.startswith("["):
            said.append(line)
        elif seen is not None and line.isascii() and line.isdigit():
            seen(int(line))

    with LimitedChild("importers.child", data, wall_seconds=WALL_SECONDS, told=told) as child:
        yield Opened(grids=[_grid(sheet) for sheet in _sheets(child)], child=child, said=said)


def _sheets(child: LimitedChild) -> list[dict[str, Any]]:
    try:
        answer = json.loads(child.answer(), object_hook=_decode)
    except ValueError:
        child.finish()  # it died while it spoke, and says of what
        raise RefusedFileError("damaged_file") from None
    if "refused" in answer:
        raise RefusedFileError(str(answer["refused"]))
    return list(answer["sheets"])


def _decode(found: dict[str, Any]) -> Any:  # noqa: ANN401  json.loads' hook
    kind = found.get("@")
    if kind is None:
        return found
    value = found["v"]
    if kind == "date":
        return date.fromisoformat(value)
    if kind == "datetime":
        return datetime.fromisoformat(value)
    if kind == "time":
        return time.fromisoformat(value)
    return timedelta(*value)


def _grid(sheet: Mapping[str, Any]) -> Grid:
    rows: list[list[Cell]] = sheet["rows"]

    def put(row: int, column: int, special: Special) -> None:
        while len(rows) <= row:
            rows.append([])
        line = rows[row]
        line.extend([""] * (column + 1 - len(line)))
        line[column] = special

    for row, column, text in sheet["errors"]:
        put(row, column, Special("error", text))
    for row, column in sheet["unsaved"]:
        put(row, column, Special("unsaved", "formula without a saved value"))
    for row, column in sheet["booleans"]:
        put(row, column, Special("boolean", "TRUE" if rows[row][column] else "FALSE"))
    return Grid(
        name=sheet["name"],
        rows=rows,
        visible=sheet["visible"],
        merged=[area for area in sheet["merged"] if _is_merged(rows, area)],
        formulas=[(c, a, b, what) for c, a, b, what in sheet["formulas"]],
        currencies=[(c, a, b, what) for c, a, b, what in sheet["currencies"]],
        legacy=[(c, a, b, what) for c, a, b, what in sheet["legacy"]],
        hidden_rows=[(a, b) for a, b in sheet["hidden_rows"]],
        hidden_columns=[(a, b) for a, b in sheet["hidden_columns"]],
    )


def _is_merged(rows: list[list[Cell]], area: Sequence[int]) -> bool:
    """Whether nothing stands in the area but its first cell: Excel merges no others, but files hold stray ranges."""
    top, left, bottom, right = area
    for row in range(top, min(bottom + 1, top + _MERGE_LOOK, len(rows))):
        if any(cell != "" for cell in rows[row][left + (row == top) : right + 1]):
            return False
    return True
