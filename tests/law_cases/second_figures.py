"""The figures of the second computation, copied by hand from the collected facts, and its arithmetic."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from importers.contract import Meaning
from reconciliation.contract import Line

# year: (regular, probation), US dollars
MINIMUM = {
    2018: (170, 165),
    2019: (182, 177),
    2020: (190, 185),
    2021: (192, 187),
    2022: (194, 192),
    2023: (200, 198),
    2024: (204, 202),
    2025: (208, 206),
    2026: (210, 208),
}
# first year of the table: (riel above which a rate begins, that rate in per cent)
TAX_TABLES = {
    2018: ((0, 0), (1_200_000, 5), (2_000_000, 10), (8_500_000, 15), (12_500_000, 20)),
    2020: ((0, 0), (1_300_000, 5), (2_000_000, 10), (8_500_000, 15), (12_500_000, 20)),
    2023: ((0, 0), (1_500_000, 5), (2_000_000, 10), (8_500_000, 15), (12_500_000, 20)),
}
HOUR_FACTORS = {  # what an hour is worth beside the monthly wage, in hundredths
    Meaning.OVERTIME_HOURS: (Line.OVERTIME_PAY, 150),
    Meaning.NIGHT_OVERTIME_HOURS: (Line.NIGHT_OVERTIME_PAY, 200),
    Meaning.REST_DAY_HOURS: (Line.REST_DAY_PAY, 200),
    Meaning.HOLIDAY_HOURS: (Line.HOLIDAY_PAY, 100),
}
FOR_SERVICE = {Line.SENIORITY_INDEMNITY, Line.BACK_PAY}
FREE_OF_TAX = {Line.TRANSPORT_ALLOWANCE, Line.MEAL_ALLOWANCE, Line.SEVERANCE}
DEDUCTIONS = (Line.FIRST_HALF_PAID, Line.ADVANCE, Line.LOAN, Line.UNION_DUES, Line.OTHER_DEDUCTION)
EARNED_BY_STATEMENT = (Line.OTHER_ALLOWANCE, Line.BACK_PAY, Line.LEAVE_PAY)


class RefusedError(Exception):
    """No figure for this month was published."""


def half_up(value: Fraction) -> int:
    """The nearest whole number; a half goes up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def band(wage: Fraction) -> Fraction:
    """The middle of the 50,000-riel band that holds the wage, from 200,000 to 1,200,000."""
    if wage <= 200_000:
        return Fraction(200_000)
    if wage > 1_200_000:
        return Fraction(1_200_000)
    return Fraction(-(-wage // 50_000) * 50_000 - 25_000)


def months_between(first: date, last: date) -> int:
    """Whole months from the morning of `first` to the evening of `last`."""
    end = last + timedelta(days=1)
    return (end.year - first.year) * 12 + end.month - first.month - (end.day < first.day)
