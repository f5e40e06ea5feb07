"""Messages that say themselves what they are: XML of a bank, MT940, and what wallets list. Files that need a layout are in `read`."""

from __future__ import annotations

from collections.abc import Callable

from importers.statements.camt import read_camt
from importers.statements.contract import Statement, StatementError
from importers.statements.gsma import read_gsma_statement
from importers.statements.mt940 import read_mt940
from importers.statements.payway import MARK as PAYWAY_MARK
from importers.statements.payway import read_payway_statement

Reader = Callable[..., tuple[Statement, ...]]

_MT940_MARKS = (b"\n:20:", b"\r:20:", b"\n:25:", b"\r:25:", b"\n:60F:", b"{4:")
_UTF16_XML = (b"\xff\xfe<\x00", b"\xfe\xff\x00<")


def read_message(data: bytes, *, file_name: str) -> tuple[Statement, ...]:
    """Every statement in the message, in its order. Raises StatementError, also for a file that is no such message."""
    reader = reader_of(data, file_name)
    if reader is None:
        raise StatementError(
            f"{file_name}: the format is not known (expected camt.053, camt.054, MT940 or a wallet's statement entries); "
            "ask the bank which one it sends, or configure the layout if it is CSV or a workbook"
        )
    return reader(data, file_name=file_name)


def reader_of(data: bytes, file_name: str) -> Reader | None:
    """Who reads this, by its content and never by its name; None where it does not say what it is. Raises StatementError if it is empty."""
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n\x00\x01")
    if not start:
        raise StatementError(f"{file_name}: the file is empty; fetch it from the bank again")
    if start.startswith(b"<") or data.startswith(_UTF16_XML):
        return read_camt
    if start.startswith((b":20:", b":25:", b"{1:", b":940:")) or any(mark in start for mark in _MT940_MARKS):
        return read_mt940
    if start.startswith((b"[", b"{")):
        return _wallet
    return None


def _wallet(data: bytes, *, file_name: str) -> tuple[Statement, ...]:
    del file_name  # its messages name the place in the document
    return (read_payway_statement(data) if PAYWAY_MARK in data[:200] else read_gsma_statement(data),)
