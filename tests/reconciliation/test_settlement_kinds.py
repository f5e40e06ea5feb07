"""Statements with every kind of trouble planted in them, in any number and any order: each is found, and the sums agree to the cent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from importers.money import KHR, USD, Money
from importers.statements.contract import Direction, StatementLine
from reconciliation.contract import ExpectedPayment
from reconciliation.settlement import settle
from tests.reconciliation.test_settlement import PAYDAY, key, line, payment

Planted = tuple[list[StatementLine], Counter[str]]


def _line(number: int, cents: int, **changes: object) -> StatementLine:
    return line(number, cents, **changes)


def _whole(number: int, cents: int) -> Planted:
    return [_line(number, cents)], Counter({"matched": 1})


def _missing(number: int, cents: int) -> Planted:
    del number, cents
    return [], Counter({"missing": 1})


def _extra(number: int, cents: int) -> Planted:
    lines = [_line(number, cents), _line(number, cents + 1, references=(f"OTHER{number}",), account=None, entry=f"X{number}")]
    return lines, Counter({"matched": 1, "foreign": 1})


def _twice(number: int, cents: int) -> Planted:
    return [_line(number, cents), _line(number, cents, entry=f"T{number}")], Counter({"matched": 1, "twice": 1})


def _amount(number: int, cents: int) -> Planted:
    return [_line(number, cents - 1)], Counter({"amount": 1})


def _currency(number: int, cents: int) -> Planted:
    return [_line(number, cents, amount=Money(cents, KHR))], Counter({"currency": 1})


def _account(number: int, cents: int) -> Planted:
    return [_line(number, cents, account="000-STRANGER")], Counter({"account": 1})


def _late(number: int, cents: int) -> Planted:
    return [_line(number, cents, booked_on=PAYDAY + timedelta(days=9))], Counter({"late": 1})


def _return(number: int, cents: int) -> Planted:
    lines = [_line(number, cents), _line(number, cents, entry=f"R{number}", direction=Direction.IN, is_return=bool(number % 2))]
    return lines, Counter({"matched": 1, "returned": 1})


def _partial(number: int, cents: int) -> Planted:
    lines = [_line(number, cents), _line(number, cents // 2, entry=f"R{number}", direction=Direction.IN)]
    return lines, Counter({"matched": 1, "partial_return": 1})


def _fee_inside(number: int, cents: int) -> Planted:
    return [_line(number, cents + 50, fee=Money(50, USD))], Counter({"fee": 1})


def _fee_beside(number: int, cents: int) -> Planted:
    return [_line(number, cents), _line(number, 50, entry=f"F{number}", is_charge=True)], Counter({"matched": 1, "fee": 1})


def _split(number: int, cents: int) -> Planted:
    parts = [cents // 3, cents // 5, cents - cents // 3 - cents // 5]
    return [_line(number, part, entry=f"S{number}-{index}") for index, part in enumerate(parts)], Counter({"split": 3})


KINDS: tuple[Callable[[int, int], Planted], ...] = (
    _whole, _missing, _extra, _twice, _amount, _currency, _account, _late, _return, _partial, _fee_inside, _fee_beside, _split,
)  # fmt: skip

planted = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1_000, 99_999)), min_size=1, max_size=25)


@given(planted, st.randoms(use_true_random=False))
def test_every_planted_kind_is_found_whatever_the_payroll_and_the_order_of_bookings(
    chosen: list[tuple[Callable[[int, int], Planted], int]], chance: object
) -> None:
    payments: list[ExpectedPayment] = []
    lines: list[StatementLine] = []
    expected: Counter[str] = Counter()
    for number, (kind, cents) in enumerate(chosen):
        payments.append(payment(number, cents))
        some, kinds = kind(number, cents)
        lines += some
        expected += kinds
    chance.shuffle(lines)  # type: ignore[attr-defined]  # a Random, as Hypothesis gives it
    matches = settle(payments, lines, account_key=key, as_of=PAYDAY)
    assert Counter(match.kind for match in matches) == expected
    told: Counter[tuple[int, str]] = Counter()
    for match in matches:
        if match.line_index is not None and match.amount is not None:
            told[match.line_index, match.amount.currency.code] += match.amount.minor
    assert told == Counter({(index, one.amount.currency.code): one.amount.minor for index, one in enumerate(lines)})


@given(
    st.lists(st.integers(1_000, 99_999), min_size=2, max_size=12),
    st.sampled_from(["details", "references", "batch reference"]),
    st.integers(0, 300),
    st.booleans(),
)
def test_one_booking_for_a_file_settles_exactly_its_payments_with_or_without_details(
    cents: list[int], way: str, fee: int, is_fee_named: bool
) -> None:
    payments = [replace(payment(number, amount), batch_reference="FILE") for number, amount in enumerate(cents)]
    total = sum(cents) + fee
    if way == "details":
        lines = [_line(number, amount, entry=f"E/{number}") for number, amount in enumerate(cents)]
        lines += [_line(0, fee, entry="E/fee", references=(), account=None, is_charge=True)] if fee else []
    else:
        references = tuple(one.reference for one in payments) if way == "references" else ("FILE",)
        lines = [_line(0, total, references=references, account=None, fee=Money(fee, USD) if fee and is_fee_named else None)]
    kinds = Counter(match.kind for match in settle(payments, lines, account_key=key, as_of=PAYDAY))
    if way == "details" or not fee or is_fee_named:
        assert kinds == Counter({"matched": len(cents), **({"fee": 1} if fee else {})})
    else:
        assert set(kinds) == {"batch"}  # a file booked for more than it holds, and the bank does not say why: nobody is settled by it
