"""A name in two columns, family and given: read as the one name that it is."""

from __future__ import annotations

from dataclasses import replace

from importers.cells import blank
from importers.choose import Candidate
from importers.contract import ColumnReading, Layout, Meaning
from importers.kinds import NAME_PARTS
from importers.sheet_xml import column_index
from importers.workbook import Cell


def with_whole_names(chosen: Candidate) -> Candidate:
    """The sheet with family and given name joined in the family name's cell, where it has no column for the whole name."""
    layout = chosen.layout
    for whole, (family, given) in NAME_PARTS.items():
        if _column(layout, whole) is None and (first := _column(layout, family)) and (second := _column(layout, given)):
            _join(chosen, column_index(first.column), column_index(second.column))
            columns = tuple(replace(column, meaning=whole) if column is first else column for column in layout.columns)
            layout = replace(layout, columns=columns)
    return replace(chosen, layout=layout)


def _column(layout: Layout, meaning: Meaning) -> ColumnReading | None:
    return next((column for column in layout.columns if column.meaning is meaning), None)


def _join(chosen: Candidate, family: int, given: int) -> None:
    for line in chosen.grid.rows[chosen.table.first_row :]:
        second: Cell = line[given] if given < len(line) else ""
        if blank(second):
            continue
        first: Cell = line[family] if family < len(line) else ""
        line.extend([""] * (family + 1 - len(line)))
        if blank(first) or not isinstance(second, str):
            line[family] = second  # what is no text is told as no name
        elif isinstance(first, str):
            line[family] = f"{first.strip()} {second.strip()}"
