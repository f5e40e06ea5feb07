"""PlasGate as far as it is known, for tests and the demo: takes messages over HTTP, journals what reaches phones, sends receipts.

`python -m connectors.sms.plasgate.simulator --port 8103 --journal sms.jsonl --private-key KEY --secret SECRET`

A number that ends in 404404 is a phone out of reach. What PlasGate does not publish is made up here; README.md says which part.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from connectors.faults import FaultKind, FaultPlan, FaultPlanError
from connectors.faulty_server import config as server_config
from connectors.faulty_server import cut
from connectors.sms.plasgate.journal import Delivery, Journal
from connectors.sms.plasgate.postman import Postman
from connectors.sms.segments import segments

LARGEST_REQUEST = 16 * 1024 * 1024
_NUMBER = re.compile(r"[0-9][0-9]{5,14}")
_SENDER = range(1, 12)
_LONGEST_TEXT = 1500
_OUT_OF_REACH = "404404"

_REFUSALS = {
    FaultKind.UNAVAILABLE: (503, "service unavailable"),
    FaultKind.TOO_MANY_REQUESTS: (429, "rate limit exceeded"),
    FaultKind.NOT_AUTHORISED: (401, "unauthorized"),
    FaultKind.OUT_OF_FUNDS: (402, "insufficient balance"),
    FaultKind.CONFLICT: (409, "conflict"),
}
_BROKEN = frozenset({FaultKind.REPLY_LOST_AFTER_ACCEPT, FaultKind.RESET_BEFORE_READ, FaultKind.HALF_REQUEST, FaultKind.PARTIAL_BATCH})
_NOT_TAKEN = frozenset({FaultKind.RESET_BEFORE_READ, FaultKind.HALF_REQUEST, FaultKind.HTML_INSTEAD, FaultKind.REDIRECT_ELSEWHERE})


class _RefusedError(Exception):
    """A request that PlasGate would refuse."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gateway:
    private_key: str
    secret: str
    journal: Journal
    postman: Postman
    faults: FaultPlan

    async def send(self, request: Request) -> Response:
        """POST /rest/send: one message."""
        return await self._answer(request, is_batch=False)

    async def batch_send(self, request: Request) -> Response:
        """POST /rest/batch-send: many messages."""
        return await self._answer(request, is_batch=True)

    async def read_journal(self, _request: Request) -> Response:
        """GET /simulator/journal: every message so far, as JSON lines."""
        return FileResponse(self.journal.path, media_type="application/x-ndjson")

    async def _answer(self, request: Request, *, is_batch: bool) -> Response:
        fault = self.faults.draw("submit")
        if fault is FaultKind.RESET_BEFORE_READ:
            return BrokenAnswer()
        try:
            body = await _body(request)
            self._check_keys(request)
            _refuse_on_purpose(fault)
            deliveries = _deliveries(body) if is_batch else [_delivery(body, body, [str(body.get("to"))])]
        except _RefusedError as error:
            headers = {"retry-after": "1"} if error.status in {429, 503} else None
            return JSONResponse({"message": str(error)}, status_code=error.status, headers=headers)
        if fault not in _NOT_TAKEN:
            self._take(deliveries[: len(deliveries) // 2] if fault is FaultKind.PARTIAL_BATCH else deliveries)
        return await self._reply(fault, len(deliveries), is_batch=is_batch)

    def _check_keys(self, request: Request) -> None:
        key, secret = request.query_params.get("private_key", ""), request.headers.get("x-secret", "")
        known = hmac.compare_digest(key.encode(), self.private_key.encode())
        if not (hmac.compare_digest(secret.encode(), self.secret.encode()) and known):
            raise _RefusedError(401, "unauthorized")

    def _take(self, deliveries: list[Delivery]) -> None:
        self.journal.write(deliveries)
        self.postman.hand_over(deliveries)

    async def _reply(self, fault: FaultKind | None, count: int, *, is_batch: bool) -> Response:
        identifier = str(uuid4())
        answer = {"data": {"batchId": identifier, "messageCount": count}} if is_batch else {"queue_id": identifier, "message_count": count}
        if fault in _BROKEN:
            return BrokenAnswer()
        if fault is FaultKind.SLOW_ACCEPT:
            await asyncio.sleep(self.faults.seconds)
        other: dict[FaultKind | None, Response] = {
            FaultKind.HTML_INSTEAD: Response("<html><body>Welcome</body></html>", media_type="text/html"),
            FaultKind.EMPTY_ANSWER: Response(b""),
            FaultKind.TRUNCATED_ANSWER: Response(json.dumps(answer)[:-8], media_type="application/json"),
            FaultKind.SERVER_ERROR: JSONResponse({"message": "internal error"}, status_code=500),
            FaultKind.REDIRECT_ELSEWHERE: RedirectResponse("http://elsewhere.invalid/rest/batch-send"),
        }
        return other.get(fault) or JSONResponse(answer)


class BrokenAnswer(Response):
    """No answer at all: the connection is cut."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Cut it; `connectors.faulty_server` must be serving."""
        del receive, send
        cut(scope)


def create_app(
    *,
    journal: Path,
    private_key: str,
    secret: str,
    delay_ms: int = 0,
    faults: FaultPlan | None = None,
    receipts_at_once: int = 500,
) -> Starlette:
    """The simulated gateway. Receipts go out `delay_ms` after a message was taken, `receipts_at_once` in one request."""
    plan = faults or FaultPlan()
    book = Journal(journal)
    postman = Postman(book, faults=plan, delay_seconds=delay_ms / 1000, at_once=receipts_at_once)
    gateway = _Gateway(private_key=private_key, secret=secret, journal=book, postman=postman, faults=plan)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with postman.at_work():
            yield

    routes = [
        Route("/rest/send", gateway.send, methods=["POST"]),
        Route("/rest/batch-send", gateway.batch_send, methods=["POST"]),
        Route("/simulator/journal", gateway.read_journal, methods=["GET"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def _refuse_on_purpose(fault: FaultKind | None) -> None:
    if fault in _REFUSALS:
        status, message = _REFUSALS[fault]
        raise _RefusedError(status, message)


async def _body(request: Request) -> dict[str, Any]:
    received = bytearray()
    try:
        async for part in request.stream():
            received += part
            if len(received) > LARGEST_REQUEST:
                raise _RefusedError(413, "request too large")
    except ClientDisconnect:
        raise _RefusedError(400, "incomplete request") from None
    try:
        body = json.loads(received)
    except ValueError:
        raise _RefusedError(400, "not JSON") from None
    if not isinstance(body, dict):
        raise _RefusedError(400, "not a JSON object")
    return body


def _deliveries(body: dict[str, Any]) -> list[Delivery]:
    shared, messages = body.get("globals"), body.get("messages")
    if not isinstance(shared, dict) or not isinstance(messages, list) or not messages:
        raise _RefusedError(400, "globals and messages are required")
    taken = []
    for message in messages:
        if not isinstance(message, dict) or not isinstance(message.get("to"), list):
            raise _RefusedError(400, "to: not a list")
        taken += [_delivery(shared, message, [number]) for number in message["to"]]
    return taken


def _delivery(shared: dict[str, Any], message: dict[str, Any], to: list[str]) -> Delivery:
    number, text = str(to[0]), message.get("content")
    if not _NUMBER.fullmatch(number):
        raise _RefusedError(400, "Not all phone numbers are in valid format")
    if not isinstance(text, str) or not 0 < len(text) <= _LONGEST_TEXT:
        raise _RefusedError(400, "content: Missing data or too long")
    if len(str(shared.get("sender", ""))) not in _SENDER:
        raise _RefusedError(400, "sender: Missing data or longer than 11")
    seen = text.replace("#ma#", "")  # the phone shows what the reports hide
    wanted = shared.get("dlr") == "yes"
    address = message.get("dlr_url", shared.get("dlr_url")) if wanted else None
    query = parse_qs(urlsplit(str(address or "")).query)
    return Delivery(
        identifier=str(uuid4()),
        reference=query.get("reference", [None])[0],
        to=f"+{number}",
        text=seen,
        segments=segments(seen).count,
        status="UNDELIV" if number.endswith(_OUT_OF_REACH) else "DELIVRD",
        receipt_url=address,
    )


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(
        prog="connectors.sms.plasgate.simulator", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8103)
    parser.add_argument("--journal", type=Path, required=True, help="file of JSON lines, one for each message; kept over restarts")
    parser.add_argument("--private-key", required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--delay-ms", type=int, default=0, help="from taking a message to its receipt")
    parser.add_argument("--receipts-at-once", type=int, default=500, help="1 sends each receipt as a form, as the real one does")
    parser.add_argument("--faults", default="{}", help='a fault plan, for example {"seed": 7, "rates": {"server_error": 0.05}}')
    given = parser.parse_args()
    try:
        faults = FaultPlan.parse(given.faults)
    except FaultPlanError as error:
        parser.error(str(error))
    app = create_app(
        journal=given.journal,
        private_key=given.private_key,
        secret=given.secret,
        delay_ms=given.delay_ms,
        faults=faults,
        receipts_at_once=given.receipts_at_once,
    )
    settings = server_config(app)
    settings.host, settings.port = given.host, given.port
    uvicorn.Server(settings).run()


if __name__ == "__main__":
    main()
