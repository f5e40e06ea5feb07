"""Payrolls in `.xls` and `.ods`: read like the new ones, checked by a second reader, and refused for what no payroll holds."""

from __future__ import annotations

import io
import struct
import time
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from importers.annotate import annotate
from importers.contract import ImportedSheet, Meaning
from importers.period import PayPeriod
from importers.read import read_sheet
from tests.sheets.awkward_case import HEAD, PAID, ROWS
from tests.sheets.old_formats import ods, packed, xls

PERIOD = PayPeriod(2026, 11)
PLAIN = (HEAD, *ROWS)
SHORT = ("Worker code", "Name", "Net pay")


def read(data: bytes, name: str) -> ImportedSheet:
    return read_sheet(data, file_name=name, period=PERIOD)


def paid(sheet: ImportedSheet) -> tuple[tuple[str, str], ...]:
    return tuple((row.worker_code, str(row.net)) for row in sheet.rows)


def codes(sheet: ImportedSheet) -> set[tuple[str, str]]:
    return {(found.code, found.cell) for found in sheet.problems}


@pytest.mark.parametrize(("data", "name"), [(xls(PLAIN), "p.xls"), (ods(PLAIN), "p.ods")], ids=["xls", "ods"])
def test_a_plain_payroll_is_read_without_a_word(data: bytes, name: str) -> None:
    sheet = read(data, name)
    assert (paid(sheet), codes(sheet)) == (PAID, set())
    assert ("extension_differs", "") in codes(read(data, "p.xlsx"))


def test_the_same_payroll_in_three_formats_is_one_payroll() -> None:
    out = io.BytesIO()
    book = load_workbook(io.BytesIO(annotate(xls(PLAIN), read(xls(PLAIN), "p.xls"))))
    book.remove(book.worksheets[0])
    book.save(out)
    hashes = {read(data, name).canonical_hash for data, name in ((xls(PLAIN), "p.xls"), (ods(PLAIN), "p.ods"), (out.getvalue(), "p.xlsx"))}
    assert len(hashes) == 1


@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_dates_hours_and_currencies_come_from_the_cells_formats(kind: str) -> None:
    rows = (
        ("Worker code", "Name", "Join date", "OT hours", "Net pay"),
        ("W1", "Sok", date(2021, 11, 5), timedelta(hours=26, minutes=15), 240.5),
    )
    sheet = read(xls(rows, formats={4: '"$"#,##0.00'}) if kind == "xls" else ods(rows, dollars=[4]), f"p.{kind}")
    (row,) = sheet.rows
    assert (row.joined_on, str(row.time[Meaning.OVERTIME_HOURS]), str(row.net)) == (date(2021, 11, 5), "26.25", "240.50 USD")
    assert codes(sheet) == set()  # the currency is seen, not assumed by size


def test_what_an_old_workbook_hides_and_computes_is_told() -> None:
    def change(page: Any) -> None:
        page.row(1).hidden = True
        page.write(4, 0, xlwt.Formula('"W" & "4"'))
        page.write(4, 1, "Kim Ly")
        page.write(4, 2, 7)

    rows = (SHORT, *((row[1], row[2], row[5]) for row in ROWS))
    assert codes(read(xls(rows, change=change), "p.xls")) >= {("hidden_data", "A2"), ("formulas_read", ""), ("formula_in_identity", "A5")}


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (
            '<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value="" calcext:value-type="error"/>',
            "error_cell",
        ),
        ('<table:table-cell table:formula="of:=1+1"/>', "formula_not_saved"),
        ('<table:table-cell office:value-type="boolean" office:boolean-value="true"/>', "not_a_value"),
    ],
    ids=["error", "formula without a value", "truth"],
)  # fmt: skip
def test_a_cell_of_an_open_document_that_is_no_value_stops_its_row(cell: str, code: str) -> None:
    space = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    text = content(ods((SHORT, ("W1", "Sok", 99), ("W2", "Chan", 220))))
    text = text.replace('<table:table-cell office:value-type="float" office:value="99"/>', cell)
    sheet = read(packed({"content.xml": text.replace("<office:document-content", f"<office:document-content {space}")}), "p.ods")
    assert (sheet.counts.accepted, sheet.counts.rejected) == (1, 1)
    assert (code, "C2") in codes(sheet)


def content(data: bytes) -> str:
    """The XML of an `.ods`."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read("content.xml").decode()


def test_hidden_rows_merged_cells_and_comments_of_an_open_document() -> None:
    text = content(ods((SHORT, ("W1", "Sok", 240), ("W2", "Chan", 220))))
    text = text.replace("<table:table-row>", '<table:table-row table:visibility="collapse">', 2).replace(
        '<table:table-row table:visibility="collapse">', "<table:table-row>", 1
    )
    text = text.replace(
        "<text:p>Sok</text:p>", "<office:annotation><text:p>late</text:p></office:annotation><text:p>Sok<text:s/>Dara</text:p>"
    )
    sheet = read(packed({"content.xml": text}), "p.ods")
    assert [(row.worker_code, row.name) for row in sheet.rows] == [("W1", "Sok Dara"), ("W2", "Chan")]
    assert ("hidden_data", "A2") in codes(sheet)


def test_two_readers_that_differ_hold_the_row() -> None:
    """The text of a cell and the value that its attribute states are two: which one a program shows is its own affair."""
    text = content(ods((SHORT, ("W1", "Sok", 240), ("W2", "Chan", 220))))
    chan = '<table:table-cell office:value-type="string"><text:p>Chan</text:p>'
    text = text.replace(chan, chan.replace(">", ' office:string-value="Other">', 1))
    sheet = read(packed({"content.xml": text}), "p.ods")
    assert paid(sheet) == (("W1", "240.00 USD"),)
    assert ("readers_differ", "B3") in codes(sheet)


@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_an_old_workbook_comes_back_as_an_xlsx_with_its_problems_and_a_note(kind: str) -> None:
    rows = (SHORT, ("W1", "Sok", 240), ("W2", "Chan", "later"))
    data = xls(rows) if kind == "xls" else ods(rows)
    book = load_workbook(io.BytesIO(annotate(data, read(data, f"p.{kind}"))))
    page = book["Pay"]
    assert [[cell.value for cell in row] for row in page.iter_rows()] == [list(row) for row in rows]
    assert page["C3"].comment is not None
    assert any("copy of your file" in str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row)


def far(repeat: str) -> bytes:
    return ods(PLAIN, inside=f"<table:table-row {repeat}><table:table-cell office:value-type='float' office:value='1'/></table:table-row>")


def renamed(name: str, other: str) -> bytes:
    """An `.xls` in whose directory an entry has another name."""
    data = xls(PLAIN)
    place = data.index(name.encode("utf-16-le"))
    written = other.encode("utf-16-le")
    return data[:place] + written + bytes(64 - len(written)) + struct.pack("<H", len(written) + 2) + data[place + 66 :]


def with_record(code: int, body: bytes) -> bytes:
    """An `.xls` whose workbook part holds one more record, right after its first."""
    data = bytearray(xls(PLAIN))
    place = data.index(struct.pack("<HH", 0x0809, 16)) + 20
    old = struct.unpack_from("<HH", data, place)
    assert len(body) <= old[1]  # in the place of another record of at least its size
    data[place : place + 4] = struct.pack("<HH", code, old[1])
    data[place + 4 : place + 4 + len(body)] = body
    return bytes(data)


OLD: dict[str, tuple[Callable[[], bytes], str]] = {
    "password": (lambda: with_record(0x2F, b""), "encrypted"),
    "cut in half": (lambda: xls(PLAIN)[:2600], "damaged_file"),
    "container of another program": (lambda: renamed("Workbook", "WordDocu"), "not_a_workbook"),
    "macros": (lambda: renamed("Root Entry", "VBA"), "macros_refused"),
    "an embedded file": (lambda: renamed("Root Entry", "MBD0001"), "active_content"),
    "sectors of no size": (lambda: xls(PLAIN)[:30] + b"\xff\xff" + xls(PLAIN)[32:], "damaged_file"),
    "excel 5": (lambda: xls(PLAIN).replace(struct.pack("<HHH", 0x0809, 16, 0x600), struct.pack("<HHH", 0x0809, 16, 0x500), 1), "old_excel"),
    "only the magic": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "damaged_file"),
    "a text document": (lambda: packed({"content.xml": "<a/>"}, "application/vnd.oasis.opendocument.text"), "not_a_workbook"),
    "an open document with a password": (
        lambda: ods(PLAIN, more={"META-INF/manifest.xml": "<m><encryption-data/></m>"}), "encrypted"),
    "an open document with macros": (lambda: ods(PLAIN, more={"Basic/Standard/Module1.xml": "<a/>"}), "macros_refused"),
    "an open document with a DTD": (lambda: ods(PLAIN, more={"styles.xml": "<!DOCTYPE a><a/>"}), "suspicious_archive"),
    "a million rows in one": (lambda: far("table:number-rows-repeated='1000000'"), "sheet_too_long"),
    "a cell in column XFD": (
        lambda: ods(PLAIN, inside="<table:table-row><table:table-cell table:number-columns-repeated='16383'/>"
                    "<table:table-cell office:value-type='float' office:value='1'/></table:table-row>"), "sheet_too_wide"),
    "a formula that calls out": (
        lambda: ods(PLAIN, inside="<table:table-row><table:table-cell table:formula=\"of:=['file:///etc/passwd'#$A.A1]\" "
                    "office:value-type='float' office:value='1'/></table:table-row>"), "external_links"),
    "a table inside a cell": (
        lambda: ods(PLAIN, inside="<table:table-row><table:table-cell><table:table/></table:table-cell></table:table-row>"),
        "suspicious_archive"),
    "no content": (lambda: packed({"content.xml": ""}), "damaged_file"),
}  # fmt: skip


@pytest.mark.parametrize("name", OLD)
def test_hostile_old_file(name: str) -> None:
    build, code = OLD[name]
    started = time.process_time()
    sheet = read(build(), "p.xls")
    assert time.process_time() - started < 5
    assert (sheet.refused.code if sheet.refused else None) == code


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 5000), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4), st.sampled_from(["xls", "ods"])
)
def test_a_damaged_old_file_ends_in_rows_or_a_problem(damage: list[tuple[int, bytes]], kind: str) -> None:
    data = bytearray(xls(PLAIN) if kind == "xls" else ods(PLAIN))
    for place, found in damage:
        data[place : place + len(found)] = found
    sheet = read(bytes(data), f"p.{kind}")
    assert sheet.counts.read == sheet.counts.accepted + sheet.counts.rejected
    assert sheet.rows or sheet.problems
