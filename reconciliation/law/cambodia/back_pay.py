"""Back pay of seniority before 2019 (Prakas 443): days of the average net wage of each year, the oldest year first, up to a cap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from importers.money import USD, Money, MoneyError
from reconciliation.contract import Citation
from reconciliation.law.book import LawBook
from reconciliation.law.cambodia.month import dollars, half_up, plain

_FROM, _LAST_YEAR = date(2019, 1, 1), 2018


@dataclass(frozen=True, slots=True, kw_only=True)
class YearOwed:
    """What one year of service before 2019 brings."""

    year: int
    days: Decimal
    amount: Money
    formula: str
    citations: tuple[Citation, ...]


def back_pay(average_net: Mapping[int, Money], book: LawBook, *, monthly_days: int = 26) -> tuple[YearOwed, ...]:
    """The days of each full year up to 2018 at that year's average net monthly wage in dollars, oldest first, until the cap is reached.

    Raises MoneyError for a wage in another currency or a negative one, LawUnknownError if the book lacks the values.
    """
    a_year, left = book.number("back_pay_days", _FROM), book.number("back_pay_cap_days", _FROM)
    citations = (book.citation("back_pay_days", _FROM), book.citation("back_pay_cap_days", _FROM))
    owed = []
    for year in sorted(year for year in average_net if year <= _LAST_YEAR):
        wage, days = average_net[year], min(a_year, left)
        if wage.currency != USD or wage.minor < 0:
            raise MoneyError(f"the average net wage of {year} must be dollars and not negative: convert it at that year's rate first")
        if not days:
            break
        left -= days
        exact = wage.minor * Fraction(days) / monthly_days
        text = f"{year}: {plain(days)} days x {dollars(wage.minor)} USD / {monthly_days}"
        amount = Money(half_up(exact.numerator, exact.denominator), USD)
        owed.append(YearOwed(year=year, days=days, amount=amount, formula=text, citations=citations))
    return tuple(owed)
