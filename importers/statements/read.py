"""`read_statement`: the bytes a bank sent -> a typed statement, whatever format they are in."""

from __future__ import annotations

from importers.statements.contract import Statement, StatementError
from importers.statements.messages import read_message, reader_of
from importers.statements.table_statement import TableLayout, read_csv, read_workbook

_ZIP, _PDF = b"PK", b"%PDF"


def read_statements(data: bytes, *, file_name: str, layout: TableLayout | None = None) -> tuple[Statement, ...]:
    """Every statement in the file, in its order. The content decides the format, not the file's name; CSV and workbooks need a layout.

    Raises StatementError.
    """
    if data.startswith(_PDF):
        raise StatementError(f"{file_name}: this is a PDF; ask the bank for the same statement as camt.053 or MT940")
    if data.startswith(_ZIP):
        if layout is None:
            raise StatementError(
                f"{file_name}: this is an Excel or zip file; configure its layout, ask the bank for camt.053 or MT940, or unpack it first"
            )
        return (read_workbook(data, layout, file_name=file_name),)
    if layout is not None and reader_of(data, file_name) is None:
        return (read_csv(data, layout, file_name=file_name),)
    return read_message(data, file_name=file_name)


def read_statement(data: bytes, *, file_name: str, layout: TableLayout | None = None) -> Statement:
    """The one statement in the file. Raises StatementError, also where the file holds several (`read_statements` reads those)."""
    statements = read_statements(data, file_name=file_name, layout=layout)
    if len(statements) != 1:
        raise StatementError(f"{file_name}: the file holds {len(statements)} statements; upload one account and day at a time")
    return statements[0]
