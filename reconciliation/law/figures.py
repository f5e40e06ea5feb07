"""The figures of one month for one factory: the law's, or the factory's own where they favour the worker at least as much."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from importers.money import USD
from reconciliation.contract import Citation
from reconciliation.law.book import LawBook
from reconciliation.law.parameter import Favour, Rows
from reconciliation.policy import Agreement, PolicyError

_MOST = 1_000_000  # above any value of wage law in its unit, so that no sum of it is too large to be money

_DIVIDE = frozenset({"daily_hours", "overtime_hours_a_day"})  # a wage is divided by them


class Figures:
    """Numbers and sources in force on one day, agreements applied. Raises LawUnknownError and PolicyError."""

    def __init__(self, book: LawBook, day: date, agreements: Sequence[Agreement] = ()) -> None:
        self.book = book
        self.day = day
        self._agreed: dict[str, Agreement] = {}
        for agreement in sorted(agreements, key=lambda one: one.since):
            if agreement.since <= day and (agreement.until is None or day <= agreement.until):
                self._agreed[agreement.name] = agreement
        for agreement in [*self._agreed.values()]:
            refuse_less(book, agreement)
            if not _favours(book, agreement, day):  # the law has overtaken it: the worker gets whichever is better
                del self._agreed[agreement.name]

    def number(self, name: str) -> Decimal:
        """The number called `name`."""
        agreed = self._agreed.get(name)
        return self.book.number(name, self.day) if agreed is None else agreed.value

    def ratio(self, name: str) -> tuple[int, int]:
        """The number called `name` as numerator and denominator, for exact arithmetic."""
        return self.number(name).as_integer_ratio()

    def rows(self, name: str) -> Rows:
        """The table called `name`."""
        return self.book.rows(name, self.day)

    def cite(self, *names: str) -> tuple[Citation, ...]:
        """Where the values stand, the agreement first where there is one."""
        found: list[Citation] = []
        for name in names:
            agreed = self._agreed.get(name)
            found += [] if agreed is None else [agreed.citation]
            found.append(self.book.citation(name, self.day))
        return tuple(dict.fromkeys(found))


def refuse_less(book: LawBook, agreement: Agreement) -> None:
    """Refuse an agreement that is less favourable to the worker than the law on the day it starts. Raises PolicyError, LawUnknownError."""
    if agreement.name not in book.parameters:
        raise PolicyError(f"{agreement.name!r} is not a value of the law book: see its list of parameters")
    if agreement.until is not None and agreement.until < agreement.since:
        raise PolicyError(f"{agreement.name}: the agreement ends on {agreement.until}, before it starts: correct one of the dates")
    law = book.dated(agreement.name, agreement.since).value
    favour = book.parameters[agreement.name].favour
    if favour is Favour.FIXED:
        raise PolicyError(f"{agreement.name} is fixed by law: take the agreement of {agreement.since} out of the factory's policy")
    if not isinstance(law, Decimal):
        raise PolicyError(f"{agreement.name} is a table, which one figure cannot replace: take the agreement of {agreement.since} out")
    in_cents = book.parameters[agreement.name].unit.startswith(USD.code)
    least = 1 if agreement.name in _DIVIDE else 0
    if not agreement.value.is_finite() or not least <= agreement.value <= _MOST or (in_cents and agreement.value * 100 % 1):
        written = "with at most two decimals " if in_cents else ""
        raise PolicyError(f"{agreement.name}: an agreed value is a number {written}from {least} to {_MOST:,}: correct the agreement")
    if not _favours(book, agreement, agreement.since):
        raise PolicyError(
            f"{agreement.name}: the agreement of {agreement.since} says {agreement.value}, the law {law} on that day; "
            f"an agreement must favour the worker at least as much: raise it or take it out"
        )


def _favours(book: LawBook, agreement: Agreement, day: date) -> bool:
    """Whether an agreement gives the worker at least what the law gives on `day`."""
    law = book.number(agreement.name, day)
    return agreement.value >= law if book.parameters[agreement.name].favour is Favour.MORE else agreement.value <= law
