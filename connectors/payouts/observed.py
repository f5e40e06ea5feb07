"""A connector as callers use it: whatever a provider's code does, an order ends as one honest outcome, and it is counted."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from connectors.payouts.contract import (
    OUTCOME_CODES,
    ChecksInBulk,
    Connector,
    Destination,
    DestinationCheck,
    NameMatch,
    PayoutBatch,
    PayoutOrder,
    PayoutOutcome,
    PayoutStatus,
    Profile,
    ProviderEvent,
    ReadsReports,
    TellsBalance,
    WebhookRefusedError,
    WebhookRequest,
    WebhookUnreadableError,
    WritesFiles,
)
from connectors.payouts.names import same_account
from importers.money import Money

DEADLINE_SECONDS = 120.0  # for one call in whole, where a provider drips bytes that keep every read alive

# Where the provider is asked about one account at a time: questions under way, whoever asks. More would open and close a connection for
# each beyond those that are kept, and the pool of connections takes longer for each question the more of them wait.
CHECKS_UNDER_WAY = 16
_FAILED_CHECK = DestinationCheck(exists=None, name_match=NameMatch.NOT_APPLICABLE, detail="the check failed on our side; check again later")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One call of a connector: how long it took and how its orders ended. No reference, no amount, nobody's data."""

    connector: str
    call: str
    seconds: float
    results: Counter[str]  # statuses of outcomes, or the word for what the call ended in
    error: str | None = None  # the type of an unexpected exception


class ObservedConnector:
    """Wraps every connector. Exceptions, missing and foreign outcomes, and other amounts all become UNKNOWN."""

    def __init__(
        self, inner: Connector, *, observer: Callable[[Observation], None] | None = None, deadline_seconds: float = DEADLINE_SECONDS
    ) -> None:
        self._inner = inner
        self._observer = observer
        self._deadline = deadline_seconds
        self._checking = asyncio.Semaphore(CHECKS_UNDER_WAY)

    @property
    def profile(self) -> Profile:
        """What the connector claims."""
        return self._inner.profile

    @property
    def inner(self) -> Connector:
        """The connector itself, for what it has besides the contract."""
        return self._inner

    @property
    def files(self) -> WritesFiles | None:
        """The connector's other half, where its orders travel in files that people carry."""
        return self._inner if isinstance(self._inner, WritesFiles) else None

    async def check_destination(self, destination: Destination) -> DestinationCheck:
        """As the connector answers; trouble is "cannot tell"."""
        watch = _Watch(self, "check_destination")
        found = await watch.run(self._inner.check_destination(destination))
        if not isinstance(found, DestinationCheck):
            found = _FAILED_CHECK
        watch.report([found.name_match.value])
        return found

    async def check_destinations(self, destinations: Sequence[Destination]) -> Sequence[DestinationCheck]:
        """One answer for each, in order: by questions as large as the provider takes, or one by one with a bounded number under way."""
        size = self.profile.checks_at_once
        if size == 1 or not isinstance(self._inner, ChecksInBulk):

            async def ask(destination: Destination) -> DestinationCheck:
                async with self._checking:
                    return await self.check_destination(destination)

            return list(await asyncio.gather(*(ask(destination) for destination in destinations)))
        answers: list[DestinationCheck] = []
        for start in range(0, len(destinations), size):
            part = destinations[start : start + size]
            watch = _Watch(self, "check_destinations")
            found = await watch.run(self._inner.check_destinations(part))
            good = isinstance(found, Sequence) and len(found) == len(part) and all(isinstance(one, DestinationCheck) for one in found)
            answers += found if good and isinstance(found, Sequence) else [_FAILED_CHECK] * len(part)
            watch.report(answer.name_match.value for answer in answers[start:])
        return answers

    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        """One outcome for each order, in order, whose amount is the order's."""
        watch = _Watch(self, "submit")
        found = await watch.run(self._inner.submit(batch))
        if watch.error is not None or not isinstance(found, Sequence):
            detail = "the connector failed; the order may have been sent: look it up"
            checked = [_unknown(order.reference, watch.code, detail) for order in batch.orders]
        else:
            checked = [_checked(order, found[place] if place < len(found) else None) for place, order in enumerate(batch.orders)]
        watch.report(outcome.status.value for outcome in checked)
        return checked

    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        """One outcome for each reference, in order. The caller compares a stated amount with its own."""
        watch = _Watch(self, "look_up")
        found = await watch.run(self._inner.look_up(batch_reference, references))
        if watch.error is not None or not isinstance(found, Sequence):
            checked = [_unknown(reference, watch.code, "the look-up failed; look up again later") for reference in references]
        else:
            checked = [_belongs(reference, found[place] if place < len(found) else None) for place, reference in enumerate(references)]
        watch.report(outcome.status.value for outcome in checked)
        return checked

    def read_webhook(self, request: WebhookRequest) -> ProviderEvent:
        """As the connector reads it. An unexpected exception is a refusal: nothing was proven before it."""
        watch = _Watch(self, "read_webhook")
        try:
            event = self._inner.read_webhook(request)
        except WebhookRefusedError:
            watch.report(["refused"])
            raise
        except WebhookUnreadableError:
            watch.report(["unreadable"])
            raise
        except Exception as error:  # noqa: BLE001 a provider's parser may raise anything
            watch.fail(error)
            watch.report(["refused"])
            raise WebhookRefusedError from None
        watch.report([event.kind])
        return event

    async def fetch_statement(self, day: date) -> bytes | None:
        """As the connector fetches it; None in trouble."""
        watch = _Watch(self, "fetch_statement")
        found = await watch.run(self._inner.fetch_statement(day))
        statement = found if isinstance(found, bytes) else None
        watch.report(["fetched" if statement is not None else "none"])
        return statement

    async def balance(self) -> Money | None:
        """As the connector tells it; None in trouble, and where it tells none."""
        if not (self.profile.tells_balance and isinstance(self._inner, TellsBalance)):
            return None
        watch = _Watch(self, "balance")
        found = await watch.run(self._inner.balance())
        told = found if isinstance(found, Money) else None
        watch.report(["told" if told is not None else "none"])
        return told

    def read_report(self, content: bytes) -> ProviderEvent:
        """As the connector reads a report that came as a file. Raises WebhookUnreadableError, also where it reads none."""
        if not isinstance(self._inner, ReadsReports):
            raise WebhookUnreadableError("this connector reads no reports from files")
        watch = _Watch(self, "read_report")
        try:
            event = self._inner.read_report(content)
        except WebhookUnreadableError:
            watch.report(["unreadable"])
            raise
        except Exception as error:  # noqa: BLE001 a provider's parser may raise anything
            watch.fail(error)
            watch.report(["unreadable"])
            raise WebhookUnreadableError("the report could not be read") from None
        watch.report([event.kind])
        return event

    async def aclose(self) -> None:
        """Release connections."""
        await self._inner.aclose()


class _Watch:
    """One call from its start to its report."""

    def __init__(self, owner: ObservedConnector, call: str) -> None:
        self._owner = owner
        self._call = call
        self._start = time.perf_counter()
        self.error: str | None = None
        self.code = "other"

    async def run(self, call: Awaitable[object]) -> object:
        """The call's answer, or None after an unexpected exception. Being cancelled is no failure and passes through."""
        try:
            async with asyncio.timeout(self._owner._deadline):  # noqa: SLF001 the two belong together
                return await call
        except TimeoutError as error:
            self.code = "timeout"
            self.fail(error)
        except Exception as error:  # noqa: BLE001 whatever a connector raises, the order may have been sent
            self.fail(error)
        return None

    def fail(self, error: Exception) -> None:
        """Remember the type of an exception. Its text may quote an answer with somebody's name in it, so it is not kept."""
        self.error = type(error).__name__
        _log.error("payout connector %s failed in %s: %s", self._owner.profile.name, self._call, self.error)

    def report(self, results: Iterable[str]) -> None:
        """Tell the observer."""
        if self._owner._observer is not None:  # noqa: SLF001 the two belong together
            observation = Observation(
                connector=self._owner.profile.name,
                call=self._call,
                seconds=time.perf_counter() - self._start,
                results=Counter(results),
                error=self.error,
            )
            self._owner._observer(observation)  # noqa: SLF001 the same


def _unknown(reference: str, code: str, detail: str) -> PayoutOutcome:
    return PayoutOutcome(reference=reference, status=PayoutStatus.UNKNOWN, code=code, detail=detail)


def _belongs(reference: str, outcome: object) -> PayoutOutcome:
    """The outcome, if it is one and speaks of this reference."""
    if not isinstance(outcome, PayoutOutcome) or outcome.reference != reference:
        return _unknown(reference, "unreadable_answer", "the connector's answer does not name this order")
    if outcome.code is not None and outcome.code not in OUTCOME_CODES:
        return dataclasses.replace(outcome, code="other")
    return outcome


def _checked(order: PayoutOrder, outcome: object) -> PayoutOutcome:
    """The outcome of a submit, if it can be believed."""
    found = _belongs(order.reference, outcome)
    if found.amount is not None and found.amount != order.amount:
        return dataclasses.replace(
            found, status=PayoutStatus.UNKNOWN, code="amount_differs", detail="the provider states another amount; ask the provider"
        )
    if found.account is not None and not same_account(found.account, order.destination.account):
        return dataclasses.replace(
            found, status=PayoutStatus.UNKNOWN, code="payee_differs", detail="the provider states another account; ask the provider"
        )
    if found.status is PayoutStatus.NOT_FOUND:
        return _unknown(order.reference, "other", "a submit cannot answer 'not found'; look it up")
    if found.detail and any(secret and secret in found.detail for secret in (order.destination.account, order.destination.holder)):
        return dataclasses.replace(found, detail="")
    return found
