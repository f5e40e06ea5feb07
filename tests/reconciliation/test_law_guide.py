"""The guide to the law says what the code does: its generated parts are those of today."""

from __future__ import annotations

from dataclasses import fields

from reconciliation.policy import POLICY_POINTS, FactoryPolicy
from tests.reconciliation.law_guide import GUIDE, told, written


def test_the_guide_is_in_step_with_the_code() -> None:
    text = GUIDE.read_text("utf-8")
    assert text == written(text), "write it anew: python -m tests.reconciliation.law_guide"


def test_three_differences_stand_in_it_and_each_is_the_mistake_that_was_made() -> None:
    assert [(one.code, one.subject) for _, one in told()] == [
        ("underpaid_line", "overtime_pay"),
        ("missing_line", "seniority_bonus"),
        ("deduction_too_high", "pension"),
    ]


def test_every_choice_of_a_factory_is_explained() -> None:
    assert {point.name for point in POLICY_POINTS} == {one.name for one in fields(FactoryPolicy)}
    assert all(point.question.endswith("?") and point.reason and point.source for point in POLICY_POINTS)
