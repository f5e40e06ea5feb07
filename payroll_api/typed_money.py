"""An amount as a person or a program writes it."""

from __future__ import annotations

import re

from importers.money import Money, MoneyError, currency
from payroll_api.errors import InvalidError

# Commas set thousands apart, and nothing else: 12,50 is not taken for 1250.
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?", re.ASCII)


def typed_money(text: str, unit: str, *, field: str = "amount") -> Money:
    """`text` in major units of the currency `unit`, such as 12500.00 or 12,500. Raises InvalidError, which names `field`."""
    plain = text.strip()
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    try:
        return Money.of(plain, currency(unit))
    except MoneyError as error:
        example = "12.50" if unit != "KHR" else "50000"
        detail = f"Write the amount as a number in {unit}, for example {example}: {error}."
        raise InvalidError(detail, fields=[{"field": field, "problem": f"write it as {example}"}]) from None
