"""The bank as a connector over SFTP: one file out for a batch; what became of it stands in the files that the bank puts back."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from datetime import date, datetime

import asyncssh

from connectors.payouts.contract import (
    PROOFS_OF_FAILURE,
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
from connectors.payouts.iso20022.config import Config
from connectors.payouts.iso20022.mapping import REFERENCE_LENGTH, PaymentForm, rejected, unknown
from connectors.payouts.iso20022.report import Report, ReportError, event_of, read_report
from connectors.payouts.iso20022.sftp import NotSentError, RemoteFile, SftpFolders, SftpSettings, TakenNameError
from importers.statements.contract import StatementError
from importers.statements.messages import read_message

_LOST = (OSError, asyncssh.Error, asyncio.TimeoutError)
_STATUS, _STATEMENT = (b"CstmrPmtStsRpt", b"pain.002"), (b"BkToCstmrStmt", b"camt.053")
_HEAD = 2000  # bytes in which a message says what it is


class SftpConnector:
    """One account at one bank that exchanges files. Files are read once; after a restart, once more."""

    def __init__(self, config: Config, settings: SftpSettings, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._settings = settings
        self._clock = clock
        self._form = PaymentForm(config)
        self._folders = SftpFolders(settings)
        self._seen: set[RemoteFile] = set()
        self._reports: dict[str, list[Report]] = {}
        self._days: dict[date, RemoteFile] = {}

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
            # Without an archive, a file that is gone may have been taken: its absence proves nothing.
            not_found_is_final_after=self._config.quiet if self._settings.archive else None,
            proves_failure=PROOFS_OF_FAILURE | {"other"},  # RJCT is a final status whatever its reason (ISO 20022)
            checks_names=False,
            has_webhooks=False,
            has_statements=True,
            finality=Finality.LOOK_UP,
            hours=self._config.hours.hours() if self._config.hours else None,
            reference_length=REFERENCE_LENGTH,
        )

    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        """Put the batch into the bank's inbox as one file, once."""
        written = self._form.write(batch, self._clock())
        outcomes = {outcome.reference: outcome for outcome in written.refused}
        for order in written.sent:
            outcomes[order.reference] = PayoutOutcome(reference=order.reference, status=PayoutStatus.ACCEPTED)
        if written.sent:
            said = await self._put(batch, written.body)
            if said is not None:
                outcomes.update({order.reference: said(order.reference) for order in written.sent})
        return [outcomes[order.reference] for order in batch.orders]

    async def _put(self, batch: PayoutBatch, body: bytes) -> Callable[[str], PayoutOutcome] | None:
        """None where the file stands at the bank; else what each of its orders must be told."""
        try:
            await self._folders.put(_file_name(batch.reference), body)
        except NotSentError as error:
            code, detail = error.code, f"{error}; nothing was sent"
            return lambda reference: rejected(reference, code, detail)
        except TakenNameError:
            return lambda reference: unknown(reference, "duplicate", "the bank has a file of this name: look it up")
        except _LOST as error:
            code = "timeout" if isinstance(error, TimeoutError) else "connection_lost"
            return lambda reference: unknown(reference, code, "the file may stand at the bank: look it up")
        return None

    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        """Read the files that came since, then say what they say; without a word on this batch, whether its file stands at the bank."""
        try:
            await self._collect()
            reports = self._reports.get(batch_reference, [])
            stands = bool(reports) or await self._folders.has(_file_name(batch_reference))
        except (NotSentError, *_LOST):
            return [
                unknown(reference, "connection_lost", "the bank's folders could not be read; look up again") for reference in references
            ]
        if reports:
            return [_latest(reports, reference) for reference in references]
        if stands:
            return [
                PayoutOutcome(reference=one, status=PayoutStatus.ACCEPTED, detail="the bank has not answered yet") for one in references
            ]
        if self._settings.archive is None:
            return [
                unknown(reference, "other", "the file is not in the bank's inbox, and the bank keeps no archive")
                for reference in references
            ]
        return [PayoutOutcome(reference=reference, status=PayoutStatus.NOT_FOUND, code="not_received") for reference in references]

    async def check_destination(self, destination: Destination) -> DestinationCheck:
        """Files ask nobody."""
        del destination
        return DestinationCheck(exists=None, name_match=NameMatch.NOT_APPLICABLE, detail="this bank checks no accounts over SFTP")

    def read_webhook(self, request: WebhookRequest) -> ProviderEvent:
        """Nobody calls back over SFTP."""
        raise WebhookRefusedError(f"{request.method}: this bank does not call back")

    def read_report(self, content: bytes) -> ProviderEvent:
        """A pain.002 that somebody brings as a file."""
        return event_of(content, f"file:{hashlib.sha256(content).hexdigest()}")

    async def fetch_statement(self, day: date) -> bytes | None:
        """The camt.053 that closes on this day, as the bank wrote it; None where there is none yet."""
        try:
            await self._collect()
            file = self._days.get(day)
            return await self._folders.read(file) if file is not None else None
        except (NotSentError, *_LOST):
            return None

    async def aclose(self) -> None:
        """Close the connection."""
        await self._folders.aclose()

    async def _collect(self) -> None:
        """Read each file of the bank that was not read before."""
        for file in await self._folders.listed(self._settings.incoming):
            if file in self._seen:
                continue
            body = await self._folders.read(file)
            self._seen.add(file)
            if body is None:
                continue
            head = body[:_HEAD]
            if any(mark in head for mark in _STATUS):
                self._keep_report(body)
            elif any(mark in head for mark in _STATEMENT):
                self._keep_statement(file, body)

    def _keep_report(self, body: bytes) -> None:
        try:
            report = read_report(body)
        except ReportError:
            return  # another's, or damaged: what it might have said stays open
        self._reports.setdefault(report.message, []).append(report)

    def _keep_statement(self, file: RemoteFile, body: bytes) -> None:
        try:
            statements = read_message(body, file_name=file.name)
        except StatementError:
            return
        for statement in statements:
            if statement.account in {"", self._config.debtor_account}:
                self._days[statement.closed_on] = file


def _latest(reports: Sequence[Report], reference: str) -> PayoutOutcome:
    """The latest report that lists the order, where a final word is not taken back by an open one; else the latest on the message."""
    said = [report.on_look_up([reference])[0] for report in reports if reference in report.orders]
    final = [outcome for outcome in said if outcome.status not in {PayoutStatus.ACCEPTED, PayoutStatus.UNKNOWN}]
    if len({outcome.status for outcome in final}) > 1:
        return unknown(reference, "other", "the bank's reports contradict each other on this order")
    if final:
        return final[-1]
    # A receipt for the whole message comes first and lists nothing; the report after it is the better word.
    return said[-1] if said else reports[-1].on_look_up([reference])[0]


def _file_name(batch_reference: str) -> str:
    return f"{batch_reference}.xml"
