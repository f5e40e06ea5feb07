"""Hostile files end in a typed refusal or a right reading, quickly, and never in the service's own memory."""

from __future__ import annotations

import io
import resource
import struct
import time
import zipfile
from collections.abc import Callable

import pytest

from importers.guard import MOST_ENTRIES, RefusedFileError, inspect
from importers.period import PayPeriod
from importers.read import read_sheet
from importers.sandbox import LimitedChild

PERIOD = PayPeriod(2026, 11)
SLOWEST = 5.0  # seconds, on a machine that does nothing else; doubled below for one that does
NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
HEAD = "".join(
    f'<c r="{c}1" t="inlineStr"><is><t>{t}</t></is></c>' for c, t in zip("ABC", ("Worker code", "Name", "Net pay (USD)"), strict=True)
)
ROW = (
    '<row r="2"><c r="A2" t="inlineStr"><is><t>W1</t></is></c><c r="B2" t="inlineStr"><is><t>Sok</t></is></c><c r="C2"><v>240</v></c></row>'
)
SHEET = f'<worksheet {NS}><sheetData><row r="1">{HEAD}</row>{ROW}</sheetData></worksheet>'


def xlsx(sheet: str = SHEET, more: dict[str, bytes | str] | None = None, *, twice: str | None = None) -> bytes:
    """The smallest workbook, by hand, so that it can be bent."""
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    types = f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>'
    links = f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{kind}/%s" Target="%s"/></Relationships>'
    parts: dict[str, bytes | str] = {
        "[Content_Types].xml": types,
        "_rels/.rels": links % ("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook {NS} xmlns:r="{kind}"><sheets><sheet name="Pay" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": links % ("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": sheet,
        **(more or {}),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        if twice:
            archive.writestr(twice, sheet)
    return out.getvalue()


def far_cell(place: str) -> bytes:
    row = int("".join(c for c in place if c.isdigit()))
    return xlsx(SHEET.replace("</sheetData>", f'<row r="{row}"><c r="{place}"><v>1</v></c></row></sheetData>'))


def encrypted_entry() -> bytes:
    data = bytearray(xlsx())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(signature)
        data[place + offset : place + offset + 2] = struct.pack("<H", 1)
    return bytes(data)


HOSTILE: dict[str, tuple[Callable[[], bytes], str | None]] = {
    "plain": (xlsx, None),
    "a sheet of blanks that unpacks to 100 MiB": (lambda: xlsx(SHEET + " " * (100 << 20)), "unpacks_too_large"),
    "an entry of ratio 1000": (lambda: xlsx(more={"xl/media/a.bin": bytes(8 << 20)}), "unpacks_too_large"),
    "a million styles": (
        lambda: xlsx(more={"xl/styles.xml": f"<styleSheet {NS}><cellXfs>{'<xf/>' * 1_000_000}</cellXfs></styleSheet>"}),
        "unpacks_too_large",
    ),
    "cell at XFD1048576": (lambda: far_cell("XFD1048576"), "sheet_too_wide"),
    "cell at XFD2": (lambda: far_cell("XFD2000"), "sheet_too_wide"),
    "cell in row 1,000,000": (lambda: far_cell("A1000000"), "sheet_too_long"),
    "declared count of four billion strings": (
        lambda: xlsx(more={"xl/sharedStrings.xml": f'<sst {NS} count="4000000000" uniqueCount="4000000000"/>'}),
        "unpacks_too_large",
    ),
    "merge over the whole sheet": (
        lambda: xlsx(SHEET.replace("</sheetData>", '</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>')),
        None,
    ),
    "dimension that lies": (lambda: xlsx(SHEET.replace("<sheetData>", '<dimension ref="A1:A1"/><sheetData>')), None),
    "billion laughs": (lambda: xlsx('<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY l2 "&lol;&lol;">]>' + SHEET), "suspicious_archive"),
    "external entity in the workbook": (
        lambda: xlsx(more={"xl/x.xml": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'}),
        "suspicious_archive",
    ),
    "doctype in utf-16": (lambda: xlsx(more={"xl/x.xml": "<!DOCTYPE a><a/>".encode("utf-16")}), "suspicious_archive"),
    "two entries of one name": (lambda: xlsx(twice="XL/worksheets/Sheet1.xml"), "suspicious_archive"),
    "name that climbs out": (lambda: xlsx(more={"../../etc/cron.d/x": "x"}), "suspicious_archive"),
    "absolute name": (lambda: xlsx(more={"/etc/x": "x"}), "suspicious_archive"),
    "thousands of entries": (lambda: xlsx(more={f"xl/e{n}.xml": "<a/>" for n in range(MOST_ENTRIES + 1)}), "suspicious_archive"),
    "macros": (lambda: xlsx(more={"xl/vbaProject.bin": b"x"}), "macros_refused"),
    "macro sheet": (lambda: xlsx(more={"xl/macrosheets/sheet1.xml": "<a/>"}), "macros_refused"),
    "embedded file": (lambda: xlsx(more={"xl/embeddings/o.bin": b"x"}), "active_content"),
    "external link": (lambda: xlsx(more={"xl/externalLinks/externalLink1.xml": "<a/>"}), "external_links"),
    "password": (encrypted_entry, "encrypted"),
    "password, as Excel saves it": (
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512) + "EncryptedPackage".encode("utf-16-le"),
        "encrypted",
    ),
    "zip that is no workbook": (lambda: xlsx().replace(b"xl/workbook.xml", b"xl/workbonk.xml"), "not_a_workbook"),
    "binary workbook": (lambda: xlsx(more={"xl/workbook.bin": b"x"}), "binary_excel"),
    "a package that is no spreadsheet": (lambda: xlsx(more={"mimetype": b"x", "content.xml": "<a/>"}), "not_a_workbook"),
    "sheet that is not XML": (lambda: xlsx("\x00\x01 not xml"), "damaged_file"),
    "two cells of one address": (lambda: xlsx(SHEET.replace('<c r="C2">', '<c r="C2"><v>999</v></c><c r="C2">')), "cells_twice"),
    "two rows of one number": (
        lambda: xlsx(SHEET.replace("</sheetData>", '<row r="2"><c r="C2"><v>999</v></c></row></sheetData>')),
        "cells_twice",
    ),
    "single quotes and a line for each tag": (lambda: xlsx(SHEET.replace('"', "'").replace("><", ">\n  <")), None),
    "only the magic": (lambda: b"PK\x03\x04" + b"x" * 100, "damaged_file"),
    "no addresses": (
        lambda: xlsx(
            SHEET.replace(' r="A1"', "")
            .replace(' r="B1"', "")
            .replace(' r="C1"', "")
            .replace(' r="A2"', "")
            .replace(' r="B2"', "")
            .replace(' r="C2"', "")
            .replace(' r="1"', "")
            .replace(' r="2"', "")
        ),
        None,
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file(name: str) -> None:
    build, code = HOSTILE[name]
    data = build()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    sheet = read_sheet(data, file_name="p.xlsx", period=PERIOD)
    assert time.monotonic() - started < 2 * SLOWEST
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 96 * 1024  # KiB; the building of the file counts too
    assert (sheet.refused.code if sheet.refused else None) == code
    if code is None:
        assert [(row.worker_code, row.net.minor) for row in sheet.rows] == [("W1", 24000)]


def test_a_file_that_keeps_its_reader_busy_for_ever_is_given_up_by_processor_time_not_by_the_clock() -> None:
    with LimitedChild("tests.importers.endless_child", b"", wall_seconds=120) as child, pytest.raises(RefusedFileError) as raised:
        child.finish()
    assert str(raised.value) == "takes_too_long"


@pytest.mark.parametrize("cell", ['<c r="XFD2"><v>1</v></c>', '<c s="0" r="XFD2"><v>1</v></c>', "<c r='XFD2'><v>1</v></c>"])
def test_a_cell_far_away_is_told_as_that_however_it_is_written(cell: str) -> None:
    sheet = read_sheet(xlsx(SHEET.replace("</row></sheetData>", f"{cell}</row></sheetData>")), file_name="p.xlsx", period=PERIOD)
    assert sheet.refused is not None
    assert sheet.refused.code == "sheet_too_wide"


def test_a_flood_of_digits_in_one_cell_is_no_amount() -> None:
    sheet = read_sheet(xlsx(SHEET.replace("<v>240</v>", f"<v>{'9' * 400}</v>")), file_name="p.xlsx", period=PERIOD)
    assert not sheet.rows
    assert sheet.counts.rejected == sheet.counts.read


def test_the_guard_names_no_content_in_its_error() -> None:
    with pytest.raises(RefusedFileError) as raised:
        inspect(xlsx(more={"xl/embeddings/Sok Sophea 012345678.bin": b"x"}))
    assert str(raised.value) == "active_content"


@pytest.mark.parametrize("how", ["plain", "single quotes", "a line for each tag"])
@pytest.mark.parametrize(
    ("cell", "code"),
    [('<c r="C2"><f>1+1</f></c>', "formula_not_saved"), ('<c r="C2" t="e"><v>#REF!</v></c>', "error_cell")],
    ids=["formula without a value", "error"],
)
def test_what_values_do_not_tell_is_seen_however_the_xml_is_written(how: str, cell: str, code: str) -> None:
    sheet = SHEET.replace('<c r="C2"><v>240</v></c>', cell)
    if how == "single quotes":
        sheet = sheet.replace('"', "'")
    elif how != "plain":
        sheet = sheet.replace("><", ">\n  <")
    read = read_sheet(xlsx(sheet), file_name="p.xlsx", period=PERIOD)
    assert (read.counts.accepted, read.counts.rejected) == (0, 1)
    assert code in {found.code for found in read.problems}


def test_a_row_and_a_column_of_no_size_are_told_as_hidden() -> None:
    sheet = SHEET.replace('<row r="2">', '<row r="2" ht="0" customHeight="1">')
    sheet = sheet.replace("<sheetData>", '<cols><col min="2" max="2" width="0" customWidth="1"/></cols><sheetData>')
    read = read_sheet(xlsx(sheet), file_name="p.xlsx", period=PERIOD)
    assert [found.cell for found in read.problems if found.code == "hidden_data"] == ["A2", "B2"]
