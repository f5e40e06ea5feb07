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
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from importers.guard import OLE_MAGIC, Kind, RefusedFileError, inspect
from importers.sandbox import limit_this_process
from importers.second_reader import Strings, compare, disagreements, duration, read_strings
from importers.sheet_xml import SecondLook, counts_from_1904, look, read_styles, shared_strings, sheet_parts

MOST_ROWS = 100_000
MOST_COLUMNS = 256
MOST_CELLS = 4_000_000
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
    looks, strings = _looked_at(data)
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum  # noqa: PLC0415  only after the guard

    for seen in looks.values():
        if seen.wide:
            raise RefusedFileError("sheet_too_wide")
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
    sheets = []
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
        visible = meta.visible == SheetVisibleEnum.Visible
        sheets.append(_sheet(meta.name, sheet, looks.get(meta.name, SecondLook()), visible=visible))
        later.append(partial(_compare, meta.name, looks.get(meta.name, SecondLook()), strings, sheets[-1]["rows"]))
    return sheets


def _looked_at(data: bytes) -> tuple[dict[str, SecondLook], Strings]:
    """The guard for the kind of workbook it is, and a look at each sheet beside its values."""
    if data.startswith(OLE_MAGIC):
        from importers.old_excel import look_at_old_sheets  # noqa: PLC0415  a reader that few files need

        return look_at_old_sheets(data)
    kind = inspect(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if kind is Kind.OPEN_DOCUMENT:
            from importers.open_document import look_at_tables  # noqa: PLC0415  as above

            return look_at_tables(archive), Strings()
        parts, styles = sheet_parts(archive), read_styles(archive)
        looks = {name: look(archive.read(part), styles) for name, part in parts.items() if part in archive.namelist()}
        return looks, Strings(texts=read_strings(shared_strings(archive)), from_1904=counts_from_1904(archive))


def _compare(name: str, seen: SecondLook, strings: Strings, rows: list[list[Any]]) -> Iterator[str]:
    found = compare(seen.values, rows, strings) if seen.values is not None else disagreements(seen.xml, seen.prefix, strings, rows)
    for row, column, text in found:
        yield json.dumps([name, row, column, text[:_SHOWN]])


def _sheet(name: str, sheet: Any, seen: SecondLook, *, visible: bool) -> dict[str, Any]:  # noqa: ANN401  calamine has no types
    rows = sheet.to_python(skip_empty_area=False)
    if seen.values is not None:
        rows = [[_plain(cell) for cell in row] for row in rows]
    else:
        shown = sum(len(row) - row.count("") for row in rows) + len(seen.errors)
        if seen.filled != shown and seen.doubled():
            raise RefusedFileError("cells_twice")
    merged = seen.merged if seen.merged is not None else [[*first, *last] for first, last in sheet.merged_cell_ranges or ()]
    return {
        "name": name,
        "visible": visible,
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
    limit_this_process(memory=768 * 1024 * 1024, cpu_seconds=8)
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
