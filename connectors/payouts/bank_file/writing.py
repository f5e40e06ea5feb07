"""Write a batch as the bank's file: text stays text, amounts are numbers with their decimals, and nothing is cut."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, cast

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from connectors.payouts.bank_file.config import BankFileConfig
from connectors.payouts.bank_file.layout import Column, Layout
from connectors.payouts.contract import PayoutBatch, PayoutOrder, ProducedFile
from importers.money import total

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What a spreadsheet program takes for the beginning of a formula; in CSV no cell type protects from it.
_FORMULA = re.compile(r"^[\s\x00-\x1f\u200b\ufeff]*[=+\-@|%\uff1d\uff0b\uff0d\uff20]")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

Cell = str | Decimal | int


class FileRefusedError(ValueError):
    """The batch cannot be written in this layout; the message names the row and the column, and nobody."""


def write(batch: PayoutBatch, config: BankFileConfig) -> ProducedFile:
    """The file. Raises FileRefusedError where a value does not fit: a name cut off may be another name."""
    layout = config.layout
    rows = list(_rows(batch, config))
    content = _xlsx(layout, rows) if layout.format == "xlsx" else _csv(layout, rows)
    return ProducedFile(
        name=f"{batch.reference}.{layout.format}",
        media_type=_XLSX if layout.format == "xlsx" else f"text/csv; charset={layout.encoding.removesuffix('-sig')}",
        content=content,
        content_hash=hashlib.sha256(content).hexdigest(),
    )


def fit(order: PayoutOrder, batch: PayoutBatch, layout: Layout) -> None:
    """Raises FileRefusedError where the layout cannot carry this order."""
    for column in layout.columns:
        _cell(column, 1, order, batch, layout)


def _rows(batch: PayoutBatch, config: BankFileConfig) -> Iterator[Sequence[Cell]]:
    layout, unit = config.layout, batch.orders[0].amount.currency
    words = {
        "factory": config.factory_name,
        "debit_account": config.debit_account,
        "execute_on": batch.execute_on.strftime(layout.date_format),
        "count": str(len(batch.orders)),
        "total": f"{total((order.amount for order in batch.orders), unit).amount:{layout.thousands}f}",
        "currency": unit.code,
        "batch": batch.reference,
    }
    yield from ([_filled(text, words) for text in row] for row in layout.titles)
    if layout.has_headers:
        yield [column.header for column in layout.columns]
    for number, order in enumerate(batch.orders, start=1):
        yield [_cell(column, number, order, batch, layout) for column in layout.columns]
    yield from ([_filled(text, words) for text in row] for row in layout.footers)


def _filled(text: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _cell(column: Column, number: int, order: PayoutOrder, batch: PayoutBatch, layout: Layout) -> Cell:
    if column.value == "number":
        return number
    if column.value == "amount":
        return order.amount.amount
    texts = {
        "reference": order.reference,
        "account": order.destination.account,
        "holder": order.destination.holder,
        "bank": order.destination.bank or "",
        "currency": order.amount.currency.code,
        "purpose": order.purpose,
        "execute_on": batch.execute_on.strftime(layout.date_format),
        "text": column.text,
    }
    text = texts[column.value]
    if len(text) > column.longest or _FORBIDDEN.search(text):
        raise FileRefusedError(
            f"row {number}, column {column.header!r}: the bank takes {column.longest} printable characters; correct the worker's record"
        )
    if column.value in {"reference", "account"} and _FORMULA.match(text):
        raise FileRefusedError(f"row {number}, column {column.header!r}: begins like a formula; correct the worker's record")
    return text


def _xlsx(layout: Layout, rows: Sequence[Sequence[Cell]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(layout.sheet)
    assert isinstance(sheet, WriteOnlyWorksheet)  # noqa: S101 of a write-only book
    for row in rows:
        sheet.append([_typed(sheet, cell, layout) for cell in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _typed(sheet: WriteOnlyWorksheet, value: Cell, layout: Layout) -> Any:  # noqa: ANN401 openpyxl names no type for it
    cell = WriteOnlyCell(sheet, value=cast("str", value))  # its stubs know no Decimal
    if isinstance(value, str):
        cell.data_type = "s"  # openpyxl would make a formula of a text that begins with "="
        cell.number_format = "@"
    elif isinstance(value, Decimal):
        places = -int(value.as_tuple().exponent) if isinstance(value.as_tuple().exponent, int) else 0
        cell.number_format = ("#,##0" if layout.thousands else "0") + (f".{'0' * places}" if places > 0 else "")
    return cell


def _csv(layout: Layout, rows: Sequence[Sequence[Cell]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=layout.delimiter, lineterminator=layout.line_end)
    for row in rows:
        writer.writerow([_safe(f"{cell:{layout.thousands}f}" if isinstance(cell, Decimal) else str(cell)) for cell in row])
    return text.getvalue().encode(layout.encoding)


def _safe(text: str) -> str:
    """The OWASP's apostrophe where a spreadsheet would compute; references and accounts that need one were refused before."""
    return f"'{text}" if _FORMULA.match(text) else text
