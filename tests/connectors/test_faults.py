"""A fault plan says the same for the same seed, and a script is obeyed to the letter."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.faults import POSSIBLE_AT, FaultKind, FaultPlan, FaultPlanError


def test_the_second_submit_loses_its_reply_and_nothing_else_happens() -> None:
    plan = FaultPlan.parse('{"script": [{"point": "submit", "nth": 2, "kind": "reply_lost_after_accept"}]}')
    assert [plan.draw("submit") for _ in range(4)] == [None, FaultKind.REPLY_LOST_AFTER_ACCEPT, None, None]
    assert plan.draw("look_up") is None


def test_a_scripted_fault_lasts_as_often_as_it_says() -> None:
    plan = FaultPlan.parse('{"script": [{"point": "look_up", "kind": "unavailable", "times": 2}], "seconds": 0.5}')
    assert [plan.draw("look_up") for _ in range(3)] == [FaultKind.UNAVAILABLE, FaultKind.UNAVAILABLE, None]
    assert plan.seconds == 0.5


def test_faults_one_after_the_other() -> None:
    plan = FaultPlan.at("submit", FaultKind.CONFLICT, FaultKind.HTML_INSTEAD)
    assert [plan.draw("submit") for _ in range(3)] == [FaultKind.CONFLICT, FaultKind.HTML_INSTEAD, None]


@given(st.integers(), st.integers(min_value=1, max_value=60))
def test_the_same_seed_draws_the_same_whatever_happens_at_other_points(seed: int, noise: int) -> None:
    rates = {FaultKind.SLOW_ACCEPT: Decimal("0.3"), FaultKind.SERVER_ERROR: Decimal("0.3")}
    quiet, busy = FaultPlan(seed=seed, rates=rates), FaultPlan(seed=seed, rates=rates)
    for _ in range(noise):
        busy.draw("look_up")
    assert [quiet.draw("submit") for _ in range(20)] == [busy.draw("submit") for _ in range(20)]


def test_rates_come_true_over_many_draws() -> None:
    plan = FaultPlan(seed=7, rates={FaultKind.CONFLICT: Decimal("0.2"), FaultKind.SLOW_ACCEPT: Decimal("0.1")})
    drawn = Counter(plan.draw("submit") for _ in range(5000))
    assert 900 < drawn[FaultKind.CONFLICT] < 1100
    assert 430 < drawn[FaultKind.SLOW_ACCEPT] < 570


def test_a_point_only_draws_what_can_happen_there() -> None:
    plan = FaultPlan(seed=1, rates={FaultKind.FORGED_EVENT: Decimal("0.5"), FaultKind.CONFLICT: Decimal("0.5")})
    assert {plan.draw("event") for _ in range(100)} == {FaultKind.FORGED_EVENT, None}
    assert {plan.draw("submit") for _ in range(100)} == {FaultKind.CONFLICT, None}
    assert {plan.draw("submit", among=()) for _ in range(100)} == {None}


def test_every_kind_can_happen_somewhere() -> None:
    assert frozenset().union(*POSSIBLE_AT.values()) == frozenset(FaultKind)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("no json", "not JSON"),
        ("[]", "the plan"),
        ('{"rates": {"earthquake": 0.1}}', "earthquake"),
        ('{"script": [{"point": "submit"}]}', "script.0.kind"),
        ('{"script": [{"point": "submit", "kind": "conflict", "nth": 0}]}', "script.0.nth"),
        ('{"speed": 3}', "speed"),
        ('{"rates": {"conflict": 0.7, "slow_accept": 0.7}}', "add up to 1"),
        ('{"rates": {"conflict": -0.1}}', "not be negative"),
    ],
)
def test_a_plan_that_makes_no_sense_says_where(text: str, place: str) -> None:
    with pytest.raises(FaultPlanError, match=place):
        FaultPlan.parse(text)
