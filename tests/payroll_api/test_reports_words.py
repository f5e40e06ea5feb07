"""Reports speak both languages, word for word."""

from __future__ import annotations

from payroll_api.reports.settlement import NAMES
from payroll_api.reports.words import WORDS


def test_every_word_of_a_report_is_there_in_both_languages() -> None:
    assert WORDS["en"].texts.keys() == WORDS["km"].texts.keys()
    assert {f"name.{name}" for name in NAMES} <= WORDS["en"].texts.keys()
    places = {key: text.count("{") for key, text in WORDS["en"].texts.items()}
    assert {key: text.count("{") for key, text in WORDS["km"].texts.items()} == places
