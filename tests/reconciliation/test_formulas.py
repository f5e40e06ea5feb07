"""The sum that a slip tells in words and numbers comes out at the amount beside it, when anybody types it into a calculator."""

from __future__ import annotations

import operator
import re
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest

from importers.contract import WorkerStatus
from importers.money import KHR, USD, Money
from importers.period import PayPeriod, RunKind
from reconciliation.contract import EntitlementLine, ExchangeRates, Line, Side, WorkMonth
from reconciliation.entitlements import entitlement, rules_of
from reconciliation.law.book import load_cambodia
from reconciliation.policy import FactoryPolicy
from tests.law_cases.random_months import questions

BOOK, RATES = load_cambodia(), ExchangeRates(tax=Decimal(4000), nssf=Decimal(4000))
MONTH = WorkMonth(worker_code="GW-1", period=PayPeriod(2025, 11), kind=RunKind.BALANCE)
# Asides: (at 4000), (agreed: 189.38); why a month is not whole; how days were counted.
_ASIDE = re.compile(r"\([^)]*\)|, employed .*$|, at 2 h a day")
_WORD = re.compile(r"[A-Za-z:,]+(?=\s|$)|KHR per USD")
_STEP = re.compile(r"([x/+-]|^)\s*([0-9][0-9,]*(?:\.[0-9]+)?)\s*(%?)")
_STEPS = {"x": operator.mul, "/": operator.truediv, "+": operator.add, "-": operator.sub}
_NO_SUM = ("as the factory states", "lost:", "completed years of service", "on maternity leave, less than a year")


def reckoned(formula: str) -> Fraction:
    """What a calculator says: from left to right, each product for itself; after "=" from the figure that stands there."""
    for joined in (" + ", " - "):
        if joined in formula and " x " in formula.rsplit(joined, maxsplit=1)[-1]:
            first, second = formula.split(joined, 1)
            return reckoned(first) + (1 if joined == " + " else -1) * reckoned(second)
    if ", less the tax on the wage of the month: " in formula:
        whole, less = formula.split(", less the tax on the wage of the month: ")
        riel, rate = re.fullmatch(r".* = ([0-9,]+) KHR / ([0-9.]+) KHR per USD", whole).groups()  # type: ignore[union-attr]  # its shape
        return (number(riel) - number(less.removesuffix(" KHR"))) / number(rate)
    if ", less " in formula:  # what the average brings beyond the basic pay that holds the days
        whole, less = formula.removesuffix(" in the basic pay").split(", less ")
        (days,) = re.findall(r"x ([0-9.]+) days", whole)
        return reckoned(whole) - reckoned(less) * number(days)
    plain = _WORD.sub(" ", _ASIDE.sub(" ", formula.rsplit(" = ", 1)[-1].replace(" x ", " * "))).replace("*", "x")
    found = Fraction(0)
    for place, (sign, digits, share) in enumerate(_STEP.findall(" ".join(plain.split()))):
        value = number(digits) / (100 if share else 1)
        found = value if place == 0 else _STEPS[sign](found, value)
    return found


def number(digits: str) -> Fraction:
    return Fraction(digits.replace(",", ""))


def told(line: EntitlementLine) -> Fraction:
    return Fraction(line.amount.minor, 1 if line.amount.currency == KHR else 100)


def near(line: EntitlementLine) -> Fraction:
    """How far a sum may be from its amount: half of the last place, and what an hour rounded to four places brings."""
    if line.amount.currency == KHR:
        return Fraction(50)  # a pension is rounded to a hundred riel
    return Fraction(1, 200) + told(line) / 10_000


def test_every_sum_comes_out_at_its_amount() -> None:
    tried: Counter[Line] = Counter()
    for question in questions(900, 11):
        for line in entitlement(question.month, book=BOOK, rates=question.rates, policy=question.policy).lines:
            if not any(words in line.formula for words in _NO_SUM):
                assert abs(reckoned(line.formula) - told(line)) <= near(line), f"{line.line}: {line.formula} is {line.amount}"
                tried[line.line] += 1
    stated = {Line.BACK_PAY, Line.FIRST_HALF_PAID, Line.ADVANCE, Line.LOAN, Line.UNION_DUES, Line.OTHER_DEDUCTION, Line.OTHER_ALLOWANCE}
    assert set(tried) == set(Line) - stated - {Line.SENIORITY_BONUS}, "a sum of every line that has one"


def test_the_riel_of_a_line_are_the_riel_of_its_sum() -> None:
    """470,430 riel at 3,901 are 120.59 dollars: the line holds both, and both are exact to their last place."""
    for question in questions(300, 12):
        for line in entitlement(question.month, book=BOOK, rates=question.rates, policy=question.policy).lines:
            if line.riel is not None and line.line in {Line.SALARY_TAX, Line.PENSION} and line.riel.minor:
                (rate,) = re.findall(r"([0-9.]+) KHR per USD", line.formula)
                assert abs(line.riel.minor / number(rate) - told(line)) <= Fraction(1, 200)


@pytest.mark.parametrize(
    ("wage", "status", "told_as"),
    [
        (None, WorkerStatus.REGULAR, "208.00 USD minimum wage"),
        (None, WorkerStatus.PROBATION, "206.00 USD minimum wage"),
        ("208.00", WorkerStatus.REGULAR, "208.00 USD"),
        ("250.00", WorkerStatus.REGULAR, "250.00 USD"),
        ("207.99", WorkerStatus.REGULAR, "208.00 USD minimum wage (agreed: 207.99)"),
    ],
)
def test_a_basic_pay_says_whether_it_is_agreed_or_the_minimum(wage: str | None, status: WorkerStatus, told_as: str) -> None:
    month = WorkMonth(
        worker_code="GW-1",
        period=PayPeriod(2025, 11),
        kind=RunKind.BALANCE,
        status=status,
        basic_wage=None if wage is None else Money.of(wage, USD),
    )
    owed = entitlement(month, book=BOOK, rates=RATES, policy=FactoryPolicy())
    assert next(line.formula for line in owed.lines if line.line is Line.BASIC_PAY) == told_as


@pytest.mark.parametrize("resident", [True, False])
def test_a_sheet_that_pays_nothing_owes_no_pension_and_no_tax(resident: bool) -> None:
    """The deductions of what a sheet states, which may be nothing: not the pension of the least wage, not a riel of a flat tax."""
    month = WorkMonth(worker_code="GW-1", period=PayPeriod(2025, 11), kind=RunKind.BALANCE, resident=resident)
    rules = rules_of(BOOK, month.period, RATES, FactoryPolicy())
    lines = rules.entitlement(month).lines
    less = {line.line: -line.amount.minor for line in lines if line.side is Side.EARNING}
    for more in (0, 100):  # a sheet that is short by more than the law owes
        pension, tax = rules.deductions(month, lines, {**less, Line.BASIC_PAY: less[Line.BASIC_PAY] - more})
        assert pension is None
        assert (tax.amount.minor, tax.riel) == (0, Money(0, KHR))
