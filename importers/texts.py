"""Text into a cell, so that it stays text."""

from __future__ import annotations

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, MergedCell


def write_text(cell: Cell | MergedCell, text: str) -> None:
    """Write text that stays text, whatever it begins with (OWASP CSV injection; ASVS 5.0 V1.2.10)."""
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", text) or None
    if cell.value is not None and isinstance(cell, Cell):
        cell.data_type = "s"
        if text[:1] in set("=+-@\t\r\n\x00＝＋－＠'"):
            cell.quotePrefix = True
