"""Does a gateway keep the contract? Run against its simulator or test account, each finding says what is missing.

`examine` sends a few messages to the numbers it is given: never run it with workers' numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.sms.contract import OUTCOME_CODES, DeliveryStatus, ReceiptRefusedError, SmsGateway, SmsMessage, SmsOutcome

LARGEST_TRIAL = 1500  # messages

_STRANGE_BODIES = (
    b"",
    b"{}",
    b"[]x",
    b"null",
    b"[null]",
    b'{"reference":"R1","status":"DELIVRD"}',
    b"\xff\xfe",
    b"[" * 5000,
    b"a=b&" * 200,
)
_STRANGE_HEADERS: tuple[Mapping[str, str], ...] = (
    {},
    {"content-type": "application/json"},
    {"content-type": "application/x-www-form-urlencoded"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One promise that is not kept, and what to do about it."""

    promise: str
    remedy: str


Phone = Callable[[], Awaitable[Sequence[tuple[str, str]]]]  # what reached phones so far: (number, text)


async def examine(gateway: SmsGateway, *, numbers: Sequence[str], prefix: str, now: datetime, phone: Phone | None = None) -> list[Finding]:
    """Every promise that `gateway` breaks; an empty list is a pass.

    `numbers` are E.164 numbers of the gateway's test, `prefix` makes references unlike any sent before. With `phone`, which tells
    what arrived, texts are compared and doubles found.
    """
    findings = _profile_findings(gateway)
    if findings:
        return findings
    size = min(gateway.profile.batch_size + 1, LARGEST_TRIAL)
    messages = [
        SmsMessage(reference=f"{prefix}{index}", to=numbers[index % len(numbers)], text=_text(prefix, index)) for index in range(size)
    ]
    findings += _outcome_findings([], await gateway.send([]))
    outcomes = await gateway.send(messages)
    findings += _outcome_findings(messages, outcomes)
    if phone is not None:
        findings += _delivery_findings(messages, outcomes, await phone())
    odd = [SmsMessage(reference=f"{prefix}ODD", to="012", text="x"), SmsMessage(reference=f"{prefix}EMPTY", to=numbers[0], text="")]
    refused = await gateway.send(odd)
    findings += _outcome_findings(odd, refused)
    return findings + _receipt_findings(gateway, now)


async def examine_unreachable(gateway: SmsGateway, *, number: str, prefix: str) -> list[Finding]:
    """The same for a gateway whose provider is switched off: trouble must be an outcome, and nothing may count as sent."""
    messages = [SmsMessage(reference=f"{prefix}{index}", to=number, text=_text(prefix, index)) for index in range(3)]
    try:
        outcomes = await gateway.send(messages)
    except Exception as error:  # noqa: BLE001 any exception at all breaks this promise
        return [
            Finding(promise="trouble on the wire is an outcome", remedy=f"send() raised {type(error).__name__}: answer UNKNOWN or FAILED")
        ]
    findings = _outcome_findings(messages, outcomes)
    if any(outcome.status in {DeliveryStatus.SENT, DeliveryStatus.DELIVERED} for outcome in outcomes):
        findings.append(
            Finding(promise="nothing is sent without the provider", remedy="SENT needs the provider's word: answer FAILED 'temporary'")
        )
    return findings


def _text(prefix: str, index: int) -> str:
    """Khmer with subscripts, a riel sign, and something that must not be lost on the way: quotes, a backslash, a line break."""
    return f'{prefix}{index} ប្រាក់ខែ ១.២៣៤.០០០៛ "ស្ត្រី" \\ &<>%\nបន្ទាត់ទី២'


def _profile_findings(gateway: SmsGateway) -> list[Finding]:
    if not isinstance(gateway, SmsGateway):
        return [Finding(promise="the four members of the contract", remedy="write profile, send, read_receipt and aclose")]
    findings = []
    if gateway.profile.batch_size < 1:
        findings.append(Finding(promise="a batch size", remedy="state how many messages one call takes, at least 1"))
    if not gateway.profile.name.isidentifier() or not gateway.profile.name.islower():
        findings.append(Finding(promise="a name", remedy="use lower-case letters, digits and underscores, as in the entry point"))
    if not gateway.profile.title.strip():
        findings.append(Finding(promise="a title", remedy="state the name people know"))
    return findings


def _outcome_findings(messages: Sequence[SmsMessage], outcomes: Sequence[SmsOutcome]) -> list[Finding]:
    if [message.reference for message in messages] != [outcome.reference for outcome in outcomes]:
        remedy = f"{len(messages)} messages gave {len(outcomes)} outcomes or another order: answer each once, in the order given"
        return [Finding(promise="one outcome for each message, in order", remedy=remedy)]
    findings = []
    unnamed = {outcome.code for outcome in outcomes if outcome.code is not None} - OUTCOME_CODES.keys()
    if unnamed:
        remedy = f"{', '.join(sorted(unnamed))} are not in connectors.sms.contract.OUTCOME_CODES"
        findings.append(Finding(promise="codes are ours", remedy=remedy))
    if any(outcome.status is DeliveryStatus.FAILED and outcome.code is None for outcome in outcomes):
        findings.append(Finding(promise="a failure has a code", remedy="choose one of connectors.sms.contract.OUTCOME_CODES"))
    if any(_tells(outcome, message) for message, outcome in zip(messages, outcomes, strict=True)):
        findings.append(Finding(promise="no personal data in an outcome", remedy="leave the number and the text out of detail and code"))
    return findings


def _tells(outcome: SmsOutcome, message: SmsMessage) -> bool:
    words = f"{outcome.detail} {outcome.code}"
    secrets = [secret for secret in (message.to.removeprefix("+"), message.text) if len(secret) > len("012")]
    return any(secret in words for secret in secrets)


def _delivery_findings(messages: Sequence[SmsMessage], outcomes: Sequence[SmsOutcome], arrived: Sequence[tuple[str, str]]) -> list[Finding]:
    counted = Counter(arrived)
    findings = []
    if any(counted[message.to, message.text] > 1 for message in messages):
        findings.append(Finding(promise="each message is sent once", remedy="some came twice: do not retry inside send()"))
    claimed_references = {outcome.reference for outcome in outcomes if outcome.status in {DeliveryStatus.SENT, DeliveryStatus.DELIVERED}}
    claimed = [message for message in messages if message.reference in claimed_references]
    lost = sum(counted[message.to, message.text] == 0 for message in claimed)
    if lost:
        remedy = f"{lost} of {len(claimed)} sent messages did not arrive unchanged at their number: check encoding and limits"
        findings.append(Finding(promise="what is sent arrives unchanged", remedy=remedy))
    return findings


def _receipt_findings(gateway: SmsGateway, now: datetime) -> list[Finding]:
    findings = []
    for body in _STRANGE_BODIES:
        for headers in _STRANGE_HEADERS:
            try:
                believed = gateway.read_receipt(headers, body, now)
            except ReceiptRefusedError:
                continue
            except Exception as error:  # noqa: BLE001 any other exception breaks this promise
                remedy = f"read_receipt() raised {type(error).__name__} for {body[:20]!r}: raise ReceiptRefusedError"
                findings.append(Finding(promise="a strange receipt is refused", remedy=remedy))
                continue
            if believed:
                remedy = f"read_receipt() believed {body[:20]!r} without any proof: verify a signature or a token"
                findings.append(Finding(promise="a receipt is verified", remedy=remedy))
    return findings
