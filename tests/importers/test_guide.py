"""The guide for HR says what the code does: its tables are the code's own, and its template is read back clean."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest

from importers.blank import blank_template
from importers.contract import Meaning
from importers.dictionary import filled
from importers.period import PayPeriod
from importers.problems import catalogue
from importers.read import read_sheet

GUIDE = Path(__file__).parent.parent.parent / "docs" / "guide-spreadsheets.md"


def test_the_guide_is_in_step_with_the_code() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert filled(text) == text, "run: python -m importers.dictionary"


def test_every_column_and_every_problem_is_in_the_guide() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert [meaning for meaning in Meaning if f"`{meaning.value}`" not in text and meaning is not Meaning.IGNORED] == []
    assert [code for code in catalogue() if f"`{code}`" not in text] == []


def test_a_guide_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="columns"):
        filled("# Nothing here")


def test_every_problem_speaks_both_languages() -> None:
    for code, words in catalogue().items():
        assert set(words) == {"severity", "message", "remedy", "remedy_km"}, code
        assert any("\u1780" <= character <= "\u17ff" for character in words["remedy_km"]), code


def test_the_empty_template_says_only_that_nobody_stands_in_it() -> None:
    data = blank_template(PayPeriod(2026, 11))
    sheet = read_sheet(data, file_name="template.xlsx", period=PayPeriod(2026, 11))
    assert [problem.code for problem in sheet.problems] == ["no_rows_found"]
    page = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    assert page.data_validations.dataValidation
