"""The figures of one month for one factory: the law's, or the factory's own where they favour the worker at least as much."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from reconciliation.contract import Citation
from reconciliation.law.book import LawBook
from reconciliation.law.parameter import Favour, Rows
from reconciliation.policy import Agreement, PolicyError


class Figures:
    """Numbers and sources in force on one day, agreements applied. Raises LawUnknownError and PolicyError."""

    def __init__(self, book: LawBook, day: date, agreements: Sequence[Agreement] = ()) -> None:
        self.book = book
        self.day = day
        self._agreed: dict[str, Agreement] = {}
        for agreement in sorted(agreements, key=lambda one: one.since):
            if agreement.since <= day:
                self._agreed[agreement.name] = agreement
        for agreement in self._agreed.values():
            self._refuse_less(agreement)

    def _refuse_less(self, agreement: Agreement) -> None:
        law = self.book.dated(agreement.name, self.day).value
        favour = self.book.parameters[agreement.name].favour
        if favour is Favour.FIXED:
            raise PolicyError(f"{agreement.name} is fixed by law: take the agreement of {agreement.since} out of the factory's policy")
        if not isinstance(law, Decimal):
            raise PolicyError(f"{agreement.name} is a table, which one figure cannot replace: take the agreement of {agreement.since} out")
        if (agreement.value < law) if favour is Favour.MORE else (agreement.value > law):
            raise PolicyError(
                f"{agreement.name}: the agreement of {agreement.since} says {agreement.value}, the law {law} on {self.day}; "
                f"an agreement must favour the worker at least as much: raise it or take it out"
            )

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
