"""Our words and PlasGate's: messages to JSON, answers and states to outcomes. What of this is public stands in README.md."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import httpx2 as httpx

from connectors.sms.contract import DeliveryStatus, SmsMessage, SmsOutcome
from connectors.sms.plasgate.config import PlasGateConfig
from connectors.sms.plasgate.receipts import receipt_address

LONGEST_TEXT = 1500  # characters, as the vendor's own client checks
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")  # E.164
_HALF_LETTER = re.compile("[\ud800-\udfff]")
_MASK = "#ma#"  # text between two of these shows as stars in PlasGate's reports; the phone gets it without them

_STATES: dict[str, tuple[DeliveryStatus, str | None]] = {
    "DELIVRD": (DeliveryStatus.DELIVERED, None),
    "ESME_ROK": (DeliveryStatus.SENT, None),
    "ACCEPTD": (DeliveryStatus.SENT, None),
    "ENROUTE": (DeliveryStatus.SENT, None),
    "EXPIRED": (DeliveryStatus.FAILED, "expired"),
    "DELETED": (DeliveryStatus.FAILED, "deleted"),
    "UNDELIV": (DeliveryStatus.FAILED, "undeliverable"),
    "REJECTD": (DeliveryStatus.FAILED, "refused"),
}

_REFUSALS = {
    400: ("invalid_message", "the gateway refused the request as malformed (400): check the sender name and the texts"),
    401: ("not_authorised", "the gateway refused the keys (401): check private_key and secret"),
    402: ("no_credit", "the gateway asks for credit (402): top up the account"),
    403: ("not_authorised", "the gateway forbids this (403): check private_key, secret and that the sender name is registered"),
    404: ("refused", "no such address at the gateway (404): check base_url"),
    413: ("invalid_message", "the request is too large for the gateway (413): choose a smaller batch_size"),
    422: ("invalid_message", "the gateway refused the content (422): check the sender name and the texts"),
    429: ("temporary", "too many requests (429): send again after a minute"),
}


def problem(message: SmsMessage) -> str | None:
    """Why this message cannot be sent, without personal data; None if it can."""
    if not _NUMBER.fullmatch(message.to):
        return "the number is not in the form +855...: correct it in the worker's record"
    if not message.text.strip():
        return "the text is empty"
    if _HALF_LETTER.search(message.text):
        return "the text holds half a character (a lone surrogate): compose it again"
    if len(message.text) > LONGEST_TEXT:
        return f"the text is over {LONGEST_TEXT} characters: shorten it"
    return None


def body_of_one(message: SmsMessage, config: PlasGateConfig) -> bytes:
    """The request for /rest/send."""
    return _json(_receipt_wish(config) | _message(message, config) | {"sender": config.sender, "to": message.to.removeprefix("+")})


def body_of_many(messages: Sequence[SmsMessage], config: PlasGateConfig) -> bytes:
    """The request for /rest/batch-send."""
    return _json(
        {
            "globals": _receipt_wish(config) | {"sender": config.sender},
            "messages": [_message(message, config) for message in messages],
        }
    )


def outcomes_of(answer: httpx.Response, messages: Sequence[SmsMessage]) -> list[SmsOutcome]:
    """What the answer to one request says of its messages. Only a clear refusal is FAILED; what is unclear is UNKNOWN."""
    refusal = _REFUSALS.get(answer.status_code)
    if refusal:
        code, detail = refusal
        return [SmsOutcome(reference=message.reference, status=DeliveryStatus.FAILED, code=code, detail=detail) for message in messages]
    identifier, count = _read(answer) if answer.is_success else (None, None)
    if identifier is None:
        code, detail = "unreadable_answer", f"the gateway answered {answer.status_code} without the number of the batch"
        return [_unknown(message, code, detail) for message in messages]
    if count is not None and count < len(messages):
        detail = f"the gateway took {count} of {len(messages)} messages and does not say which"
        return [_unknown(message, "count_differs", detail) for message in messages]
    return [SmsOutcome(reference=message.reference, status=DeliveryStatus.SENT, gateway_reference=identifier) for message in messages]


def unsent(message: SmsMessage, code: str, detail: str) -> SmsOutcome:
    """A message that certainly did not leave."""
    return SmsOutcome(reference=message.reference, status=DeliveryStatus.FAILED, code=code, detail=detail)


def state(word: str) -> tuple[DeliveryStatus, str | None]:
    """Our status and code for a receipt's `message_status`; a refused submission is any other ESME_R word (SMPP 3.4, 5.1.3)."""
    known = _STATES.get(word.strip().upper())
    if known:
        return known
    if word.strip().upper().startswith("ESME_R"):
        return DeliveryStatus.FAILED, "refused"
    return DeliveryStatus.UNKNOWN, None


def _unknown(message: SmsMessage, code: str, detail: str) -> SmsOutcome:
    return SmsOutcome(reference=message.reference, status=DeliveryStatus.UNKNOWN, code=code, detail=detail)


def _message(message: SmsMessage, config: PlasGateConfig) -> dict[str, Any]:
    text = f"{_MASK}{message.text}{_MASK}" if config.masks_reports else message.text
    wanted: dict[str, Any] = {"to": [message.to.removeprefix("+")], "content": text}
    if config.receipt_url and config.receipt_secret:
        wanted["dlr_url"] = receipt_address(config.receipt_url, config.receipt_secret.get_secret_value(), message.reference)
    return wanted


def _receipt_wish(config: PlasGateConfig) -> dict[str, Any]:
    if config.receipt_url is None:
        return {}
    # Level 2 is the phone's word alone; 3 would add a call when the network has the message. The vendor's own client asks for a
    # dlr_url beside dlr, so it stands here too; each message's own address goes before it.
    return {"dlr": "yes", "dlr_level": 2, "dlr_method": "POST", "dlr_url": config.receipt_url}


def _read(answer: httpx.Response) -> tuple[str | None, int | None]:
    """The number of the batch and how many messages were taken, in either of the two shapes seen."""
    try:
        body = answer.json()
    except ValueError:
        return None, None
    if not isinstance(body, dict):
        return None, None
    inner = body["data"] if isinstance(body.get("data"), dict) else body
    identifier = next((inner[name] for name in ("queue_id", "batchId", "batch_id") if isinstance(inner.get(name), str)), None)
    count = next((inner[name] for name in ("message_count", "messageCount") if isinstance(inner.get(name), int)), None)
    return identifier, count


def _json(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
