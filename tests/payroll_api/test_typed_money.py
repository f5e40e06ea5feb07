"""Amounts that people type: taken as they are meant, or refused with an example."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.money import KHR, USD, Money
from payroll_api.errors import InvalidError
from payroll_api.typed_money import typed_money


@given(st.integers(0, 10**12), st.sampled_from([USD, KHR]))
def test_an_amount_is_read_as_it_is_written_with_thousands_apart_or_not(minor: int, unit: object) -> None:
    money = Money(minor, USD if unit is USD else KHR)
    assert typed_money(f"{money.amount}", money.currency.code) == money
    assert typed_money(f" {money.amount:,} ", money.currency.code) == money


@pytest.mark.parametrize("text", ["12,50", "1,2345", "1,234,56", ",500", "12.505", "", "-", "much", "1 000", "NaN", "12,50.00", "1,000,"])
def test_what_may_be_meant_in_two_ways_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidError, match="Write the amount as a number in USD") as refused:
        typed_money(text, "USD", field="limit")
    assert refused.value.extra["fields"] == [{"field": "limit", "problem": "write it as 12.50"}]


def test_a_currency_that_is_not_paid_here_is_refused() -> None:
    with pytest.raises(InvalidError, match="EUR"):
        typed_money("12.50", "EUR")
