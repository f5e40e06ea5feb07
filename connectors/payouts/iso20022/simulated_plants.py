"""Errors that the simulated bank makes in its statements on purpose, each in the next line that has none yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from connectors.payouts.iso20022.simulated_statement import Booking
from importers.money import CURRENCIES, Money

_LATE_DAYS = 9


def _more(line: Booking, minor: int) -> Booking:
    return replace(line, amount=Money(line.amount.minor + minor, line.amount.currency))


def _late(line: Booking) -> list[Booking]:
    return [replace(line, booked_on=(date.fromisoformat(line.booked_on) + timedelta(days=_LATE_DAYS)).isoformat())]


def _other_currency(line: Booking) -> list[Booking]:
    other = next(currency for code, currency in CURRENCIES.items() if code != line.amount.currency.code)
    return [replace(line, amount=Money(line.amount.minor, other))]


def _fee(line: Booking) -> list[Booking]:
    return [replace(_more(line, 25), fee=Money(25, line.amount.currency))]


def _split(line: Booking) -> list[Booking]:
    first = line.amount.minor // 3
    second = replace(line, provider_reference=f"{line.provider_reference}S")
    return [_more(line, first - line.amount.minor), _more(second, -first)]


def _back(line: Booking, part: int) -> list[Booking]:
    back = replace(line, out=False, provider_reference=f"{line.provider_reference}R")
    return [line, _more(back, line.amount.minor // part - line.amount.minor)]


_CHANGES: Mapping[str, Callable[[Booking], list[Booking]]] = {
    "missing": lambda _line: [],
    "extra": lambda line: [line, replace(line, reference="", provider_reference=f"{line.provider_reference}X")],
    "twice": lambda line: [line, replace(line, provider_reference=f"{line.provider_reference}T")],
    "amount": lambda line: [_more(line, 100)],
    "currency": _other_currency,
    "account": lambda line: [replace(line, account=f"9{line.account[1:]}8"[:34])],
    "late": _late,
    "return": lambda line: _back(line, 1),
    "partial": lambda line: _back(line, 2),
    "fee": _fee,
    "split": _split,
}
PLANTS = (*_CHANGES, "reordered")


def plant(lines: Sequence[Booking], kinds: Sequence[str]) -> list[Booking]:
    """The lines with each kind of error in the next one; "reordered" turns the whole statement round."""
    changed: list[Booking] = []
    left = [_CHANGES[kind] for kind in kinds if kind in _CHANGES]
    for line in lines:
        changed += left.pop(0)(line) if left and line.out else [line]
    return changed[::-1] if "reordered" in kinds else changed
