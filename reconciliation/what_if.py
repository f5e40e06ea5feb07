"""What a changed law or policy would cost a factory: the same months computed twice, the difference by line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from importers.money import Money
from reconciliation.contract import ExchangeRates, Line, Side, WorkMonth
from reconciliation.entitlements import entitlements_many
from reconciliation.law.book import LawBook
from reconciliation.policy import FactoryPolicy

_NOTHING_INSIDE: Mapping[Line, Line] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Totals of one line over all workers, now and under the change, in the line's currency."""

    side: Side
    now: Money
    then: Money
    workers: int  # whose amount changes

    @property
    def difference(self) -> Money:
        """What the change adds; negative where it saves."""
        return self.then - self.now


def what_if(
    months: Iterable[WorkMonth],
    *,
    book: LawBook,
    policy: FactoryPolicy,
    rates: ExchangeRates,
    changed_book: LawBook | None = None,
    changed_policy: FactoryPolicy | None = None,
    changed_months: Iterable[WorkMonth] | None = None,
    inside: Mapping[Line, Line] = _NOTHING_INSIDE,
) -> Mapping[Line, Cost]:
    """The cost of a change by line, for the same workers in the same order; `changed_months` may move them to another period.

    `inside` names lines that are told within another of the same side and currency.

    Raises LawUnknownError where one of the two books has no value, and ValueError where the workers are not the same.
    """
    before = list(months)
    after = before if changed_months is None else list(changed_months)
    if [month.worker_code for month in before] != [month.worker_code for month in after]:
        raise ValueError("the changed months must be those of the same workers in the same order")
    now = entitlements_many(before, book=book, rates=rates, policy=policy)
    then = entitlements_many(after, book=changed_book or book, rates=rates, policy=changed_policy or policy)
    sums: dict[Line, list[Money]] = {}
    sides: dict[Line, Side] = {}
    touched: dict[Line, int] = defaultdict(int)
    for one, other in zip(now, then, strict=True):
        amounts: dict[Line, list[Money]] = {}
        for column, owed in enumerate((one, other)):
            for line in owed.lines:
                name = inside.get(line.line, line.line)
                pair = amounts.setdefault(name, [Money.zero(line.amount.currency)] * 2)
                pair[column] += line.amount
                sides[name] = line.side
        for name, pair in amounts.items():
            total = sums.setdefault(name, [Money.zero(pair[0].currency)] * 2)
            sums[name] = [total[0] + pair[0], total[1] + pair[1]]
            touched[name] += pair[0] != pair[1]
    return {line: Cost(side=sides[line], now=pair[0], then=pair[1], workers=touched[line]) for line, pair in sums.items()}
