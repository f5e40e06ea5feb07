"""An OpenDocument spreadsheet's XML read on its own: its values for a second opinion, and what stands beside them.

python-calamine answers an `.ods` file's values only; formulas, currencies, hidden rows, merged cells and errors stand here. Repeated
rows and cells are counted before they are spread: a few bytes can stand for a million of them (OpenDocument 1.3 part 3, 9.1).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element, iterparse  # the guard has refused every part with a DTD; this one is far faster

from defusedxml.ElementTree import fromstring

from importers.guard import RefusedFileError
from importers.second_reader import duration
from importers.sheet_xml import SecondLook, currency_of_format, is_legacy_font, runs_of

MOST_ROWS, MOST_COLUMNS, MOST_CELLS = 100_000, 256, 4_000_000
_REACHES_OUT = re.compile(r"file://|https?://|\bDDE\(", re.IGNORECASE)
_OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
_SPACES = {
    **{name: f"{_OASIS}{name}:1.0" for name in ("office", "table", "text", "style")},
    "number": f"{_OASIS}datastyle:1.0",
    "fo": f"{_OASIS}xsl-fo-compatible:1.0",
    "calcext": "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0",
}
_DATA_STYLES = frozenset({"number-style", "currency-style", "text-style"})
_NUMBERS = frozenset({"float", "currency", "percentage"})


@lru_cache(maxsize=64)
def _qualified(name: str) -> str:
    space, _, local = name.partition(":")
    return f"{{{_SPACES[space]}}}{local}"


_CELLS = frozenset({_qualified("table:table-cell"), _qualified("table:covered-table-cell")})
_TYPE, _CURRENCY, _CALC_TYPE = _qualified("office:value-type"), _qualified("office:currency"), _qualified("calcext:value-type")
_FORMULA, _STYLE, _REPEATED = _qualified("table:formula"), _qualified("table:style-name"), _qualified("table:number-columns-repeated")
_HIGH, _WIDE = _qualified("table:number-rows-spanned"), _qualified("table:number-columns-spanned")


@dataclass(slots=True)
class _Styles:
    """What a cell style, by its name, says about money or the script of names."""

    currency: dict[str, str] = field(default_factory=dict)
    legacy: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Table:
    """A table while its rows go by."""

    look: SecondLook = field(default_factory=lambda: SecondLook(values={}))
    row: int = 0
    column: int = 0
    defaults: list[tuple[int, str]] = field(default_factory=list)  # (columns up to here, their style)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    formulas: list[tuple[int, int, str]] = field(default_factory=list)
    currencies: list[tuple[int, int, str]] = field(default_factory=list)
    legacy: list[tuple[int, int, str]] = field(default_factory=list)

    def done(self) -> SecondLook:
        """What was seen, in stretches of columns."""
        self.look.formulas, self.look.currencies = runs_of(self.formulas), runs_of(self.currencies)
        self.look.legacy, self.look.merged = runs_of(self.legacy), self.merged
        return self.look


def look_at_tables(archive: zipfile.ZipFile) -> dict[str, SecondLook]:
    """Each table's name and what its XML says. Raises RefusedFileError for more cells than a payroll has, and for links to the outside."""
    styles = _read_styles(archive)
    found: dict[str, SecondLook] = {}
    table, name = None, ""
    row, column, whole = (_qualified(f"table:{kind}") for kind in ("table-row", "table-column", "table"))
    links = {_qualified(f"table:{kind}") for kind in ("dde-links", "table-source", "cell-range-source")}
    with archive.open("content.xml") as content:
        for event, element in iterparse(content, ("start", "end")):  # noqa: S314  as above
            tag = element.tag
            if event == "start":
                if tag == whole:
                    if table is not None:
                        raise RefusedFileError("suspicious_archive")  # a table inside a cell: no payroll has one
                    table, name = _Table(), _get(element, "table:name")
                elif tag in links:
                    raise RefusedFileError("external_links")
            elif table is None:
                continue
            elif tag == row:
                _row(table, element, styles)
                element.clear()
            elif tag == column:
                _column(table, element)
            elif tag == whole:
                found[name], table = table.done(), None
                element.clear()
    return found


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _get(element: Element, name: str) -> str:
    """An attribute by its name as the standard writes it: `table:formula`."""
    return element.get(_qualified(name), "")


def _times(element: Element, name: str) -> int:
    return max(int(_get(element, name) or 1), 1)


def _column(table: _Table, element: Element) -> None:
    first, table.column = table.column, table.column + _times(element, "table:number-columns-repeated")
    table.defaults.append((table.column, _get(element, "table:default-cell-style-name")))
    if _get(element, "table:visibility") in {"collapse", "filter"}:
        table.look.hidden_columns.append((first, table.column - 1))


def _row(table: _Table, element: Element, styles: _Styles) -> None:
    times, first = _times(element, "table:number-rows-repeated"), table.row
    table.row += times
    if _get(element, "table:visibility") in {"collapse", "filter"}:
        table.look.hidden_rows.append((first, table.row - 1))
    column = 0
    for cell in element:
        if cell.tag not in _CELLS:
            continue
        wide = int(cell.get(_REPEATED, "1"))
        if len(cell) or _TYPE in cell.attrib or _FORMULA in cell.attrib:
            if column + wide > MOST_COLUMNS:
                raise RefusedFileError("sheet_too_wide")
            if table.row > MOST_ROWS:
                raise RefusedFileError("sheet_too_long")
            if len(table.look.values or ()) + times * wide > MOST_CELLS:
                raise RefusedFileError("unpacks_too_large")
            for row in range(first, table.row):
                for place in range(column, column + wide):
                    _cell(table, (row, place), cell, styles)
        column += wide


def _cell(table: _Table, place: tuple[int, int], cell: Element, styles: _Styles) -> None:
    row, column = place
    look, has = table.look, cell.attrib
    if (formula := has.get(_FORMULA)) is not None:
        if _REACHES_OUT.search(formula):
            raise RefusedFileError("external_links")
        table.formulas.append((column, row, "f"))
    if _WIDE in has or _HIGH in has:
        high, wide = int(has.get(_HIGH, "1")), int(has.get(_WIDE, "1"))
        table.merged.append((row, column, row + high - 1, column + wide - 1))
    if has.get(_CALC_TYPE) == "error":
        look.errors.append((row, column, _text(cell) or "#ERROR"))
        return
    kind = has.get(_TYPE, "")
    if formula and not kind and not any(_local(part.tag) == "p" for part in cell):
        look.unsaved.append(place)
        return
    value = _value(cell, kind)
    if value == "" or look.values is None:
        return
    look.values[place] = value
    if kind == "boolean":
        look.booleans.append(place)
    style = has.get(_STYLE) or next((name for until, name in table.defaults if column < until), "")
    if kind in _NUMBERS and (code := has.get(_CURRENCY) or styles.currency.get(style)) in {"USD", "KHR"}:
        table.currencies.append((column, row, str(code)))
    if style in styles.legacy:
        table.legacy.append((column, row, styles.legacy[style]))


def _value(cell: Element, kind: str) -> Any:  # noqa: ANN401  what a cell may hold
    if kind in _NUMBERS:
        return float(_get(cell, "office:value"))
    if kind == "date":
        written = _get(cell, "office:date-value")
        return datetime.fromisoformat(written) if "T" in written else date.fromisoformat(written)
    if kind == "time":
        return duration(_get(cell, "office:time-value"))
    if kind == "boolean":
        return _get(cell, "office:boolean-value") == "true"
    return _text(cell) or _get(cell, "office:string-value")  # what a person sees goes first; the other reader takes the attribute


def _text(cell: Element) -> str:
    """A cell's paragraphs, one to a line; what is pinned to it (a comment, a picture) is none of them."""
    if len(cell) == 1 and not len(cell[0]) and _local(cell[0].tag) == "p":
        return cell[0].text or ""
    return "\n".join("".join(_parts(part)) for part in cell if _local(part.tag) == "p")


def _parts(element: Element) -> Iterator[str]:
    yield element.text or ""
    for part in element:
        kind = _local(part.tag)
        if kind == "s":
            yield " " * _times(part, "text:c")
        elif kind == "tab":
            yield "\t"
        elif kind == "line-break":
            yield "\n"
        elif kind != "annotation":
            yield from _parts(part)
        yield part.tail or ""


def _read_styles(archive: zipfile.ZipFile) -> _Styles:
    """The cell styles, from both parts of the file that may hold them."""
    names = set(archive.namelist())
    roots = [fromstring(archive.read("styles.xml"))] if "styles.xml" in names else []
    with archive.open("content.xml") as content:
        roots.extend(element for event, element in _sections(content) if event == "end" and _local(element.tag) == "automatic-styles")
    formats: dict[str, str] = {}
    for element in _each(roots):
        if _local(element.tag) in _DATA_STYLES:
            others = (formats.get(_get(part, "style:apply-style-name")) for part in element)  # for amounts above, below or at zero
            if (code := currency_of_format(_format(element)) or next(filter(None, others), None)) is not None:
                formats[_get(element, "style:name")] = code
    styles = _Styles()
    for element in _each(roots):
        if _local(element.tag) != "style" or _get(element, "style:family") != "table-cell":
            continue
        name, parent = _get(element, "style:name"), _get(element, "style:parent-style-name")
        code = formats.get(_get(element, "style:data-style-name")) or (
            styles.currency.get(parent) if not _get(element, "style:data-style-name") else None
        )
        if code:
            styles.currency[name] = code
        fonts = (_get(part, wanted) for part in element for wanted in ("style:font-name", "fo:font-family"))
        font = next((font.strip("'") for font in fonts if is_legacy_font(font.strip("'"))), styles.legacy.get(parent, ""))
        if font:
            styles.legacy[name] = font
    return styles


def _sections(content: Any) -> Iterator[tuple[str, Element]]:  # noqa: ANN401  an open archive entry
    """The parts before the body, which holds the cells."""
    for event, element in iterparse(content, ("start", "end")):  # noqa: S314  as above
        if event == "start" and _local(element.tag) == "body":
            return
        yield event, element


def _each(roots: Iterable[Element]) -> Iterator[Element]:
    for root in roots:
        yield from root.iter()


def _format(element: Element) -> str:
    """A number style as the code that another spreadsheet would write for it: its literal texts and its currency."""
    parts = []
    for part in element:
        if _local(part.tag) == "currency-symbol":
            parts.append(part.text or {"KH": "KHR"}.get(_get(part, "number:country"), "$" if _get(part, "number:country") == "US" else ""))
        elif _local(part.tag) == "text":
            parts.append(part.text or "")
    return " ".join(parts)
