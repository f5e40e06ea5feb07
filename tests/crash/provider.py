"""The simulated provider of the crash matrix: fast, of any of the six kinds, with a journal of executed credits on disk.

The journal is the oracle: what it says was paid, was paid. Time is the matrix's own, so that hours pass in no time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.payouts.contract import RepeatBehaviour
from tests.crash.profiles import Kind

_ECHOES = {"other_amount", "other_payee"}
_UNREADABLE = {"html": b"<html>a gateway's page</html>", "empty": b"", "cut": b'{"results": [{"refe'}
SLOW = timedelta(seconds=20)  # after it, a slow provider has executed what it took


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong with one request. `point` is told when it does; `first` orders are executed where only some are."""

    kind: str
    point: str
    first: int = 0
    status: int = 200


@dataclass(slots=True, kw_only=True)
class Order:
    """One order that the provider has."""

    reference: str
    account: str
    minor: int
    unit: str
    identification: str
    at: datetime
    status: str = "paid"
    code: str | None = None


@dataclass(slots=True, kw_only=True)
class Books:
    """What one run's provider has and has done."""

    kind: Kind
    journal: Path
    clock: Callable[[], datetime]
    orders: dict[str, Order] = field(default_factory=dict)
    credits: list[dict[str, Any]] = field(default_factory=list)
    received: list[tuple[str, datetime]] = field(default_factory=list)  # every order of every request that came in whole
    messages: list[dict[str, str]] = field(default_factory=list)  # SMS
    waiting: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)
    holders: dict[str, str] = field(default_factory=dict)
    fails: set[str] = field(default_factory=set)  # accounts whose orders are refused
    balance: int | None = None
    callbacks: dict[str, str] = field(default_factory=dict)  # reference -> where to tell

    def take(self, body: Mapping[str, Any]) -> list[Order]:
        """Execute the orders of a message, as this kind of provider does with references it knows or has forgotten."""
        now = self.clock()
        taken = []
        for given in body["orders"]:
            reference = given["reference"]
            known = self.orders.get(reference)
            remembers = known is not None and (self.kind.window is None or now - known.at <= self.kind.window)
            if known is not None and remembers and self.kind.repeat is not RepeatBehaviour.PAYS_AGAIN:
                taken.append(known)
                continue
            taken.append(self._execute(given, now, 1 + sum(1 for credit in self.credits if credit["reference"] == reference)))
            if body.get("callback"):
                self.callbacks[reference] = body["callback"]
        return taken

    def _execute(self, given: Mapping[str, Any], now: datetime, number: int) -> Order:
        order = Order(
            reference=given["reference"],
            account=given["account"],
            minor=given["minor"],
            unit=given["currency"],
            identification=f"P{given['reference'][2:]}{number}",
            at=now,
        )
        if order.account in self.fails:
            order.status, order.code = "rejected", "account_closed"
        elif self.balance is not None and self.balance < order.minor:
            order.status, order.code = "rejected", "insufficient_funds"
        else:
            self.balance = None if self.balance is None else self.balance - order.minor
            self._credit(order, now)
        self.orders[order.reference] = order
        return order

    def _credit(self, order: Order, now: datetime) -> None:
        line = {
            "reference": order.reference, "account": order.account, "minor": order.minor, "currency": order.unit,
            "id": order.identification, "at": now.isoformat(),
        }  # fmt: skip
        with self.journal.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self.credits.append(line)

    def tick(self) -> None:
        """Execute what a slow provider took and whose time has come."""
        now = self.clock()
        due = [body for at, body in self.waiting if at <= now]
        self.waiting = [(at, body) for at, body in self.waiting if at > now]
        for body in due:
            self.take(body)

    def find(self, reference: str) -> dict[str, Any]:
        """What a look-up is answered."""
        order, now = self.orders.get(reference), self.clock()
        if order is None or now - order.at < self.kind.hidden_for or (self.kind.window and now - order.at > self.kind.window):
            return {"reference": reference, "status": "not_found"}
        return told(order)


def told(order: Order, status: str | None = None) -> dict[str, Any]:
    """An order as answers, look-ups and messages tell it."""
    result: dict[str, Any] = {
        "reference": order.reference, "status": status or order.status, "id": order.identification, "minor": order.minor,
        "currency": order.unit,
    }  # fmt: skip
    return result | ({"code": order.code} if order.code else {})


class Provider:
    """The provider's server. `books` are those of the run under way."""

    def __init__(self, on_point: Callable[[str], None]) -> None:
        self.books: Books | None = None
        self.faults: deque[Fault] = deque()
        self.met: Counter[str] = Counter()
        self.delay = 0.0
        self.port = 0
        self._on_point = on_point
        self._server: asyncio.Server | None = None

    async def open(self, port: int = 0) -> None:
        """Listen; the same port again after `close`."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port or self.port, backlog=128)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError, asyncio.CancelledError):
            while await self._request(reader, writer):
                pass
        writer.close()
        with contextlib.suppress(ConnectionError, TimeoutError):
            await writer.wait_closed()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ", 2)[1].decode()
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        fault = self.faults.popleft() if path == "/orders" and self.faults else None
        if fault is not None and fault.kind in {"connected", "half"}:
            if fault.kind == "half":
                await reader.readexactly(length // 2)
            self._meet(fault)
            return False
        body = json.loads(await reader.readexactly(length))
        assert self.books is not None
        self.books.tick()
        answer = self._orders(self.books, body, fault) if path == "/orders" else self._other(self.books, path, body)
        if fault is not None:
            self._meet(fault)
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return False
        if answer is None:
            return False
        if self.delay and path == "/orders":
            await asyncio.sleep(self.delay)
        status, content = answer
        kind = b"text/html" if content.startswith(b"<") else b"application/json"
        extra = b"location: http://127.0.0.1:9/elsewhere\r\n" if status == 307 else b""
        writer.write(b"HTTP/1.1 %d X\r\ncontent-type: %s\r\n%scontent-length: %d\r\n\r\n" % (status, kind, extra, len(content)) + content)
        await writer.drain()
        return True

    def _meet(self, fault: Fault) -> None:
        self.met[fault.point] += 1
        self._on_point(fault.point)

    def _orders(self, books: Books, body: dict[str, Any], fault: Fault | None) -> tuple[int, bytes] | float | None:
        """The answer to a message of orders; seconds of silence, or nothing, where there is none."""
        now = books.clock()
        books.received += [(given["reference"], now) for given in body["orders"]]
        if fault is not None and fault.kind not in _ECHOES:
            return self._faulty(books, body, fault, now)
        if books.kind.repeat is RepeatBehaviour.CONFLICT and all(one["reference"] in books.orders for one in body["orders"]):
            return 409, b'{"error": "exists"}'
        results = [told(order, "accepted" if order.status == "paid" else None) for order in books.take(body)]
        if fault is not None:
            results[0] |= {"minor": results[0]["minor"] + 1} if fault.kind == "other_amount" else {"account": "999999999"}
        return 200, json.dumps({"results": results}).encode()

    def _faulty(self, books: Books, body: dict[str, Any], fault: Fault, now: datetime) -> tuple[int, bytes] | float | None:
        if fault.kind == "slow":
            books.waiting.append((now + SLOW, body))
            return 2.0
        if fault.kind == "partial":
            books.take(body | {"orders": body["orders"][: fault.first]})
        elif fault.kind != "status":
            books.take(body)
        if fault.kind in _UNREADABLE:
            return 200, _UNREADABLE[fault.kind]
        return (fault.status, b'{"error": "no"}') if fault.kind in {"status", "executed_then_status"} else None

    def _other(self, books: Books, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        if path == "/look-up":
            return 200, json.dumps({"results": [books.find(one) for one in body["references"]]}).encode()
        if path == "/check":
            return 200, json.dumps({"holder": books.holders.get(body["account"], "NOBODY")}).encode()
        if path == "/sms":
            books.messages += body["messages"]
            return 200, b"{}"
        return 404, b"{}"
