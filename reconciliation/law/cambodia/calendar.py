"""The paid public holidays of a year: a list from the year's own Prakas, and a refusal where nobody has loaded it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from importers.period import PayPeriod
from reconciliation.law.book import LawBook
from reconciliation.law.enter import CALENDAR


def public_holidays(book: LawBook, year: int) -> Mapping[date, str]:
    """The public holidays of a year with their names, in order. Raises LawUnknownError while the list of that year is not loaded."""
    parameter = book.parameters[CALENDAR]
    # Last year's list says nothing of this year: the moon moves half of the holidays.
    dated = next((value for value in parameter.values if value.since == date(year, 1, 1)), None)
    if dated is None or not isinstance(dated.value, tuple):
        gap = dated or next((value for value in reversed(parameter.values) if value.since <= date(year, 1, 1)), None)
        raise parameter.unknown(str(year), gap if gap is not None and gap.value is None else None)
    return {row["date"]: str(row["name"]) for row in dated.value if isinstance(row["date"], date)}


def holidays_of_month(book: LawBook, period: PayPeriod) -> Mapping[date, str]:
    """The public holidays of a month. Raises LawUnknownError."""
    found = public_holidays(book, period.year)
    return {day: name for day, name in found.items() if day.month == period.month}
