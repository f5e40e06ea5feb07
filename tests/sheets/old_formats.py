"""The same rows as an `.xls` of Excel 97 and as an `.ods`, written for the tests by hands that are not our readers'."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time, timedelta
from html import escape
from typing import Any

import xlwt

Rows = Sequence[Sequence[Any]]
MIME_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{space}:1.0"'
    for name, space in (("office", "office"), ("table", "table"), ("text", "text"), ("style", "style"), ("number", "datastyle"))
)
_MANIFEST = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
_DOLLARS = (
    '<number:number-style style:name="N1"><number:text>$</number:text><number:number number:decimal-places="2"/></number:number-style>'
    '<style:style style:name="usd" style:family="table-cell" style:data-style-name="N1"/>'
)


def xls(rows: Rows, *, formats: Mapping[int, str] | None = None, change: Callable[[Any], object] | None = None) -> bytes:
    """An `.xls`; `formats` are the number formats of columns (from 0), `change` does the rest by hand."""
    book = xlwt.Workbook()
    page = book.add_sheet("Pay")
    for row, cells in enumerate(rows):
        for column, value in enumerate(cells):
            if value is None or value == "":
                continue
            form = (formats or {}).get(column, "General")
            if isinstance(value, date | time | timedelta):
                form = "[h]:mm" if isinstance(value, timedelta) else "dd/mm/yyyy" if isinstance(value, date) else "h:mm"
                value = value / timedelta(days=1) if isinstance(value, timedelta) else value  # noqa: PLW2901  as the format has it
            page.write(row, column, value, xlwt.easyxf(num_format_str=form))
    if change is not None:
        change(page)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods(
    rows: Rows,
    *,
    dollars: Sequence[int] = (),
    tall: Sequence[tuple[int, int]] = (),
    more: Mapping[str, bytes | str] | None = None,
    inside: str = "",
) -> bytes:
    """An `.ods`; `dollars` are columns whose number format shows the sign, `tall` are cells merged with the one below (both from 0),
    `inside` is XML that goes before the first row.
    """
    lines = ""
    for row, cells in enumerate(rows):
        written = [_cell(cell, in_dollars=column in dollars) for column, cell in enumerate(cells)]
        for top, column in tall:
            if row == top:
                written[column] = written[column].replace("<table:table-cell", '<table:table-cell table:number-rows-spanned="2"', 1)
            elif row == top + 1:
                written[column] = "<table:covered-table-cell/>"
        lines += f"<table:table-row>{''.join(written)}</table:table-row>"
    rest = (
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    content = (
        f"<office:document-content {_SPACES}><office:automatic-styles>{_DOLLARS}</office:automatic-styles><office:body><office:spreadsheet>"
        f'<table:table table:name="Pay">{inside}{lines}{rest}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    return packed({"content.xml": content, **(more or {})})


def packed(parts: Mapping[str, bytes | str], mime_type: str = MIME_TYPE) -> bytes:
    """An OpenDocument package of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", mime_type, zipfile.ZIP_STORED)
        for name, part in {"META-INF/manifest.xml": f"<manifest xmlns='{_MANIFEST}'/>", **parts}.items():
            archive.writestr(name, part)
    return out.getvalue()


def _cell(value: Any, *, in_dollars: bool) -> str:
    style = ' table:style-name="usd"' if in_dollars else ""
    if value is None or value == "":
        return "<table:table-cell/>"
    if isinstance(value, int | float):
        return f'<table:table-cell{style} office:value-type="float" office:value="{value!r}"/>'
    if isinstance(value, date):
        return f'<table:table-cell office:value-type="date" office:date-value="{value.isoformat()}"/>'
    if isinstance(value, time | timedelta):
        seconds = int(value.total_seconds()) if isinstance(value, timedelta) else value.hour * 3600 + value.minute * 60
        written = f"PT{seconds // 3600:02}H{seconds // 60 % 60:02}M{seconds % 60:02}S"
        return f'<table:table-cell office:value-type="time" office:time-value="{written}"/>'
    lines = "".join(f"<text:p>{escape(line)}</text:p>" for line in str(value).split("\n"))
    return f'<table:table-cell office:value-type="string">{lines}</table:table-cell>'
