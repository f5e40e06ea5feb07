"""Our words and theirs. Strict in what is sent, lenient in what is read.

Source: the GSMA Mobile Money API specification 1.1.2 (OpenAPI), and its published compliance cases where they differ from it.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.json_http import Answer, NoAnswer
from connectors.payouts.contract import PayoutBatch, PayoutOrder, PayoutStatus
from connectors.payouts.gsma_mobile_money.config import GsmaConfig
from connectors.payouts.gsma_mobile_money.outgoing import LONGEST_DESCRIPTION
from importers.money import CURRENCIES, Money, MoneyError

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:garment-wages:gsma-mobile-money")
_TOO_MANY = 429
_WORD = re.compile(r"[A-Za-z]{1,40}", re.ASCII)

# Their harmonised error codes that say for certain that nothing was paid, and ours. What is not here proves nothing:
# genericError and incorrectState may follow work that was done, duplicateRequest follows work that certainly was.
REFUSALS: Mapping[str, str] = {
    "identifiererror": "account_unknown",
    "insufficientfunds": "insufficient_funds",
    "dailyvolumelimitexceeded": "limit_exceeded",
    "dailyvaluelimitexceeded": "limit_exceeded",
    "weeklyvolumelimitexceeded": "limit_exceeded",
    "weeklyvaluelimitexceeded": "limit_exceeded",
    "monthlyvolumelimitexceeded": "limit_exceeded",
    "monthlyvaluelimitexceeded": "limit_exceeded",
    "accountmaxtotalvolumeexceeded": "limit_exceeded",
    "accountmaxtotalvalueexceeded": "limit_exceeded",
    "lessthantransactionminvalue": "limit_exceeded",
    "greaterthantransactionmaxvalue": "limit_exceeded",
    "maxbalanceexceeded": "limit_exceeded",
    "samepartieserror": "invalid_order",
    "transactiontypeerror": "invalid_order",
    "lengtherror": "invalid_order",
    "formaterror": "invalid_order",
    "negativevalue": "invalid_order",
    "currencynotsupported": "invalid_order",
    "mandatoryvaluenotsupplied": "invalid_order",
    "clientauthorisationerror": "not_authorised",
    "requestingpartyauthorisationerror": "not_authorised",
    "servicingpartyauthorisationerror": "not_authorised",
    "requestdeclined": "other",
    "ratelimiterror": "temporary",
}
# Words that providers put into the free text of a rejection.
_REASONS = (
    ("unregistered", "account_unknown"),
    ("unavailable", "account_closed"),
    ("closed", "account_closed"),
    ("blocked", "account_closed"),
    ("suspended", "account_closed"),
    ("mismatch", "name_mismatch"),
)
_TRANSACTION_STATES: Mapping[str, PayoutStatus] = {
    "completed": PayoutStatus.PAID,
    "successful": PayoutStatus.PAID,
    "success": PayoutStatus.PAID,
    "accepted": PayoutStatus.ACCEPTED,
    "created": PayoutStatus.ACCEPTED,
    "pending": PayoutStatus.ACCEPTED,
    "processing": PayoutStatus.ACCEPTED,
    "failed": PayoutStatus.REJECTED,
    "rejected": PayoutStatus.REJECTED,
    "declined": PayoutStatus.REJECTED,
    "reversed": PayoutStatus.RETURNED,
    "returned": PayoutStatus.RETURNED,
}


def correlation_id(reference: str, step: str = "submit") -> str:
    """The UUID under which a request travels: the same for the same reference, so that a repeat is recognised."""
    return str(uuid.uuid5(_NAMESPACE, f"{step}/{reference}"))


def amount_text(amount: Money) -> str:
    """An amount as the API's pattern wants it: no trailing zero after the point, no exponent (210, 15.2, 952000)."""
    text = f"{amount.amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def read_amount(value: object, code: object) -> Money | None:
    """What the provider states, or None where it states nothing that is money here."""
    money = CURRENCIES.get(code) if isinstance(code, str) else None
    if money is None or isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        return Money.of(value, money)
    except MoneyError:
        return None


def read_payee(body: Mapping[str, Any]) -> str | None:
    """The phone number that the provider states as credited, or None where it states none."""
    parties = body.get("creditParty")
    listed = parties if isinstance(parties, list) else []
    numbers = [party.get("value") for party in listed if isinstance(party, Mapping) and str(party.get("key")).lower() == "msisdn"]
    return numbers[0] if len(numbers) == 1 and isinstance(numbers[0], str) else None


def read_moment(value: object) -> datetime | None:
    """An ISO 8601 moment, in UTC where the provider names no zone."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def transaction(order: PayoutOrder, config: GsmaConfig) -> dict[str, object]:
    """One disbursement. The description ends with our reference, because a statement entry carries nothing else of ours."""
    room = LONGEST_DESCRIPTION - len(order.reference) - 1
    return {
        "amount": amount_text(order.amount),
        "currency": order.amount.currency.code,
        "type": "disbursement",
        "debitParty": [{"key": config.debit_party_key, "value": config.debit_party_value}],
        "creditParty": [{"key": "msisdn", "value": order.destination.account}],
        "descriptionText": f"{order.purpose[:room]} {order.reference}".strip(),
        "requestingOrganisationTransactionReference": order.reference,
    }


def batch_body(batch: PayoutBatch, orders: list[PayoutOrder], config: GsmaConfig) -> bytes:
    """The body of POST /batchtransactions: the same bytes for the same batch."""
    return compact({"batchTitle": batch.reference, "transactions": [transaction(order, config) for order in orders]})


def single_body(order: PayoutOrder, config: GsmaConfig) -> bytes:
    """The body of one disbursement. Its type is written although the path may name it too: the published cases look for it."""
    return compact(transaction(order, config))


def compact(value: object) -> bytes:
    """JSON without spaces, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def error_of(body: Any) -> tuple[str, str] | None:  # noqa: ANN401 whatever JSON a provider sends
    """The category and code of an error object, in lower case, or None if this is no error object."""
    if not isinstance(body, Mapping) or not ("errorCode" in body or "errorCategory" in body):
        return None
    return str(body.get("errorCategory", "")).lower(), str(body.get("errorCode", "")).lower()


def refusal_code(reason: object) -> str:
    """Our code for the free text of a rejected transaction."""
    text = str(reason)
    for word in _WORD.findall(text):
        if word.lower() in REFUSALS:
            return REFUSALS[word.lower()]
    return next((code for word, code in _REASONS if word in text.lower()), "other")


def safe_word(text: object) -> str:
    """The first word of a provider's reason, which names an error; the rest might name a person and stays out of our sight."""
    found = _WORD.match(str(text))
    return found[0] if found else "unnamed"


def transaction_state(value: object) -> PayoutStatus:
    """The state of one transaction; a word that we do not know proves nothing."""
    return _TRANSACTION_STATES.get(str(value).lower(), PayoutStatus.UNKNOWN)


def judge(answer: Answer | NoAnswer) -> tuple[PayoutStatus, str | None, str]:
    """What an answer to a submit says: status, our code, and a sentence. Whatever leaves it open is UNKNOWN."""
    if answer.status == _TOO_MANY and answer.retry_after is not None:
        return PayoutStatus.REJECTED, "temporary", "the provider asks to send more slowly and took nothing"
    if isinstance(answer, NoAnswer):
        return _judge_silence(answer)
    error = error_of(answer.body)
    if error is not None:
        return judge_error(error, answer.status)
    if isinstance(answer.body, Mapping) and answer.status in {200, 201, 202}:
        return _judge_state(answer.body)
    return PayoutStatus.UNKNOWN, "unreadable_answer", f"the provider answered {answer.status} without an error object"


def _judge_silence(answer: NoAnswer) -> tuple[PayoutStatus, str | None, str]:
    if not answer.nothing_sent:
        return PayoutStatus.UNKNOWN, answer.code, "the order may have arrived; look it up, do not send it again"
    asked = answer.retry_after is not None
    why = "the provider asked not to be called yet" if asked else "the provider could not be reached"
    return PayoutStatus.REJECTED, "temporary", f"{why} and nothing was sent; try again later"


def judge_error(error: tuple[str, str], status: int) -> tuple[PayoutStatus, str | None, str]:
    """What an error object proves. Nothing with 5xx, even where it speaks of validation, and nothing with a success."""
    category, code = error
    detail = f"the provider answered {status} {safe_word(category)} {safe_word(code)}"
    if code == "duplicaterequest" or status == 409:  # noqa: PLR2004 conflict
        return PayoutStatus.UNKNOWN, "duplicate", f"{detail}; it has this reference already: look it up"
    ours = REFUSALS.get(code, "invalid_order" if category == "validation" else None)
    if ours is not None and 400 <= status < 500:  # noqa: PLR2004 the client errors of HTTP
        return PayoutStatus.REJECTED, ours, detail
    return PayoutStatus.UNKNOWN, ours or "other", detail


def _judge_state(body: Mapping[str, Any]) -> tuple[PayoutStatus, str | None, str]:
    """A request state, or the resource itself from a provider that answers at once."""
    state = str(body.get("status", body.get("transactionStatus", ""))).lower()
    error = error_of(body.get("error"))
    if state == "failed" and error is not None and error[1] in REFUSALS:
        return PayoutStatus.REJECTED, REFUSALS[error[1]], f"the provider refused: {safe_word(error[1])}"
    if state == "failed" or not ("serverCorrelationId" in body or "batchId" in body or "transactionReference" in body):
        return PayoutStatus.UNKNOWN, "unreadable_answer", "the provider's answer does not say what became of the order"
    return PayoutStatus.ACCEPTED, None, ""
