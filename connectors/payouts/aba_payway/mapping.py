"""Our words and PayWay's: amounts, requests, status codes, and states of a transaction."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.json_http import Answer, NoAnswer
from connectors.payouts.aba_payway.config import AbaPaywayConfig
from connectors.payouts.contract import PayoutOrder, PayoutOutcome, PayoutStatus
from importers.money import Money, MoneyError, currency

# Codes by which PayWay says that it looked at the request and went no further: no money moved. Whatever is not here is left open,
# also codes that sound like a failure on the way (86 "unable to debit", 91 "unable to credit", 11 "something went wrong").
REFUSALS: Mapping[str, str] = {
    "1": "not_authorised",  # wrong hash
    "26": "not_authorised",  # merchant profile
    "24": "invalid_order",  # cannot decrypt
    "25": "invalid_order",
    "36": "account_unknown",  # payout account or amount is invalid
    "37": "invalid_order",  # not in the whitelist
    "44": "limit_exceeded",
    "48": "invalid_order",
    "70": "limit_exceeded",
    "80": "invalid_order",
    "81": "invalid_order",
    "82": "invalid_order",
    "85": "invalid_order",
    "90": "invalid_order",
    "92": "invalid_order",
    "93": "insufficient_funds",
    "400": "invalid_order",
    "LAM01": "limit_exceeded",
    "LAM02": "limit_exceeded",
    "429": "temporary",
}
DUPLICATES = frozenset({"4", "83"})
GOOD = frozenset({"0", "00"})
NOT_FOUND = "6"
_STATES: Mapping[str, PayoutStatus] = {
    "APPROVED": PayoutStatus.PAID,
    "PENDING": PayoutStatus.ACCEPTED,
    "PRE-AUTH": PayoutStatus.ACCEPTED,
    "DECLINED": PayoutStatus.REJECTED,
    "DECLINDED": PayoutStatus.REJECTED,  # as PayWay's own page spells it
    "CANCELLED": PayoutStatus.REJECTED,
    "REFUNDED": PayoutStatus.RETURNED,
}
_LONGEST_CODE = 8


def amount_text(amount: Money, config: AbaPaywayConfig) -> str:
    """The amount as it is sent and hashed: riel whole, dollars as `usd_amounts` says."""
    text = f"{amount.amount:f}"
    return text.rstrip("0").rstrip(".") if config.usd_amounts == "shortest" and "." in text else text


def compact(value: object) -> str:
    """JSON without blanks, as PHP's json_encode writes it."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def beneficiaries(order: PayoutOrder, config: AbaPaywayConfig) -> str:
    """Whom the order pays. The amount stands as a number with exactly the digits of `amount_text`."""
    return f'[{{"account":{compact(order.destination.account)},"amount":{amount_text(order.amount, config)}}}]'


def status_code(body: object) -> str:
    """The code in `status`, as text; empty where there is none that can be one."""
    status = body.get("status") if isinstance(body, Mapping) else None
    code = status.get("code") if isinstance(status, Mapping) else None
    if isinstance(code, bool) or not isinstance(code, str | int):
        return ""
    text = str(code).upper()
    return text if len(text) <= _LONGEST_CODE and text.isalnum() and text.isascii() else ""


def judge_payout(answer: Answer | NoAnswer, order: PayoutOrder) -> PayoutOutcome:
    """What the answer to a payout says. Paid only where it names our transaction, account and currency; other amounts are passed on."""
    outcome = _judge_payout(answer, order)
    return dataclasses.replace(outcome, retry_after=answer.retry_after) if outcome.code == "temporary" else outcome


def _judge_payout(answer: Answer | NoAnswer, order: PayoutOrder) -> PayoutOutcome:
    if isinstance(answer, NoAnswer):
        if answer.nothing_sent:
            return _of(order, PayoutStatus.REJECTED, "temporary", "PayWay could not be reached and nothing was sent; try again later")
        return _of(order, PayoutStatus.UNKNOWN, answer.code, "the order may have arrived; look it up, do not send it again")
    code = status_code(answer.body)
    detail = f"PayWay answered {answer.status}, code {code or 'none'}"
    if code in GOOD and answer.status == 200:  # noqa: PLR2004 success
        return _paid(answer.body, order)
    # The server's own errors prove nothing, whatever they say.
    if code in REFUSALS and answer.status < 500:  # noqa: PLR2004 the first of them
        return _of(order, PayoutStatus.REJECTED, REFUSALS[code], detail)
    is_second = code in DUPLICATES or answer.status == 409  # noqa: PLR2004 conflict
    ours = "duplicate" if is_second else "other" if code else "unreadable_answer"
    return _of(order, PayoutStatus.UNKNOWN, ours, f"{detail}: look it up, do not send it again")


def _paid(body: Mapping[str, Any], order: PayoutOrder) -> PayoutOutcome:
    lines = body.get("beneficiaries")
    first = lines[0] if isinstance(lines, list) and len(lines) == 1 and isinstance(lines[0], Mapping) else {}
    account = first.get("mid_acccount", first.get("mid_account"))  # three c's on PayWay's page
    named = body.get("transaction_id") == order.reference and isinstance(account, str)
    amount = read_amount(first.get("amount"), body.get("transaction_currency"))
    if not named or amount is None:
        return _of(order, PayoutStatus.UNKNOWN, "unreadable_answer", "PayWay's answer is not about this order; look it up")
    return PayoutOutcome(
        reference=order.reference,
        status=PayoutStatus.PAID,
        provider_reference=text_or_none(body.get("external_reference")) or text_or_none(body.get("apv")),
        amount=amount,
        account=str(account),
    )


def judge_transaction(answer: Answer | NoAnswer, reference: str, unit: str) -> PayoutOutcome:
    """What check-transaction-2 says of one reference."""
    if isinstance(answer, NoAnswer):
        return _trouble(reference, answer.code, answer.status)
    code, body = status_code(answer.body), answer.body
    status = body.get("status") if isinstance(body, Mapping) else None
    if code == NOT_FOUND and answer.status < 500:  # noqa: PLR2004 see judge_payout
        return PayoutOutcome(
            reference=reference,
            status=PayoutStatus.NOT_FOUND,
            detail="PayWay knows no such transaction of the last seven days",
        )
    data = body.get("data") if isinstance(body, Mapping) and code in GOOD and answer.status == 200 else None  # noqa: PLR2004 success
    if not isinstance(data, Mapping) or not isinstance(status, Mapping) or status.get("tran_id", reference) != reference:
        return _trouble(reference, "unreadable_answer", answer.status)
    state, amount = _STATES.get(str(data.get("payment_status")).upper(), PayoutStatus.UNKNOWN), read_amount(data.get("total_amount"), unit)
    if amount is None:  # it may be another one: never taken for the order's
        state = PayoutStatus.UNKNOWN
    return PayoutOutcome(
        reference=reference,
        status=state,
        provider_reference=text_or_none(data.get("apv")),
        code="other" if state in {PayoutStatus.REJECTED, PayoutStatus.UNKNOWN} else None,
        detail="" if state is PayoutStatus.PAID else "as PayWay's transaction check says",
        amount=amount,
    )


def read_amount(value: object, unit: object) -> Money | None:
    """The amount that PayWay states, or None where it states none that can be read."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or unit not in {"USD", "KHR"}:
        return None
    try:
        return Money.of(value, currency(str(unit)))
    except MoneyError:
        return None


def text_or_none(value: object) -> str | None:
    """A provider's identification, or None."""
    return value if isinstance(value, str) and 0 < len(value) <= 64 else None  # noqa: PLR2004 longer than any of PayWay's


def _of(order: PayoutOrder, status: PayoutStatus, code: str, detail: str) -> PayoutOutcome:
    return PayoutOutcome(reference=order.reference, status=status, code=code, detail=detail)


def _trouble(reference: str, code: str, status: int | None) -> PayoutOutcome:
    detail = f"PayWay answered {status or 'nothing'}; look up again later"
    return PayoutOutcome(reference=reference, status=PayoutStatus.UNKNOWN, code=code, detail=detail)
