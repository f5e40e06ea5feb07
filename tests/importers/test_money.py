"""Money to the cent: rounding by name, no mixing, no loss in splitting, and what is no amount is refused."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.money import KHR, LARGEST_MINOR, USD, Money, MoneyError, Rounding, currency, total

cents = st.integers(-(10**9), 10**9)
amounts = cents.map(lambda minor: Money(minor, USD))
exact = st.fractions(min_value=-(10**6), max_value=10**6, max_denominator=1000)


@pytest.mark.parametrize(("half", "rounded"), [("0.005", 1), ("0.015", 2), ("0.025", 3), ("-0.005", -1), ("-0.025", -3), ("0.0049", 0)])
def test_half_up_is_away_from_zero_as_a_clerk_rounds(half: str, rounded: int) -> None:
    assert Money.rounded(Decimal(half), USD).minor == rounded


@given(exact)
def test_every_named_rule_is_the_one_that_the_decimal_library_knows(value: Fraction) -> None:
    for rule, known in ((Rounding.DOWN, ROUND_FLOOR), (Rounding.IN_FAVOUR_OF_WORKER, ROUND_CEILING), (Rounding.HALF_EVEN, ROUND_HALF_EVEN)):
        decimal = Decimal(value.numerator * 10**12 // value.denominator) / 10**12 if value.denominator != 1 else Decimal(value.numerator)
        if Fraction(decimal) == value:
            assert rule.to_int(value) == int(decimal.to_integral_value(rounding=known))
    assert abs(Fraction(Rounding.HALF_UP.to_int(value)) - value) <= Fraction(1, 2)
    assert Rounding.HALF_UP.to_int(-value) == -Rounding.HALF_UP.to_int(value)


@given(amounts, amounts)
def test_adding_and_taking_away_is_exact_and_comparing_agrees(one: Money, other: Money) -> None:
    assert (one + other) - other == one
    assert (one - other).minor == one.minor - other.minor
    assert (one < other, one <= other, one > other, one >= other) == (
        one.minor < other.minor,
        one.minor <= other.minor,
        one.minor > other.minor,
        one.minor >= other.minor,
    )
    assert (-one).minor == -one.minor
    assert abs(one).minor == abs(one.minor)
    assert bool(one) is (one.minor != 0)
    assert Money.of(one.amount, USD) == one
    assert one.exact == Fraction(one.minor, 100)


@pytest.mark.parametrize("operation", ["__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"])
def test_dollars_and_riel_do_not_mix(operation: str) -> None:
    with pytest.raises(MoneyError, match="cannot mix"):
        getattr(Money(1, USD), operation)(Money(1, KHR))
    something: Any = 1
    with pytest.raises(TypeError):
        getattr(Money(1, USD), operation)(something)


@pytest.mark.parametrize("wrong", ["", "1,5", "NaN", "Infinity", "1.005", "one", "1e-3"])
def test_what_is_no_amount_of_dollars_is_refused(wrong: str) -> None:
    with pytest.raises(MoneyError):
        Money.of(wrong, USD)


def test_riel_have_no_decimals_and_other_currencies_are_not_paid() -> None:
    assert Money.of("4000", KHR).minor == 4000
    with pytest.raises(MoneyError, match="more decimals"):
        Money.of("4000.5", KHR)
    with pytest.raises(MoneyError, match="not supported"):
        currency("THB")
    assert (currency("USD"), currency("KHR")) == (USD, KHR)


def test_an_amount_out_of_range_or_of_no_whole_cents_is_none() -> None:
    assert Money(LARGEST_MINOR, USD).minor == LARGEST_MINOR
    assert Money(-LARGEST_MINOR, USD).minor == -LARGEST_MINOR
    for wrong in (LARGEST_MINOR + 1, -LARGEST_MINOR - 1):
        with pytest.raises(MoneyError, match="out of range"):
            Money(wrong, USD)
    yes: Any = True
    half: Any = 1.5
    for no_int in (yes, half):
        with pytest.raises(MoneyError, match="must be an int"):
            Money(no_int, USD)


@given(amounts, st.lists(st.integers(0, 50), min_size=1, max_size=12).filter(any))
def test_a_split_loses_no_cent_and_is_as_even_as_can_be(whole: Money, weights: list[int]) -> None:
    parts = whole.split(weights)
    assert sum(part.minor for part in parts) == whole.minor
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor - Fraction(whole.minor * weight, sum(weights))) < 1
    remainders = [Fraction(whole.minor * weight, sum(weights)) % 1 for weight in weights]
    raised = [part.minor > whole.minor * weight // sum(weights) for part, weight in zip(parts, weights, strict=True)]
    more, less = (
        [r for r, up in zip(remainders, raised, strict=True) if up],
        [r for r, up in zip(remainders, raised, strict=True) if not up],
    )
    assert not more or not less or min(more) >= max(less)


@pytest.mark.parametrize("weights", [[0], [0, 0], [2, -1], [-1]])
def test_weights_that_share_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(MoneyError, match="weights"):
        Money(100, USD).split(weights)


def test_of_equal_remainders_the_first_gets_the_cent() -> None:
    assert [part.minor for part in Money(100, USD).split([1, 1, 1])] == [34, 33, 33]


def test_times_and_conversion_are_rounded_once_by_the_rule_named() -> None:
    assert Money(1001, USD).times(Fraction(1, 2)).minor == 501
    assert Money(1001, USD).times(Fraction(1, 2), Rounding.DOWN).minor == 500
    assert Money(1050, USD).convert(KHR, Decimal(4001)).minor == 42_011
    assert Money(1050, USD).convert(KHR, Decimal(4001), Rounding.DOWN).minor == 42_010
    assert Money(4001, KHR).convert(USD, Fraction(1, 4000)).minor == 100


def test_money_is_written_as_people_read_it() -> None:
    assert [str(Money(minor, USD)) for minor in (123_456_789, -5, 0)] == ["1,234,567.89 USD", "-0.05 USD", "0.00 USD"]
    assert [Money(minor, USD).short() for minor in (21_000, -21_000)] == ["$210.00", "-$210.00"]
    assert [Money(minor, KHR).short() for minor in (952_000, -952_000)] == ["952,000៛", "-952,000៛"]
    assert Money.zero(KHR) == Money(0, KHR)
    assert total([], USD) == Money(0, USD)
    assert total([Money(1, USD), Money(2, USD)], USD) == Money(3, USD)
