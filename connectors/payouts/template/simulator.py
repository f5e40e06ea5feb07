"""A provider on loopback with a journal of executed credits and faults on purpose. 7: make it speak your provider's protocol.

Strict in what it takes, so that a mistake of the connector is seen here and not on payday.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors import http
from connectors.faults import FaultKind, FaultPlan
from connectors.faulty_answers import Answers, after_taking, before_reading
from connectors.signatures import same, signed_headers
from importers.money import CURRENCIES, Money, MoneyError

OWN: Answers = {
    FaultKind.TOO_MANY_REQUESTS: lambda: JSONResponse({"error": "too_fast"}, 429, {"retry-after": "1"}),
    FaultKind.NOT_AUTHORISED: lambda: JSONResponse({"error": "bad_key"}, 401),
}


@dataclass(slots=True, kw_only=True)
class Taken:
    """One batch that was taken."""

    callback: str | None
    orders: list[dict[str, Any]]
    hidden_until: float = 0.0  # monotonic seconds
    other_amount: bool = False
    other_payee: bool = False


@dataclass(slots=True)
class Books:
    """What the provider remembers. `journal` is the oracle of every test: one line for each credit that was executed."""

    accounts: dict[str, str]  # account -> holder
    journal: list[dict[str, Any]] = field(default_factory=list)
    batches: dict[str, Taken] = field(default_factory=dict)


class Provider:
    """The simulated provider."""

    def __init__(self, books: Books, *, api_key: str, callback_secret: str) -> None:
        self.books = books
        self.faults = FaultPlan()
        self._api_key = api_key
        self._secret = callback_secret
        self._http = http.client("", read_seconds=5.0)
        self._working: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Stop cleanly."""
        yield
        for task in list(self._working):
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        await self._http.aclose()

    async def submit(self, request: Request) -> Response:
        """POST /v1/batches. A batch that comes again is answered as the first time and paid once."""
        fault = self.faults.draw("submit")
        early = await before_reading(request, fault, OWN)
        if early is not None:
            return early
        body = await self._body(request)
        if isinstance(body, Response):
            return body
        orders = body["orders"][: len(body["orders"]) // 2] if fault is FaultKind.PARTIAL_BATCH else body["orders"]
        if body["batch"] not in self.books.batches:
            taken = Taken(callback=body.get("callback"), orders=orders, other_amount=fault is FaultKind.OTHER_AMOUNT_ECHOED)
            taken.other_payee = fault is FaultKind.OTHER_PAYEE_ECHOED
            if fault is FaultKind.NOT_FOUND_FOR_A_WHILE:
                taken.hidden_until = time.monotonic() + self.faults.seconds
            self.books.batches[body["batch"]] = taken
            self._execute(taken, empty=fault is FaultKind.OUT_OF_FUNDS)
            self._tell(body["batch"], taken)
        return await after_taking(request, fault, self.faults.seconds, JSONResponse({"taken": len(orders)}, 202), OWN)

    async def look_up(self, request: Request) -> Response:
        """GET /v1/orders?batch=..."""
        fault = self.faults.draw("look_up")
        early = await before_reading(request, fault, OWN)
        if early is not None:
            return early
        taken = self.books.batches.get(request.query_params.get("batch", ""))
        if taken is None or time.monotonic() < taken.hidden_until or fault is FaultKind.NOT_FOUND_FOR_A_WHILE:
            return JSONResponse({"error": "unknown_batch"}, 404)
        other = taken.other_amount or fault is FaultKind.OTHER_AMOUNT_ECHOED
        lines = [dict(order) for order in taken.orders]
        for line in lines:
            line.update({"amount": "7"} if other else {}, **({"account": "111111111"} if taken.other_payee else {}))
        return await after_taking(request, fault, self.faults.seconds, JSONResponse({"orders": lines}), OWN)

    async def check(self, request: Request) -> Response:
        """POST /v1/accounts."""
        fault = self.faults.draw("check")
        early = await before_reading(request, fault, OWN)
        if early is not None:
            return early
        holder = self.books.accounts.get((await request.json()).get("account"))
        said = {"exists": holder is not None, "holder": holder}
        return await after_taking(request, fault, self.faults.seconds, JSONResponse(said), OWN)

    async def _body(self, request: Request) -> dict[str, Any] | Response:
        """The batch, if it is whole and allowed; else the refusal."""
        if not same(f"Bearer {self._api_key}", request.headers.get("authorization", "")):
            return JSONResponse({"error": "bad_key"}, 401)
        try:
            body = json.loads(await request.body())
            amounts = [Money.of(order["amount"], CURRENCIES[order["currency"]]) for order in body["orders"]]
            good = all(amount.minor > 0 for amount in amounts) and all(order["reference"] for order in body["orders"])
        except (ValueError, KeyError, TypeError, MoneyError):
            good = False
        if not good:
            return JSONResponse({"error": "bad_order"}, 400)
        found: dict[str, Any] = body
        return found

    def _execute(self, taken: Taken, *, empty: bool) -> None:
        for position, order in enumerate(taken.orders):
            if order["account"] not in self.books.accounts:
                order |= {"state": "refused", "reason": "unknown_account"}
            elif empty and position >= len(taken.orders) // 2:
                order |= {"state": "refused", "reason": "no_funds"}
            else:
                order |= {"state": "paid", "number": uuid.uuid4().hex[:12]}
                amount = Money.of(order["amount"], CURRENCIES[order["currency"]])
                line = {"kind": "credit", "amount_minor": amount.minor}
                self.books.journal.append(line | {name: order[name] for name in ("reference", "account", "currency")})

    def _tell(self, batch: str, taken: Taken) -> None:
        if taken.callback is not None:
            task = asyncio.create_task(self._call(taken.callback, json.dumps({"batch": batch}).encode()))
            self._working.add(task)
            task.add_done_callback(self._working.discard)

    async def _call(self, address: str, content: bytes) -> None:
        if self.faults.draw("event") is FaultKind.LOST_EVENT:
            return
        headers = signed_headers(self._secret, identification=f"evt_{uuid.uuid4().hex}", sent_at=datetime.now(UTC), body=content)
        await self._http.post(address, content=content, headers=headers)


def create_app(books: Books, *, api_key: str, callback_secret: str) -> Starlette:
    """The provider as an ASGI application; `app.state.provider` is the Provider behind it."""
    provider = Provider(books, api_key=api_key, callback_secret=callback_secret)
    routes = [
        Route("/v1/batches", provider.submit, methods=["POST"]),
        Route("/v1/orders", provider.look_up),
        Route("/v1/accounts", provider.check, methods=["POST"]),
    ]
    app = Starlette(routes=routes, lifespan=provider.lifespan)
    app.state.provider = provider
    return app
