"""Whatever stands in a sheet, the annotated workbook runs nothing: text stays text, and only plain sums stay formulas."""

from __future__ import annotations

import csv
import io
import random
import zipfile

import openpyxl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importers.annotate import annotate
from importers.formulas import is_plain_formula
from importers.period import PayPeriod
from importers.read import read_sheet

PERIOD = PayPeriod(2026, 11)
STARTS = [
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    " =",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
    "'=",
    '"=',
    "=cmd|' /C calc'!A0",
    "=HYPERLINK(",
    "",
]
VALUE = st.builds(
    str.__add__,
    st.sampled_from(STARTS),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12),
)


def as_csv(values: list[str]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("Worker code", "Name", "Net pay (USD)", "Note"))
    writer.writerows((value, value, value, value) for value in values)
    return out.getvalue().encode()


def assert_harmless(content: bytes) -> None:
    """By the file's own XML, which no library has softened: not one cell is a formula, and nothing links out of the workbook."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            part = archive.read(name)
            if name.startswith("xl/worksheets/sheet"):
                assert b"<f>" not in part, name
                assert b"<f " not in part, name
            assert b'TargetMode="External"' not in part, name


# each example is annotated in a child process, and carries four times fifty values
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(VALUE, min_size=20, max_size=50))
def test_no_value_of_a_sheet_becomes_a_formula_in_the_annotated_workbook(values: list[str]) -> None:
    data = as_csv(values)
    assert_harmless(annotate(data, read_sheet(data, file_name="p.csv", period=PERIOD)))


def test_a_thousand_values_come_back_as_the_texts_they_were() -> None:
    draw = random.Random(17)  # noqa: S311  figures for a test
    tails = ["cmd|' /C calc'!A0", "SUM(1)", "1+1", 'HYPERLINK("http://x")', "A1", "ព្រះ", "", "0123"]
    values = [f"{draw.choice([s for s in STARTS if s.strip()])}{draw.choice(tails)}{number}" for number in range(250)]
    data = as_csv(values)
    content = annotate(data, read_sheet(data, file_name="p.csv", period=PERIOD))
    assert_harmless(content)
    page = openpyxl.load_workbook(io.BytesIO(content))["CSV"]
    kept = [[cell.value for cell in row] for row in page.iter_rows(min_row=2)]
    assert len(kept) == len(values)
    for value, row in zip(values, kept, strict=True):
        # `="0012"` is how delimited text keeps zeros: what it wraps is the text
        assert row == [row[0]] * 4
        assert str(row[0]).strip() in {value.strip(), value.strip().removeprefix('="').removesuffix('"')}


@given(
    st.sampled_from(
        ['=WEBSERVICE("http://x")', "=cmd|' /C calc'!A0", "='[other.xlsx]Pay'!A1", '=HYPERLINK("http://x","y")', "=CALL(1)", "=RTD(1)"]
    )
)
def test_a_formula_that_reaches_out_is_no_plain_one(formula: str) -> None:
    assert not is_plain_formula(formula)


def test_her_own_sums_stay_formulas_and_what_reaches_out_becomes_text() -> None:
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    for row in (
        ("Worker code", "Name", "Net pay (USD)"),
        ("W1", "Sok", 240),
        ("W2", '=WEBSERVICE("http://x")', "=200+20"),
        (None, "Total", "=SUM(C2:C3)"),
    ):
        page.append(row)
    page["C2"].number_format = '"$"#,##0.00'
    out = io.BytesIO()
    book.save(out)
    sheet = read_sheet(out.getvalue(), file_name="p.xlsx", period=PERIOD)
    marked = openpyxl.load_workbook(io.BytesIO(annotate(out.getvalue(), sheet)))["Sheet"]
    assert (marked["C4"].data_type, marked["C4"].value) == ("f", "=SUM(C2:C3)")
    assert (marked["B3"].data_type, str(marked["B3"].value).startswith("[formula removed]")) == ("s", True)
    assert marked["C2"].number_format == '"$"#,##0.00'
