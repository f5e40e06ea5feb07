"""A wallet provider that is not ours: the standard library's HTTP server, written from the published OpenAPI 1.1.2 and compliance cases.

It shares no code with the connector and its simulator. Amounts choose the case, as on the GSMA's test platform; whatever the OpenAPI does
not allow in a request is noted in `breaches`. Callbacks are bare PUTs without any signature, and their answers are kept.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jsonschema

MOMENT = "2021-01-01T00:00:00.000Z"
_UUID = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
_TEXT = {"type": "string", "minLength": 1, "maxLength": 256}
_PARTIES = {
    "type": "array",
    "minItems": 1,
    "maxItems": 10,
    "items": {"type": "object", "required": ["key", "value"], "properties": {"key": _TEXT, "value": _TEXT}, "additionalProperties": False},
}
_TRANSACTION = {
    "type": "object",
    "required": ["amount", "currency", "type", "debitParty", "creditParty"],
    "properties": {
        "amount": {"type": "string", "minLength": 1, "maxLength": 23, "pattern": "^([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[1-9])?$"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "type": {"enum": ["billpay", "deposit", "disbursement", "transfer", "merchantpay", "inttransfer", "adjustment", "reversal"]},
        "debitParty": _PARTIES,
        "creditParty": _PARTIES,
        "descriptionText": {"type": "string", "maxLength": 160},
        "requestingOrganisationTransactionReference": {"type": "string", "maxLength": 256},
    },
    "additionalProperties": False,
}
# The published schema of a body whose type stands in the path wants arrays and an object at once; what is meant is this.
_BODIES: dict[str, dict[str, Any]] = {
    r"POST /transactions(/type/disbursement)?": _TRANSACTION,
    r"POST /batchtransactions": {
        "type": "object",
        "required": ["transactions"],
        "properties": {"batchTitle": _TEXT, "transactions": {"type": "array", "minItems": 1, "maxItems": 999999, "items": _TRANSACTION}},
        "additionalProperties": False,
    },
    r"PATCH /batchtransactions/[^/]+": {
        "type": "array",
        "minItems": 1,
        "maxItems": 10,
        "items": {
            "type": "object",
            "required": ["op", "path", "value"],
            "properties": {"op": {"enum": ["replace", "add"]}, "path": {"const": "/batchStatus"}, "value": {"const": "approved"}},
            "additionalProperties": False,
        },
    },
    r"POST /transactions/[^/]+/reversals": {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"enum": ["adjustment", "reversal"]}},
        "additionalProperties": False,
    },
}
_HEADERS = {
    "x-date": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
    "x-client-id": re.compile(r".{1,256}"),
    "x-correlationid": re.compile(_UUID),
    "x-content-hash": re.compile(r"[0-9a-f]{64}"),
}
# What a disbursement of this amount is refused with, at once: status, category, code.
REFUSED = {
    "60": (400, "validation", "formatError"),
    "61": (401, "authorisation", "clientAuthorisationError"),
    "62": (404, "identification", "identifierError"),
    "63": (409, "businessRule", "duplicateRequest"),
    "64": (500, "internal", "genericError"),
    "65": (503, "serviceUnavailable", "genericError"),
    "66": (400, "somethingNew", "neverHeardOf"),
    "67": (500, "Validation", "GenericError"),
}

Answer = tuple[int, Any]


class Provider:
    """The cases, and what was seen of the client."""

    def __init__(self, *, two_step: bool = False, forgets_answers: bool = False, knows_responses: bool = True) -> None:
        self.breaches: list[str] = []
        self.asked: list[str] = []
        self.callbacks: list[int] = []  # the client's answers
        self.correlations: dict[str, bytes] = {}
        self.two_step = two_step
        self.forgets_answers = forgets_answers  # a request is taken and the connection is cut
        self.knows_responses = knows_responses
        self.pending_polls = 2
        self._made: dict[str, dict[str, Any]] = {}  # by correlation id
        self._threads: list[threading.Thread] = []

    def check(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        """The body as JSON; everything that the OpenAPI does not allow is noted."""
        writes = method in {"POST", "PATCH"}
        for name, form in _HEADERS.items():
            if (writes or name in {"x-date", "x-client-id"}) and not form.fullmatch(headers.get(name, "")):
                self.breaches.append(f"{method} {path}: {name}")
        if not writes:
            if body:
                self.breaches.append(f"{method} {path}: a body")
            return None
        if "application/json" not in headers.get("content-type", ""):
            self.breaches.append(f"{method} {path}: content-type")
        known = self.correlations.setdefault(headers.get("x-correlationid", ""), body)
        if known != body:
            self.breaches.append(f"{method} {path}: one correlation id for two bodies")
        document = json.loads(body)
        schema = next((schema for pattern, schema in _BODIES.items() if re.fullmatch(pattern, f"{method} {path}")), None)
        if schema is None:
            self.breaches.append(f"{method} {path}: no such operation")
        else:
            self.breaches += [
                f"{method} {path}: {fault.message}" for fault in jsonschema.Draft202012Validator(schema).iter_errors(document)
            ]
        return document

    def answer(  # noqa: C901, PLR0911 one table of all routes
        self,
        method: str,
        path: str,
        query: dict[str, list[str]],
        headers: dict[str, str],
        document: Any,
    ) -> Answer:
        """What the provider says."""
        self.asked.append(f"{method} {path}")
        parts = [unquote(part) for part in path.strip("/").split("/")]
        correlation, callback = headers.get("x-correlationid", ""), headers.get("x-callback-url")
        match [method, *parts]:
            case ["GET", "heartbeat"]:
                return 200, {"serviceStatus": "available"}
            case ["POST", "batchtransactions"]:
                return self._batch(document, correlation, callback)
            case ["POST", "transactions"] | ["POST", "transactions", "type", "disbursement"]:
                return self._single(document, correlation, callback)
            case ["PATCH", "batchtransactions", identification]:
                return self._approve(identification, callback)
            case ["POST", "transactions", original, "reversals"]:
                said = {"type": "reversal", "transactionStatus": "completed", "transactionReference": str(uuid.uuid4())}
                self._call(callback, said | {"originalTransactionReference": original, "amount": "21", "currency": "USD"})
                return self._state(callback)
            case ["GET", "responses", known]:
                made = self._made.get(known) if self.knows_responses else None
                return (200, {"link": made["link"]}) if made else _error(404, "identification", "identifierError")
            case ["GET", "requeststates", server]:
                return self._poll(server)
            case ["GET", ("transactions" | "batchtransactions") as kind, identification, *rest]:
                return self._show(kind, identification, rest, query)
            case ["GET", "accounts", _, _, "balance"]:
                return 200, {"accountsBalance": "1000"}
            case ["GET", "accounts", _, account, "status"]:
                return (
                    (200, {"accountStatus": "available"}) if account != "+33000000000" else _error(404, "identification", "identifierError")
                )
            case ["GET", "accounts", _, _, "accountname"]:
                return 200, {"name": {"title": "Ms", "firstName": "Dara", "lastName": "Sok", "fullName": "Sok Dara"}}
            case ["GET", "accounts", key, value, "transactions" | "statemententries"]:
                return 200, _entries(key, value)[int(query["offset"][0]) :][: int(query["limit"][0])]
        return 404, {"message": "no route"}

    def _single(self, body: dict[str, Any], correlation: str, callback: str | None) -> Answer:
        amount = body["amount"]
        if amount in REFUSED:
            return _error(*REFUSED[amount])
        made = self._remember(correlation, f"/transactions/{uuid.uuid4()}", body)
        shown = {**body, "transactionStatus": "completed", "transactionReference": made["link"].rpartition("/")[2]}
        if amount == "51":
            made["error"] = {"errorCategory": "businessRule", "errorCode": "insufficientFunds", "errorDateTime": MOMENT}
        if amount == "53":
            made["gone"] = True
        if callback is not None:
            self._call(callback, made.get("error") or shown)
        return self._state(callback, made)

    def _batch(self, body: dict[str, Any], correlation: str, callback: str | None) -> Answer:
        first = body["transactions"][0]["amount"]
        if first in REFUSED:
            return _error(*REFUSED[first])
        made = self._remember(correlation, f"/batchtransactions/BID{len(self._made)}", body)
        made["status"] = "created"
        if first == "55":
            made["failed"] = True
            self._call(callback, {"errorCategory": "validation", "errorCode": "genericError"})
        else:
            # The maker's half of a two-step batch is called "completed" in the published cases.
            self._call(callback, self._shown(made) | {"batchStatus": "completed" if self.two_step else "created"})
            made["paid"] = not self.two_step
        return self._state(callback, made)

    def _approve(self, identification: str, callback: str | None) -> Answer:
        if callback is None:
            self.breaches.append("PATCH: no X-Callback-URL, which the published cases ask for")
        made = next((one for one in self._made.values() if one["link"].endswith(f"/{identification}")), None)
        if made is None:
            return _error(404, "identification", "identifierError")
        made["paid"], made["status"] = True, "completed"
        self._call(callback, {"result": "success"})
        return self._state(callback)

    def _remember(self, correlation: str, link: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._made.setdefault(
            correlation, {"link": link, "body": body, "server": str(uuid.uuid4()), "polls": 0, "error": None, "paid": True, "gone": False}
        )

    def _state(self, callback: str | None, made: dict[str, Any] | None = None) -> Answer:
        server = made["server"] if made else str(uuid.uuid4())
        return 202, {"serverCorrelationId": server, "status": "pending", "notificationMethod": "callback" if callback else "polling"}

    def _poll(self, server: str) -> Answer:
        made = next((one for one in self._made.values() if one["server"] == server), None)
        if made is None or made["gone"]:
            return _error(404, "identification", "identifierError")
        made["polls"] += 1
        state = {"serverCorrelationId": server, "notificationMethod": "polling"}
        if made["polls"] <= self.pending_polls:
            return 200, state | {"status": "pending"}
        if made["error"]:
            return 200, state | {"status": "failed", "error": made["error"]}
        return 200, state | {"status": "completed", "objectReference": made["link"].rpartition("/")[2]}

    def _show(self, kind: str, identification: str, rest: list[str], query: dict[str, list[str]]) -> Answer:
        made = next((one for one in self._made.values() if one["link"] == f"/{kind}/{identification}"), None)
        if made is None:
            return _error(404, "identification", "identifierError")
        if kind == "transactions":
            return 200, {**made["body"], "transactionStatus": "completed", "transactionReference": identification}
        if not rest:
            return 200, self._shown(made)
        if query.get("offset") != ["0"] or not made["paid"] or rest != ["completions"]:
            return 200, []
        entries = [
            {
                "transactionReference": f"T{number}",
                "completionDate": MOMENT,
                "link": f"/transactions/T{number}",
                "debitParty": one["debitParty"],
                "creditParty": one["creditParty"],
                "requestingOrganisationTransactionReference": one["requestingOrganisationTransactionReference"],
            }
            for number, one in enumerate(made["body"]["transactions"])
        ]
        return 200, entries

    def _shown(self, made: dict[str, Any]) -> dict[str, Any]:
        dates = {"approvalDate": MOMENT, "completionDate": MOMENT, "creationDate": MOMENT}
        return {"batchId": made["link"].rpartition("/")[2], "batchStatus": made["status"], **dates}

    def _call(self, url: str | None, body: dict[str, Any]) -> None:
        if url is not None:
            thread = threading.Thread(target=self._put, args=(url, json.dumps(body).encode()), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _put(self, url: str, body: bytes) -> None:
        time.sleep(0.02)  # the answer to the request goes first
        parts = urlsplit(url)
        line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        line.request("PUT", f"{parts.path}?{parts.query}", body, {"Content-Type": "application/json", "X-Date": MOMENT})
        self.callbacks.append(line.getresponse().status)
        line.close()

    def finish(self) -> None:
        """Wait for callbacks that are under way."""
        for thread in self._threads:
            thread.join(10)


def _error(status: int, category: str, code: str) -> Answer:
    return status, {"errorCategory": category, "errorCode": code, "errorDateTime": MOMENT}


def _entries(key: str, value: str) -> list[dict[str, Any]]:
    entry = {"amount": "20.01", "currency": "USD", "type": "disbursement", "transactionStatus": "completed", "creationDate": MOMENT}
    sides = {"debitParty": [{"key": key, "value": value}], "creditParty": [{"key": "msisdn", "value": "+33555000201"}]}
    return [{**entry, **sides, "transactionReference": f"REF{number}", "descriptionText": f"Wages GW{number:010d}"} for number in range(25)]


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_args: object) -> None:
            """Quietly."""

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            parts = urlsplit(self.path)
            document = provider.check(self.command, parts.path, headers, body)
            status, said = provider.answer(self.command, parts.path, parse_qs(parts.query), headers, document)
            if provider.forgets_answers and self.command == "POST":
                self.close_connection = True
                return
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("X-Date", MOMENT)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _serve  # noqa: N815 the server's own names

    return Handler


@contextmanager
def running(provider: Provider) -> Iterator[str]:
    """The base URL of the provider while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider))
    serve: Callable[[], None] = server.serve_forever
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
        provider.finish()
    finally:
        server.shutdown()
        server.server_close()
