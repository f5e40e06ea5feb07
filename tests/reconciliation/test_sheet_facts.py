"""What a sheet's row says of a month, and which of its figures are held against the law."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from importers.contract import Meaning, WorkerStatus
from importers.money import KHR, Money
from importers.period import RunKind
from reconciliation.contract import Line, WorkMonth
from reconciliation.facts import work_month
from tests.reconciliation.test_reconcile import NOVEMBER, check, codes, row, usd


def facts(status: WorkerStatus | None, shown: set[Meaning], **amounts: str) -> WorkMonth:
    money = {Meaning(name): usd(amount) for name, amount in amounts.items()}
    stated = replace(row(), status=status, amounts=money, time={})
    return work_month(stated, period=NOVEMBER, kind=RunKind.BALANCE, known=None, shown=shown | set(money), monthly_days=26)


@pytest.mark.parametrize(
    ("status", "has_basic", "is_piece"),
    [
        (None, False, True),  # only a column of pieces: she is paid by them
        (None, True, False),  # a bonus for pieces beside a wage
        (WorkerStatus.REGULAR, True, False),
        (WorkerStatus.PIECE_RATE, True, True),
        (WorkerStatus.PIECE_RATE, False, True),
    ],
)
def test_who_is_paid_by_the_piece_is_seen_from_her_status_or_from_the_columns(
    status: WorkerStatus | None, has_basic: bool, is_piece: bool
) -> None:
    found = facts(status, {Meaning.BASIC_PAY} if has_basic else set(), piece_pay="240.00")
    assert found.piece_value == (usd("240.00") if is_piece else None)
    assert found.given == ({} if is_piece else {Line.OTHER_ALLOWANCE: usd("240.00")})


def test_a_bonus_for_pieces_is_added_to_other_allowances_of_its_currency() -> None:
    found = facts(None, {Meaning.BASIC_PAY}, piece_pay="12.00", other_allowance="3.00")
    assert found.given == {Line.OTHER_ALLOWANCE: usd("15.00")}


def test_a_worker_without_pieces_is_paid_by_the_month_although_others_have_them() -> None:
    found = facts(None, {Meaning.PIECE_PAY}, basic_wage="215.00")
    assert (found.piece_value, found.basic_wage) == (None, usd("215.00"))


def test_more_meals_than_the_hours_need_are_no_difference_where_the_days_are_not_known() -> None:
    """Ten and a half hours need six days at least; eight days of meals are 4.00. With six days counted, it is more than is owed."""
    stated = {Meaning.MEAL_ALLOWANCE: "4.00", Meaning.GROSS: "253.90", Meaning.PENSION: "5.08", Meaning.TOTAL_DEDUCTIONS: "5.08"}
    stated |= {Meaning.NET: "248.82"}
    unknown = row(amounts=stated, time={Meaning.DAYS_ABSENT: Decimal(0), Meaning.OVERTIME_HOURS: Decimal("10.5")})
    assert codes(check(unknown)) == []
    assert codes(check(row(amounts=stated))) == [("overpaid_line", "GW-1")]


def test_a_meal_too_few_is_told_either_way() -> None:
    stated = {Meaning.MEAL_ALLOWANCE: "2.00", Meaning.GROSS: "251.90", Meaning.PENSION: "5.05", Meaning.TOTAL_DEDUCTIONS: "5.05"}
    stated |= {Meaning.NET: "246.85"}
    unknown = row(amounts=stated, time={Meaning.DAYS_ABSENT: Decimal(0), Meaning.OVERTIME_HOURS: Decimal("10.5")})
    for one in (unknown, row(amounts=stated)):
        assert ("underpaid_line", "GW-1") in codes(check(one))


def test_a_gross_that_its_lines_do_not_make_is_told_though_the_net_is_right() -> None:
    for changed, first in (
        ({Meaning.GROSS: "251.90"}, "gross_too_low"),
        ({Meaning.GROSS: "253.90"}, "gross_too_high"),
        ({Meaning.TOTAL_DEDUCTIONS: "6.05"}, "deductions_differ"),
    ):
        assert codes(check(row(amounts=changed)))[0] == (first, "GW-1")  # and then the net, which they do not make either


def test_a_gross_in_riel_beside_a_net_in_dollars_is_not_held_against_it() -> None:
    in_riel = {**row().amounts, Meaning.GROSS: Money(1, KHR), Meaning.TOTAL_DEDUCTIONS: Money(1, KHR)}
    assert codes(check(replace(row(), amounts=in_riel))) == []


@pytest.mark.parametrize(
    ("worked", "off", "absent"),
    [("24", {}, "1"), ("25", {}, "0"), ("23", {Meaning.DAYS_LEAVE: "1"}, "1"), ("22", {Meaning.DAYS_SICK: "2"}, "1"), ("26", {}, "0")],
)
def test_days_absent_are_what_is_missing_where_the_pay_is_cut(worked: str, off: dict[Meaning, str], absent: str) -> None:
    """November 2026 has 25 working days, less than the divisor of 26."""
    time = {Meaning.DAYS_WORKED: Decimal(worked), **{meaning: Decimal(days) for meaning, days in off.items()}}
    amounts = {Meaning.BASIC_WAGE: usd("210.00"), Meaning.BASIC_PAY: usd("201.92")}
    one = replace(row(), amounts=amounts, time=time)
    found = work_month(one, period=NOVEMBER, kind=RunKind.BALANCE, known=None, shown={*amounts, *time}, monthly_days=26)
    assert found.days_absent == Decimal(absent)
    whole = replace(one, amounts={**amounts, Meaning.BASIC_PAY: usd("210.00")})
    assert work_month(whole, period=NOVEMBER, kind=RunKind.BALANCE, known=None, shown={*time}, monthly_days=26).days_absent == 0
