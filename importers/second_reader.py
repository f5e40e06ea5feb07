"""A second reading of a sheet's values, straight from its XML, compared cell by cell with python-calamine's.

Two programs that read one workbook differently is how a payroll can look right and be paid wrong: shared strings, the 1904 epoch,
cells outside the declared area, cells left out. Where the two agree, which is nearly always, whole lists are compared at once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from html import unescape
from itertools import chain, compress
from typing import Any

from importers.sheet_xml import column_index

Value = Any  # what calamine answers for a cell: text, a number, a truth value, a date or time
Disagreement = tuple[int, int, str]  # row and column from 0, and what the second reading shows

_MOST_TOLD = 5_000
_ITEM = re.compile(rb"<(?:\w+:)?si(?:/>|\b[^>]*>(.*?)</(?:\w+:)?si>)", re.DOTALL)
_PHONETIC = re.compile(rb"<(?:\w+:)?rPh\b.*?</(?:\w+:)?rPh>", re.DOTALL)
_TEXT = re.compile(rb"<(?:\w+:)?t(?:\s[^>]*)?>([^<]*)</(?:\w+:)?t>")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TYPE = re.compile(rb'\bt="(\w+)"')
_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001  a spreadsheet's days have no time zone
_SECOND = 1 / 86400
_DURATION = re.compile(r"^PT(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:[.,]([0-9]+))?S)?$")


@dataclass(slots=True, kw_only=True)
class Strings:
    """What cells refer to: the workbook's shared strings, and from which day it counts."""

    texts: Sequence[str] = ()
    from_1904: bool = False


def read_strings(xml: bytes) -> list[str]:
    """The shared strings of a workbook, without the phonetic hints of East Asian text."""
    return [_text_of(match or b"") for match in _ITEM.findall(xml)]


def _text_of(xml: bytes) -> str:
    if b"rPh" in xml:
        xml = _PHONETIC.sub(b"", xml)
    text = b"".join(_TEXT.findall(xml)).decode("utf-8", "replace")
    return unescape(text) if "&" in text else text


@dataclass(slots=True)
class _Cells:
    """Cells with a value, in the order of the XML."""

    columns: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)


def disagreements(xml: bytes, prefix: bytes, strings: Strings, rows: Sequence[Sequence[Value]]) -> list[Disagreement]:
    """The cells of `rows` that the XML shows otherwise. `xml` is plainly written, each cell with its address first."""
    found = _read_fast(xml, prefix, strings)
    shown = [cell for row in rows for cell in row if cell != ""]
    if len(found.values) == len(shown):
        columns = [index for row in rows for index, cell in enumerate(row) if cell != ""]
        counts = Counter(found.rows)
        lengths = {number: filled for number, row in enumerate(rows, 1) if (filled := len(row) - row.count(""))}
        if columns == found.columns and counts == lengths and found.rows == sorted(found.rows):
            if shown == found.values:
                return []
            differing = [place for place, (ours, theirs) in enumerate(zip(found.values, shown, strict=True)) if ours != theirs]
            told = [
                (found.rows[place] - 1, found.columns[place], str(found.values[place]))
                for place in differing
                if not _same(found.values[place], shown[place], strings)
            ]
            return told[:_MOST_TOLD]
    return compare(_read_slowly(xml, prefix, strings), rows, strings)


def _converters(strings: Strings) -> Callable[[bytes], Callable[[bytes], Value]]:
    texts = strings.texts

    def shared(body: bytes) -> str:
        place = int(body)
        return texts[place] if 0 <= place < len(texts) else f"[shared string {place}]"

    kinds: dict[bytes, Callable[[bytes], Value]] = {
        b"s": shared,
        b"b": lambda body: body.strip() in {b"1", b"true"},
        b"e": lambda _: "",  # calamine shows an error as empty; the second look has told it already
        b"str": _decoded,
        b"inlineStr": _decoded,
        b"d": _decoded,
    }

    def of(attributes: bytes) -> Callable[[bytes], Value]:
        kind = _TYPE.search(attributes)
        return kinds.get(kind[1], float) if kind else float

    return of


def _decoded(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    return unescape(text) if "&" in text else text


def _read_fast(xml: bytes, prefix: bytes, strings: Strings) -> _Cells:
    """Cells written as nearly all programs write them; any other is left out, and the comparison then goes the slow way."""
    formula = rb"(?:<" + prefix + rb"f\b(?:[^>]*/>|[^>]*>[^<]*</" + prefix + rb"f>))?"
    value = rb"<" + prefix + rb"(?:v|is><" + prefix + rb"t)(?:\s[^>]*)?>([^<]+)<"
    pattern = rb"<" + prefix + rb'c r="([A-Z]{1,3})([0-9]+)"([^>]*)>' + formula + value
    cells = re.findall(pattern, xml)
    if not cells:
        return _Cells()
    of = _converters(strings)
    convert = {kind: of(kind) for kind in {kind for _, _, kind, _ in cells}}
    index = {letters: column_index(letters.decode()) for letters in {letters for letters, _, _, _ in cells}}
    try:
        values = [convert[kind](body) for _, _, kind, body in cells]
    except ValueError:
        return _Cells()
    if "" in values:
        cells = list(compress(cells, (value != "" for value in values)))
        values = [value for value in values if value != ""]
    columns = [index[letters] for letters, _, _, _ in cells]
    return _Cells(columns=columns, rows=[int(number) for _, number, _, _ in cells], values=values)


def _read_slowly(xml: bytes, prefix: bytes, strings: Strings) -> dict[tuple[int, int], Value]:
    """Every cell by its address, however its value is written."""
    cell = re.compile(
        rb"<" + prefix + rb'c r="([A-Z]{1,3})([0-9]+)"([^>]*[^/>]|)>(.*?)</' + prefix + rb"c>",
        re.DOTALL,
    )
    value = re.compile(rb"<" + prefix + rb"v(?:\s[^>]*)?>([^<]*)</")
    of = _converters(strings)
    found: dict[tuple[int, int], Value] = {}
    for letters, number, attributes, body in cell.findall(xml):
        kind = _TYPE.search(attributes)
        match = value.search(body)
        if kind and kind[1] == b"inlineStr":
            text: Value = _text_of(body)
        elif match is None or not match[1].strip():
            continue
        else:
            written = _decoded(match[1]).encode() if b"&" in match[1] and not kind else match[1]
            try:
                text = of(attributes)(written)
            except ValueError:
                text = _decoded(match[1])
        if text != "":
            found[int(number) - 1, column_index(letters.decode())] = text
    return found


def compare(ours: Mapping[tuple[int, int], Value], rows: Sequence[Sequence[Value]], strings: Strings) -> list[Disagreement]:
    """The cells of `rows` that another reading, by address, shows otherwise."""
    theirs = {(row, column): cell for row, line in enumerate(rows) for column, cell in enumerate(line) if cell != ""}
    told = []
    for place in sorted(dict.fromkeys(chain(ours, theirs))):
        mine, other = ours.get(place, ""), theirs.get(place, "")
        if mine != other and not _same(mine, other, strings):
            told.append((*place, str(mine)))
    return told[:_MOST_TOLD]


def _same(ours: Value, theirs: Value, strings: Strings) -> bool:
    """Whether two values are one, written in two ways: escapes, line ends, a date and its serial."""
    if isinstance(ours, str) and isinstance(theirs, str):
        return _plain(ours) == _plain(theirs)
    if isinstance(ours, float) and isinstance(theirs, date | time | timedelta):
        return abs(_serial(theirs, strings) - ours) <= _SECOND
    if isinstance(ours, date | timedelta) and isinstance(theirs, date | time | timedelta):
        return abs(_serial(ours, strings) - _serial(theirs, strings)) <= _SECOND
    if isinstance(ours, str) and isinstance(theirs, date | time | timedelta):
        return ours[:10] == str(theirs)[:10]  # ISO text of type "d"
    return isinstance(ours, float) and isinstance(theirs, float) and abs(ours - theirs) <= abs(ours) * 1e-15


def duration(written: str) -> timedelta | str:
    """`PT10H30M00S` as the time it is; as written when it is none."""
    match = _DURATION.match(written)
    if match is None:
        return written
    hours, minutes, seconds = (int(match[part] or 0) for part in (1, 2, 3))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=int(((match[4] or "") + "000000")[:6]))


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text).replace("\r\n", "\n").replace("\r", "\n").strip()


def _serial(value: date | time | timedelta, strings: Strings) -> float:
    epoch = _EPOCH_1904 if strings.from_1904 else _EPOCH
    if isinstance(value, timedelta):
        return value / timedelta(days=1)
    if isinstance(value, time):
        return (value.hour * 3600 + value.minute * 60 + value.second) / 86400 + value.microsecond / 86400e6
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001  as above
    days = (moment - epoch) / timedelta(days=1)
    return days if strings.from_1904 or days >= 60 else days - 1  # noqa: PLR2004  Excel's 29 February 1900
