"""What the simulated wallet provider answers, in the shapes of the GSMA Mobile Money API 1.1.2."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connectors.faults import FaultPlan, FaultPlanError
from connectors.payouts.gsma_mobile_money.mapping import amount_text
from connectors.payouts.gsma_mobile_money.simulated_wallet import Books, Item, Taken, hidden, stamp
from importers.money import USD, Money

FUNDS = Money.of(10_000_000, USD)
DEFAULT_PAGE = 50  # the API's own limit where the client names none


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON with the date header that the API asks for."""
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, status, {"x-date": stamp(), **(headers or {})}, "application/json")


def error(status: int, category: str, code: str, description: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """An error object."""
    return answer(
        {"errorCategory": category, "errorCode": code, "errorDescription": description, "errorDateTime": stamp()}, status, headers
    )


def not_found() -> Response:
    """What the provider says of an id that it does not know."""
    return error(404, "identification", "identifierError")


def request_state(taken: Taken, status: int) -> Response:
    """The request state object. While the work goes on it names no resource, as many providers do."""
    done = taken.status == "completed"
    body: dict[str, Any] = {
        "serverCorrelationId": taken.server_id,
        "status": "completed" if done else "pending",
        "notificationMethod": "callback" if taken.callback_url else "polling",
    }
    if done or not taken.single:
        body["objectReference"] = taken.items[0].provider_reference if taken.single else taken.identification
    return answer(body, status)


def batch_body(taken: Taken) -> dict[str, Any]:
    """The batch as GET and the callback show it."""
    states = [item.state for item in taken.items]
    return {
        "batchId": taken.identification,
        "batchTitle": taken.title,
        "batchStatus": taken.status,
        "processingFlag": taken.status == "approved",
        "creationDate": taken.created_at,
        "approvalDate": taken.created_at,
        "completionDate": taken.completed_at or taken.created_at,
        "parsingSuccessCount": len(states),
        "completedCount": states.count("completed") + states.count("reversed"),
        "rejectionCount": states.count("rejected"),
    }


def transaction_body(taken: Taken, item: Item) -> dict[str, Any]:
    """One transaction as GET and the callback of a single disbursement show it."""
    amount = Money(item.amount_minor + 1, item.money.currency) if taken.other_amount else item.money
    return {
        "transactionReference": item.provider_reference or f"REFUSED{taken.server_id[:8].upper()}",
        "requestingOrganisationTransactionReference": item.reference,
        "transactionStatus": item.state,
        "amount": amount_text(amount),
        "currency": item.currency,
        "type": "disbursement",
        "descriptionText": item.reason or item.description,
        "creationDate": taken.created_at,
        "modificationDate": item.at or taken.created_at,
        **_parties(taken, item),
    }


def _parties(taken: Taken, item: Item) -> dict[str, Any]:
    key, value = item.debit
    payee = f"{item.account[:-1]}{(int(item.account[-1]) + 1) % 10}" if taken.other_payee else item.account
    return {"debitParty": [{"key": key, "value": value}], "creditParty": [{"key": "msisdn", "value": payee}]}


def _page(request: Request, entries: list[dict[str, Any]]) -> Response:
    try:
        limit = max(int(request.query_params.get("limit", DEFAULT_PAGE)), 1)
        offset = max(int(request.query_params.get("offset", 0)), 0)
    except ValueError:
        return error(400, "validation", "invalidOffset")
    page = entries[offset : offset + limit]
    counts = {"x-records-available-count": str(len(entries)), "x-records-returned-count": str(len(page))}
    return answer(page, headers=counts)


def _batch(books: Books, request: Request) -> Response:
    taken = books.asked_for("id", request.path_params["batch_id"])
    return not_found() if taken is None else answer(batch_body(taken))


def _completions(books: Books, request: Request) -> Response:
    taken = books.asked_for("id", request.path_params["batch_id"])
    if taken is None:
        return not_found()
    entries = []
    for item in taken.items:
        if item.state in {"completed", "reversed"}:
            entry = {
                "transactionReference": item.provider_reference,
                "requestingOrganisationTransactionReference": item.reference,
                "completionDate": item.at,
                "link": f"/transactions/{item.provider_reference}",
                **_parties(taken, item),
            }
            if taken.other_amount:  # the API's completions carry no amount; a provider that adds one can be wrong
                entry |= {"amount": amount_text(Money(item.amount_minor + 1, item.money.currency)), "currency": item.currency}
            entries.append(entry)
    return _page(request, entries)


def _rejections(books: Books, request: Request) -> Response:
    taken = books.asked_for("id", request.path_params["batch_id"])
    if taken is None:
        return not_found()
    entries = [
        {
            "requestingOrganisationTransactionReference": item.reference,
            "rejectionDate": item.at,
            "rejectionReason": item.reason,
            **_parties(taken, item),
        }
        for item in taken.items
        if item.state == "rejected"
    ]
    return _page(request, entries)


def _response(books: Books, request: Request) -> Response:
    taken = books.asked_for("correlation", request.path_params["correlation_id"].lower())
    if taken is None:
        return not_found()
    if not taken.single:
        return answer({"link": f"/batchtransactions/{taken.identification}"})
    known = taken.items[0].provider_reference
    return answer({"link": f"/transactions/{known}" if known else f"/requeststates/{taken.server_id}"})


def _request_state(books: Books, request: Request) -> Response:
    taken = books.asked_for("server_id", request.path_params["server_id"])
    if taken is None:
        return not_found()
    item = taken.items[0]
    if taken.single and item.state == "rejected":
        failed = {"errorCategory": "businessRule", "errorCode": item.reason}
        return answer({"serverCorrelationId": taken.server_id, "status": "failed", "notificationMethod": "polling", "error": failed})
    return request_state(taken, 200)


def _transaction(books: Books, request: Request) -> Response:
    found = books.by_provider_reference.get(request.path_params["reference"])
    return not_found() if found is None or hidden(found[0]) else answer(transaction_body(*found))


def _account_status(books: Books, request: Request) -> Response:
    wallet = books.wallet(request.path_params["account"])
    if wallet is None:
        return not_found()
    return answer({"accountStatus": "available" if wallet.status in {"open", "blocked"} else "unavailable"})


def _account_name(books: Books, request: Request) -> Response:
    wallet = books.wallet(request.path_params["account"])
    if wallet is None:
        return not_found()
    if not wallet.holder:
        return answer({})
    native = any(ord(letter) > 0x24F for letter in wallet.holder)  # noqa: PLR2004 the end of the Latin blocks
    return answer({"name": {"nativeName" if native else "fullName": wallet.holder}})


def _statement(books: Books, request: Request) -> Response:
    try:
        first, last = (datetime.fromisoformat(request.query_params[name]) for name in ("fromDateTime", "toDateTime"))
    except (KeyError, ValueError):
        return error(400, "validation", "formatError", "fromDateTime, toDateTime")
    asked = (request.path_params["kind"], request.path_params["account"])
    entries = []
    for line in books.journal:
        taken, item = books.by_reference[line["reference"]]
        if item.debit != asked or not first <= datetime.fromisoformat(line["at"]) <= last:
            continue
        entry = transaction_body(taken, item) | {
            "amount": amount_text(item.money),
            "transactionStatus": "completed",
            "creationDate": line["at"],
        }
        entry["descriptionText"] = item.description
        # The API's statement entries carry no reference of the client, only the description.
        for key in ("requestingOrganisationTransactionReference", "type", "modificationDate"):
            del entry[key]
        entry["displayType"] = "Disbursement"
        if line["kind"] == "return":
            entry |= {"displayType": "Reversal", "debitParty": entry["creditParty"], "creditParty": entry["debitParty"]}
            entry["transactionReference"] += "R"
        entries.append(entry)
    return _page(request, entries)


def _balance(books: Books, request: Request) -> Response:
    """What is left of the funds in dollars: the API's balance names no currency."""
    asked = (request.path_params["kind"], request.path_params["account"])
    moved = 0
    for line in books.journal:
        if line["currency"] == "USD" and books.by_reference[line["reference"]][1].debit == asked:
            moved += line["amount_minor"] if line["kind"] == "credit" else -line["amount_minor"]
    left = amount_text(FUNDS - Money(moved, FUNDS.currency))
    return answer({"currentBalance": left, "availableBalance": left, "reservedBalance": "0", "unclearedBalance": "0"})


def _heartbeat(_books: Books, _request: Request) -> Response:
    return answer({"serviceStatus": "available"})


QUESTIONS = (
    ("/batchtransactions/{batch_id}", "look_up", _batch),
    ("/batchtransactions/{batch_id}/completions", "look_up", _completions),
    ("/batchtransactions/{batch_id}/rejections", "look_up", _rejections),
    ("/responses/{correlation_id}", "look_up", _response),
    ("/requeststates/{server_id}", "look_up", _request_state),
    ("/transactions/{reference}", "look_up", _transaction),
    ("/accounts/msisdn/{account}/status", "check", _account_status),
    ("/accounts/msisdn/{account}/accountname", "check", _account_name),
    ("/accounts/{kind}/{account}/statemententries", "statement", _statement),
    ("/accounts/{kind}/{account}/transactions", "statement", _statement),
    ("/accounts/{kind}/{account}/balance", "check", _balance),
    ("/heartbeat", "heartbeat", _heartbeat),
)


async def _journal(request: Request) -> Response:
    return answer(request.app.state.provider.books.journal)


async def _set_faults(request: Request) -> Response:
    """From now on play these faults: the body is a fault plan."""
    try:
        request.app.state.provider.faults = FaultPlan.parse((await request.body()).decode())
    except (FaultPlanError, UnicodeDecodeError) as wrong:
        return error(400, "validation", "formatError", str(wrong))
    return Response(status_code=204)


async def _give_back(request: Request) -> Response:
    """Return one executed credit: {"reference": "..."}."""
    body = await request.json()
    returned = request.app.state.provider.books.give_back(str(body.get("reference")))
    return Response(status_code=204) if returned else not_found()


CONTROLS = (
    ("GET", "/simulator/journal", _journal),
    ("POST", "/simulator/faults", _set_faults),
    ("POST", "/simulator/returns", _give_back),
)
