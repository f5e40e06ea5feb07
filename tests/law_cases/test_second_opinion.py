"""Two computations of the same law, written apart, must say the same of any month; and the comparison itself must be able to fail."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from importers.money import USD, Money
from importers.period import PayPeriod, RunKind
from reconciliation.contract import ExchangeRates, Line, WorkMonth
from reconciliation.policy import FactoryPolicy, NssfBase
from tests.law_cases.random_months import Question, disagreements, questions
from tests.law_cases.second_figures import RefusedError
from tests.law_cases.second_opinion import second_opinion

RATES = ExchangeRates(tax=Decimal(4000), nssf=Decimal(4000))
MONTH = WorkMonth(worker_code="GW-1", period=PayPeriod(2025, 11), kind=RunKind.BALANCE)


@pytest.mark.parametrize("seed", range(5))
def test_both_computations_agree_on_random_months(seed: int) -> None:
    wrong = {question.number: found for question in questions(300, seed) if (found := disagreements(question))}
    assert not wrong, f"of seed {seed}, by number of the month: {wrong}"


def test_the_random_months_reach_every_line() -> None:
    reached = {line for one in questions(600, 7) for line in second_opinion(one.month, rates=one.rates, policy=one.policy).lines}
    assert reached == set(Line)


def test_a_plain_month_of_2025_by_hand() -> None:
    # 208 + 10 + 7 = 225.00 USD = 900,000 KHR; 2 % of it is 18,000 KHR = 4.50 USD; 900,000 is under the first tax threshold
    found = second_opinion(MONTH, rates=RATES, policy=FactoryPolicy())
    assert (found.gross, found.net, found.lines[Line.PENSION]) == (22_500, 22_050, 450)


def test_2027_is_refused_by_the_second_computation_too() -> None:
    with pytest.raises(RefusedError, match="2027"):
        second_opinion(replace(MONTH, period=PayPeriod(2027, 1)), rates=RATES, policy=FactoryPolicy())


def test_the_comparison_sees_a_difference_of_one_policy() -> None:
    """Asked under different policies, the two must not agree: the comparison is able to fail."""
    month = replace(MONTH, basic_wage=Money(21_100, USD))
    banded = second_opinion(month, rates=RATES, policy=FactoryPolicy(nssf_base=NssfBase.BANDED))
    clamped = second_opinion(month, rates=RATES, policy=FactoryPolicy())
    assert banded.lines[Line.EMPLOYER_RISK] != clamped.lines[Line.EMPLOYER_RISK]
    told = disagreements(Question(number=0, month=month, rates=RATES, policy=FactoryPolicy()), lambda *_, **__: banded)
    assert [line.split(":")[0] for line in told] == ["employer_health", "employer_risk"]
