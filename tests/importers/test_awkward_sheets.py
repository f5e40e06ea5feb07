"""Every awkward workbook of the library ends in the rows and the problems that a payroll clerk would expect."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from importers.annotate import annotate
from importers.contract import Meaning, Severity
from importers.period import PayPeriod
from importers.problems import catalogue
from importers.read import read_sheet

SHEETS = Path(__file__).parent.parent / "sheets"
PERIOD = PayPeriod(2026, 11)


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"sheets_{name}", SHEETS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


CASES = load("awkward").cases()
ASKED = {"currency_assumed", "column_not_understood"}  # questions that a case does not list unless it is about them


def test_the_library_is_large_enough() -> None:
    assert len(CASES) >= 100
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_awkward_workbook(case: Any) -> None:
    sheet = read_sheet(case.data, file_name=case.file_name, period=PERIOD, sheets=[case.sheet] if case.sheet else [])

    assert (sheet.refused.code if sheet.refused else None) == case.refused
    assert tuple((row.worker_code, str(row.net)) for row in sheet.rows) == case.paid
    assert sheet.counts.accepted == len(case.paid)
    assert sheet.counts.rejected == case.rejected
    assert sheet.counts.read == sheet.counts.accepted + sheet.counts.rejected
    if case.refused is None:
        expected = set(case.problems)
        about = {code for code, _ in expected}
        found = {(problem.code, problem.cell) for problem in sheet.problems if problem.code in about or problem.code not in ASKED}
        assert found == expected
    for problem in sheet.problems:
        assert problem.code in catalogue()
        assert problem.message
        assert problem.remedy
        assert problem.remedy_km
        assert "{" not in problem.message + problem.remedy + problem.remedy_km
    hours = case.extra.get("hours")
    if hours:
        assert tuple(str(row.time[Meaning.OVERTIME_HOURS]) for row in sheet.rows) == hours
    if "joined" in case.extra:
        assert {row.joined_on for row in sheet.rows} == {case.extra["joined"]}


@pytest.mark.parametrize("case", CASES[::20], ids=[case.name for case in CASES[::20]])
def test_the_annotated_file_reads_as_before(case: Any) -> None:
    sheet = read_sheet(case.data, file_name=case.file_name, period=PERIOD, sheets=[case.sheet] if case.sheet else [])
    returned = annotate(case.data, sheet)
    again = read_sheet(returned, file_name="annotated.xlsx", period=PERIOD, sheets=[sheet.layout.sheet] if sheet.layout else [])
    assert [(row.worker_code, row.net) for row in again.rows] == [(row.worker_code, row.net) for row in sheet.rows]
    assert all(problem.severity in Severity for problem in sheet.problems)
