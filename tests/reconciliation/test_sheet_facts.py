"""What a sheet's row says of a month, and which of its figures are held against the law."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from importers.contract import Meaning, WorkerStatus
from importers.money import KHR, Money
from importers.period import PayPeriod, RunKind
from reconciliation.contract import KnownWorker, Line, WorkMonth
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


def test_what_a_row_does_not_say_is_nothing_and_what_it_says_is_not_reckoned_again() -> None:
    plain = replace(row(), spouse=None, children=None)
    found = work_month(plain, period=NOVEMBER, kind=RunKind.BALANCE, known=None, shown=set(plain.amounts), monthly_days=26)
    assert (found.spouse, found.children, found.piece_days) == (0, 0, None)
    assert found.days_holiday == 0
    # the sheet itself says that she was not absent, though 20 days worked and a cut pay would make five
    cut = replace(
        row(),
        amounts={Meaning.BASIC_WAGE: usd("210.00"), Meaning.BASIC_PAY: usd("170.00")},
        time={Meaning.DAYS_WORKED: Decimal(20), Meaning.DAYS_ABSENT: Decimal(0)},
    )
    stated = work_month(cut, period=NOVEMBER, kind=RunKind.BALANCE, known=None, shown=set(cut.amounts), monthly_days=26)
    assert stated.days_absent == 0


def test_more_indemnity_than_a_month_s_wage_makes_is_no_difference_since_the_average_is_not_shown() -> None:
    """June 2025: 7.5 x 208 / 26 = 60.00 at least; by an average of 260.00 it is 75.00. 50.00 is too little by any."""

    def told(indemnity: str) -> list[str]:
        amounts = {Meaning.SENIORITY_INDEMNITY: indemnity, Meaning.BASIC_WAGE: "208.00", Meaning.BASIC_PAY: "208.00"}
        found = check(row(amounts=amounts), period=PayPeriod(2025, 6)).discrepancies
        return [one.code for one in found if one.subject == "seniority_indemnity"]

    assert (told("60.00"), told("75.00"), told("50.00")) == ([], [], ["underpaid_line"])


def test_a_sheet_that_hides_what_is_withheld_only_warns_and_one_that_pays_more_stops() -> None:
    hidden = {Meaning.PENSION, Meaning.TOTAL_DEDUCTIONS}
    shown: dict[Meaning, Money] = {meaning: amount for meaning, amount in row().amounts.items() if meaning not in hidden}

    def told(net: str) -> list[tuple[str, str]]:
        one = replace(row(), amounts={**shown, Meaning.NET: usd(net)}, net=usd(net))
        return [(found.code, found.severity.value) for found in check(one).discrepancies]

    assert told("252.90") == [("net_too_high", "warns")]  # the whole gross: the pension of 5.05 was not taken
    assert told("253.90") == [("net_too_high", "blocks")]
    assert told("247.85") == []


def test_an_hour_too_cheap_in_a_sheet_in_riel_is_told_once() -> None:
    """10.60 for 15.90 as above, at 4,000: gross 990,400, of which 2 % are 19,808 -> 19,800; net 970,600."""
    changed = {Meaning.OVERTIME_PAY: 42_400, Meaning.GROSS: 990_400, Meaning.PENSION: 19_800, Meaning.TOTAL_DEDUCTIONS: 19_800}
    riel = {meaning: Money(amount.minor * 40, KHR) for meaning, amount in row().amounts.items()}
    riel |= {meaning: Money(amount, KHR) for meaning, amount in {**changed, Meaning.NET: 970_600}.items()}
    assert codes(check(replace(row(), amounts=riel, net=riel[Meaning.NET]))) == [("underpaid_line", "GW-1")]


def test_ordinary_hours_at_night_are_not_beyond_the_day() -> None:
    """26 nights of eight hours, with fifty hours of overtime and two and a half days off: hard, and possible."""
    hours = {Meaning.NIGHT_HOURS: "208", Meaning.OVERTIME_HOURS: "50", Meaning.REST_DAY_HOURS: "20"}
    found = check(row(time={meaning: Decimal(worked) for meaning, worked in hours.items()}))
    assert not [one for one in found.discrepancies if one.code == "impossible_hours"]


def test_loans_and_advances_over_half_of_the_gross_are_asked_about() -> None:
    """Half of 252.90 is 126.45."""

    def told(loan: str) -> list[str]:
        net = str(Decimal("247.85") - Decimal(loan))
        amounts = {Meaning.LOAN: loan, Meaning.TOTAL_DEDUCTIONS: str(Decimal("5.05") + Decimal(loan)), Meaning.NET: net}
        return [one.code for one in check(row(amounts=amounts)).discrepancies]

    assert (told("126.45"), told("126.46")) == ([], ["deductions_too_large"])


def test_differences_come_in_the_order_of_the_sheet_and_who_is_not_in_it_comes_after() -> None:
    away = KnownWorker(worker_code="GW-0", joined_on=row().joined_on)
    first, second = row(1, {Meaning.GROSS: "251.90"}), row(2, {Meaning.GROSS: "251.90"})
    known = {one.worker_code: KnownWorker(worker_code=one.worker_code, joined_on=one.joined_on) for one in (first, second)}
    order = [code for code, _ in codes(check(second, first, known={**known, "GW-0": away})) if code in {"gross_too_low", "missing_worker"}]
    workers = [worker for code, worker in codes(check(second, first, known={**known, "GW-0": away})) if code == "gross_too_low"]
    assert order == ["gross_too_low", "gross_too_low", "missing_worker"]
    assert workers == ["GW-1", "GW-2"]
