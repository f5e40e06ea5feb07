"""`payroll check`, `payroll entitlement`, `payroll connectors` and help: what works without a database."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from openpyxl import load_workbook

from payroll_api.__main__ import main
from tests.sheets.build_payroll import build_payroll

SHEETS = Path(__file__).parent.parent / "sheets"
SAMPLE = SHEETS / "payday_2026_11.xlsx"


def test_the_sample_is_checked_and_each_difference_is_told_with_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(SAMPLE)]) == 1
    told = capsys.readouterr().out
    assert "300 rows, 298 taken, 2 not" in told
    assert "[account_damaged]" in told
    assert "sheet 36.35 USD, law 54.52 USD" in told


def test_json_holds_the_sheet_and_the_law(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(SAMPLE), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert {"file", "sheet", "layout", "rows", "problems", "counts", "totals", "reconciliation"} <= report.keys()
    assert report["counts"] == {"read": 300, "accepted": 298, "rejected": 2}
    planted = json.loads((SHEETS / "payday_2026_11_faults.json").read_text())["planted"]
    told = {one["worker_code"] for one in report["reconciliation"]["discrepancies"]}
    assert {"GW-00050", "GW-00063", "GW-00226"} <= told & {fault["worker_code"] for fault in planted}


def test_a_clean_sheet_is_clean_and_a_cent_less_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "payday_2026_11.xlsx"
    build_payroll(25, 3, sheet, faults=False)
    assert main(["check", str(sheet)]) == 0
    assert "25 rows, 25 taken, 0 not" in capsys.readouterr().out
    book = load_workbook(sheet)
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row]
    header = next(cell for cell in cells if str(cell.value).endswith("Net pay (USD)") or "Net" in str(cell.value))
    first = next(cell for cell in cells if cell.column == header.column and isinstance(cell.value, int | float))
    first.value = round(float(str(first.value)) - 0.01, 2)
    book.save(sheet)
    assert main(["check", str(sheet)]) == 1
    assert "net_does_not_add_up" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("empty.xlsx", b"", "empty"),
        ("renamed.xlsx", b"these are the wages of November", ""),
        ("no-wages.csv", b"Name,Phone\nSok Dara,012345678\n", ""),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_never_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, word: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert main(["check", str(path), "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    refused = [problem for problem in report["problems"] if problem["severity"] == "stops_file"]
    assert refused
    assert refused[0]["remedy"]
    assert word in refused[0]["code"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["check", "/nowhere/payroll.xlsx"], "no such file"),
        (["check", str(SAMPLE), "--period", "November"], "not written as YYYY-MM"),
        (["check", str(SAMPLE), "--rate", "much"], "--rate is riel for one dollar"),
        (["check", str(SAMPLE), "--kind", "bonus"], "--kind is one of"),
        (["connectors", "check", "nobank"], "Name a payout connector"),
        (["admin", "add-user", "--slug", "x", "--login", "y", "--role", "king"], "A role is one of"),
    ],
)
def test_what_is_wrong_with_a_command_is_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert main(arguments) == 1
    assert sentence in capsys.readouterr().err


def test_a_month_without_a_minimum_wage_is_refused_by_the_law_book(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(SAMPLE), "--period", "2027-02"]) == 1
    told = capsys.readouterr().out
    assert "The law's figures could not be computed" in told
    assert "2027" in told


def test_an_entitlement_is_computed_from_facts(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    facts = '{"period": "2026-11", "exchange_rates": {"tax": "4000"}, "overtime_hours": "10.5"}'
    monkeypatch.setattr("sys.stdin", io.StringIO(facts))
    assert main(["entitlement", "--json"]) == 0
    owed = json.loads(capsys.readouterr().out)
    assert {"line": "overtime_pay", "amount": "15.90"}.items() <= next(
        line for line in owed["lines"] if line["line"] == "overtime_pay"
    ).items()
    monkeypatch.setattr("sys.stdin", io.StringIO("{}"))
    assert main(["entitlement"]) == 1
    assert "exchange_rates" in capsys.readouterr().err


def test_the_schema_of_facts_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["entitlement", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["overtime_hours"]


def test_connectors_are_listed_with_their_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["connectors"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in ("iso20022", "gsma_mobile_money", "cash", "plasgate", "console", "garment-wages"))


def test_help_shows_where_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ([], ["serve"], ["demo"], ["check"], ["admin", "create"], ["verify-audit"]):
        with pytest.raises(SystemExit) as stopped:
            main([*command, "--help"])
        assert stopped.value.code == 0
    assert "payroll demo" in capsys.readouterr().out
