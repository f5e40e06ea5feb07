"""Which rows below the header are workers, which are totals, and which are neither.

No row with an amount is passed over: what is neither a worker nor a total nor a heading is a problem that HR sees.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from importers.headers import key
from importers.khmer import digits, normalise, visible
from importers.table import Table, caption_keys, header_again
from importers.workbook import Cell, Grid, text_of

_TOTALS = re.compile(
    r"^(?:(?:grand|sub|net|page|sum|overall|line|dept|department|section)[\s.\-]*[0-9]*[\s.\-]*)?totals?(?![a-z])"
    r"|^(?:ផលបូក|ចំនួន|បូក)?សរុប|^(?:合计|总计|小计|共计|总额|汇总|合計|總計|小計|共計|匯總|합계|총계|소계)"
    r"|^(?:carried|brought) (?:forward|down|over)|^[cb]/[fd]$"
)
_ENDS_IN_TOTAL = re.compile(r"(?:[\s\-.:]totals?|សរុប|合计|小计|总计|汇总|匯總|합계)[\s:.]*$")
_SUMS = frozenset(key(word) for word in ("sum", "ផលបូក"))
_STATISTICS = _SUMS | frozenset(
    key(word)
    for word in (
        "average",
        "avg",
        "mean",
        "minimum",
        "min",
        "maximum",
        "max",
        "count",
        "headcount",
        "no of workers",
        "number of workers",
        "ចំនួនកម្មករ",
        "ចំនួនបុគ្គលិក",
        "人数",
        "មធ្យម",
        "平均",
        "最大",
        "最小",
    )
)
_CARRIED = frozenset({"cf", "cd", "bf", "bd"})
_EXAMPLE = re.compile(r"^(?:example|sample)(?![a-z])|^(?:ឧទាហរណ៍|គំរូ|ឧ\.|例|示例)", re.IGNORECASE)
_LEGEND = re.compile(  # (6), c=a+b, VIII, (8)=(6)-(7)
    r"^[\[(]*([0-9]{1,3}|[a-z]|[ivx]{1,5})[\])]*(?:=(?:sum|[-+*/×%()\[\]0-9.,:]|(?<![a-z])[a-z](?![a-z]))*)?$"
)
_ROMAN = {"i": 1, "v": 5, "x": 10}
_SHARE = re.compile(r"^[0-9]{1,3}(?:[.,][0-9]+)?\s*%$")
_SHAPES = str.maketrans(dict.fromkeys(string.digits, "9") | dict.fromkeys(string.ascii_letters, "a"))
_FEWEST_NUMBERS, _LARGEST_GAP = 3, 3  # a column without a number, or two, may stand between


@dataclass(slots=True, kw_only=True)
class Lines:
    """Rows by what they are; all count from 0."""

    workers: list[int] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    unlabelled: list[int] = field(default_factory=list)  # an amount to pay, no worker, no label
    unread: list[int] = field(default_factory=list)  # figures or a code with a name, but neither a worker nor a total
    headings: list[int] = field(default_factory=list)  # a text or two between the workers: a department, another month's title
    labelled: list[int] = field(default_factory=list)  # workers by their code, totals or averages by their name
    examples: list[int] = field(default_factory=list)  # workers whose row calls itself an example
    second_table: int | None = None  # a header with other columns, below the first worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The columns (from 0) by which a row is recognised."""

    code: int
    names: tuple[int, ...]
    net: tuple[int, ...]
    figures: tuple[int, ...]  # every other column of money, hours or days
    number: int | None = None  # the line number's


@lru_cache(maxsize=65536)
def is_total_label(text: str) -> bool:
    """Whether a text is the label of a totals, average, minimum or maximum row."""
    if text.isascii():  # most codes and names: no letter of a label in them, and no need for a closer look
        letters = "".join(filter(str.isalpha, text)).lower()
        if (
            "total" not in letters
            and letters not in _STATISTICS
            and letters not in _CARRIED
            and not letters.startswith(("carried", "brought"))
        ):
            return False
    words = digits(normalise(text)).casefold().split()
    plain = ("" if len(words) > 1 and all(len(word) == 1 for word in words) else " ").join(words)  # "T O T A L"
    return _TOTALS.match(plain) is not None or key(plain) in _STATISTICS


def _is_statistic(text: str) -> bool:
    return key(text) in _STATISTICS - _SUMS


def classify(grid: Grid, table: Table, places: Places) -> Lines:
    """Every row below the header, sorted by what it is."""
    return _Sorter(grid, table, places).sort()


def _at(row: Sequence[Cell], column: int) -> Cell:
    return row[column] if column < len(row) else ""


def _filled(cell: Cell) -> bool:
    if not isinstance(cell, str):
        return True
    return not cell.isspace() and cell != "" if cell.isascii() else bool(visible(cell))


def _shape(code: Cell) -> str:
    """How a code is made, without its letters and digits: W001 and K999 are alike."""
    text = visible(text_of(code))
    return text.translate(_SHAPES) if text.isascii() else "".join("9" if c.isdecimal() else "a" if c.isalpha() else c for c in text)


def _has_digits(cell: Cell) -> bool:
    return any(map(str.isdecimal, text_of(cell)))


class _Sorter:
    """Walks down the rows once; what stood before helps to tell a worker from a signature block."""

    def __init__(self, grid: Grid, table: Table, places: Places) -> None:
        self.grid, self.table, self.places = grid, table, places
        self.captions = caption_keys(table)
        self.lines = Lines()
        self.shapes: set[str] = set()
        self.after_total = False

    def sort(self) -> Lines:
        kinds = {
            "worker": self.lines.workers,
            "total": self.lines.totals,
            "unlabelled": self.lines.unlabelled,
            "unread": self.lines.unread,
            "heading": self.lines.headings,
        }
        for index in range(self.table.first_row, len(self.grid.rows)):
            kind = self._kind(index, self.grid.rows[index])
            if kind in kinds:
                kinds[kind].append(index)
            if kind == "worker":
                self.after_total = False
                if len(self.shapes) < 50:  # noqa: PLR2004  no factory has more kinds of codes; a damaged column may
                    self.shapes.add(_shape(_at(self.grid.rows[index], self.places.code)))
            elif kind == "total":
                self.after_total = True
        self._name_lone_codes()
        return self.lines

    def _name_lone_codes(self) -> None:
        """A code like the workers', alone in its row: somebody whose cells were emptied, and not the name of a department."""
        rows, places = self.grid.rows, self.places
        lone = [
            index for index in self.lines.headings if _has_digits(code := _at(rows[index], places.code)) and _shape(code) in self.shapes
        ]
        self.lines.headings = [index for index in self.lines.headings if index not in lone]
        self.lines.unread = sorted([*self.lines.unread, *lone])

    def _kind(self, index: int, row: Sequence[Cell]) -> str:  # noqa: PLR0911  one refusal after the other
        places = self.places
        code = _at(row, places.code)
        names = [cell for column in places.names if _filled(cell := _at(row, column))]
        has_code, has_net = _filled(code), any(_filled(_at(row, column)) for column in places.net)
        if isinstance(code, str) and _EXAMPLE.match(code) and not _has_digits(code):
            return "other"  # the template's example row
        if not has_net or not _has_figure(row, places.net):
            again = header_again(row, self.captions)
            if again == "other" and self.lines.second_table is None:
                self.lines.second_table = index
            if again:
                return "other"
        if (not has_code or code == 0) and all(cell == 0 for cell in names) and self._pays_nothing(row):
            return "other"  # formulas that were filled down beyond the last worker
        labels = [cell for cell in (code, *names) if isinstance(cell, str) and is_total_label(cell)]
        numbering = index <= self.table.first_row + 1 and _is_numbering(row)
        if has_code and names and has_net and not numbering and (not labels or self._coded_like_workers(code, labels)):
            self._mark(index, row, names, is_labelled=bool(labels))
            return "worker"
        filled = [cell for cell in row if _filled(cell)]
        if not filled or numbering:
            return "other"
        if not labels and not (has_code and names):
            labels = [cell for cell in filled if isinstance(cell, str) and (is_total_label(cell) or self._ends_in_total(cell, has_code))]
        if labels:
            return "other" if all(_is_statistic(label) for label in labels) and not has_code else "total"
        return self._doubtful(row, filled, names, has_code=has_code, has_net=has_net)

    def _pays_nothing(self, row: Sequence[Cell]) -> bool:
        pays = (*self.places.net, *self.places.figures)
        return any(_filled(_at(row, column)) for column in pays) and not _has_amount(row, pays)

    def _coded_like_workers(self, code: Cell, labels: list[str]) -> bool:
        """Whether only the name is a label, and the code is one like the workers' above."""
        return code not in labels and _has_digits(code) and _shape(code) in self.shapes

    def _ends_in_total(self, cell: str, has_code: bool) -> bool:
        return not has_code and _ENDS_IN_TOTAL.search(visible(cell).casefold()) is not None

    def _mark(self, index: int, row: Sequence[Cell], names: list[Cell], *, is_labelled: bool) -> None:
        number = _at(row, self.places.number) if self.places.number is not None else ""
        if is_labelled:
            self.lines.labelled.append(index)
        elif any(isinstance(cell, str) and _EXAMPLE.match(cell) for cell in (number, *names)):
            self.lines.examples.append(index)

    def _doubtful(self, row: Sequence[Cell], filled: list[Cell], names: list[Cell], *, has_code: bool, has_net: bool) -> str:  # noqa: PLR0911  one refusal after the other
        """A row that lacks its code, its name or its net; one refusal after the other."""
        places = self.places
        code = _at(row, places.code)
        figures = sum(1 for column in places.figures if not isinstance(cell := _at(row, column), str) or _has_digits(cell))
        if not has_code and (not names or all(isinstance(cell, float) for cell in names)):
            if has_net and _has_figure(row, places.net):
                return "unlabelled"
            return "unread" if figures else "heading"
        if (has_net and _has_figure(row, places.net)) or figures > 1:
            return "worker"
        coded = _has_digits(code)
        if coded and names and (_shape(code) in self.shapes or not self.after_total):
            return "worker"
        if self.after_total or len(filled) == 1:
            # a signature block below the totals, or a department's name between its workers
            return "unread" if figures or (coded and names) else "heading"
        if has_code and names and _shape(code) in self.shapes:
            return "worker"
        return "heading" if figures == 0 and not coded else "unread"


def _has_figure(row: Sequence[Cell], columns: Sequence[int]) -> bool:
    return any(not isinstance(cell := _at(row, column), str) or _has_digits(cell) for column in columns)


def _has_amount(row: Sequence[Cell], columns: Sequence[int]) -> bool:
    """Whether any of the cells holds something other than zeros and dashes."""
    for column in columns:
        cell = _at(row, column)
        if isinstance(cell, str):
            if any(c.isalnum() and not (c.isdecimal() and int(c) == 0) for c in visible(cell)):
                return True
        elif cell != 0:
            return True
    return False


def _is_numbering(row: Sequence[Cell]) -> bool:
    """A row of column numbers (1), (2), (3)=(1)+(2), of letters a, b, c=a+b, or of percentages, directly under the header."""
    texts = ["".join(digits(visible(text_of(cell))).casefold().split()) for cell in row if _filled(cell)]
    if texts and all(_SHARE.match(text) for text in texts):
        return True
    matches = [_LEGEND.match(text) for text in texts]
    if len(texts) < _FEWEST_NUMBERS or None in matches:
        return False
    marks = [match[1] for match in matches if match is not None]
    for read in (_as_number, _as_letter, _as_roman):
        places = [read(mark) for mark in marks]
        if all(place is not None for place in places):
            numbers = [place for place in places if place is not None]
            return all(earlier < later <= earlier + _LARGEST_GAP for earlier, later in pairwise(numbers))
    return False


def _as_number(mark: str) -> int | None:
    return int(mark) if mark.isdecimal() else None


def _as_letter(mark: str) -> int | None:
    return ord(mark) if len(mark) == 1 and mark.isalpha() else None


def _as_roman(mark: str) -> int | None:
    if not mark.isalpha() or set(mark) - set(_ROMAN):
        return None
    values = [_ROMAN[letter] for letter in mark]
    return sum(-value if value < following else value for value, following in zip(values, [*values[1:], 0], strict=True))
