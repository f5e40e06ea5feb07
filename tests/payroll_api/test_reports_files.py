"""What leaves as a file: nothing of it is ever computed by a spreadsheet, and Khmer on paper is Khmer."""

from __future__ import annotations

import csv
import io
import unicodedata
from contextlib import closing
from datetime import date
from pathlib import Path

import openpyxl
import pytest
import uharfbuzz
from hypothesis import given, settings
from hypothesis import strategies as st

import payroll_api.reports
from importers.money import KHR, USD, Money
from payroll_api.audit.find import events
from payroll_api.errors import ProblemError
from payroll_api.reports.csv_file import write_csv
from payroll_api.reports.document import Column, Document, Form, Section, Value
from payroll_api.reports.export import MOST_ROWS_ON_PAPER, export
from payroll_api.reports.lines import wrapped
from payroll_api.reports.pdf_file import Paper, write_pdf
from payroll_api.reports.xlsx_file import write_xlsx
from payroll_api.services import Services
from tests.conftest import SampleFactory

WOMAN = "ស្ត្រី"  # two subscripts below one letter, and a vowel above
FORMULAS = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", " \r\n=HYPERLINK(1)", "＝1+1", "%0A=1", "|x")


def paper(rows: list[list[Value]], columns: int = 1) -> Document:
    heads = [Column(title=f"Column {number}") for number in range(columns)]
    return Document(name="sample", title="Sample", language="en", sections=[Section(title="Only one", columns=heads, rows=rows)])


def cells(content: bytes) -> list[openpyxl.cell.cell.Cell]:
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    return [cell for row in sheet.iter_rows(min_row=4) for cell in row if isinstance(cell, openpyxl.cell.cell.Cell)]


printable = st.text(st.characters(exclude_characters="\ufffe\uffff", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
hostile = st.sampled_from(FORMULAS) | st.builds(str.__add__, st.sampled_from("=+-@"), printable)


@settings(deadline=None)
@given(st.lists(hostile | printable, min_size=1, max_size=20))
def test_no_text_becomes_a_formula_and_none_is_changed_in_a_workbook(texts: list[str]) -> None:
    found = cells(write_xlsx(paper([[text] for text in texts])))
    assert {cell.data_type for cell in found} <= {"s", "n"}
    kept = [cell.value for cell in found if cell.value is not None]
    assert [str(value) for value in kept] == [text.replace("\r\n", "\n") for text in texts]


@settings(deadline=None)
@given(hostile)
def test_no_cell_of_a_csv_begins_as_a_formula_does(text: str) -> None:
    row = list(csv.reader(io.StringIO(write_csv(paper([[text]])).decode("utf-8-sig"), newline="")))[1]
    assert row[0].startswith("'") or row[0].lstrip("-").replace(".", "").replace(",", "").isdigit()


def test_figures_stay_figures() -> None:
    row: list[Value] = [Money(-20_510, USD), Money(1_025_000, KHR), 12, date(2026, 11, 30), None, "012 345"]
    table = list(csv.reader(io.StringIO(write_csv(paper([row], 6)).decode("utf-8-sig"))))
    assert table[1] == ["-205.10", "1025000", "12", "2026-11-30", "", "012 345"]
    values = [(cell.value, cell.data_type) for cell in cells(write_xlsx(paper([row], 6)))]
    assert [kind for _, kind in values] == ["n", "n", "n", "d", "n", "s"]
    assert str(values[0][0]) == "-205.1"


def test_khmer_on_paper_is_shaped_and_every_glyph_is_there() -> None:
    """Rendered and read by eye when it was made; here HarfBuzz is asked for the same glyphs, and none of them is missing."""
    fonts = Path(payroll_api.reports.__file__).parent / "fonts"
    font = uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(fonts / "NotoSansKhmer-Regular.ttf"))))
    buffer = uharfbuzz.Buffer()
    buffer.add_str(WOMAN)
    buffer.guess_segment_properties()
    uharfbuzz.shape(font, buffer)
    assert len(buffer.glyph_infos) < len(WOMAN)
    assert 0 not in {glyph.codepoint for glyph in buffer.glyph_infos}
    advance = sum(place.x_advance for place in buffer.glyph_positions)
    with closing(Paper(foot="")) as page:
        page.add_page()
        assert page.width_of(WOMAN) == pytest.approx(advance * page.font_size / font.face.upem, rel=0.01)
        page.set_text_shaping(use_shaping_engine=False)
        assert page.get_string_width(WOMAN) > 1.5 * page.width_of(WOMAN)  # letters side by side, as a program without shaping sets them


@settings(deadline=None)
@given(st.lists(st.sampled_from([WOMAN, "ខ្ញុំ", "កា", "ក", "AB", "7", ".", " ", "\u200b"]), max_size=30), st.integers(4, 30))
def test_a_line_never_ends_inside_a_khmer_cluster_and_no_sign_is_lost(parts: list[str], width: int) -> None:
    text = "".join(parts)
    lines = wrapped(text, width, len)
    assert "".join(lines).replace(" ", "") == text.replace("\u200b", "").replace(" ", "")
    assert not any(unicodedata.category(line[0]).startswith("M") for line in lines if line)
    assert all(len(line) <= max(width, len(WOMAN)) for line in lines)


def test_a_long_table_repeats_its_heading_and_the_same_report_gives_the_same_bytes() -> None:
    document = paper([[f"{WOMAN} {number}", number] for number in range(150)], 2)
    content = write_pdf(document)
    assert content.startswith(b"%PDF-")
    assert content == write_pdf(document)
    assert content.count(b"/Type /Page\n") > 2


async def test_every_export_is_in_the_audit_trail_and_too_long_a_paper_is_refused(services: Services, factory: SampleFactory) -> None:
    async with services.database.factory(factory.id) as session:
        sent = await export(session, services, factory.finance, paper([["one"]]), Form.CSV)
        assert sent.headers["Content-Disposition"] == 'attachment; filename="sample.csv"'
        with pytest.raises(ProblemError, match="xlsx or csv"):
            await export(session, services, factory.finance, paper([["one"]] * (MOST_ROWS_ON_PAPER + 1)), Form.PDF)
    async with services.database.factory(factory.id) as session:
        found = await events(session, subject="report:sample", before=None, limit=5)
    assert [event["action"] for event in found] == ["report.exported"]
