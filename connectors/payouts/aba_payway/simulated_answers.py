"""What the simulated PayWay answers, in the shapes of its public pages."""

from __future__ import annotations

import json
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.faults import FaultKind, FaultPlan, FaultPlanError
from connectors.faulty_answers import Answers
from connectors.payouts.aba_payway.simulated_bank import Transaction
from importers.money import Money


def answer(body: object, http: int = 200) -> Response:
    """JSON as PayWay sends it."""
    return Response(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), http, media_type="application/json")


def status(code: str, message: str, reference: str = "", *, http: int = 403) -> Response:
    """A refusal: PayWay answers most of them with 403 and a code of its own."""
    return answer({"status": {"code": code, "message": message, "tran_id": reference}}, http)


def _later(response: Response) -> Response:
    response.headers["retry-after"] = "1"
    return response


# How PayWay words what goes wrong; the rest is played as everywhere.
OWN: Answers = {
    FaultKind.TOO_MANY_REQUESTS: lambda: _later(status("429", "Reach request limit", http=429)),
    FaultKind.NOT_AUTHORISED: lambda: status("1", "Wrong Hash."),
    FaultKind.SERVER_ERROR: lambda: status("11", "Something went wrong", http=500),
    FaultKind.CONFLICT: lambda: status("4", "Duplicated transaction ID"),
}


def _number(amount: Money, *, other: bool = False) -> str:
    return str(Money(amount.minor + 1, amount.currency).amount if other else amount.amount)


def paid(done: Transaction, name: str, *, other: bool, stranger: bool) -> Response:
    """The answer to a payout. Amounts are JSON numbers, as PayWay's are."""
    amount, unit = _number(done.amount, other=other), done.amount.currency.code
    line = {"payout_id": done.apv, "name": name, "mid_acccount": "111111111" if stranger else done.account, "amount": "@", "currency": unit}
    body = {
        "transaction_id": done.reference,
        "transaction_date": done.at,
        "external_reference": f"100FT{done.apv}",
        "apv": done.apv,
        "transaction_amount": "@",
        "transaction_currency": unit,
        "beneficiaries": [line],
        "status": {"code": "0", "message": "Success", "tran_id": done.reference, "trace_id": done.apv},
    }
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).replace('"@"', amount)
    return Response(text.encode(), media_type="application/json")


def _state(done: Transaction) -> tuple[str, int]:
    return ("REFUNDED", 4) if done.returned else ("APPROVED", 0)


def checked(done: Transaction, *, other: bool) -> Response:
    """The answer to check-transaction-2."""
    state, number = _state(done)
    data = {
        "payment_status_code": number,
        "total_amount": _number(done.amount, other=other),
        "payment_amount": _number(done.amount, other=other),
        "payment_currency": done.amount.currency.code,
        "apv": done.apv,
        "payment_status": state,
        "transaction_date": done.at,
    }
    return answer({"data": data, "status": {"code": "00", "message": "Success!", "tran_id": done.reference}})


def listed(page: Sequence[Transaction], number: int, size: int) -> Response:
    """One page of transaction-list-2."""
    lines = []
    for done in page:
        state, code = _state(done)
        lines.append(
            {
                "transaction_id": done.reference,
                "transaction_date": done.at,
                "apv": done.apv,
                "payment_status": state,
                "payment_status_code": code,
                "original_amount": _number(done.amount),
                "original_currency": done.amount.currency.code,
                "total_amount": _number(done.amount),
                "refund_amount": _number(done.amount) if done.returned else "0",
                "payment_amount": _number(done.amount),
                "payment_currency": done.amount.currency.code,
                "payment_type": "Payout",
                "bank_ref": f"100FT{done.apv}",
            }
        )
    return answer({"data": lines, "page": str(number), "pagination": str(size), "status": {"code": "00", "message": "Success!"}})


def payee(account: str, holder: str, unit: str, *, enabled: bool) -> Response:
    """The answer to both requests about the whitelist."""
    data = {"name": holder, "payee": account, "currency": unit, "type": "ABA Account", "status": int(enabled)}
    return answer({"data": data, "status": {"code": "200", "message": "Success"}})


def controls() -> list[Route]:
    """What tests and the demo ask of the simulator itself."""

    async def journal(request: Request) -> Response:
        return answer(request.app.state.payway.books.journal)

    async def faults(request: Request) -> Response:
        try:
            request.app.state.payway.faults = FaultPlan.parse((await request.body()).decode())
        except (FaultPlanError, UnicodeDecodeError) as wrong:
            return status("48", str(wrong), http=400)
        return Response(status_code=204)

    async def returns(request: Request) -> Response:
        given = await request.json()
        known = request.app.state.payway.books.give_back(str(given.get("reference")))
        return Response(status_code=204 if known else 404)

    return [
        Route("/simulator/journal", journal),
        Route("/simulator/faults", faults, methods=["POST"]),
        Route("/simulator/returns", returns, methods=["POST"]),
    ]
