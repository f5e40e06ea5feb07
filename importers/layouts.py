"""A factory's layout: proposed from the headers and the cells below them, corrected and confirmed by a person, kept as JSON."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from importers.contract import ColumnReading, Layout, Meaning
from importers.evidence import Evidence, gather, settles_net
from importers.headers import PARTLY, TAKEN_FROM, WEAK, Guess, currency_of, guess, identity, key, names_khmer
from importers.kinds import ADDED_UP, MONEY, NAME_PARTS, UNREAD
from importers.money import CURRENCIES
from importers.sheet_xml import column_letters
from importers.table import Caption, Table
from importers.workbook import Grid

_SEVERAL = (UNREAD | ADDED_UP) - {part for parts in NAME_PARTS.values() for part in parts}  # may stand in more than one column
_CONFIRMED = Decimal("1.00")
_NOT_SURE = "not certain enough: "


def fingerprint(table: Table) -> str:
    """What identifies a layout: every caption with its column. One inserted column or changed word makes another."""
    parts = [f"{column_letters(index)}={identity(caption.header)}" for index, caption in enumerate(table.captions) if caption.header]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def propose(grid: Grid, table: Table) -> Layout:
    """The mapping as far as it is certain; every column that is not is left open with the reason."""
    found = gather(grid, table)
    captions = _without_empty_halves(table.captions, found)
    columns = [_reading(index, caption, found[index]) for index, caption in enumerate(captions) if caption.header or found[index].filled]
    columns = _without_rivals(columns)
    columns = _with_net(grid, table, columns)
    return Layout(
        sheet=grid.name,
        header_rows=tuple(row + 1 for row in table.header_rows),
        columns=tuple(columns),
        fingerprint=fingerprint(table),
    )


def _without_empty_halves(captions: Sequence[Caption], found: Sequence[Evidence]) -> list[Caption]:
    """A header merged over two columns of which one is empty is the other one's own header."""
    result = list(captions)
    start = 0
    for index in range(1, len(result) + 1):
        if index < len(result) and result[index].groups == result[start].groups and not result[index].own and not result[start].own:
            continue
        spread = range(start, index)
        filled = [place for place in spread if found[place].filled]
        if len(spread) > 1 and len(filled) == 1 and result[start].groups:
            for place in spread:
                own = captions[place].groups if place in filled else ()
                result[place] = Caption(groups=(), own=own)
        start = index
    return result


def _reading(index: int, caption: Caption, evidence: Evidence) -> ColumnReading:
    own, groups = " / ".join(caption.own), " / ".join(caption.groups)
    if groups and not key(own) and currency_of(own):
        own, groups = f"{groups} / {own}", ""  # USD and KHR under "Net pay": the group's caption is the column's own
    guesses = guess(own, groups) if own else tuple(_weaker(entry) for entry in guess(groups)) if groups else ()
    best = guesses[0] if guesses else None
    currency, currency_reason, torn = _currency(own, groups, evidence)
    reading = ColumnReading(
        column=column_letters(index), header=caption.header, meaning=None, score=Decimal("0.00"), reason="no known word", currency=None
    )
    if best is None:
        return reading if caption.header else replace(reading, reason="the column has no header")
    if best.score < TAKEN_FROM and best.meaning in MONEY and best.reason.startswith("time or money") and currency:
        best = Guess(meaning=best.meaning, score=TAKEN_FROM, reason="overtime; its cells are money")
    misfit = evidence.misfit(best.meaning)
    if misfit and best.score >= TAKEN_FROM:
        best = Guess(meaning=best.meaning, score=PARTLY, reason=misfit)
    if best.meaning not in MONEY:
        currency, currency_reason, torn = None, "", False
    if torn:
        best = Guess(meaning=best.meaning, score=PARTLY, reason="header and cells name two currencies")
    sure = best.score >= TAKEN_FROM
    reason = best.reason if sure else f"{_NOT_SURE}maybe {best.meaning.value}; {best.reason}"
    return replace(
        reading,
        meaning=best.meaning if sure else None,
        score=best.score,
        reason=f"{reason}; {currency_reason}" if currency_reason and sure else reason,
        currency=currency if best.meaning in MONEY else None,
    )


def _weaker(entry: Guess) -> Guess:
    return Guess(meaning=entry.meaning, score=min(entry.score, PARTLY), reason="only the group caption is known")


def _currency(own: str, groups: str, evidence: Evidence) -> tuple[str | None, str, bool]:
    """(currency, why, whether the sources contradict each other)."""
    header = currency_of(own) or currency_of(groups)
    shown = evidence.currency
    if header and shown and header != shown:
        return None, "", True
    sources = (
        (header, "by its header"),
        (shown, "by its cells"),
        (evidence.hinted, "by some of its cells"),
        (evidence.beside, "stands beside the table"),
        (evidence.by_size, f"{ASSUMED} by the size of its amounts"),
    )
    found, reason = next(((code, why) for code, why in sources if code), (None, ""))
    return found, f"{found} {reason}" if found else "", False


ASSUMED = "assumed"


def side_by_side(layout: Layout) -> str | None:
    """The column where a second table of workers begins to the right of the first one; None when there is one table."""
    if layout.confirmed:
        return None  # a person has said what each column means
    places: dict[Meaning, list[str]] = {}
    for column in layout.columns:
        for entry in guess(column.header)[:1]:
            if entry.score >= TAKEN_FROM and entry.meaning in {Meaning.WORKER_CODE, Meaning.NAME, Meaning.NET}:
                places.setdefault(entry.meaning, []).append(column.column)
    order = [column.column for column in layout.columns]
    twice = [columns for columns in places.values() if len(columns) > 1]
    if len(twice) < 3:  # noqa: PLR2004  code, name and net
        return None
    firsts, seconds = [order.index(columns[0]) for columns in twice], [order.index(columns[1]) for columns in twice]
    return order[min(seconds)] if max(firsts) < min(seconds) else None


def _without_rivals(columns: list[ColumnReading]) -> list[ColumnReading]:
    """One meaning, one column (or one for each currency): rivals of the same certainty are all asked about."""
    wanted: dict[tuple[Meaning, str | None], list[int]] = {}
    for index, column in enumerate(columns):
        if column.meaning is not None and column.meaning not in _SEVERAL:
            wanted.setdefault((column.meaning, column.currency), []).append(index)
    result = list(columns)
    for (meaning, _), places in wanted.items():
        if len(places) == 1:
            continue
        best = max(columns[place].score for place in places)
        winners = [place for place in places if columns[place].score == best]
        if meaning is Meaning.NAME:  # "Name (Khmer)" beside "Name": the one that says so
            winners = [place for place in winners if names_khmer(columns[place].header)] or winners
        for place in places:
            if len(winners) == 1 and place == winners[0]:
                continue
            others = ", ".join(columns[other].column for other in places if other != place)
            result[place] = _asked(columns[place], f"maybe {meaning.value}; column {others} may be it too")
    return result


def _asked(column: ColumnReading, why: str) -> ColumnReading:
    return replace(column, meaning=None, score=min(column.score, PARTLY), reason=f"{_NOT_SURE}{why}")


def _with_net(grid: Grid, table: Table, columns: list[ColumnReading]) -> list[ColumnReading]:
    """A weak word for the net is enough when gross less deductions is this column, row after row."""
    if any(column.meaning is Meaning.NET for column in columns):
        return columns
    candidates = [
        index
        for index, column in enumerate(columns)
        if column.meaning is None
        and column.score >= WEAK
        and column.currency is not None
        and any(entry.meaning is Meaning.NET for entry in guess(column.header.rpartition(" / ")[2]))
    ]
    proven = [index for index in candidates if settles_net(grid, table, columns, index)]
    if len(proven) != 1:
        return columns
    result = list(columns)
    reason = "a word for the amount to pay, and gross less deductions equals it row after row"
    result[proven[0]] = replace(columns[proven[0]], meaning=Meaning.NET, score=Decimal("0.90"), reason=reason)
    return result


def apply_corrections(layout: Layout, meanings: Mapping[str, Meaning], currencies: Mapping[str, str] | None = None) -> Layout:
    """The layout as a person says it is, confirmed. Keys are column letters; a column not named stays as proposed.

    Raises ValueError for a column or currency that does not exist, and for a meaning given to two columns of one currency.
    """
    known = {column.column for column in layout.columns}
    unknown = sorted((set(meanings) | set(currencies or {})) - known)
    if unknown:
        raise ValueError(f"column {unknown[0]} is not in the layout; it has {', '.join(sorted(known, key=lambda c: (len(c), c)))}")
    for code in (currencies or {}).values():
        if code not in CURRENCIES:
            raise ValueError(f"currency {code!r} is not known; use {' or '.join(CURRENCIES)}")
    columns = []
    for column in layout.columns:
        changed = column
        if column.column in meanings:
            changed = replace(changed, meaning=meanings[column.column], score=_CONFIRMED, reason="said by a person")
        if column.column in (currencies or {}):
            changed = replace(changed, currency=(currencies or {})[column.column], reason=f"{changed.reason}; currency said by a person")
        columns.append(changed)
    _refuse_rivals(columns)
    return replace(layout, columns=tuple(columns), confirmed=True)


def _refuse_rivals(columns: list[ColumnReading]) -> None:
    counted = Counter(
        (column.meaning, column.currency if column.meaning in MONEY else None)
        for column in columns
        if column.meaning is not None and column.meaning not in _SEVERAL
    )
    for (meaning, currency), times in counted.items():
        if times > 1 and meaning is not None:
            places = ", ".join(c.column for c in columns if c.meaning is meaning and (c.currency == currency or currency is None))
            raise ValueError(f"columns {places} cannot all mean {meaning.value}; keep one and mark the others as ignored")


def layout_to_json(layout: Layout) -> dict[str, Any]:
    """The layout as plain JSON values."""
    return {
        "sheet": layout.sheet,
        "header_rows": list(layout.header_rows),
        "fingerprint": layout.fingerprint,
        "confirmed": layout.confirmed,
        "chosen": list(layout.chosen),
        "columns": [
            {
                "column": column.column,
                "header": column.header,
                "meaning": column.meaning.value if column.meaning is not None else None,
                "score": str(column.score),
                "reason": column.reason,
                "currency": column.currency,
            }
            for column in layout.columns
        ],
    }


def layout_from_json(data: Mapping[str, Any]) -> Layout:
    """A layout kept as JSON. Raises ValueError or KeyError when it is not one."""
    return Layout(
        sheet=str(data["sheet"]),
        header_rows=tuple(int(row) for row in data["header_rows"]),
        fingerprint=str(data["fingerprint"]),
        confirmed=bool(data["confirmed"]),
        chosen=tuple(map(str, data.get("chosen", ()))),
        columns=tuple(
            ColumnReading(
                column=str(column["column"]),
                header=str(column["header"]),
                meaning=Meaning(column["meaning"]) if column["meaning"] is not None else None,
                score=Decimal(str(column["score"])),
                reason=str(column["reason"]),
                currency=column["currency"],
            )
            for column in data["columns"]
        ),
    )
