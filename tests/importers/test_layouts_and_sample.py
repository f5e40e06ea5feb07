"""A layout is proposed, confirmed by a person, kept as JSON; and the demo's payday file reads as its maker says."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from importers.annotate import annotate
from importers.blank import LABELS, TEMPLATE, blank_template, column_dictionary
from importers.check_json import sheet_to_json
from importers.contract import Meaning, PayMethod, Severity
from importers.layouts import apply_corrections, layout_from_json, layout_to_json
from importers.period import PayPeriod
from importers.read import read_sheet

SHEETS = Path(__file__).parent.parent / "sheets"
PERIOD = PayPeriod(2026, 11)
CSV = "Worker code,Name,Netto,Transport\nW1,Sok,240.00,7\nW2,Chan,220.00,7\n"
FAULTS: dict[str, Any] = json.loads((SHEETS / "payday_2026_11_faults.json").read_text(encoding="utf-8"))


def test_hr_says_which_column_is_the_net_and_is_not_asked_again() -> None:
    first = read_sheet(CSV.encode(), file_name="p.csv", period=PERIOD)
    assert first.refused is not None
    assert first.refused.code == "no_net_column"
    assert first.layout is not None
    assert first.layout.needs_confirmation
    layout = apply_corrections(first.layout, {"C": Meaning.NET}, {"C": "USD", "D": "USD"})
    kept = layout_from_json(json.loads(json.dumps(layout_to_json(layout))))
    assert kept == layout
    second = read_sheet(CSV.encode(), file_name="p.csv", period=PERIOD, layouts=[kept])
    assert second.layout is not None
    assert not second.layout.needs_confirmation
    assert [row.net.minor for row in second.rows] == [24000, 22000]
    assert not second.problems


def test_a_header_in_a_language_we_do_not_know_is_mapped_by_a_person() -> None:
    data = "Mã NV,Họ và tên,Tổng lương,Thực lĩnh\nA1,Nguyễn Hoa,250.00,240.00\nA2,Trần Lan,230.00,220.00\n".encode()
    first = read_sheet(data, file_name="p.csv", period=PERIOD)
    assert first.refused is not None
    assert first.refused.code == "no_net_column"
    assert first.layout is not None
    assert {column.meaning for column in first.layout.columns} == {None}
    layout = apply_corrections(
        first.layout, {"A": Meaning.WORKER_CODE, "B": Meaning.NAME, "C": Meaning.GROSS, "D": Meaning.NET}, {"C": "USD", "D": "USD"}
    )
    again = read_sheet(data, file_name="p.csv", period=PERIOD, layouts=[layout])
    assert [(row.worker_code, row.net.minor) for row in again.rows] == [("A1", 24000), ("A2", 22000)]


def test_a_changed_layout_is_said_and_never_mapped_silently() -> None:
    first = read_sheet(CSV.encode(), file_name="p.csv", period=PERIOD)
    assert first.layout is not None
    layout = apply_corrections(first.layout, {"C": Meaning.NET}, {"C": "USD", "D": "USD"})
    moved = "Worker code,Name,Bonus,Netto,Transport\nW1,Sok,5,240.00,7\nW2,Chan,5,220.00,7\n"
    again = read_sheet(moved.encode(), file_name="p.csv", period=PERIOD, layouts=[layout])
    assert not again.rows
    assert again.layout is not None
    assert again.layout.needs_confirmation
    changed = next(problem for problem in again.problems if problem.code == "layout_changed")
    assert "'Bonus' (C)" in changed.message


def test_titles_may_move_without_a_new_question() -> None:
    first = read_sheet(CSV.encode(), file_name="p.csv", period=PERIOD)
    assert first.layout is not None
    layout = apply_corrections(first.layout, {"C": Meaning.NET}, {"C": "USD", "D": "USD"})
    lower = read_sheet(b"Payroll November 2026\n\n" + CSV.encode(), file_name="p.csv", period=PERIOD, layouts=[layout])
    assert len(lower.rows) == 2


@pytest.mark.parametrize(
    ("meanings", "currencies"), [({"Z": Meaning.NET}, {}), ({"C": Meaning.NAME}, {}), ({"C": Meaning.NET}, {"C": "EUR"})]
)
def test_corrections_that_contradict_are_refused(meanings: dict[str, Meaning], currencies: dict[str, str]) -> None:
    layout = read_sheet(CSV.encode(), file_name="p.csv", period=PERIOD).layout
    assert layout is not None
    with pytest.raises(ValueError, match=r"column|currency"):
        apply_corrections(layout, meanings, currencies)


def test_the_sample_payday_reads_as_its_maker_says() -> None:
    seen: list[tuple[int, int]] = []
    data = (SHEETS / "payday_2026_11.xlsx").read_bytes()
    sheet = read_sheet(data, file_name="payday.xlsx", period=PERIOD, progress=lambda done, rows: seen.append((done, rows)))
    planted = {fault["kind"]: fault["worker_code"] for fault in FAULTS["planted"]}
    rejected = {fault["worker_code"] for fault in FAULTS["planted"] if fault.get("row_rejected")}
    assert sheet.counts.read == FAULTS["workers"] == 300
    assert {f"GW-{n:05}" for n in range(1, 301)} - {row.worker_code for row in sheet.rows} == rejected
    total = sheet.net_accepted["USD"] + sheet.net_rejected["USD"]
    assert str(total.amount) == FAULTS["net"]
    by_code = {row.worker_code: row for row in sheet.rows}
    assert {problem.code for problem in sheet.problems} == {"account_damaged", "two_phones", "phone_lost_zero", "net_does_not_add_up"}
    off = next(problem for problem in sheet.problems if problem.code == "net_does_not_add_up")
    assert by_code[planted["net_off_by_a_cent"]].row == int(off.cell.removeprefix("AC"))
    assert {row.pay_method for row in sheet.rows} == set(PayMethod)
    assert all(column.meaning is not None for column in sheet.layout.columns) if sheet.layout else False
    assert all(entry.stated == entry.added for entry in sheet.control_totals)
    assert seen[-1] == (300, 300)


def test_the_sample_has_the_accounts_the_simulators_need() -> None:
    accounts = json.loads((SHEETS / "payday_2026_11_accounts.json").read_text(encoding="utf-8"))
    sheet = read_sheet((SHEETS / "payday_2026_11.xlsx").read_bytes(), file_name="p.xlsx", period=PERIOD)
    bank = {entry["account"]: entry for entry in accounts["bank"]}
    wallet = {entry["account"]: entry for entry in accounts["wallet"]}
    for row in sheet.rows:
        if row.pay_method is PayMethod.BANK:
            assert row.account in bank
        if row.pay_method is PayMethod.WALLET:
            assert row.phone in wallet
    assert sum(entry["status"] == "closed" for entry in accounts["bank"]) == 2
    assert sum(entry["status"] == "closed" for entry in accounts["wallet"]) == 2


def test_the_annotated_sample_links_every_problem_and_keeps_its_look() -> None:
    data = (SHEETS / "payday_2026_11.xlsx").read_bytes()
    sheet = read_sheet(data, file_name="p.xlsx", period=PERIOD)
    book = openpyxl.load_workbook(io.BytesIO(annotate(data, sheet)))
    listed = book.worksheets[0]
    assert listed.max_row == len(sheet.problems) + 1
    pay = book["Payroll"]
    assert pay["AC7"].number_format == '"$"#,##0.00'
    assert "A1:AH1" in {str(area) for area in pay.merged_cells.ranges}
    for problem in sheet.problems:
        assert pay[problem.cell].comment is not None
        assert pay[problem.cell].fill.fgColor.rgb.endswith("FFC7CE" if problem.severity is Severity.STOPS_ROW else "FFEB9C")
    links = {link.location for row in range(2, listed.max_row + 1) if (link := listed.cell(row=row, column=4).hyperlink) is not None}
    assert links == {f"'Payroll'!{problem.cell}" for problem in sheet.problems}


def test_nothing_in_a_csv_becomes_a_formula() -> None:
    starts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x")']
    lines = [f'W{n},"{start.replace(chr(34), chr(34) * 2)}",later' for n, start in enumerate(starts)]
    data = "\n".join(["Worker code,Name,Net pay (USD)", *lines]).encode()
    book = openpyxl.load_workbook(io.BytesIO(annotate(data, read_sheet(data, file_name="p.csv", period=PERIOD))))
    cells = [cell for page in book.worksheets for row in page.iter_rows() for cell in row if cell.value is not None]
    assert len({str(cell.value).strip() for cell in cells} & {start.strip() for start in starts}) >= len(starts) - 1
    assert all(cell.data_type != "f" for cell in cells)


def test_her_sums_come_back_and_a_formula_that_calls_out_does_not() -> None:
    book = openpyxl.Workbook()
    for row in (
        ("Worker code", "Name", "Net pay (USD)"),
        ("W1", "Sok", 240),
        (None, "Total", "=SUM(C2:C2)"),
        (None, '=WEBSERVICE("http://x")'),
    ):
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    returned = openpyxl.load_workbook(io.BytesIO(annotate(out.getvalue(), read_sheet(out.getvalue(), file_name="p.xlsx", period=PERIOD))))
    page = returned.worksheets[1]
    assert page["C3"].value == "=SUM(C2:C2)"
    assert page["B4"].data_type == "s"


def test_a_file_that_cannot_be_opened_comes_back_as_the_list_alone() -> None:
    data = b"PK\x03\x04" + b"x" * 100
    book = openpyxl.load_workbook(io.BytesIO(annotate(data, read_sheet(data, file_name="p.xlsx", period=PERIOD))))
    assert len(book.worksheets) == 1
    assert book.worksheets[0]["J2"].value == "damaged_file"


def test_the_filled_template_needs_no_question() -> None:
    book = openpyxl.load_workbook(io.BytesIO(blank_template(PERIOD)))
    page = book.worksheets[0]
    assert page.protection.sheet
    assert page["A4"].protection.locked
    filled: dict[Meaning, Any] = {
        Meaning.WORKER_CODE: "W1",
        Meaning.NAME: "សុខ សុភា",
        Meaning.GROSS: 250,
        Meaning.TOTAL_DEDUCTIONS: 10,
        Meaning.NET: 240,
    }
    for column, meaning in enumerate(TEMPLATE, 1):
        page.cell(row=6, column=column).value = filled.get(meaning)
    out = io.BytesIO()
    book.save(out)
    sheet = read_sheet(out.getvalue(), file_name="t.xlsx", period=PERIOD)
    assert sheet.layout is not None
    assert tuple(column.meaning for column in sheet.layout.columns) == TEMPLATE
    assert [row.worker_code for row in sheet.rows] == ["W1"]
    assert not sheet.problems


def test_the_dictionary_names_every_column_that_can_be_read() -> None:
    known = {entry.meaning for entry in column_dictionary()}
    assert known == set(LABELS) == set(Meaning) - {Meaning.IGNORED}
    assert all(entry.label and entry.label_km and entry.unit for entry in column_dictionary())


def test_the_json_of_a_check_is_plain_and_complete() -> None:
    data = (SHEETS / "payday_2026_11.xlsx").read_bytes()
    told = json.loads(json.dumps(sheet_to_json(read_sheet(data, file_name="p.xlsx", period=PERIOD))))
    assert {"file", "sheet", "layout", "rows", "problems", "counts", "totals"} <= set(told)
    assert told["counts"] == {"read": 300, "accepted": 298, "rejected": 2}
    assert set(told["problems"][0]) >= {"sheet", "cell", "column", "value", "code", "severity", "remedy"}
    assert set(told["layout"][0]) >= {"column", "header", "meaning", "score"}
    assert len(told["rows"]) == 298


def test_an_account_stored_as_a_number_and_shorter_than_the_others_is_damage_and_nobody_guesses_its_zero() -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["Worker code", "Name", "Net pay ($)", "Pay method", "Account no."])
    for number in range(1, 7):
        account: str | int = f"00011100{number}" if number < 6 else 111006
        page.append([f"W{number}", "SOK DARA", 205.1, "bank", account])
    data = io.BytesIO()
    book.save(data)
    sheet = read_sheet(data.getvalue(), file_name="payroll.xlsx", period=PERIOD)
    assert [problem.cell for problem in sheet.problems if problem.code == "account_lost_zero"] == ["E7"]
    assert "W6" not in {row.worker_code for row in sheet.rows}
