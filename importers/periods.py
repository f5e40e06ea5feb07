"""The months that a title, a sheet's name or a note speaks of."""

from __future__ import annotations

import re

from importers.dates import MONTHS
from importers.khmer import digits, normalise
from importers.period import PayPeriod

_YEAR_MONTH = re.compile(r"(?<![0-9])(20[0-9]{2})\s*[-/.年]\s*(1[0-2]|0?[1-9])(?![0-9])")
_MONTH_YEAR = re.compile(r"(?<![0-9/.\-])(1[0-2]|0?[1-9])\s*[-/.]\s*(20[0-9]{2})(?![0-9])")
_NAMES = "|".join(sorted((re.escape(name) for name in MONTHS), key=len, reverse=True))
_NAMED = re.compile(rf"(?<![a-z])({_NAMES})(?![a-z])[\s.,'\-]*(?:ឆ្នាំ)?\s*(20[0-9]{{2}})")
_SHORT = re.compile(rf"({_NAMES})[\s.,'\-_]*(2[0-9])")  # "Nov-26" alone, as sheets are called; in a sentence it may be a day
_KHMER_NUMBERED = re.compile(r"ខែ\s*(?:ទី)?\s*(1[0-2]|0?[1-9])\s*ឆ្នាំ\s*(20[0-9]{2})")


def periods_in(text: str) -> set[PayPeriod]:
    """Every month with its year that the text names."""
    plain = digits(normalise(text)).casefold()
    found = {PayPeriod(int(match[1]), int(match[2])) for match in _YEAR_MONTH.finditer(plain)}
    found |= {PayPeriod(int(match[2]), int(match[1])) for match in _MONTH_YEAR.finditer(plain)}
    found |= {PayPeriod(int(match[2]), MONTHS[match[1]]) for match in _NAMED.finditer(plain)}
    if (short := _SHORT.fullmatch(plain)) is not None:
        found.add(PayPeriod(2000 + int(short[2]), MONTHS[short[1]]))
    return found | {PayPeriod(int(match[2]), int(match[1])) for match in _KHMER_NUMBERED.finditer(plain)}
