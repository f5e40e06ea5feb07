"""`read_statement`: the bytes a bank sent -> a typed statement, whatever format they are in."""

from __future__ import annotations

from collections.abc import Callable

from importers.statements.camt import read_camt
from importers.statements.contract import Statement, StatementError
from importers.statements.csv_statement import CsvLayout, read_csv
from importers.statements.gsma import read_gsma_statement
from importers.statements.mt940 import read_mt940
from importers.statements.payway import MARK as PAYWAY_MARK
from importers.statements.payway import read_payway_statement

_UTF16_XML = (b"\xff\xfe<\x00", b"\xfe\xff\x00<")


def read_statements(data: bytes, *, file_name: str, csv_layout: CsvLayout | None = None) -> tuple[Statement, ...]:
    """Every statement in the file, in its order. The content decides the format, not the file's name; CSV needs its layout.

    Raises StatementError.
    """
    return _reader(data, file_name, csv_layout)(data, file_name=file_name)


def read_statement(data: bytes, *, file_name: str, csv_layout: CsvLayout | None = None) -> Statement:
    """The one statement in the file. Raises StatementError, also where the file holds several (`read_statements` reads those)."""
    statements = read_statements(data, file_name=file_name, csv_layout=csv_layout)
    if len(statements) != 1:
        raise StatementError(f"{file_name}: the file holds {len(statements)} statements; upload one account and day at a time")
    return statements[0]


def _wallet(data: bytes, *, file_name: str) -> tuple[Statement, ...]:
    del file_name  # its messages name the place in the document
    return (read_payway_statement(data) if PAYWAY_MARK in data[:200] else read_gsma_statement(data),)


def _reader(data: bytes, file_name: str, csv_layout: CsvLayout | None) -> Callable[..., tuple[Statement, ...]]:
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n\x00\x01")
    if not start:
        raise StatementError(f"{file_name}: the file is empty; fetch it from the bank again")
    if start.startswith(b"<") or data.startswith(_UTF16_XML):
        return read_camt
    if start.startswith((b":20:", b"{1:", b":940:")) or b"\n:20:" in start or b"\n:25:" in start:
        return read_mt940
    if start.startswith((b"[", b"{")):
        return _wallet
    if start.startswith(b"PK"):
        raise StatementError(f"{file_name}: this is an Excel or zip file; ask the bank for camt.053 or MT940, or unpack it first")
    if start.startswith(b"%PDF"):
        raise StatementError(f"{file_name}: this is a PDF; ask the bank for the same statement as camt.053 or MT940")
    if csv_layout is not None:
        return lambda data, *, file_name: (read_csv(data, csv_layout, file_name=file_name),)
    raise StatementError(
        f"{file_name}: the format is not known (expected camt.053, camt.054, MT940 or a wallet's statement entries); "
        "ask the bank which one it sends, or configure the layout if it is CSV"
    )
