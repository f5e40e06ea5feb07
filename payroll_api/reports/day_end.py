"""The day's end as two tables: the bank's view beside ours, and what stands between them, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from importers.money import Money, currency
from payroll_api.reports.document import Column, Section, Value
from payroll_api.reports.words import ReportWords
from payroll_api.settlement.day_end import CLASSES, DayEnd


def day_end_sections(found: DayEnd, words: ReportWords) -> list[Section]:
    """Both tables. The sum of the second is the difference of the closing balances, or it says that the bank states none."""
    return [_views(found, words), _between(found, words)]


def _views(found: DayEnd, words: ReportWords) -> Section:
    def row(name: str, bank: int | None, ours: int | None) -> list[Value]:
        difference = None if bank is None or ours is None else bank - ours
        return [
            words(f"day_end.{name}"),
            _money(bank, found) or words("day_end.not_stated"),
            _money(ours, found),
            _money(difference, found),
        ]

    columns = [
        Column(title=words("day_end.line"), weight=4),
        Column(title=words("day_end.bank"), weight=2, is_figure=True),
        Column(title=words("day_end.ledger"), weight=2, is_figure=True),
        Column(title=words("day_end.difference"), weight=2, is_figure=True),
    ]
    rows = [row("opening", found.bank.opening, found.ledger.opening)]
    rows += [row(name, found.bank.moved[name], found.ledger.moved[name]) for name in CLASSES]
    closing = row("closing", found.bank.closing, found.ledger.closing)
    in_transit = words("day_end.transit", count=found.in_transit_count, amount=str(_money(found.in_transit, found)))
    return Section(title=words("day_end.views"), columns=columns, rows=rows, totals=[closing], note=in_transit)


def _between(found: DayEnd, words: ReportWords) -> Section:
    rows: list[list[Value]] = []
    for name, minor in (("carried", found.carried), ("not_adding", found.not_adding_up)):
        if minor:
            rows.append([words(f"day_end.{name}"), "", _money(minor, found)])
    rows += [[words.known(f"kind.{one.what}", one.what), one.reference or "", _money(one.minor, found)] for one in found.named]
    if found.unnamed_rest:
        rows.append([words("day_end.rest"), "", _money(found.unnamed_rest, found)])
    total = (found.carried or 0) + (found.not_adding_up or 0) + sum(one.minor for one in found.named) + found.unnamed_rest
    columns = [
        Column(title=words("day_end.what"), weight=4),
        Column(title=words("reference"), weight=3),
        Column(title=words("day_end.difference"), weight=2, is_figure=True),
    ]
    totals: list[list[Value]] = [[words("day_end.sum"), "", _money(total, found)]] if rows else []
    return Section(title=words("day_end.between"), columns=columns, rows=rows, totals=totals, empty=words("day_end.agree"))


def movements_section(rows: Sequence[tuple[Any, ...]], found: DayEnd, words: ReportWords) -> Section:
    """Every movement of the bank: wages that arrived as ordered in one row, and each other one with how it is explained."""

    def told(state: str | None, way: str | None, reason: str | None) -> str:
        if state == "closed":
            return ": ".join(part for part in (words.known(f"way_out.{way}", way or ""), reason) if part)
        if state is None:
            return ""
        return words("day_end.open")

    listed: list[list[Value]] = [
        [day, words.known(f"kind.{kind}", kind), which, _money(int(minor), found), told(state, way, reason)]
        for day, kind, which, minor, state, way, reason in rows
        if minor or kind != "as_ordered"
    ]
    columns = [
        Column(title=words("day"), weight=2),
        Column(title=words("day_end.what"), weight=4),
        Column(title=words("reference"), weight=4),
        Column(title=words("amount"), weight=2, is_figure=True),
        Column(title=words("day_end.explained"), weight=5),
    ]
    total = sum(int(row[3]) for row in rows)
    return Section(
        title=words("day_end.movements"),
        columns=columns,
        rows=listed,
        totals=[[None, words("total"), "", _money(total, found), ""]],
        note=words("day_end.movements_note"),
    )


def _money(minor: int | None, found: DayEnd) -> Money | None:
    return None if minor is None else Money(minor, currency(found.currency))
