"""A cell that two readers show differently is held, and no honest way of writing a cell is."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.contract import Severity
from importers.period import PayPeriod
from importers.read import read_sheet
from importers.second_reader import Strings, disagreements
from tests.importers.test_hostile_files import NS, SHEET, xlsx

NET = '<c r="C2"><v>240</v></c>'
NAME = '<c r="B2" t="inlineStr"><is><t>Sok</t></is></c>'
PERIOD = PayPeriod(2026, 11)
STRINGS = {"xl/sharedStrings.xml": f"<sst {NS}><si><t>Sok</t><rPh sb='0' eb='1'><t>HINT</t></rPh></si><si/></sst>"}

HELD = {
    "two values in one cell": (NET, '<c r="C2"><v>240</v><v>999</v></c>'),
    "digits written as entities": (NET, '<c r="C2"><v>&#50;40</v></c>'),
    "an address in small letters": (NET, '<c r="c2"><v>240</v></c>'),
}
HONEST = {
    "exponent": (NET, '<c r="C2"><v>2.4E2</v></c>', None),
    "formula with its value": (NET, '<c r="C2"><f>200+40</f><v>240</v></c>', None),
    "style before the address": (NET, '<c s="0" r="C2"><v>240</v></c>', None),
    "rich text": ("<is><t>Sok</t></is>", '<is><r><t>So</t></r><r><rPr/><t xml:space="preserve">k</t></r></is>', None),
    "escaped line end": ("<t>Sok</t>", "<t>Sok_x000D_</t>", None),
    "shared string with a phonetic hint": (NAME, '<c r="B2" t="s"><v>0</v></c>', STRINGS),
    "an empty shared string": ("</row></sheetData>", '<c r="D2" t="s"><v>1</v></c></row></sheetData>', STRINGS),
    "rows in another order": (
        '<row r="1">',
        '<row r="7"><c r="A7" t="inlineStr"><is><t>Total</t></is></c><c r="C7"><v>240</v></c></row><row r="1">',
        None,
    ),
}


@pytest.mark.parametrize("name", HELD)
def test_the_row_is_held_where_two_readings_differ(name: str) -> None:
    sheet = read_sheet(xlsx(SHEET.replace(*HELD[name])), file_name="p.xlsx", period=PERIOD)
    assert (sheet.counts.accepted, sheet.counts.rejected) == (0, 1)
    (found,) = [problem for problem in sheet.problems if problem.code == "readers_differ"]
    assert (found.cell, found.severity) == ("C2", Severity.STOPS_ROW)


def test_a_header_that_two_readings_show_differently_stops_the_file() -> None:
    head = '<c r="C1" t="inlineStr"><is><t>Net pay (USD)</t></is></c>'
    twice = SHEET.replace(head, head.replace("</c>", "<v>9</v></c>"))
    sheet = read_sheet(xlsx(twice), file_name="p.xlsx", period=PERIOD)
    assert sheet.rows == ()
    assert sheet.refused is not None


@pytest.mark.parametrize("name", HONEST)
def test_no_honest_way_of_writing_a_cell_is_held(name: str) -> None:
    old, new, more = HONEST[name]
    assert old in SHEET
    sheet = read_sheet(xlsx(SHEET.replace(old, new), dict(more or {})), file_name="p.xlsx", period=PERIOD)
    assert [(row.worker_code, row.net.minor) for row in sheet.rows] == [("W1", 24000)]
    assert "readers_differ" not in {problem.code for problem in sheet.problems}


VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(lambda number: (repr(number), "", number)),
    st.integers(-(10**9), 10**9).map(lambda number: (str(number), "", float(number))),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="<>&"), min_size=1, max_size=8).map(
        lambda text: (text, ' t="str"', text)
    ),
    st.booleans().map(lambda truth: (str(int(truth)), ' t="b"', truth)),
    st.dates(date(1901, 1, 1), date(2100, 1, 1)).map(lambda day: (str((day - date(1899, 12, 30)).days), ' s="1"', day)),
    st.times().map(lambda at: (repr(timedelta(hours=at.hour, minutes=at.minute, seconds=at.second) / timedelta(days=1)), "", at)),
)


@given(st.lists(st.lists(st.one_of(st.none(), VALUES), max_size=6), max_size=8), st.data())
def test_what_a_reader_shows_rightly_is_agreed_and_any_other_value_is_told(
    table: list[list[tuple[str, str, object] | None]], data: st.DataObject
) -> None:
    xml, rows, filled = "", [], []
    for number, line in enumerate(table):
        cells = ""
        for column, value in enumerate(line):
            if value is not None:
                cells += f'<c r="{chr(65 + column)}{number + 1}"{value[1]}><v>{value[0]}</v></c>'
                filled.append((number, column))
        xml += f'<row r="{number + 1}">{cells}</row>'
        rows.append([value[2] if value is not None else "" for value in line])
    assert disagreements(xml.encode(), b"", Strings(), rows) == []
    if filled:
        row, column = data.draw(st.sampled_from(filled))
        rows[row][column] = data.draw(st.sampled_from(["", "another", 1e15, date(1950, 1, 1)]))
        told = disagreements(xml.encode(), b"", Strings(), rows)
        assert [(found[0], found[1]) for found in told] == [(row, column)]


@pytest.mark.parametrize(("from_1904", "serial"), [(False, 46_000), (True, 46_000 - 1462)])
def test_days_are_counted_from_the_workbooks_own_epoch(from_1904: bool, serial: int) -> None:
    day = date(1899, 12, 30) + timedelta(days=46_000)
    xml = f'<row r="1"><c r="A1" s="1"><v>{serial}</v></c><c r="B1" s="1"><v>{serial}.5</v></c></row>'.encode()
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).replace(tzinfo=None)
    strings = Strings(from_1904=from_1904)
    assert disagreements(xml, b"", strings, [[day, noon]]) == []
    assert disagreements(xml, b"", strings, [[day, time(12)]]) != []
    assert len(disagreements(xml, b"", Strings(from_1904=not from_1904), [[day, noon]])) == 2
