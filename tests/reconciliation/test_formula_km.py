"""The sum behind a figure in Khmer: no English word is left, and no number is changed."""

from __future__ import annotations

import re

import pytest

from reconciliation.entitlements import entitlement
from reconciliation.formula_km import in_khmer
from reconciliation.law.book import load_cambodia
from tests.law_cases.random_months import questions

_ALLOWED = {"x"}  # times


def test_an_hour_s_sum_reads_in_khmer() -> None:
    assert in_khmer("10.5 h x 1.0096 USD x 150 %") == "10.5 ម៉ោង x 1.0096 ដុល្លារ x 150 %"
    assert in_khmer("6 completed years of service") == "6 ឆ្នាំនៃអតីតភាពការងារពេញ"


@pytest.mark.parametrize("seed", [11, 12])
def test_no_formula_of_any_month_keeps_an_english_word_or_loses_a_number(seed: int) -> None:
    for one in questions(150, seed):
        for line in entitlement(one.month, book=load_cambodia(), rates=one.rates, policy=one.policy).lines:
            khmer = in_khmer(line.formula)
            assert set(re.findall(r"[A-Za-z]+", khmer)) <= _ALLOWED, line.formula
            assert re.findall(r"[0-9][0-9,.]*", khmer) == re.findall(r"[0-9][0-9,.]*", line.formula)
