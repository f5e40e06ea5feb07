"""Delimited text as rows of strings: the encoding and the separator are found out, never assumed."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter

from importers.guard import RefusedFileError
from importers.headers import known_word

_WHOLE_LINE = re.compile(r'^\s*"[^"]*[,;\t|][^"]*"\s*$')
_KEPT_AS_TEXT = re.compile(r'^="?([^"]*)"$')
TEXT_NAMES = (".csv", ".tsv", ".tab", ".txt")
_MARKUP = ("<!doctype", "<html", "<table", "<?xml", "<meta", "<head", "<body", "<style", "mime-version", "content-type:", "%pdf", "{\\rtf")
_FEWEST_COLUMNS = 3
_SEPARATORS = ",;\t|"
_SAMPLE_LINES = 200
_MOST_ROWS = 100_000
_MOST_COLUMNS = 256
_LONGEST_CELL = 32_767  # what a workbook's cell can hold
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = {chr(code) for code in range(32)} - {"\t", "\n", "\r", "\x0b", "\x0c", "\x1a"}


def decode(data: bytes) -> str | None:
    """The bytes as text, or None when they are not text. UTF-8 and UTF-16 first, Windows-1252 last."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _tried(data, encoding)
    if b"\x00" in data[:4096]:
        odd, even = data[1:4096:2].count(0), data[:4096:2].count(0)  # separators and digits have their zero byte last or first
        return _tried(data, "utf-16-le" if odd > even else "utf-16-be")
    return _tried(data, "utf-8") or _by_its_words(data)


def _by_its_words(data: bytes) -> str | None:
    """Windows-1252, unless the first lines hold more words of headers in the encoding of Chinese or Korean Windows."""
    best, most = None, -1
    for encoding in ("cp1252", "gb18030", "big5", "cp949"):
        text = _tried(data, encoding)
        if text is not None:
            cells = {cell for line in text.splitlines()[:60] for cell in re.split(r"[,;\t|]", line)}
            known = sum(1 for cell in cells if known_word(cell.strip(' "')))
            if known > most:
                best, most = text, known
    return best


def _tried(data: bytes, encoding: str) -> str | None:
    try:
        text = data.decode(encoding)
    except UnicodeError:
        return None
    return None if any(character in _CONTROL for character in set(text)) else text


def looks_like_text(data: bytes) -> bool:
    """Whether these bytes are delimited text rather than a web page or a binary."""
    text = decode(data)
    return text is not None and not _beginning(text).startswith(_MARKUP)


def kind_of_text(data: bytes) -> str:
    """The refusal's code for bytes that are no delimited text: what they are, whatever their name says."""
    begins = _beginning(decode(data) or "")
    if "urn:schemas-microsoft-com:office:spreadsheet" in begins:
        return "xml_spreadsheet"
    if begins.startswith(("mime-version", "content-type: multipart")) or "<table" in begins or "<html" in begins:
        return "web_page"
    return "not_a_workbook"


def is_table(data: bytes) -> bool:
    """Whether text has columns: most of its lines are split into the same number of fields, more than two."""
    lines = [line for line in (decode(data) or "").splitlines()[:_SAMPLE_LINES] if line.strip()]
    widths = Counter(len(row) for row in csv.reader(lines, delimiter=separator_of("\n".join(lines))))
    width, times = widths.most_common(1)[0] if widths else (0, 0)
    return width >= _FEWEST_COLUMNS and len(lines) > 1 and times * 2 > len(lines)


def _beginning(text: str) -> str:
    return text[:65536].lstrip("\ufeff \t\r\n").lower()


def separator_of(text: str) -> str:
    """The separator that gives most lines the same number (more than one) of fields."""
    lines = [line for line in text.splitlines()[:_SAMPLE_LINES] if line.strip()]
    best, best_score = ",", 0
    for separator in _SEPARATORS:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=separator) if len(row) > 1)
        if widths:
            width, times = widths.most_common(1)[0]
            if times * width > best_score:
                best, best_score = separator, times * width
    return best


def _unwrapped(cell: str) -> str:
    """="0012" is how spreadsheets are told to keep zeros in delimited text: the text in it, and no formula."""
    match = _KEPT_AS_TEXT.match(cell)
    return match[1] if match else cell


def read_text_table(data: bytes) -> list[list[str]]:
    """The rows of a CSV or TSV. Raises RefusedFileError when it is no table or breaks a limit."""
    text = decode(data)
    if text is None:
        raise RefusedFileError("unknown_encoding")
    text = text.lstrip("\ufeff")
    separator = separator_of(text)
    if text[:5].lower().startswith("sep=") and len(text) > 4:  # noqa: PLR2004  Excel's own hint, "sep=;"
        separator, text = text[4], text.partition("\n")[2]
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and all(_WHOLE_LINE.match(line) for line in lines):
        text = "\n".join(line.strip()[1:-1] for line in lines)  # every line in quotes, as some systems write
        separator = separator_of(text)
    has_wrapped = '="' in text
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            rows.append([_unwrapped(cell) for cell in row] if has_wrapped else row)
            if len(rows) > _MOST_ROWS:
                raise RefusedFileError("sheet_too_long")
            if len(row) > _MOST_COLUMNS or any(len(cell) > _LONGEST_CELL for cell in row):
                raise RefusedFileError("sheet_too_wide")
    except csv.Error as error:
        raise RefusedFileError("damaged_file") from error
    return rows
