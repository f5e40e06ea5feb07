"""A bank's portal on loopback: takes the file, pays what it says, and gives a result file in the same layout's words.

It pays a file that comes twice under another name twice, as portals do that look at names only.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl import Workbook, load_workbook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.faults import FaultKind, FaultPlan
from connectors.payouts.bank_file.layout import Layout, folded
from importers.money import Money, currency


class Portal:
    """The simulated portal. `journal` is the oracle: one line for each credit that was executed."""

    def __init__(self, layout: Layout, accounts: Mapping[str, str], *, unit: str = "USD") -> None:
        self.layout = layout
        self.accounts = accounts
        self.unit = unit
        self.faults = FaultPlan()
        self.journal: list[dict[str, Any]] = []
        self.results: dict[str, bytes] = {}

    @property
    def books(self) -> Portal:
        """Itself: it keeps no other books."""
        return self

    def take(self, name: str, content: bytes) -> bool:
        """Execute a file once for each name. False for a name that came before."""
        if name in self.results:
            return False
        fault = self.faults.draw("submit")
        rows = _rows(self.layout, content)
        headers = [folded(column.header) for column in self.layout.columns]
        start = next(index for index, row in enumerate(rows) if [folded(cell) for cell in row[: len(headers)]] == headers)
        lines = [self._execute(dict(zip(headers, row, strict=False)), fault) for row in rows[start + 1 :] if self._is_order(headers, row)]
        self.results[name] = _result(self.layout, lines)
        return True

    def _is_order(self, headers: Sequence[str], row: Sequence[str]) -> bool:
        values = dict(zip(headers, row, strict=False))
        return all(values.get(self._header(value)) for value in ("account", "reference", "amount"))

    def _header(self, value: str) -> str:
        return next(folded(column.header) for column in self.layout.columns if column.value == value)

    def _execute(self, values: Mapping[str, str], fault: FaultKind | None) -> list[str]:
        reference, account = values[self._header("reference")], values[self._header("account")]
        amount = Money.of(values[self._header("amount")].replace(",", ""), currency(self.unit))
        known = account in self.accounts
        if known:
            line = {"kind": "credit", "reference": reference, "account": account, "amount_minor": amount.minor, "currency": self.unit}
            self.journal.append(line)
        words = self.layout.result.words
        said = next(word for word, fate in words.items() if fate == ("paid" if known else "rejected"))
        told = Money(amount.minor + 1, amount.currency) if fault is FaultKind.OTHER_AMOUNT_ECHOED else amount
        payee = "999999999" if fault is FaultKind.OTHER_PAYEE_ECHOED else account
        reason = "" if known else next(iter(self.layout.result.reasons), "unknown")
        return [reference, payee, str(told.amount), self.unit, said.title(), reason]


def _rows(layout: Layout, content: bytes) -> list[list[str]]:
    if layout.format == "csv":
        text = io.StringIO(content.decode(layout.encoding), newline="")
        return [list(row) for row in csv.reader(text, delimiter=layout.delimiter)]
    sheet = load_workbook(io.BytesIO(content), data_only=False).worksheets[0]
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row), "a formula came with the file"  # noqa: S101 the portal refuses it
    return [["" if value is None else str(value) for value in row] for row in sheet.iter_rows(values_only=True)]


def _result(layout: Layout, lines: Sequence[Sequence[str]]) -> bytes:
    """The result file: the portal's own title, then the headers that the layout names."""
    result = layout.result
    named = [result.reference, result.account, result.amount, result.currency, result.status, result.reason]
    places = [place for place, header in enumerate(named) if header is not None]
    table = [["Result of your upload"], [str(named[place]) for place in places], *([line[place] for place in places] for line in lines)]
    if layout.format == "csv":
        text = io.StringIO()
        csv.writer(text, delimiter=layout.delimiter).writerows(table)
        return text.getvalue().encode("utf-8-sig")
    book = Workbook()
    for row in table:
        book.worksheets[0].append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def create_app(portal: Portal) -> Starlette:
    """The portal as an ASGI application."""

    async def upload(request: Request) -> Response:
        taken = portal.take(request.path_params["name"], await request.body())
        return JSONResponse({"taken": taken}, 201 if taken else 409)

    async def result(request: Request) -> Response:
        found = portal.results.get(request.path_params["name"])
        return Response(status_code=404) if found is None else Response(found)

    routes = [Route("/files/{name}", upload, methods=["PUT"]), Route("/results/{name}", result)]
    app = Starlette(routes=routes)
    app.state.portal = portal
    return app
