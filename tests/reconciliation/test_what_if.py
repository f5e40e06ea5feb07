"""HR sees January's payroll in November."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from importers.contract import Meaning
from importers.money import KHR, USD, Money
from importers.period import PayPeriod, RunKind
from reconciliation.contract import Citation, ExchangeRates, Line, WorkMonth
from reconciliation.law.book import load_cambodia
from reconciliation.law.parameter import LawUnknownError
from reconciliation.policy import FactoryPolicy
from reconciliation.what_if import what_if

RATES = ExchangeRates(tax=Decimal(4000), nssf=Decimal(4000))
MONTHS = [
    WorkMonth(
        worker_code=f"GW-{n}",
        period=PayPeriod(2026, 11),
        kind=RunKind.BALANCE,
        basic_wage=Money(23_000, USD) if n == 9 else None,
        hours={Meaning.OVERTIME_HOURS: Decimal(26)},
        overtime_days=Decimal(13),
    )
    for n in range(10)
]


def test_the_cost_of_a_new_minimum_wage_by_line() -> None:
    """Ten workers, one of whom earns 230 already: nine get 5.00 more, and 40.31 instead of 39.38 for 26 hours of overtime."""
    book, prakas = load_cambodia(), Citation(title="Prakas for 2027")
    for name in ("minimum_wage_regular", "minimum_wage_probation"):
        book = book.with_parameter(name, value=215, since=date(2027, 1, 1), citation=prakas, signed_off_by="Head of payroll")
    january = [replace(month, period=PayPeriod(2027, 1)) for month in MONTHS]
    costs = what_if(MONTHS, book=load_cambodia(), policy=FactoryPolicy(), rates=RATES, changed_book=book, changed_months=january)
    assert (costs[Line.BASIC_PAY].difference, costs[Line.BASIC_PAY].workers) == (Money(4_500, USD), 9)
    assert costs[Line.OVERTIME_PAY].difference == Money(9 * 93, USD)
    assert costs[Line.ATTENDANCE_BONUS].difference == Money(0, USD)
    assert costs[Line.EMPLOYER_HEALTH].difference.currency == KHR


def test_the_cost_of_another_divisor() -> None:
    """/ 24 instead of / 26: an hour of 210 / 24 / 8 = 1.09375; 26 h x 150 % = 42.65625 -> 42.66 against 39.38 (and 46.72 against 43.13)."""
    costs = what_if(MONTHS, book=load_cambodia(), policy=FactoryPolicy(), rates=RATES, changed_policy=FactoryPolicy(monthly_days=24))
    assert costs[Line.OVERTIME_PAY].difference == Money(9 * 328 + 359, USD)
    assert costs[Line.BASIC_PAY].workers == 0


def test_a_year_without_a_wage_and_other_people_are_refused() -> None:
    january = [replace(month, period=PayPeriod(2027, 1)) for month in MONTHS]
    with pytest.raises(LawUnknownError, match="2027"):
        what_if(MONTHS, book=load_cambodia(), policy=FactoryPolicy(), rates=RATES, changed_months=january)
    with pytest.raises(ValueError, match="same workers"):
        what_if(MONTHS, book=load_cambodia(), policy=FactoryPolicy(), rates=RATES, changed_months=MONTHS[1:])
