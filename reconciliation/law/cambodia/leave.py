"""Annual leave as it is earned: a day and a half a month of 48 hours a week, in proportion to shorter weeks, and more with seniority.

Labour Law art. 166. What is earned is days; `wages.py` says what a day of leave brings.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

from reconciliation.law.book import LawBook

_FULL_WEEK = 48


def leave_of_year(book: LawBook, day: date, *, hours_a_week: int = _FULL_WEEK, completed_years: int = 0) -> Fraction:
    """Working days of leave for twelve months of service, with a day more for every three completed years. Raises LawUnknownError."""
    monthly = Fraction(book.number("annual_leave_days", day)) * min(hours_a_week, _FULL_WEEK) / _FULL_WEEK
    return monthly * 12 + completed_years // int(book.number("annual_leave_extra_years", day))


def leave_of_month(book: LawBook, day: date, days_worked: Decimal) -> Decimal:
    """Days of leave that a month of irregular work brings by the days worked in it. Raises LawUnknownError."""
    earned = Decimal(0)
    for row in book.rows("annual_leave_of_month", day):
        if days_worked >= Decimal(str(row["least_days"])):
            earned = Decimal(str(row["leave"]))
    return earned
