"""A document as CSV: UTF-8 with a mark so that Excel reads Khmer, one table below the other, plain numbers and ISO days."""

from __future__ import annotations

import csv
import io
from datetime import date

from importers.money import Money
from payroll_api.reports.document import Document, Value
from payroll_api.reports.neutral import in_csv


def write_csv(document: Document) -> bytes:
    """The bytes of the file. A document of one section is a bare table: a heading row and its rows, nothing else."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    is_bare = len(document.sections) == 1
    for number, section in enumerate(document.sections):
        if not is_bare:
            writer.writerows([[]] if number else [])
            writer.writerow([in_csv(section.title)])
        writer.writerow([in_csv(column.title) for column in section.columns])
        writer.writerows([_cell(value) for value in row] for row in section.rows)
        if not is_bare:
            writer.writerows([_cell(value) for value in row] for row in section.totals)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cell(value: Value) -> str:
    if isinstance(value, Money):
        return str(value.amount)
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value) if isinstance(value, int) else in_csv(value)
