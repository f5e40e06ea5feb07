"""Several sheets of one workbook, each with other workers, as one payroll: their rows, problems and sums together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from importers.contract import CellProblem, Counts, ImportedSheet, Layout, Meaning, PayrollRow, Severity
from importers.money import Money
from importers.problems import problem
from importers.rows import canonical_hash, net_sums


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPart:
    """What was read of one sheet, and its accepted rows as `canonical_lines` writes them."""

    sheet: ImportedSheet
    lines: tuple[str, ...] = ()


def in_order(problems: Iterable[CellProblem]) -> tuple[CellProblem, ...]:
    """The problem that stops the file first, then as found."""
    return tuple(sorted(problems, key=lambda found: found.severity is not Severity.STOPS_FILE))


def with_notes(sheet: ImportedSheet, notes: Sequence[CellProblem]) -> ImportedSheet:
    """The sheet with notes on its whole file."""
    return replace(sheet, problems=in_order([*notes, *sheet.problems]))


def joined(parts: Sequence[SheetPart]) -> ImportedSheet:
    """The parts as one. A sheet that is refused refuses the file: a payroll without one of its departments is not the payroll.

    Who stands on two sheets is paid from neither, as with two rows of one sheet.
    """
    first = parts[0].sheet
    lines = list(chain.from_iterable(part.lines for part in parts))
    sheets = [part.sheet for part in parts]
    if len(parts) == 1 or any(sheet.refused is not None for sheet in sheets):
        problems = in_order(chain.from_iterable(sheet.problems for sheet in sheets))
        one = first if len(parts) == 1 else _nothing(first, sheets)
        return replace(one, problems=problems, canonical_hash=canonical_hash(lines) if one.rows else first.content_hash)
    rows = list(chain.from_iterable(sheet.rows for sheet in sheets))
    twice = _standing_twice(rows, first.layout)
    codes = {code for code, times in Counter(row.worker_code for row in rows).items() if times > 1}
    kept = tuple(row for row in rows if row.worker_code not in codes)
    read = sum(sheet.counts.read for sheet in sheets)
    rejected = [row.net for row in rows if row.worker_code in codes]
    return replace(
        first,
        canonical_hash=canonical_hash(lines) if kept else first.content_hash,
        rows=kept,
        problems=in_order([*chain.from_iterable(sheet.problems for sheet in sheets), *twice]),
        counts=Counts(read=read, accepted=len(kept), rejected=read - len(kept)),
        net_accepted=net_sums(row.net for row in kept),
        net_rejected=net_sums([*rejected, *_amounts(sheet.net_rejected for sheet in sheets)]),
        control_totals=tuple(chain.from_iterable(sheet.control_totals for sheet in sheets)),
    )


def _nothing(first: ImportedSheet, sheets: Sequence[ImportedSheet]) -> ImportedSheet:
    """No row is taken: every row of the sheets that could be read is counted as rejected, with its net."""
    read = sum(sheet.counts.read for sheet in sheets)
    nets = _amounts(chain.from_iterable((sheet.net_accepted, sheet.net_rejected) for sheet in sheets))
    counts = Counts(read=read, accepted=0, rejected=read)
    return replace(first, rows=(), counts=counts, net_accepted={}, net_rejected=net_sums(nets), control_totals=())


def _amounts(sums: Iterable[Mapping[str, Money]]) -> Iterable[Money]:
    return chain.from_iterable(one.values() for one in sums)


def _standing_twice(rows: Sequence[PayrollRow], layout: Layout | None) -> list[CellProblem]:
    """A problem for each row whose worker stands on another sheet too."""
    places: dict[str, list[PayrollRow]] = {}
    for row in rows:
        places.setdefault(row.worker_code, []).append(row)
    letters = next((column.column for column in (layout.columns if layout else ()) if column.meaning is Meaning.WORKER_CODE), "A")
    return [
        problem(
            "worker_twice",
            sheet=row.sheet,
            cell=f"{letters}{row.row}",
            meaning=Meaning.WORKER_CODE,
            value=row.worker_code,
            hint=", ".join(f"{other.sheet} row {other.row}" for other in same[:4] if other is not row),
        )
        for same in places.values()
        if len(same) > 1
        for row in same
    ]
