"""A statement with the verdict on each line, and what makes a line the same line when it comes again."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from importers.statements.contract import Statement, StatementLine
from reconciliation.contract import SettlementMatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A verdict on a line, or on one payment's part of a line."""

    key: bytes
    line: StatementLine
    match: SettlementMatch
    account_key: bytes | None

    @property
    def minor(self) -> int:
        """The minor units that this verdict explains."""
        return self.match.amount.minor if self.match.amount is not None else self.line.amount.minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A statement and its verdicts."""

    statement: Statement
    verdicts: tuple[SettlementMatch, ...]

    def parts(self, account_key: Callable[[str], bytes]) -> Iterator[Part]:
        """Every verdict that stands on a line."""
        seen: Counter[int] = Counter()
        for match in self.verdicts:
            if match.line_index is None:
                continue
            line = self.statement.lines[match.line_index]
            seen[match.line_index] += 1
            key = self._key(line, seen[match.line_index])
            yield Part(key=key, line=line, match=match, account_key=account_key(line.account) if line.account else None)

    def without_line(self) -> Iterator[SettlementMatch]:
        """Every verdict on a payment that no line shows."""
        return (match for match in self.verdicts if match.line_index is None)

    def _key(self, line: StatementLine, part: int) -> bytes:
        fields = (
            self.statement.account, line.entry, line.direction.value, line.amount.minor, line.amount.currency.code, line.booked_on, part,
            *line.references,
        )  # fmt: skip
        return hashlib.sha256("|".join(map(str, fields)).encode()).digest()
