"""Cash: every order becomes a line of a list that the worker signs. It is paid when a person confirms the signed list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from connectors.payouts.cash.config import CashConfig
from connectors.payouts.contract import (
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
    WebhookRefusedError,
    WebhookRequest,
)
from importers.money import Money, total


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningLine:
    """One envelope: its number on the list, what it holds, and for whom. `worker_code` and `holder` are personal."""

    number: int
    reference: str
    worker_code: str = field(repr=False)
    holder: str = field(repr=False)
    amount: Money
    purpose: str


def build(config: Mapping[str, object]) -> Connector:
    """The cash connector. Raises pydantic.ValidationError for a configuration that cannot work."""
    return CashConnector(CashConfig.model_validate(dict(config)))


def signing_list(batch: PayoutBatch) -> list[SigningLine]:
    """The envelopes of a batch in its order. A cash destination's account is the worker's code."""
    return [
        SigningLine(
            number=number,
            reference=order.reference,
            worker_code=order.destination.account,
            holder=order.destination.holder,
            amount=order.amount,
            purpose=order.purpose,
        )
        for number, order in enumerate(batch.orders, start=1)
    ]


def list_total(lines: Sequence[SigningLine]) -> Money | None:
    """What to fetch from the bank for this list; None for an empty one. Raises MoneyError for a list of two currencies."""
    return total((line.amount for line in lines), lines[0].amount.currency) if lines else None


class CashConnector:
    """No provider stands behind it, so it can neither check nor look up: it says so."""

    def __init__(self, config: CashConfig) -> None:
        self._profile = config.profile()

    @property
    def profile(self) -> Profile:
        """The claims of cash."""
        return self._profile

    async def check_destination(self, destination: Destination) -> DestinationCheck:
        """Nobody can be asked about an envelope."""
        del destination
        return DestinationCheck(exists=None, name_match=NameMatch.NOT_APPLICABLE, detail="cash is handed over against a signature")

    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        """Put each order on the list."""
        references = [order.reference for order in batch.orders]
        if len(set(references)) != len(references) or len(references) > self._profile.batch_size:
            detail = f"a list holds {self._profile.batch_size} different references at the most; no list was made"
            return [_refused(reference, "invalid_order", detail) for reference in references]
        return [self._listed(order) for order in batch.orders]

    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        """Still on the list: a person confirms that the envelope was handed over."""
        del batch_reference
        return [_waits(reference) for reference in references]

    def read_webhook(self, request: WebhookRequest) -> ProviderEvent:
        """Nobody calls back about cash. Raises WebhookRefusedError."""
        del request
        raise WebhookRefusedError

    async def fetch_statement(self, day: date) -> bytes | None:
        """There is no statement of cash."""
        del day
        return None

    async def aclose(self) -> None:
        """Nothing to release."""

    def _listed(self, order: PayoutOrder) -> PayoutOutcome:
        limit = self._profile.limits.get(order.amount.currency.code)
        if order.destination.kind not in self._profile.kinds:
            return _refused(order.reference, "invalid_order", "only workers paid in cash stand on the list")
        if limit is None:
            return _refused(
                order.reference, "invalid_order", f"cash is not paid in {order.amount.currency} here; see the setting 'largest'"
            )
        if not limit.smallest <= order.amount <= limit.largest:
            return _refused(order.reference, "limit_exceeded", f"one envelope holds {limit.smallest} to {limit.largest}; see 'largest'")
        return _waits(order.reference)


def _waits(reference: str) -> PayoutOutcome:
    detail = "on the list to sign; a person confirms the signed list"
    return PayoutOutcome(reference=reference, status=PayoutStatus.ACCEPTED, detail=detail)


def _refused(reference: str, code: str, detail: str) -> PayoutOutcome:
    return PayoutOutcome(reference=reference, status=PayoutStatus.REJECTED, code=code, detail=detail)
