"""The bank as a connector: batches in one pain.001, status by pain.002, the day by camt.053."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from connectors.payouts.contract import (
    PROOFS_OF_FAILURE,
    Connector,
    Destination,
    DestinationCheck,
    DestinationKind,
    Finality,
    Limit,
    NameMatch,
    PayoutBatch,
    PayoutOutcome,
    PayoutStatus,
    Profile,
    ProviderEvent,
    RepeatBehaviour,
    WebhookRefusedError,
    WebhookRequest,
)
from connectors.payouts.iso20022.client import Answer, Client, Silence
from connectors.payouts.iso20022.config import Config, read_config
from connectors.payouts.iso20022.mapping import REFERENCE_LENGTH, PaymentForm, rejected, unknown
from connectors.payouts.iso20022.notice import notice_of
from connectors.payouts.iso20022.report import ReportError, event_of, read_report
from connectors.payouts.iso20022.sftp_connector import SftpConnector
from connectors.payouts.names import compare, same_account
from connectors.signature_schemes import usable
from connectors.signatures import SecretError, SignatureRefusedError, content_hash_hex, verify
from importers.money import Money, MoneyError

# Statuses by which HTTP itself says that the request was not carried out.
_NOT_CARRIED_OUT = {401: "not_authorised", 403: "not_authorised", 429: "temporary"}
_TAKEN = (200, 201, 202)
_REFUSED = (400, 422)
_NOT_FOUND, _CONFLICT = 404, 409


class _AccountAnswer(BaseModel):
    """The bank's word on an account; README.md describes this part of the profile."""

    exists: bool | None = None
    status: str | None = None
    holder: str | None = None
    account: str | None = None  # of which account this is said, where the bank repeats it

    def about(self, destination: Destination) -> DestinationCheck:
        """What this says of a worker's destination; nothing, where it is said of another account."""
        if self.account is not None and not same_account(self.account, destination.account):
            return _unchecked("the bank's answer is about another account")
        usable = self.exists and self.status in (None, "open")
        detail = "" if usable or self.exists is None else "the account is closed or blocked" if self.exists else "there is no such account"
        match = compare(destination.holder, self.holder) if self.holder else NameMatch.NOT_APPLICABLE
        return DestinationCheck(
            exists=None if self.exists is None else bool(usable), name_match=match, holder=self.holder or None, detail=detail
        )


class _BalanceAnswer(BaseModel):
    """What the factory's account can pay now; README.md describes this part of the profile."""

    available: str
    currency: str


class _AccountAnswers(BaseModel):
    """The bank's word on several accounts, in the order of the question."""

    answers: list[_AccountAnswer]


class Iso20022Connector:
    """One account at one bank."""

    def __init__(self, config: Config, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._clock = clock
        self._form = PaymentForm(config)
        self._client = Client(config, clock)

    @property
    def profile(self) -> Profile:
        """What this connector claims."""
        smallest, largest = self._config.limits
        return Profile(
            name=self._config.name,
            title=self._config.title,
            kinds=frozenset({DestinationKind.BANK_ACCOUNT}),
            limits={self._config.currency: Limit(smallest=smallest, largest=largest)},
            batch_size=self._config.batch_size,
            repeat=RepeatBehaviour.CONFLICT,
            idempotency_window=None,
            looks_up=True,
            not_found_is_final_after=self._config.quiet,
            proves_failure=PROOFS_OF_FAILURE | {"other"},  # RJCT is a final status whatever its reason (ISO 20022)
            checks_names=True,
            checks_at_once=self._config.checks_at_once,
            has_webhooks=True,
            has_statements=True,
            finality=Finality.LOOK_UP,
            hours=self._config.hours.hours() if self._config.hours else None,
            formats=[one.format() for one in self._config.accounts],
            tells_balance=self._config.tells_balance,
            own_account=self._config.debtor_account,
            reference_length=REFERENCE_LENGTH,
        )

    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        """Send the batch as one message, once."""
        written = self._form.write(batch, self._clock())
        outcomes = {outcome.reference: outcome for outcome in written.refused}
        if written.sent:
            headers = {"x-callback-url": batch.callback_url} if batch.callback_url else {}
            answer = await self._client.post(
                "/payments", written.body, media="application/xml", identification=batch.reference, headers=headers
            )
            references = [order.reference for order in written.sent]
            if isinstance(answer, Silence):
                said = [_unheard(reference, answer) for reference in references]
            elif answer.status in (*_TAKEN, *_REFUSED):
                try:
                    report = read_report(answer.body)
                    said = report.on_submit(written.sent, written.total) if report.message == batch.reference else _open(references)
                except ReportError:
                    said = _open(references)
                if answer.status in _REFUSED:
                    # A refusal that names no rejection is not one: a gateway on the way may have answered.
                    said = [_only_refusal(outcome) for outcome in said]
            else:
                said = _by_http(references, answer)
            outcomes.update((outcome.reference, outcome) for outcome in said)
        return [outcomes[order.reference] for order in batch.orders]

    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        """Ask for the message's status report; one question for the whole batch."""
        answer = await self._client.get(f"/payments/{quote(batch_reference, safe='')}")
        if isinstance(answer, Silence):
            return [unknown(reference, answer.code, "the bank did not answer the question") for reference in references]
        if answer.status == _NOT_FOUND and answer.media == "application/problem+json":
            return [PayoutOutcome(reference=reference, status=PayoutStatus.NOT_FOUND, code="not_received") for reference in references]
        if answer.status not in _TAKEN:
            # Also a 404 that is not the bank's own word: a wrong address answers the same, and must never free money to be sent again.
            return [unknown(reference, "unreadable_answer", f"the bank answered HTTP {answer.status}") for reference in references]
        try:
            report = read_report(answer.body)
        except ReportError:
            return _open(references)
        return report.on_look_up(references) if report.message == batch_reference else _open(references)

    async def check_destination(self, destination: Destination) -> DestinationCheck:
        """Ask whose account it is. Trouble is NOAP with a detail."""
        if destination.kind is not DestinationKind.BANK_ACCOUNT:
            return _unchecked("this connector knows bank accounts only")
        question = {"account": destination.account, "bank": destination.bank or self._config.bank_bic}
        body = json.dumps(question, ensure_ascii=False).encode()
        identification = f"check-{content_hash_hex(body)[:32]}"
        answer = await self._client.post("/account-check", body, media="application/json", identification=identification)
        if isinstance(answer, Silence):
            return _unchecked("the bank did not answer")
        try:
            said = _AccountAnswer.model_validate_json(answer.body) if answer.status in _TAKEN else None
        except ValidationError:
            said = None
        if said is None:
            return _unchecked(f"the bank's answer (HTTP {answer.status}) says nothing of the account")
        return said.about(destination)

    async def check_destinations(self, destinations: Sequence[Destination]) -> Sequence[DestinationCheck]:
        """Ask about several accounts in one question, where the bank offers that (`checks_at_once`)."""
        asked = [{"account": one.account, "bank": one.bank or self._config.bank_bic} for one in destinations]
        body = json.dumps({"accounts": asked}, ensure_ascii=False).encode()
        identification = f"check-{content_hash_hex(body)[:32]}"
        answer = await self._client.post("/account-checks", body, media="application/json", identification=identification)
        if isinstance(answer, Silence):
            return [_unchecked("the bank did not answer")] * len(destinations)
        try:
            said = _AccountAnswers.model_validate_json(answer.body).answers if answer.status in _TAKEN else []
        except ValidationError:
            said = []
        if len(said) != len(destinations):
            return [_unchecked(f"the bank's answer (HTTP {answer.status}) does not fit the question")] * len(destinations)
        return [
            found.about(one) if one.kind is DestinationKind.BANK_ACCOUNT else _unchecked("this connector knows bank accounts only")
            for one, found in zip(destinations, said, strict=True)
        ]

    async def balance(self) -> Money | None:
        """What the bank says that the account can pay now; None in trouble, or where it speaks of another currency."""
        answer = await self._client.get("/balance", headers={"x-account": self._config.debtor_account})
        if not isinstance(answer, Answer) or answer.status not in _TAKEN:
            return None
        try:
            said = _BalanceAnswer.model_validate_json(answer.body)
            return Money.of(said.available, self._config.money) if said.currency == self._config.currency else None
        except (ValidationError, MoneyError):
            return None

    def read_webhook(self, request: WebhookRequest) -> ProviderEvent:
        """Verify the signature, then read the pain.002, or see that it is a camt.054 of this account."""
        if request.method.upper() != "POST":
            raise WebhookRefusedError("a status report is posted")
        try:
            secrets = usable(self._config.webhook_secrets, request.received_at)
            message = verify(request.headers, request.body, secrets=secrets, now=request.received_at)
        except (SignatureRefusedError, SecretError) as error:
            raise WebhookRefusedError(str(error)) from None
        return notice_of(request.body, message.identification, self._config.debtor_account) or event_of(
            request.body, message.identification
        )

    def read_report(self, content: bytes) -> ProviderEvent:
        """A pain.002 that somebody brings as a file."""
        return event_of(content, f"file:{hashlib.sha256(content).hexdigest()}")

    async def fetch_statement(self, day: date) -> bytes | None:
        """The camt.053 of one day as the bank wrote it; None where the bank has none or cannot be asked now."""
        answer = await self._client.get(f"/statements/{day.isoformat()}", headers={"x-account": self._config.debtor_account})
        if not isinstance(answer, Answer) or answer.status not in _TAKEN or answer.media == "text/html":
            return None
        return answer.body or None

    async def aclose(self) -> None:
        """Release connections."""
        await self._client.aclose()


def build(config: Mapping[str, object]) -> Connector:
    """A connector from settings (README.md lists them). Raises ConfigError."""
    read, clock = read_config(config)
    if read.transport == "sftp" and read.sftp is not None:
        return SftpConnector(read, read.sftp, clock)
    return Iso20022Connector(read, clock)


def _open(references: Sequence[str]) -> list[PayoutOutcome]:
    return [unknown(reference, "unreadable_answer", "the bank's answer could not be understood") for reference in references]


def _unheard(reference: str, silence: Silence) -> PayoutOutcome:
    if silence.nothing_sent:
        why = "could not be reached" if silence.retry_after is None else "asked not to be called yet"
        refusal = rejected(reference, silence.code, f"the bank {why}; nothing was sent")
        return dataclasses.replace(refusal, retry_after=silence.retry_after)
    return unknown(reference, silence.code)


def _by_http(references: Sequence[str], answer: Answer) -> list[PayoutOutcome]:
    detail = f"the bank answered HTTP {answer.status}"
    code = _NOT_CARRIED_OUT.get(answer.status)
    if code is not None:
        refusals = (rejected(reference, code, detail) for reference in references)
        return [dataclasses.replace(refusal, retry_after=answer.retry_after) for refusal in refusals]
    code = "duplicate" if answer.status == _CONFLICT else "unreadable_answer"
    return [unknown(reference, code, detail) for reference in references]


def _only_refusal(outcome: PayoutOutcome) -> PayoutOutcome:
    if outcome.status is PayoutStatus.REJECTED or outcome.code == "duplicate":
        return outcome
    return unknown(outcome.reference, "unreadable_answer", "the bank refused the message without rejecting this order")


def _unchecked(detail: str) -> DestinationCheck:
    return DestinationCheck(exists=None, name_match=NameMatch.NOT_APPLICABLE, detail=detail)
