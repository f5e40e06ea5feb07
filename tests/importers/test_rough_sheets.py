"""Tables that pretend to be one, rows that pretend to be workers: nobody is paid by mistake, and no row is passed over in silence."""

from __future__ import annotations

import csv
import importlib.util
import io
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from importers.contract import ImportedSheet
from importers.period import PayPeriod
from importers.problems import catalogue
from importers.read import read_sheet

SHEETS = Path(__file__).parent.parent / "sheets"
PERIOD = PayPeriod(2026, 11)
ASKED = {"currency_assumed", "column_not_understood"}
HEAD = ("No.", "Worker code", "Name", "Phone", "Account no.", "Pay method", "Gross pay (USD)", "Total deductions (USD)", "Net pay (USD)")


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"rough_sheets_{name}", SHEETS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


CASES = load("rough").cases()


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_rough_workbook(case: Any) -> None:
    _, data, file_name, paid, rejected, refused, problems = case
    sheet = read_sheet(data, file_name=file_name, period=PERIOD)
    assert (sheet.refused.code if sheet.refused else None) == refused
    assert " ".join(f"{row.worker_code}={row.net.amount}" for row in sheet.rows) == paid
    assert (sheet.counts.read, sheet.counts.rejected) == (len(sheet.rows) + rejected, rejected)
    if refused is None:
        assert {f"{found.code}@{found.cell}" for found in sheet.problems if found.code not in ASKED} == set(problems.split())
    for found in sheet.problems:
        assert found.code in catalogue()
        assert "{" not in found.message + found.remedy + found.remedy_km


def many(rows: int, **columns: str) -> ImportedSheet:
    """A payroll of so many workers with the same thing wrong in every row."""
    cells = {"name": "Sok Sophea", "phone": "012345678", "account": "000123456", "method": "cash", "net": "240.00", **columns}
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEAD)
    for number in range(rows):
        values = {key: value.replace("#", str(number)) for key, value in cells.items()}
        code = values.get("code", f"W{number:05}")
        writer.writerow(
            (number, code, values["name"], values["phone"], values["account"], values["method"], "250.00", "10.00", values["net"])
        )
    return read_sheet(out.getvalue().encode(), file_name="p.csv", period=PERIOD)


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"code": "W1"}, "worker_twice"),
        ({"net": "later #"}, "amount_not_read"),
        ({"net": ""}, "net_missing"),
        ({"method": "gold"}, "pay_method_not_read"),
    ],
    ids=["one code everywhere", "no amount anywhere", "no net anywhere", "no way of paying anywhere"],
)
def test_a_file_wrong_in_every_row_is_told_without_delay(columns: dict[str, str], code: str) -> None:
    started = time.process_time()
    sheet = many(6_000, **columns)
    assert time.process_time() - started < 4  # each row told in the same time, however many there are
    assert sheet.counts.rejected == 6_000 or sheet.refused is not None
    assert sum(found.code == code for found in sheet.problems) == 6_000 or sheet.refused is not None


def test_a_code_alone_in_its_row_is_told_and_a_department_is_not() -> None:
    """Somebody's cells were emptied by mistake: HR must see that A-2 is paid nothing, wherever in the list she stands."""
    lines = "Worker code,Name,Net pay (USD)\nA-0,,\nSewing line 3,,\nA-1,Sok Dara,200.00\nA-2,,\nA-3,Chan Thida,202.00\nLine 4,,\nA-4\n"
    sheet = read_sheet(lines.encode(), file_name="p.csv", period=PERIOD)
    assert [row.worker_code for row in sheet.rows] == ["A-1", "A-3"]
    assert [(found.code, found.cell, found.value) for found in sheet.problems if found.code not in ASKED] == [
        ("row_not_read", "A2", "A-0"),
        ("row_not_read", "A5", "A-2"),
        ("row_not_read", "A8", "A-4"),
    ]
