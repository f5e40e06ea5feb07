"""How figures, days and ids look on a page. Times are shown as the factory's clock shows them (Asia/Phnom_Penh)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from importers.money import Money, currency
from payroll_api.clock import PHNOM_PENH
from payroll_api.web.words import Words
from reconciliation.formula_km import in_khmer

SHORT_HASH = 12
_UNITS = 1024


def money(minor: int | None, code: str | None) -> str:
    """`minor` units of a currency as a clerk writes it: `$1,234.50`, `៛1,025,000`. Nothing known is a dash."""
    if minor is None or code is None:
        return "–"
    amount = Money(abs(minor), currency(code))
    sign = "−" if minor < 0 else ""
    return f"{sign}{amount.currency.sign}{amount.amount:,.{amount.currency.exponent}f}"


def money_text(amount: object, code: str) -> str:
    """An amount that JSON carries as a decimal text (`"630.00"`), as `money` writes it."""
    return money(Money.of(str(amount), currency(code)).minor, code)


def sums(amounts: Mapping[str, object]) -> str:
    """Amounts by currency, in one line: `$630.00 + ៛40,000`."""
    return " + ".join(money_text(amount, code) for code, amount in sorted(amounts.items(), reverse=True)) or "–"


def sum_of(lines: Iterable[tuple[int, str]]) -> str:
    """Minor units with their currencies, added up by currency, in one line."""
    by_currency: dict[str, int] = {}
    for minor, code in lines:
        by_currency[code] = by_currency.get(code, 0) + minor
    return " + ".join(money(minor, code) for code, minor in sorted(by_currency.items(), reverse=True)) or "–"


def formula(text: str, words: Words) -> str:
    """The sum behind a figure in the reader's language: the numbers stay."""
    return in_khmer(text) if words.language == "km" else text


def day(value: date | None, words: Words) -> str:
    """A day as `22 November 2026`, in the words of the language."""
    return f"{value.day} {words(f'month.{value.month}')} {value.year}" if value else "–"


def moment(value: datetime | None, words: Words) -> str:
    """A moment as `22 November 2026, 14:05` in Phnom Penh."""
    if value is None:
        return "–"
    there = value.astimezone(PHNOM_PENH)
    return f"{day(there.date(), words)}, {there:%H:%M}"


def period(text: str, words: Words) -> str:
    """`2026-11` as `November 2026`."""
    year, _, month = text.partition("-")
    return f"{words(f'month.{int(month)}')} {year}"


def short(digest: str | None) -> str:
    """The beginning of a hash, enough for two people to compare by eye."""
    return digest[:SHORT_HASH] if digest else "–"


def size(count: int) -> str:
    """A number of bytes as kB or MB."""
    if count < _UNITS * _UNITS:
        return f"{max(1, round(count / _UNITS))} kB"
    return f"{Decimal(count) / (_UNITS * _UNITS):.1f} MB"


def number(value: object) -> str:
    """A count, grouped by thousands."""
    return f"{int(str(value)):,}"
