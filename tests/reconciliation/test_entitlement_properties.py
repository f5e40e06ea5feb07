"""What must hold of any month: sums add up, work never costs money, a raise never lowers what is paid out."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.contract import Meaning, WorkerStatus
from importers.money import USD, Money
from importers.period import PayPeriod, RunKind
from reconciliation.contract import Entitlement, ExchangeRates, Line, Side, WorkMonth
from reconciliation.entitlements import entitlement, entitlements_many, rules_of
from reconciliation.law.book import load_cambodia
from reconciliation.policy import FactoryPolicy, PartMonth

BOOK, POLICY = load_cambodia(), FactoryPolicy()
RATES = ExchangeRates(tax=Decimal(4012), nssf=Decimal(4009))
HOURS = (Meaning.OVERTIME_HOURS, Meaning.NIGHT_OVERTIME_HOURS, Meaning.REST_DAY_HOURS, Meaning.HOLIDAY_HOURS, Meaning.NIGHT_HOURS)

quarters = st.integers(0, 120).map(lambda n: Decimal(n) / 4)
days = st.integers(0, 20).map(lambda n: Decimal(n) / 2)
periods = st.builds(PayPeriod, st.integers(2018, 2026), st.integers(1, 12))
months = st.builds(
    WorkMonth,
    worker_code=st.just("GW-1"),
    period=periods,
    kind=st.sampled_from([RunKind.BALANCE, RunKind.FINAL_PAY, RunKind.FIRST_HALF, RunKind.INDEMNITY]),
    status=st.sampled_from(WorkerStatus),
    joined_on=st.none() | st.dates(date(2005, 1, 1), date(2026, 12, 31)),
    basic_wage=st.none() | st.integers(15_000, 400_000).map(lambda cents: Money(cents, USD)),
    piece_value=st.none() | st.integers(0, 60_000).map(lambda cents: Money(cents, USD)),
    days_absent=days,
    days_leave=days,
    days_sick=days,
    overtime_days=st.none() | st.integers(0, 26).map(Decimal),
    hours=st.dictionaries(st.sampled_from(HOURS), quarters),
    spouse=st.integers(0, 1),
    children=st.integers(0, 4),
    resident=st.booleans(),
    given=st.dictionaries(
        st.sampled_from([Line.ADVANCE, Line.OTHER_ALLOWANCE, Line.UNION_DUES]), st.integers(0, 5000).map(lambda n: Money(n, USD))
    ),
)


def owed(month: WorkMonth) -> Entitlement:
    return entitlement(month, book=BOOK, rates=RATES, policy=POLICY)


@pytest.mark.parametrize(
    ("riel", "share"),
    [
        (2_000_000, "5 %"), (2_000_001, "10 %"), (8_500_000, "10 %"), (8_500_001, "15 %"), (12_500_000, "15 %"), (12_500_001, "20 %"),
    ],
)  # fmt: skip
def test_the_last_riel_of_a_band_is_told_with_its_own_rate(riel: int, share: str) -> None:
    """The tax is the same by either rate there; what the worker and the inspector read is not (Sub-decree 196, bands since 2023)."""
    line = rules_of(BOOK, PayPeriod(2026, 11), RATES, POLICY).tax.line(riel, resident=True)
    assert f"{riel:,} KHR x {share} - " in line.formula


@given(months)
def test_a_slip_adds_up_under_anyones_finger(month: WorkMonth) -> None:
    slip = owed(month)
    earned = sum(line.amount.minor for line in slip.lines if line.side is Side.EARNING)
    taken = sum(line.amount.minor for line in slip.lines if line.side is Side.DEDUCTION)
    assert (slip.gross.minor, slip.deductions.minor, slip.net.minor) == (earned, taken, earned - taken)
    assert all(line.amount.minor >= 0 and line.formula and line.citations for line in slip.lines)
    assert len({line.line for line in slip.lines}) == len(slip.lines)


@given(months, st.sampled_from(HOURS), quarters)
def test_more_hours_never_pay_less(month: WorkMonth, kind: Meaning, more: Decimal) -> None:
    longer = replace(month, hours={**month.hours, kind: month.hours.get(kind, Decimal(0)) + more})
    less, greater = owed(month), owed(longer)
    assert greater.gross >= less.gross
    # the pension is rounded to 100 riel, 2.5 cents: so much the step may take back
    assert greater.net.minor >= less.net.minor - 3


@given(months, st.integers(1, 20_000))
def test_a_raise_never_lowers_the_net_but_by_the_pension_s_step(month: WorkMonth, cents: int) -> None:
    paid = replace(month, piece_value=None, basic_wage=month.basic_wage or Money(21_000, USD))
    assert paid.basic_wage is not None
    raised = replace(paid, basic_wage=paid.basic_wage + Money(cents, USD))
    assert owed(raised).net.minor >= owed(paid).net.minor - 3


@given(months, days)
def test_a_day_absent_never_pays_more(month: WorkMonth, more: Decimal) -> None:
    # not for piece work: the same pieces in fewer days are a better hourly wage, and so better overtime
    by_month = replace(month, piece_value=None)
    assert owed(replace(by_month, days_absent=by_month.days_absent + more)).gross <= owed(by_month).gross


@given(months, months)
def test_no_worker_s_month_depends_on_another_s(first: WorkMonth, second: WorkMonth) -> None:
    together = list(entitlements_many([first, second, first], book=BOOK, rates=RATES, policy=POLICY))
    assert together[0] == together[2] == owed(first)
    assert together[1] == owed(second)


@given(st.integers(2, 30), periods)
def test_a_month_split_between_leaver_and_joiner_loses_no_cent(day: int, period: PayPeriod) -> None:
    """One leaves, one takes her place the next day: together they are paid the month, and by the daily wage each of its days."""
    day = min(day, period.last_day.day)
    workdays = sum(date(period.year, period.month, n).weekday() != 6 for n in range(1, period.last_day.day + 1))
    together, full = _split(day, period, FactoryPolicy(part_month=PartMonth.SHARE_OF_MONTH))
    assert 0 <= together - full <= 1  # both halves of a cent are rounded up
    together, full = _split(day, period, FactoryPolicy())
    assert full * min(workdays, 26) - 26 <= together * 26 <= full * max(workdays, 26) + 26


def _split(day: int, period: PayPeriod, policy: FactoryPolicy) -> tuple[int, int]:
    whole = WorkMonth(worker_code="C", period=period, kind=RunKind.BALANCE)
    left = replace(whole, left_on=date(period.year, period.month, day - 1))
    joined = replace(whole, joined_on=date(period.year, period.month, day))
    paid = [entitlement(month, book=BOOK, rates=RATES, policy=policy).amount(Line.BASIC_PAY) for month in (left, joined, whole)]
    first, second, full = (0 if amount is None else amount.minor for amount in paid)
    return first + second, full


def test_a_crowd_is_computed_in_one_go() -> None:
    crowd = [
        WorkMonth(
            worker_code=str(n),
            period=PayPeriod(2026, 11),
            kind=RunKind.BALANCE,
            joined_on=date(2008 + n % 18, 1 + n % 12, 1 + n % 28),
            hours={Meaning.OVERTIME_HOURS: Decimal(n % 60) / 2},
            overtime_days=Decimal(n % 20),
        )
        for n in range(4_000)
    ]
    start = time.perf_counter()
    slips = list(entitlements_many(crowd, book=BOOK, rates=RATES, policy=POLICY))
    assert time.perf_counter() - start < 10  # a loaded machine; bench measures the rate itself
    assert len(slips) == 4_000


def test_what_a_sheet_pays_otherwise_is_taxed_by_its_line() -> None:
    # 1,016.00 USD x 4,000 - 24,000 = 4,040,000 riel: 229,000 tax. An indemnity of 288.46 USD is free; 1,000 USD more of it are
    # 5,153,840 - 2,000,000 over the free part: base 7,193,840, tax 544,384. As another allowance: base 8,040,000, tax 629,000.
    month = WorkMonth(
        worker_code="GW-1", period=PayPeriod(2025, 6), kind=RunKind.BALANCE, joined_on=date(2020, 1, 1), basic_wage=Money(100_000, USD)
    )
    rates = ExchangeRates(tax=Decimal(4000), nssf=Decimal(4000))
    rules = rules_of(load_cambodia(), month.period, rates, FactoryPolicy())
    lines = rules.entitlement(month).lines
    taxes: tuple[tuple[dict[Line, int], int], ...] = (
        ({}, 229_000),
        ({Line.SENIORITY_INDEMNITY: 100_000}, 544_384),
        ({Line.OTHER_ALLOWANCE: 100_000}, 629_000),
    )
    for instead, tax in taxes:
        riel = rules.deductions(month, lines, instead)[1].riel
        assert riel is not None
        assert riel.minor == tax


def test_a_run_of_the_indemnity_alone_has_no_line_for_a_tax_that_is_not_due() -> None:
    month = WorkMonth(worker_code="GW-1", period=PayPeriod(2025, 6), kind=RunKind.INDEMNITY)
    assert [line.line for line in owed(month).lines] == [Line.SENIORITY_INDEMNITY]
