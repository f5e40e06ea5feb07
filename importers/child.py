"""The child process that parses a workbook: bytes on stdin, JSON on stdout, under limits it sets for itself.

A parser that runs out of memory or aborts takes only this process with it. Run as `python -m importers.child`.
"""

from __future__ import annotations

import gc
import io
import json
import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from importers.guard import OLE_MAGIC, Kind, RefusedFileError, inspect
from importers.sandbox import limit_this_process
from importers.second_reader import Strings, compare, disagreements, duration, read_strings
from importers.sheet_xml import (
    SecondLook,
    Styles,
    counts_from_1904,
    has_near_addresses,
    look,
    read_styles,
    shared_strings,
    sheet_parts,
)

MOST_ROWS = 100_000
MOST_COLUMNS = 256
MOST_CELLS = 4_000_000
CPU_SECONDS = 20  # of this process; 20,000 rows of the slowest format cost about half of it
_SHOWN = 100  # characters of a cell that two readings show differently


def encode(value: object) -> dict[str, object]:
    """A date, time or duration as JSON can carry it. Raises TypeError for anything else."""
    if isinstance(value, datetime):
        return {"@": "datetime", "v": value.isoformat()}
    if isinstance(value, date):
        return {"@": "date", "v": value.isoformat()}
    if isinstance(value, time):
        return {"@": "time", "v": value.isoformat()}
    if isinstance(value, timedelta):
        return {"@": "duration", "v": [value.days, value.seconds, value.microseconds]}
    raise TypeError(f"a cell of type {type(value).__name__}")


def read(data: bytes, later: list[Callable[[], Iterator[str]]]) -> list[dict[str, Any]]:
    """Every worksheet's cells and what stands beside them; `later` gets the comparisons still to make. Raises RefusedFileError."""
    parts = _guarded(data)
    # calamine lets others work while it parses: on a second core the look beside the values is taken meanwhile.
    with ThreadPoolExecutor(1) as beside:
        begun = beside.submit(_values, data) if parts.are_plain() else None
        looks, strings = parts.looked_at()
        if any(seen.wide for seen in looks.values()):
            raise RefusedFileError("sheet_too_wide")
        values = begun.result() if begun is not None else _values(data)
    sheets = []
    for meta, sheet in values:
        seen = looks.get(meta.name, SecondLook())
        sheets.append(_sheet(meta, sheet, seen))
        later.append(partial(_compare, meta.name, seen, strings, sheets[-1]["rows"]))
    return sheets


def _values(data: bytes) -> list[tuple[Any, Any]]:
    """Each worksheet as calamine answers it: what it is, and its cells. Only after the guard."""
    from python_calamine import CalamineWorkbook, SheetTypeEnum  # noqa: PLC0415  as said

    workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
    values = []
    for meta in workbook.sheets_metadata:
        if meta.typ != SheetTypeEnum.WorkSheet:
            continue
        sheet = workbook.get_sheet_by_name(meta.name)
        height, width = (sheet.end[0] + 1, sheet.end[1] + 1) if sheet.end is not None else (0, 0)
        if height > MOST_ROWS:
            raise RefusedFileError("sheet_too_long")
        if width > MOST_COLUMNS or height * width > MOST_CELLS:
            raise RefusedFileError("sheet_too_wide")
        sys.stderr.write(f"{height}\n")  # how long the sheet is: whoever waits sees it before the values come
        sys.stderr.flush()
        values.append((meta, sheet))
    return values


@dataclass(slots=True, kw_only=True)
class _Guarded:
    """A workbook that the guard let through, and the look beside its values: taken already, or still to take from the XML."""

    taken: tuple[dict[str, SecondLook], Strings] | None = None
    xml: dict[str, bytes] = field(default_factory=dict)
    styles: Styles = field(default_factory=lambda: Styles({}, {}))
    strings: bytes = b""
    from_1904: bool = False

    def are_plain(self) -> bool:
        """Whether it is clear already that no cell stands far away: calamine keeps all places between the first and the last one."""
        return all(has_near_addresses(xml) for xml in self.xml.values())

    def looked_at(self) -> tuple[dict[str, SecondLook], Strings]:
        """Each sheet's name and what stands beside its values, and what its cells refer to."""
        if self.taken is not None:
            return self.taken
        looks = {name: look(self.xml.pop(name), self.styles) for name in list(self.xml)}
        return looks, Strings(texts=read_strings(self.strings), from_1904=self.from_1904)


def _guarded(data: bytes) -> _Guarded:
    """The guard for the kind of workbook it is. Raises RefusedFileError."""
    if data.startswith(OLE_MAGIC):
        from importers.old_excel import look_at_old_sheets  # noqa: PLC0415  a reader that few files need

        return _Guarded(taken=look_at_old_sheets(data))
    kind = inspect(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if kind is Kind.OPEN_DOCUMENT:
            from importers.open_document import look_at_tables  # noqa: PLC0415  as above

            return _Guarded(taken=(look_at_tables(archive), Strings()))
        names = set(archive.namelist())
        return _Guarded(
            xml={name: archive.read(part) for name, part in sheet_parts(archive).items() if part in names},
            styles=read_styles(archive),
            strings=shared_strings(archive),
            from_1904=counts_from_1904(archive),
        )


def _compare(name: str, seen: SecondLook, strings: Strings, rows: list[list[Any]]) -> Iterator[str]:
    found = compare(seen.values, rows, strings) if seen.values is not None else disagreements(seen.xml, seen.prefix, strings, rows)
    for row, column, text in found:
        yield json.dumps([name, row, column, text[:_SHOWN]])


def _sheet(meta: Any, sheet: Any, seen: SecondLook) -> dict[str, Any]:  # noqa: ANN401  calamine has no types
    from python_calamine import SheetVisibleEnum  # noqa: PLC0415  as above

    rows = sheet.to_python(skip_empty_area=False)
    if seen.values is not None:
        rows = [[_plain(cell) for cell in row] for row in rows]
    else:
        shown = sum(len(row) - row.count("") for row in rows) + len(seen.errors)
        if seen.filled != shown and seen.doubled():
            raise RefusedFileError("cells_twice")
    merged = seen.merged if seen.merged is not None else [[*first, *last] for first, last in sheet.merged_cell_ranges or ()]
    return {
        "name": meta.name,
        "visible": meta.visible == SheetVisibleEnum.Visible,
        "rows": rows,
        "merged": merged,
        "errors": seen.errors,
        "booleans": seen.booleans,
        "unsaved": seen.unsaved,
        "formulas": seen.formulas,
        "currencies": seen.currencies,
        "legacy": seen.legacy,
        "hidden_rows": seen.hidden_rows,
        "hidden_columns": seen.hidden_columns,
    }


def _plain(cell: Any) -> Any:  # noqa: ANN401  what calamine answers for a cell
    """A cell of an old format as those of new ones are: every number a float, a long duration no text."""
    if type(cell) is int:
        return float(cell)
    return duration(cell) if isinstance(cell, str) and cell.startswith("PT") else cell


def answer(data: bytes, later: list[Callable[[], Iterator[str]]]) -> dict[str, Any]:
    """The sheets, or the code of the refusal. A file that the parser cannot read is refused, not an error of ours."""
    try:
        return {"sheets": read(data, later)}
    except RefusedFileError as refused:
        return {"refused": refused.code}
    except MemoryError:
        return {"refused": "unpacks_too_large"}
    except Exception:  # noqa: BLE001  whatever a parser makes of a damaged file, the answer is the same
        return {"refused": "damaged_file"}


def main() -> None:
    """Answer one workbook; then, while the answer is already being worked with, compare it with a second reading."""
    limit_this_process(memory=768 * 1024 * 1024, cpu_seconds=CPU_SECONDS)
    gc.disable()  # one answer and gone: half a million cells need no search for cycles
    later: list[Callable[[], Iterator[str]]] = []
    sys.stdout.write(json.dumps(answer(sys.stdin.buffer.read(), later), default=encode, check_circular=False))
    sys.stdout.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever reads sees the end
    for work in later:
        for line in work():
            sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
