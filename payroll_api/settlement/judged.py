"""A statement with the verdict on each line, and what makes a line the same line when it comes again."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from importers.statements.contract import Statement, StatementLine
from reconciliation.contract import SettlementMatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A verdict on a line, or on one payment's part of a line."""

    key: bytes
    line: StatementLine
    match: SettlementMatch
    payment: UUID | None  # the verdict's payment, read once: it is asked for at every turn

    @property
    def minor(self) -> int:
        """The minor units that this verdict explains."""
        return self.match.amount.minor if self.match.amount is not None else self.line.amount.minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A statement whose lines have their keys."""

    statement: Statement
    keys: Sequence[bytes]

    @classmethod
    def of(cls, statement: Statement) -> Numbered:
        """Key each line by what the bank says of it.

        Where the bank gives an id, that is part of it. Where it gives none (`#` and a position), the position is another in each file
        that shows the line, so equal lines are counted instead: the second of two equal ones has the same key in every file.
        """
        times: Counter[tuple[object, ...]] = Counter()
        keys = []
        for line in statement.lines:
            content = (line.direction.value, line.amount.minor, line.amount.currency.code, line.booked_on, *line.references)
            if line.entry.startswith("#"):
                times[content] += 1
                content = (f"#{times[content]}", *content)
            else:
                content = (line.entry, *content)
            keys.append(hashlib.sha256("|".join(map(str, (statement.account, *content))).encode()).digest())
        return cls(statement=statement, keys=keys)

    def new(self, known: AbstractSet[bytes]) -> list[int]:
        """The positions of the lines that no earlier statement showed."""
        return [position for position, key in enumerate(self.keys) if key not in known]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A statement and the verdicts on its new lines. A verdict's `line_index` is a position in `new`."""

    numbered: Numbered
    new: Sequence[int]
    verdicts: Sequence[SettlementMatch]

    @property
    def statement(self) -> Statement:
        """The statement itself."""
        return self.numbered.statement

    @property
    def again(self) -> int:
        """How many lines came before."""
        return len(self.numbered.keys) - len(self.new)

    def parts(self) -> Iterator[Part]:
        """Every verdict that stands on a line. Of a line's parts the first has the line's key."""
        seen: set[int] = set()
        for number, match in enumerate(self.verdicts):
            if match.line_index is None:
                continue
            position = self.new[match.line_index]
            key = self.numbered.keys[position]
            if position in seen:
                key = hashlib.sha256(key + number.to_bytes(4)).digest()
            seen.add(position)
            payment = UUID(match.payment_id) if match.payment_id else None
            yield Part(key=key, line=self.statement.lines[position], match=match, payment=payment)

    def without_line(self) -> Iterator[SettlementMatch]:
        """Every verdict on a payment that no line shows."""
        return (match for match in self.verdicts if match.line_index is None)
