"""What all rules of one month share: its figures, the factory's choices, the rates, and how a line is made.

Amounts inside are whole cents or riel, and exact fractions of them as two integers; each line is rounded once, half up, as a clerk does.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from importers.money import USD, Money
from importers.period import PayPeriod
from reconciliation.contract import Citation, EntitlementLine, ExchangeRates, Line, Side
from reconciliation.law.figures import Figures
from reconciliation.policy import FactoryPolicy

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")
_SUNDAY = 6
_MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """The frame of a computation: everything but the worker."""

    period: PayPeriod
    figures: Figures
    policy: FactoryPolicy
    rates: ExchangeRates

    def cents(self, money: Money) -> int:
        """`money` in cents; riel at the tax office's rate, rounded once."""
        if money.currency.code == USD.code:
            return money.minor
        riel, one = self.rates.tax.as_integer_ratio()
        return half_up(money.minor * 100 * one, riel)


def half_up(numerator: int, denominator: int) -> int:
    """The whole number nearest to a fraction that is not negative, a half upwards."""
    return (2 * numerator + denominator) // (2 * denominator)


def remember(known: dict[_Key, _Value], key: _Key, value: _Value) -> _Value:
    """Keep a result that other workers will share, within a bound."""
    if len(known) >= _MOST_REMEMBERED:
        known.clear()
    known[key] = value
    return value


def dollars(cents: int) -> str:
    """`21000` as `210.00`."""
    return f"{cents // 100}.{cents % 100:02d}"


def plain(number: Decimal) -> str:
    """A number without needless zeros: `10.50` as `10.5`."""
    return f"{number.normalize():f}"


def percent(share: Decimal) -> str:
    """`1.5` as `150 %`."""
    return f"{plain(share * 100)} %"


def usd(line: Line, side: Side, cents: int, formula: str, citations: tuple[Citation, ...], riel: Money | None = None) -> EntitlementLine:
    """A line in dollars."""
    return EntitlementLine(line=line, side=side, amount=Money(cents, USD), formula=formula, citations=citations, riel=riel)


def working_days(first: date, last: date) -> int:
    """Days from `first` to `last` that are not the weekly day off (Sunday)."""
    days = (last - first).days + 1
    if days <= 0:
        return 0
    weeks, rest = divmod(days, 7)
    sundays = weeks + ((first.weekday() + rest) > _SUNDAY if rest else 0)
    return days - sundays


def completed_years(joined: date, day: date) -> int:
    """Full years of service on `day`; who joined on 29 February completes a year on 1 March."""
    years = day.year - joined.year
    if day.month < joined.month or (day.month == joined.month and day.day < joined.day):
        years -= 1
    return max(0, years)


def completed_months(joined: date, day: date) -> int:
    """Full months of service on `day`, which itself counts as a day of service."""
    next_day = day.toordinal() + 1
    end = date.fromordinal(next_day)
    return max(0, (end.year - joined.year) * 12 + end.month - joined.month - (end.day < joined.day))
