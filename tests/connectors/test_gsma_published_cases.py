"""The published compliance cases for disbursements, played by a provider that answers as they are written, not as ours does.

Source: the GSMA's interoperability test platform, compliance cases "Disbursements". They differ from the OpenAPI in places: entries
without our reference, categories in capitals, 500 for a validation error, `created` as the last word of a one-step batch.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.faulty_server import serving
from connectors.payouts.contract import Connector, Destination, DestinationKind, PayoutBatch, PayoutOrder, PayoutStatus
from connectors.payouts.gsma_mobile_money.connector import build
from importers.money import USD, Money

PARTIES = {"debitParty": [{"key": "msisdn", "value": "+33555123456"}], "creditParty": [{"key": "msisdn", "value": "+33555789123"}]}
WAITING = {"serverCorrelationId": str(uuid.uuid4()), "status": "pending", "notificationMethod": "callback"}
IDENTIFIER_ERROR = {"errorCategory": "identification", "errorCode": "identifierError"}
MOMENT = "2021-01-01T00:00:00.000Z"
UUID = re.compile(r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$")


@dataclass(frozen=True)
class Entries:
    """A list that the provider gives in pages."""

    listed: list[Any]


Answers = dict[tuple[str, str], tuple[int, Any]]


class Foreign:
    """A provider that is not ours: answers by path, and remembers what it was asked."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []

    async def answer(self, request: Request) -> Response:
        path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "{uuid}", request.url.path)
        body = await request.json() if await request.body() else None
        self.asked.append((request.method, path, dict(request.headers), body))
        status, answer = self.answers.get((request.method, path), (404, IDENTIFIER_ERROR))
        if isinstance(answer, Entries):  # in one page, by a provider that does not count
            answer = [] if int(request.query_params["offset"]) else answer.listed
        return Response(status_code=status) if answer is None else JSONResponse(answer, status)


@contextlib.asynccontextmanager
async def wallet(answers: Answers, **settings: object) -> AsyncIterator[tuple[Connector, Foreign]]:
    foreign = Foreign(answers)
    async with serving(Starlette(routes=[Route("/{path:path}", foreign.answer, methods=["GET", "POST", "PATCH"])])) as url:
        connector = build(
            {
                "base_url": url,
                "client_id": "DISORG1STEP12345",
                "api_key": "a-long-api-key",
                "callback_secret": "a-long-callback-secret",
                "debit_party_key": "msisdn",
                "debit_party_value": "+33555123456",
                **settings,
            }
        )
        try:
            yield connector, foreign
        finally:
            await connector.aclose()


def disbursement(amount: int = 5400) -> PayoutBatch:
    someone = Destination(kind=DestinationKind.WALLET, account="+33555789123", holder="Sok Dara")
    order = PayoutOrder(reference="GW0000000001", amount=Money(amount, USD), destination=someone, purpose="Wages")
    return PayoutBatch(
        reference="GWBATCH01", orders=[order], execute_on=date(2026, 11, 30), callback_url="https://factory.example/cb/GWBATCH01"
    )


async def status_of(connector: Connector, batch: PayoutBatch) -> PayoutStatus:
    return (await connector.look_up(batch.reference, [batch.orders[0].reference]))[0].status


async def test_one_step_bulk_success_is_paid_although_the_batch_still_says_created() -> None:
    answers: Answers = {
        ("POST", "/batchtransactions"): (202, WAITING),
        ("GET", "/responses/{uuid}"): (200, {"link": "/batchtransactions/BID12345"}),
        ("GET", "/batchtransactions/BID12345"): (200, {"batchId": "BID12345", "batchStatus": "created", "creationDate": MOMENT}),
        ("GET", "/batchtransactions/BID12345/rejections"): (200, []),
    }
    batch = disbursement()
    async with wallet(answers) as (connector, foreign):
        assert (await connector.submit(batch))[0].status is PayoutStatus.ACCEPTED
        method, _, headers, body = foreign.asked[0]
        assert method == "POST"
        assert headers["x-callback-url"].startswith("https://factory.example/cb/GWBATCH01?")
        assert headers["x-client-id"] == "DISORG1STEP12345"
        assert UUID.match(headers["x-correlationid"])
        assert headers["x-date"].endswith("Z")
        assert body["transactions"][0] | PARTIES == body["transactions"][0]
        assert (body["transactions"][0]["amount"], body["transactions"][0]["currency"], body["transactions"][0]["type"]) == (
            "54",
            "USD",
            "disbursement",
        )
        answers["GET", "/batchtransactions/BID12345/completions"] = (200, [])
        assert await status_of(connector, batch) is PayoutStatus.ACCEPTED
        # An entry without our reference is followed to its transaction.
        entry = {"completionDate": MOMENT, "transactionReference": "1234ABCD", "link": "/transactions/1234ABCD", **PARTIES}
        assert foreign.asked[-1][0] == "GET"
        served = {
            "transactionReference": "1234ABCD",
            "requestingOrganisationTransactionReference": "GW0000000001",
            "transactionStatus": "completed",
        }
        answers["GET", "/transactions/1234ABCD"] = (200, served)
        answers["GET", "/batchtransactions/BID12345/completions"] = (200, Entries([entry]))
        assert await status_of(connector, batch) is PayoutStatus.PAID


async def test_two_step_bulk_is_approved_by_a_patch_under_an_id_of_its_own() -> None:
    answers: Answers = {
        ("POST", "/batchtransactions"): (202, WAITING),
        ("GET", "/responses/{uuid}"): (200, {"link": "https://elsewhere.example/v1.1/batchtransactions/BID12345"}),
        ("PATCH", "/batchtransactions/BID12345"): (202, WAITING),
    }
    async with wallet(answers, two_step=True) as (connector, foreign):
        outcome = (await connector.submit(disbursement()))[0]
        assert (outcome.status, outcome.detail) == (PayoutStatus.ACCEPTED, "")
        (method, _, headers, body), post = foreign.asked[-1], foreign.asked[0]
        assert method == "PATCH"
        assert body == [{"op": "replace", "path": "/batchStatus", "value": "approved"}]
        assert headers["x-correlationid"] != post[2]["x-correlationid"]


async def test_a_validation_error_that_comes_as_500_is_open_and_says_what_was_wrong() -> None:
    broken = {
        "errorCategory": "Validation",
        "errorCode": "GenericError",
        "errorDescription": "mandatory data missing",
        "errorDateTime": MOMENT,
    }
    async with wallet({("POST", "/batchtransactions"): (500, broken)}) as (connector, _):
        outcome = (await connector.submit(disbursement()))[0]
        assert (outcome.status, outcome.code) == (PayoutStatus.UNKNOWN, "invalid_order")
        assert await status_of(connector, disbursement()) is PayoutStatus.NOT_FOUND


async def test_rejections_in_any_words_and_without_our_reference_never_become_not_found() -> None:
    rejected = {"rejectionDate": MOMENT, "rejectionReason": "xyz", **PARTIES}
    answers: Answers = {
        ("GET", "/responses/{uuid}"): (200, {"link": "/batchtransactions/BID1"}),
        ("GET", "/batchtransactions/BID1"): (
            200,
            {"batchId": "BID1", "batchStatus": "completed", "completedCount": 0, "rejectionCount": 1},
        ),
        ("GET", "/batchtransactions/BID1/completions"): (200, []),
    }
    async with wallet(answers) as (connector, _):
        answers["GET", "/batchtransactions/BID1/rejections"] = (200, Entries([rejected]))
        assert await status_of(connector, disbursement()) is PayoutStatus.UNKNOWN
        named = rejected | {"requestingOrganisationTransactionReference": "GW0000000001"}
        answers["GET", "/batchtransactions/BID1/rejections"] = (200, Entries([named]))
        found = (await connector.look_up("GWBATCH01", ["GW0000000001"]))[0]
        assert (found.status, found.code) == (PayoutStatus.REJECTED, "other")


async def test_a_batch_whose_lists_cannot_be_had_proves_nothing() -> None:
    answers: Answers = {
        ("GET", "/responses/{uuid}"): (200, {"link": "/batchtransactions/BID1"}),
        ("GET", "/batchtransactions/BID1"): (
            200,
            {"batchId": "BID1", "batchStatus": "completed", "completedCount": 1, "rejectionCount": 0},
        ),
    }
    async with wallet(answers) as (connector, _):
        assert await status_of(connector, disbursement()) is PayoutStatus.UNKNOWN  # completions and rejections: identifierError
        answers["GET", "/batchtransactions/BID1/completions"] = (200, [])
        answers["GET", "/batchtransactions/BID1/rejections"] = (200, [])
        assert await status_of(connector, disbursement()) is PayoutStatus.UNKNOWN  # one completion is counted and none is listed
        answers["GET", "/batchtransactions/BID1"] = (200, {"batchId": "BID1", "batchTitle": "GWBATCH99", "batchStatus": "completed"})
        assert await status_of(connector, disbursement()) is PayoutStatus.UNKNOWN  # another batch than ours


async def test_individual_disbursement_by_polling() -> None:
    reference = str(uuid.uuid4())
    transaction = {
        "transactionReference": reference,
        "transactionStatus": "completed",
        "amount": "52.00",
        "currency": "USD",
        "type": "disbursement",
        **PARTIES,
    }
    answers: Answers = {
        ("POST", "/transactions/type/disbursement"): (202, WAITING | {"notificationMethod": "polling"}),
        ("GET", "/responses/{uuid}"): (200, {"link": f"/requeststates/{WAITING['serverCorrelationId']}"}),
        ("GET", "/requeststates/{uuid}"): (200, WAITING),
        ("GET", "/transactions/{uuid}"): (200, transaction),
    }
    batch = disbursement(5200)
    async with wallet(answers, bulk=False) as (connector, foreign):
        assert (await connector.submit(batch))[0].status is PayoutStatus.ACCEPTED
        assert foreign.asked[0][3]["type"] == "disbursement"
        assert await status_of(connector, batch) is PayoutStatus.ACCEPTED
        answers["GET", "/requeststates/{uuid}"] = (200, WAITING | {"status": "completed", "objectReference": reference})
        found = (await connector.look_up(batch.reference, ["GW0000000001"]))[0]
        assert (found.status, found.amount) == (PayoutStatus.PAID, Money(5200, USD))
        answers["GET", "/transactions/{uuid}"] = (200, transaction | {"requestingOrganisationTransactionReference": "GW9999999999"})
        assert await status_of(connector, batch) is PayoutStatus.UNKNOWN


async def test_individual_disbursement_refused_for_want_of_money() -> None:
    refused = {"errorCategory": "businessRule", "errorCode": "insufficientFunds", "errorDateTime": MOMENT}
    failed = WAITING | {"status": "failed", "error": refused}
    answers: Answers = {
        ("POST", "/transactions/type/disbursement"): (202, WAITING),
        ("GET", "/responses/{uuid}"): (200, {"link": f"/requeststates/{WAITING['serverCorrelationId']}"}),
        ("GET", "/requeststates/{uuid}"): (200, failed),
    }
    async with wallet(answers, bulk=False) as (connector, _):
        assert (await connector.submit(disbursement(5100)))[0].status is PayoutStatus.ACCEPTED
        found = (await connector.look_up("GWBATCH01", ["GW0000000001"]))[0]
        assert (found.status, found.code) == (PayoutStatus.REJECTED, "insufficient_funds")


async def test_a_404_without_an_error_object_is_some_gateways_and_not_the_providers_word() -> None:
    async with wallet({("GET", "/responses/{uuid}"): (404, {"message": "no route"})}) as (connector, _):
        assert await status_of(connector, disbursement()) is PayoutStatus.UNKNOWN
    async with wallet({("GET", "/responses/{uuid}"): (404, IDENTIFIER_ERROR)}) as (connector, _):
        assert await status_of(connector, disbursement()) is PayoutStatus.NOT_FOUND
    async with wallet({("GET", "/responses/{uuid}"): (404, IDENTIFIER_ERROR)}, bulk=False) as (connector, _):
        assert await status_of(connector, disbursement()) is PayoutStatus.NOT_FOUND


async def test_an_order_in_both_lists_or_twice_in_one_is_for_a_person() -> None:
    named = {"requestingOrganisationTransactionReference": "GW0000000001", "transactionReference": "MM1"}
    answers: Answers = {
        ("GET", "/responses/{uuid}"): (200, {"link": "/batchtransactions/BID1"}),
        ("GET", "/batchtransactions/BID1"): (
            200,
            {"batchId": "BID1", "batchStatus": "completed", "completedCount": 1, "rejectionCount": 1},
        ),
        ("GET", "/batchtransactions/BID1/completions"): (200, Entries([named])),
        ("GET", "/batchtransactions/BID1/rejections"): (200, Entries([named | {"rejectionReason": "requestDeclined"}])),
    }
    async with wallet(answers) as (connector, _):
        assert await status_of(connector, disbursement()) is PayoutStatus.UNKNOWN
        answers["GET", "/batchtransactions/BID1/rejections"] = (200, [])
        answers["GET", "/batchtransactions/BID1/completions"] = (200, Entries([named, named | {"transactionReference": "MM2"}]))
        assert await status_of(connector, disbursement()) is PayoutStatus.UNKNOWN
