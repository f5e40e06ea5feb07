"""Holidays that a piece worker does not work, as they stand in sheets: with a column of their own, in another one, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest

from importers.contract import Meaning, PayrollRow, WorkerStatus
from importers.headers import guess
from importers.kinds import DAYS, MONEY
from importers.money import USD, Money
from importers.period import PayPeriod, RunKind
from reconciliation.contract import Discrepancy, ExchangeRates, KnownWorker
from reconciliation.law.book import load_cambodia
from reconciliation.policy import FactoryPolicy
from reconciliation.reconcile import reconcile

MAY = PayPeriod(2024, 5)  # 27 working days; the 1st, 14th and 22nd are holidays of its list, and the 26th, a Sunday
M = Meaning


def sheet_row(amounts: Mapping[Meaning, str], time: Mapping[Meaning, str], *, net: str, status: WorkerStatus | None) -> PayrollRow:
    """A worker with the bonus of attendance: pieces of 252.00 in 24 days are 10.50 a day, three holidays 31.50."""
    stated = {M.ATTENDANCE_BONUS: "10.00", M.TRANSPORT_ALLOWANCE: "7.00", M.SENIORITY_BONUS: "5.00", **amounts, M.NET: net}
    money = {meaning: Money.of(amount, USD) for meaning, amount in stated.items()}
    return PayrollRow(
        sheet="Payroll",
        row=7,
        worker_code="GW-7",
        name="Worker",
        net=money[M.NET],
        joined_on=date(2020, 1, 1),
        status=status,
        amounts=money,
        time={meaning: Decimal(worked) for meaning, worked in time.items()},
    )


def told(row: PayrollRow, *, period: PayPeriod = MAY) -> list[Discrepancy]:
    known = {"GW-7": KnownWorker(worker_code="GW-7", joined_on=row.joined_on)}
    rates, policy = ExchangeRates(tax=Decimal(4000), nssf=Decimal(4000)), FactoryPolicy()
    result = reconcile(
        [row],
        period=period,
        kind=RunKind.BALANCE,
        known=known,
        keys=lambda one: KnownWorker(worker_code=one.worker_code),
        book=load_cambodia(),
        rates=rates,
        policy=policy,
    )
    return list(result.discrepancies)


def codes(found: list[Discrepancy]) -> list[tuple[str, str]]:
    return [(one.code, one.subject) for one in found if one.code not in {"benefit_not_shown", "net_too_high", "hours_not_shown"}]


PIECE, DAYS_OFF = {M.PIECE_PAY: "252.00"}, {M.DAYS_WORKED: "24", M.DAYS_HOLIDAY: "3"}
# gross 305.50 x 4,000 is over the cap of 1,200,000 riel: pension 24,000 riel, 6.00 dollars
RIGHT = "299.50"


@pytest.mark.parametrize(
    "amounts", [{M.HOLIDAY_WAGE: "31.50"}, {M.HOLIDAY_PAY: "31.50"}], ids=["in its own column", "with holidays worked"]
)
def test_a_sheet_that_pays_the_wage_lost_has_no_difference(amounts: Mapping[Meaning, str]) -> None:
    assert codes(told(sheet_row({**PIECE, **amounts}, DAYS_OFF, net=RIGHT, status=WorkerStatus.PIECE_RATE))) == []


def test_it_may_stand_in_the_basic_pay() -> None:
    row = sheet_row({M.BASIC_PAY: "283.50"}, DAYS_OFF, net=RIGHT, status=WorkerStatus.PIECE_RATE)
    with_pieces = sheet_row({**PIECE, M.BASIC_PAY: "283.50"}, DAYS_OFF, net=RIGHT, status=WorkerStatus.PIECE_RATE)
    assert codes(told(with_pieces)) == []
    assert ("piece_holidays_not_shown", "holiday_wage") not in codes(told(row))


def test_holidays_that_are_not_paid_are_told_with_their_days_and_article() -> None:
    row = sheet_row({**PIECE, M.HOLIDAY_WAGE: "0.00"}, DAYS_OFF, net="268.00", status=WorkerStatus.PIECE_RATE)
    (one,) = [found for found in told(row) if found.subject == "holiday_wage"]
    assert one.code == "missing_line"
    assert one.message == (
        "Worker GW-7: the sheet pays nothing for public holidays not worked, the law owes $31.50 "
        "(252.00 USD / 24 x 3 public holidays not worked). Labour Law of 13 March 1997, paid public holidays: who is paid by the hour, "
        "the day or the piece gets the wage lost, from the employer, art. 163."
    )
    assert "3 ថ្ងៃបុណ្យដែលមិនបានធ្វើការ" in one.message_km
    assert "$31.50" in one.message_km


def test_days_worked_that_hold_the_holidays_do_not_make_a_day_smaller() -> None:
    """27 days "worked" with three holidays in them: the pieces took 24."""
    row = sheet_row(
        {**PIECE, M.HOLIDAY_WAGE: "31.50"}, {M.DAYS_WORKED: "27", M.DAYS_HOLIDAY: "3"}, net=RIGHT, status=WorkerStatus.PIECE_RATE
    )
    assert codes(told(row)) == []


def test_a_sheet_without_the_days_is_told_once_how_many_holidays_the_month_had() -> None:
    row = sheet_row(PIECE, {M.DAYS_WORKED: "24"}, net="268.00", status=WorkerStatus.PIECE_RATE)
    (one,) = [found for found in told(row) if found.code == "piece_holidays_not_shown"]
    assert "1 worker paid by the piece in a month of 3 public holidays" in one.message
    assert (one.worker_code, one.row) == ("", 0)
    assert "art. 163" in one.message


def test_a_month_without_holidays_asks_nothing_and_an_unknown_list_says_that_it_is_unknown() -> None:
    row = sheet_row(PIECE, {M.DAYS_WORKED: "24"}, net="268.00", status=WorkerStatus.PIECE_RATE)
    assert "piece_holidays_not_shown" not in dict(codes(told(row, period=PayPeriod(2024, 7))))
    (one,) = [found for found in told(row, period=PayPeriod(2025, 7)) if found.code == "piece_holidays_not_shown"]
    assert "the list of holidays of 2025 is not loaded" in one.message


def test_what_is_stated_without_days_is_taken_from_the_factory_and_asked_about() -> None:
    row = sheet_row({**PIECE, M.HOLIDAY_WAGE: "20.00"}, {M.DAYS_WORKED: "24"}, net="288.12", status=WorkerStatus.PIECE_RATE)
    assert codes(told(row)) == [("piece_holidays_not_shown", "holiday_wage")]


def test_more_holidays_than_the_month_has_are_held() -> None:
    row = sheet_row(
        {**PIECE, M.HOLIDAY_WAGE: "31.50"}, {M.DAYS_WORKED: "21", M.DAYS_HOLIDAY: "5"}, net=RIGHT, status=WorkerStatus.PIECE_RATE
    )
    (one,) = [found for found in told(row) if found.code == "no_holiday"]
    assert "5 public holidays not worked, of which the month has 4" in one.message


def test_a_worker_paid_by_the_month_is_not_absent_on_a_holiday() -> None:
    """24 days worked and 3 holidays are a whole month of 27; 23 days are one day of absence, at a 26th of 204.00."""
    amounts = {M.BASIC_WAGE: "204.00", M.BASIC_PAY: "196.15", M.ATTENDANCE_BONUS: "0.00"}
    row = sheet_row(amounts, {M.DAYS_WORKED: "22", M.DAYS_HOLIDAY: "3"}, net="203.99", status=WorkerStatus.REGULAR)
    assert codes(told(row)) == []


@pytest.mark.parametrize("header", ["Public holidays not worked", "ថ្ងៃបុណ្យមិនធ្វើការ", "ថ្ងៃបុណ្យមិនធ្វើការ / Public holidays not worked"])
def test_the_days_are_known_by_their_header_and_not_taken_for_work(header: str) -> None:
    (first, *_) = guess(header)
    assert first.meaning is M.DAYS_HOLIDAY
    assert first.meaning in DAYS


@pytest.mark.parametrize("header", ["Pay for holidays not worked ($)", "ប្រាក់ឈ្នួលថ្ងៃបុណ្យមិនធ្វើការ"])
def test_the_pay_is_known_by_its_header_and_not_taken_for_work(header: str) -> None:
    (first, *_) = guess(header)
    assert first.meaning is M.HOLIDAY_WAGE
    assert first.meaning in MONEY
