"""`payroll check`, `payroll entitlement`, `payroll connectors` and help: what works without a database."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from openpyxl import load_workbook

from payroll_api.__main__ import main
from tests.sheets.build_payroll import build_payroll

SHEETS = Path(__file__).parent.parent / "sheets"
SAMPLE = SHEETS / "payday_2026_11.xlsx"
FACTS = b'{"period": "2026-11", "exchange_rates": {"tax": "4000"}, "overtime_hours": "10.5"}'


def _say(monkeypatch: pytest.MonkeyPatch, facts: bytes) -> None:
    """Put the facts on standard input, as a pipe would."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(facts), encoding="utf-8"))


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
        (["connectors", "check", "nobank"], "Name a payout connector"),
        (["admin", "add-user", "--slug", "x", "--login", "y", "--role", "king"], "A role is one of"),
    ],
)
def test_what_is_wrong_with_a_command_is_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert main(arguments) == 1
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["/nowhere/payroll.xlsx"], "no_such_file", "no such file"),
        ([f"{SAMPLE}/payroll.xlsx"], "no_such_file", "no such file"),
        ([str(SHEETS)], "is_a_folder", "is a folder. Name one workbook"),
        ([str(SAMPLE), "--period", "November"], "option_wrong", "not written as YYYY-MM"),
        ([str(SAMPLE), "--rate", "much"], "option_wrong", "--rate is riel for one dollar"),
        ([str(SAMPLE), "--rate", "1e-999999"], "option_wrong", "--rate is riel for one dollar, from 500 to 50,000"),
        ([str(SAMPLE), "--rate", "1e999999"], "option_wrong", "--rate is riel for one dollar"),
        ([str(SAMPLE), "--rate", "-4000"], "option_wrong", "--rate is riel for one dollar"),
        ([str(SAMPLE), "--kind", "bonus"], "option_wrong", "--kind is one of"),
    ],
)
def test_without_a_sheet_to_read_the_check_is_refused_with_the_reason(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: str, sentence: str
) -> None:
    assert main(["check", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert main(["check", *arguments, "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told.keys() == {"file", "sheet", "layout", "rows", "problems", "counts", "totals", "refused"}
    assert told["file"]["name"] == Path(arguments[0]).name
    assert told["refused"]["code"] == code
    assert sentence in told["refused"]["message"]


def test_a_file_that_the_system_does_not_hand_out_is_told_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "payroll.xlsx"
    path.symlink_to(path)  # a link that leads to itself: nobody, not even root, can open it
    assert main(["check", str(path), "--json"]) == 2
    refused = json.loads(capsys.readouterr().out)["refused"]
    assert refused["code"] == "file_unreadable"
    assert "Copy it" in refused["message"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "payroll.xlsx"
    path.touch(mode=0)
    assert main(["check", str(path), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["refused"]["code"] == "no_permission"


def test_a_month_that_the_law_book_does_not_know_is_refused_and_the_sheet_is_still_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(SAMPLE), "--period", "2027-02"]) == 2
    told = capsys.readouterr().out
    assert "The law's figures could not be computed" in told
    assert "2027" in told
    assert main(["check", str(SAMPLE), "--period", "2027-02", "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert report["counts"] == {"read": 300, "accepted": 298, "rejected": 2}
    assert report["reconciliation"] is None
    assert report["refused"]["code"] == "law_unknown"
    assert "Add it to the law book" in report["refused"]["message"]


def test_the_sheet_that_is_meant_can_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "payday_2026_11.xlsx"
    build_payroll(5, 3, path, faults=False)
    book = load_workbook(path)
    book.copy_worksheet(book.worksheets[0]).title = "Second try"
    book.save(path)
    assert main(["check", str(path), "--json"]) == 2
    refused = json.loads(capsys.readouterr().out)["refused"]
    assert refused["code"] == "ambiguous_sheet"
    assert main(["check", str(path), "--sheet", "Second try", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["sheet"], report["counts"]["accepted"], report["refused"]) == ("Second try", 5, None)
    assert main(["check", str(path), "--sheet", "Third try", "--json"]) == 2
    refused = json.loads(capsys.readouterr().out)["refused"]
    assert refused["code"] == "no_such_sheet"
    assert "Second try" in refused["message"]


def test_names_that_the_terminal_cannot_write_do_not_end_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "\udce1 2026-11.csv"  # a byte that is no UTF-8, as in names from old computers
    path.write_text("Worker code,Name,Net pay (USD)\nGW-1,សុខ សុភា,abc\nGW-2,ចាន់ ដារា,210.50\n", encoding="utf-8")
    told = []
    for arguments in ([], ["--json"]):
        screen = io.BytesIO()
        monkeypatch.setattr("sys.stdout", io.TextIOWrapper(screen, encoding="ascii"))
        assert main(["check", str(path), *arguments]) == 1
        told.append(screen.getvalue())
        monkeypatch.undo()
    assert rb"\udce1 2026-11.csv: 2 rows, 1 taken, 1 not" in told[0]
    assert json.loads(told[1])["file"]["name"] == path.name
    assert json.loads(told[1])["counts"]["rejected"] == 1


def test_an_entitlement_is_computed_from_facts(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    _say(monkeypatch, FACTS)
    assert main(["entitlement", "--json"]) == 0
    owed = json.loads(capsys.readouterr().out)
    assert {"line": "overtime_pay", "amount": "15.90"}.items() <= next(
        line for line in owed["lines"] if line["line"] == "overtime_pay"
    ).items()


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (b"{}", "exchange_rates"),
        (b"", "not JSON"),
        (b'{"worker_code": "\xff\xfe"}', "not UTF-8 (byte 18)"),
        (b'{"worker_code": "\xed\xa0\x80"}', "not UTF-8"),  # half a character
        (b" " * (1024 * 1024 + 1), "larger than"),
        (FACTS.replace(b"2026", b"2027"), "Add it to the law book"),
        (FACTS[:-1] + b', "policy": {"monthly_days": 5}}', "monthly_days"),
        (FACTS[:-1] + b', "policy": {"overtime_percent": 100}}', "overtime_percent"),
    ],
)
def test_facts_that_cannot_be_taken_are_refused_in_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, facts: bytes, sentence: str
) -> None:
    for arguments in ([], ["--json"]):
        _say(monkeypatch, facts)
        assert main(["entitlement", *arguments]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith("payroll: ")
        assert sentence in told.err


def test_the_table_says_which_article_nobody_could_check(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    facts = FACTS[:-1] + b', "rest_day_hours": "8", "night_hours": "16"}'
    _say(monkeypatch, facts)
    assert main(["entitlement", "--json"]) == 0
    owed = json.loads(capsys.readouterr().out)
    _say(monkeypatch, facts)
    assert main(["entitlement"]) == 0
    table = capsys.readouterr().out.splitlines()
    checked = {True: 0, False: 0}
    for line in owed["lines"]:
        told = next(row for row in table if f" {line['line']} " in row)
        for source in line["citations"]:
            place = f"{source['title']}, {source['article']}" if source["article"] else source["title"]
            assert place in told
            assert (f"{place} (not verified)" in told) is not source["verified"]
            checked[source["verified"]] += 1
    assert all(checked.values())


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
    told = capsys.readouterr().out
    assert "payroll demo" in told
    assert not {".xls,", ".ods"} & set(told.split()), "old formats are refused: help must not offer them"
    assert ".ods" not in told
