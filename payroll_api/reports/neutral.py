"""Text of others in a file that a spreadsheet opens: it stays text, whatever it begins with (OWASP CSV injection; ASVS 5.0 V1.2.10)."""

from __future__ import annotations

import re

# What LibreOffice, Excel or Google Sheets take for the beginning of a formula, also full-width and behind space or a control character.
_STARTS = re.compile(r"^[\s\x00-\x1f\u200b\ufeff]*[=+\-@|%\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"-?[0-9][0-9,]*(\.[0-9]+)?")
# XML 1.0 cannot carry these at all.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def in_csv(text: str) -> str:
    """The text as a CSV cell: with an apostrophe before it where a spreadsheet would compute it. Numbers stay numbers."""
    text = _FORBIDDEN.sub("", text)
    return f"'{text}" if _STARTS.match(text) and not _NUMBER.fullmatch(text) else text


def in_xml(text: str) -> str:
    """The text as a workbook's cell can carry it. The cell's type keeps it text, so nothing is put before it."""
    return _FORBIDDEN.sub("", text)
