"""A second look at a sheet's XML for what the value reader does not tell.

python-calamine answers values only. It shows an error cell as empty text and says nothing of formulas, number formats, fonts
or hidden rows; all of these decide whether a payroll cell may be trusted. Bytes are scanned with regular expressions because
the XML has already passed the guard (no DTD, bounded size) and a tree of half a million cells would cost more than the values.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from pathlib import PurePosixPath
from typing import Any

from defusedxml.ElementTree import fromstring

_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_FAR = re.compile(rb'r="[A-Za-z]{3}')
_CURRENCY_FORMATS = (
    ("KHR", re.compile(r"៛|KHR|riel|រៀល|\[\$[^\]]*-(?:x-)?[0-9a-f]*453\]", re.IGNORECASE)),
    ("USD", re.compile(r"\$(?!-)|USD|ដុល្លារ", re.IGNORECASE)),
)
_BUILT_IN_DOLLARS = frozenset({5, 6, 7, 8, 42, 44})  # ECMA-376 18.8.30: the locale's currency, "$" as Excel saves it
_LEGACY_FONT = re.compile(r"^(?:limon|abc[-_ ]|kh[-_ ]|khek|ktls|busra)", re.IGNORECASE)

LAST_ROW = 1_048_575  # of any workbook, from 0
Runs = list[tuple[int, int, int, str]]  # column, first row, last row (all from 0), what


@dataclass(slots=True)
class SecondLook:
    """What the XML says beside the values. Rows and columns count from 0."""

    errors: list[tuple[int, int, str]] = field(default_factory=list)
    booleans: list[tuple[int, int]] = field(default_factory=list)
    unsaved: list[tuple[int, int]] = field(default_factory=list)
    formulas: Runs = field(default_factory=list)
    currencies: Runs = field(default_factory=list)
    legacy: Runs = field(default_factory=list)
    hidden_rows: list[tuple[int, int]] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    wide: bool = False
    filled: int = 0  # cells that hold a value, by the XML's own count
    doubled: Callable[[], bool] = bool  # whether an address stands twice; asked only when the counts differ
    merged: list[tuple[int, int, int, int]] | None = None  # where the value reader does not tell: first row, column, last row, column
    values: dict[tuple[int, int], Any] | None = None  # of a format that is read a second time by another program
    xml: bytes = b""  # as spreadsheets write it, each cell with its address first
    prefix: bytes = b""  # of the sheet's namespace


@dataclass(frozen=True, slots=True)
class Styles:
    """Which cell styles (by index) carry a currency in their number format, or a legacy Khmer font."""

    currency: dict[bytes, str]
    legacy: dict[bytes, str]


def sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Each sheet's name and the archive entry that holds it."""
    relations = {
        element.get("Id", ""): element.get("Target", "")
        for element in fromstring(archive.read(_actual(archive, "xl/_rels/workbook.xml.rels")))
    }
    parts = {}
    for element in fromstring(archive.read(_actual(archive, "xl/workbook.xml"))).iter():
        if element.tag.rpartition("}")[2] != "sheet":
            continue
        relation = next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == "id"), "")
        target = relations.get(relation, "")
        path = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
        parts[element.get("name", "")] = _actual(archive, path)
    return parts


def counts_from_1904(archive: zipfile.ZipFile) -> bool:
    """Whether the workbook's days count from 1904, as old Macintosh programs had it."""
    root = fromstring(archive.read(_actual(archive, "xl/workbook.xml")))
    settings = (element for element in root.iter() if element.tag.rpartition("}")[2] == "workbookPr")
    return any(element.get("date1904", "") in {"1", "true"} for element in settings)


def shared_strings(archive: zipfile.ZipFile) -> bytes:
    """The XML of the shared strings; empty where the workbook has none."""
    path = _actual(archive, "xl/sharedStrings.xml")
    return archive.read(path) if path in archive.namelist() else b""


def _actual(archive: zipfile.ZipFile, path: str) -> str:
    wanted = path.lower()
    return next((name for name in archive.namelist() if name.replace("\\", "/").lower() == wanted), path)


def read_styles(archive: zipfile.ZipFile) -> Styles:
    """The styles that say something about money or about the script of names."""
    path = _actual(archive, "xl/styles.xml")
    if path not in archive.namelist():
        return Styles({}, {})
    root = fromstring(archive.read(path))
    formats: dict[int, str] = {}
    fonts: list[str] = []
    currency: dict[bytes, str] = {}
    legacy: dict[bytes, str] = {}
    for section in root:
        kind = section.tag.rpartition("}")[2]
        if kind == "numFmts":
            formats = {int(entry.get("numFmtId", "0")): entry.get("formatCode", "") for entry in section}
        elif kind == "fonts":
            fonts = [next((part.get("val", "") for part in font if part.tag.endswith("}name")), "") for font in section]
        elif kind == "cellXfs":
            for index, entry in enumerate(section):
                number = int(entry.get("numFmtId", "0"))
                code = formats.get(number, "")
                if (name := currency_of_format(code) if code else _built_in(number)) is not None:
                    currency[b"%d" % index] = name
                font = int(entry.get("fontId", "0"))
                if font < len(fonts) and is_legacy_font(fonts[font]):
                    legacy[b"%d" % index] = fonts[font]
    return Styles(currency, legacy)


def _built_in(number: int) -> str | None:
    return "USD" if number in _BUILT_IN_DOLLARS else None


def is_legacy_font(name: str) -> bool:
    """Whether a font draws Khmer over Latin letters (Limon, ABC)."""
    return _LEGACY_FONT.match(name) is not None


def currency_of_format(code: str) -> str | None:
    """The currency that a number format shows: `"$"#,##0.00` or `#,##0"៛"`."""
    found = [name for name, pattern in _CURRENCY_FORMATS if pattern.search(code)]
    return found[0] if found else None


def column_index(letters: str) -> int:
    """`A` is 0, `AA` is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def look(xml: bytes, styles: Styles) -> SecondLook:
    """Everything beside the values in one sheet's XML."""
    result = SecondLook()
    xml = _plainly_written(xml)
    opening = re.search(rb"<(\w+:)?worksheet\b", xml)
    prefix = (opening[1] or b"") if opening else b""
    if _lacks_addresses(xml, prefix):
        xml = _with_references(xml, prefix)
    if xml.count(b"<" + prefix + b"c ") != xml.count(b"<" + prefix + b'c r="'):
        xml = re.sub(rb"<" + prefix + rb'c ([^>]*?) ?\b(r="[A-Z]+[0-9]+")', rb"<" + prefix + rb"c \2 \1", xml)  # the address first
    result.xml, result.prefix = xml, prefix
    _look_at_rows(xml, prefix, result)
    result.filled = xml.count(b"<" + prefix + b"v>") + xml.count(b"<" + prefix + b"is>")
    result.doubled = partial(_stands_twice, xml, prefix)
    if re.search(rb"<" + prefix + rb'c r="[A-Z]{3}[0-9]+"[^>/]*>', xml):
        result.wide = True
    odd = b't="e"' in xml or b't="b"' in xml
    for match in re.finditer(rb"<" + prefix + rb'c ([^>]*\bt="[be]"[^>/]*)>(.*?)</' + prefix + rb"c>", xml if odd else b"", re.DOTALL):
        place = _place(match[1])
        if place is None:
            continue
        if b't="b"' in match[1]:
            result.booleans.append(place)
        else:
            value = re.search(rb"<" + prefix + rb"v>([^<]*)<", match[2])
            result.errors.append((*place, unescape(value[1].decode("utf-8", "replace")) if value else "#ERROR"))
    if b"<" + prefix + b"f" in xml:
        _look_at_formulas(xml, prefix, result)
    if styles.currency:
        _look_at_styles(xml, prefix, styles.currency, result.currencies, whole_columns=True)
    if styles.legacy:
        _look_at_styles(xml, prefix, styles.legacy, result.legacy, whole_columns=False)
    return result


def _plainly_written(xml: bytes) -> bytes:
    """The XML as spreadsheets write it: double quotes, no space between tags. Other writers are rare, and allowed."""
    if b"='" in xml:
        xml = re.sub(rb"(\s[\w:]+)='([^'\"<>]*)'", rb'\1="\2"', xml)
    return re.sub(rb">\s+<", b"><", xml) if re.search(rb">\s+<", xml) else xml


def has_near_addresses(xml: bytes) -> bool:
    """Whether each cell tells its address first, and none stands far away. A quick look: `False` says only that a closer one is needed."""
    opening = re.search(rb"<(\w+:)?worksheet\b", xml)
    prefix = (opening[1] or b"") if opening else b""
    return re.search(rb"<" + prefix + rb'c(?! r=")[\s>/]', xml) is None and _FAR.search(xml) is None


def _stands_twice(xml: bytes, prefix: bytes) -> bool:
    """Whether two cells have one address: readers then differ in which of them they show."""
    places = re.findall(rb"<" + prefix + rb'c r="([A-Z]+[0-9]+)"', xml)
    return len(set(places)) != len(places)


def _lacks_addresses(xml: bytes, prefix: bytes) -> bool:
    first = re.search(rb"<" + prefix + rb"c[ >/][^>]*>?", xml)
    return first is not None and _REFERENCE.search(first[0]) is None


def _place(attributes: bytes) -> tuple[int, int] | None:
    match = _REFERENCE.search(attributes)
    return (int(match[2]) - 1, column_index(match[1].decode())) if match else None


def _look_at_rows(xml: bytes, prefix: bytes, result: SecondLook) -> None:
    for match in re.finditer(rb"<" + prefix + rb'row [^>]*\b(?:hidden="(?:1|true)"|ht="0")[^>]*>', xml):
        number = re.search(rb'\br="([0-9]+)"', match[0])
        if number:
            result.hidden_rows.append((int(number[1]) - 1, int(number[1]) - 1))
    for match in re.finditer(rb"<" + prefix + rb'col [^>]*\b(?:hidden="(?:1|true)"|width="0")[^>]*>', xml):
        first = re.search(rb'\bmin="([0-9]+)"', match[0])
        last = re.search(rb'\bmax="([0-9]+)"', match[0])
        if first and last:
            result.hidden_columns.append((int(first[1]) - 1, int(last[1]) - 1))


def _look_at_formulas(xml: bytes, prefix: bytes, result: SecondLook) -> None:
    pattern = rb"<" + prefix + rb"c ([^>]*)><" + prefix + rb"f\b(?:[^>]*/>|[^>]*>[^<]*</" + prefix + rb"f>)(<" + prefix + rb"v[ >][^<]?|<)?"
    places = []
    for match in re.finditer(pattern, xml):
        place = _place(match[1])
        if place is None:
            continue
        places.append((place[1], place[0], "f"))
        saved = match[2] is not None and match[2].startswith(b"<" + prefix + b"v>") and not match[2].endswith(b">")
        if not saved and b't="str"' not in match[1]:
            result.unsaved.append(place)
    result.formulas = runs_of(places)


def _look_at_styles(xml: bytes, prefix: bytes, known: dict[bytes, str], runs: Runs, *, whole_columns: bool) -> None:
    """Where the styles stand. With `whole_columns`, one that half of a column or more carries counts for all of it."""
    tag, styles = b"<" + prefix + b"c ", b"|".join(sorted(known))
    counted: Counter[tuple[bytes, bytes]] = Counter(re.findall(tag + rb'r="([A-Z]+)[0-9]+"[^>]*? ?s="(' + styles + rb')"', xml))
    by_column: dict[bytes, Counter[str]] = {}
    rows = xml.count(b"<" + prefix + b"row ")
    for (letters, style), times in counted.items():
        by_column.setdefault(letters, Counter())[known[style]] += times
    for letters, kinds in by_column.items():
        if whole_columns and len(kinds) == 1 and 2 * kinds.total() >= rows:
            runs.append((column_index(letters.decode()), 0, LAST_ROW, next(iter(kinds))))
            continue
        cells = re.findall(tag + rb'r="' + letters + rb'([0-9]+)"[^>]*? ?s="(' + styles + rb')"', xml)
        runs.extend(runs_of([(column_index(letters.decode()), int(row) - 1, known[style]) for row, style in cells]))


def runs_of(places: list[tuple[int, int, str]]) -> Runs:
    """(column, row, what) of single cells as stretches of a column; places are in reading order."""
    open_runs: dict[int, tuple[int, int, str]] = {}
    runs: Runs = []
    for column, row, what in places:
        current = open_runs.get(column)
        if current is not None and current[2] == what and current[1] + 1 == row:
            open_runs[column] = (current[0], row, what)
            continue
        if current is not None:
            runs.append((column, *current))
        open_runs[column] = (row, row, what)
    runs.extend((column, *current) for column, current in open_runs.items())
    return runs


def _with_references(xml: bytes, prefix: bytes) -> bytes:
    """The same XML with the cell addresses that its writer left out (they are optional in ECMA-376 18.3.1.4)."""
    row, column = -1, -1
    out = io.BytesIO()
    end = 0
    for match in re.finditer(rb"<" + prefix + rb"(row|c)(?=[ >/])", xml):
        out.write(xml[end : match.end()])
        end = match.end()
        if match[1] == b"row":
            row, column = row + 1, -1
            out.write(b' r="%d"' % (row + 1))
        else:
            column += 1
            out.write(b' r="%s%d"' % (column_letters(column).encode(), row + 1))
    out.write(xml[end:])
    return out.getvalue()


def column_letters(index: int) -> str:
    """0 is `A`, 26 is `AA`."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
