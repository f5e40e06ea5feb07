"""Our words and the provider's. 3: translate requests, states and refusals here, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.json_http import Answer, NoAnswer
from connectors.payouts.contract import PayoutBatch, PayoutOrder, PayoutOutcome, PayoutStatus
from importers.money import CURRENCIES, Money, MoneyError

# Refusals by which the provider says that no money moved. What is not in this list is left open: that is the safe side.
REFUSALS: Mapping[str, str] = {
    "unknown_account": "account_unknown",
    "closed_account": "account_closed",
    "no_funds": "insufficient_funds",
    "bad_order": "invalid_order",
    "bad_key": "not_authorised",
    "too_fast": "temporary",
}
STATES: Mapping[str, PayoutStatus] = {
    "taken": PayoutStatus.ACCEPTED,
    "paid": PayoutStatus.PAID,
    "refused": PayoutStatus.REJECTED,
    "returned": PayoutStatus.RETURNED,
}


def batch_body(batch: PayoutBatch, orders: Sequence[PayoutOrder]) -> bytes:
    """The request. Amounts travel as text: a JSON number may pass through a float on the way."""
    lines = [
        {
            "reference": order.reference,
            "account": order.destination.account,
            "amount": f"{order.amount.amount:f}",
            "currency": order.amount.currency.code,
            "purpose": order.purpose,
        }
        for order in orders
    ]
    return json.dumps({"batch": batch.reference, "callback": batch.callback_url, "orders": lines}).encode()


def judge(answer: Answer | NoAnswer) -> tuple[PayoutStatus, str | None, str]:
    """What the answer to a submit says of the whole batch. Whatever leaves it open whether money moves is UNKNOWN."""
    if isinstance(answer, NoAnswer):
        if answer.nothing_sent:
            return PayoutStatus.REJECTED, "temporary", "the provider could not be reached and nothing was sent; try again later"
        return PayoutStatus.UNKNOWN, answer.code, "the orders may have arrived; look them up"
    body = answer.body if isinstance(answer.body, Mapping) else {}
    if answer.status == 202 and "taken" in body:  # noqa: PLR2004 accepted
        return PayoutStatus.ACCEPTED, None, ""
    reason = str(body.get("error", ""))
    detail = f"the provider answered {answer.status}"
    if reason in REFUSALS and 400 <= answer.status < 500 and answer.status != 409:  # noqa: PLR2004 refused, and no conflict
        return PayoutStatus.REJECTED, REFUSALS[reason], detail
    return PayoutStatus.UNKNOWN, "duplicate" if answer.status == 409 else "other", detail  # noqa: PLR2004 conflict


def outcomes(answer: Answer | NoAnswer, references: Sequence[str]) -> list[PayoutOutcome]:
    """What the answer to a look-up says of each order. Only the provider's clear "I do not know this batch" is NOT_FOUND."""
    body = answer.body if isinstance(answer, Answer) and isinstance(answer.body, Mapping) else {}
    if isinstance(answer, Answer) and answer.status == 404 and body.get("error") == "unknown_batch":  # noqa: PLR2004 not found
        return [PayoutOutcome(reference=reference, status=PayoutStatus.NOT_FOUND) for reference in references]
    lines = body.get("orders") if isinstance(answer, Answer) and answer.status == 200 else None  # noqa: PLR2004 found
    if not isinstance(lines, list):
        code = answer.code if isinstance(answer, NoAnswer) else "unreadable_answer"
        detail = "the look-up failed; look up again later"
        return [PayoutOutcome(reference=reference, status=PayoutStatus.UNKNOWN, code=code, detail=detail) for reference in references]
    found = {str(line.get("reference")): line for line in lines if isinstance(line, Mapping)}
    return [
        _outcome(reference, found[reference]) if reference in found else PayoutOutcome(reference=reference, status=PayoutStatus.NOT_FOUND)
        for reference in references
    ]


def _outcome(reference: str, line: Mapping[str, Any]) -> PayoutOutcome:
    status = STATES.get(str(line.get("state")), PayoutStatus.UNKNOWN)
    amount = read_amount(line.get("amount"), line.get("currency"))
    if amount is None:  # it may be another one: never taken for the order's
        status = PayoutStatus.UNKNOWN
    reason = REFUSALS.get(str(line.get("reason")), "other")
    return PayoutOutcome(
        reference=reference,
        status=status,
        provider_reference=str(line["number"]) if line.get("number") else None,
        code=reason if status in {PayoutStatus.REJECTED, PayoutStatus.UNKNOWN} else None,
        amount=amount,
        account=str(line["account"]) if line.get("account") else None,
    )


def read_amount(value: object, unit: object) -> Money | None:
    """The amount that the provider states. It and the account are passed on: callers compare them with the order's."""
    money = CURRENCIES.get(str(unit))
    if money is None or isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        return Money.of(value, money)
    except MoneyError:
        return None
