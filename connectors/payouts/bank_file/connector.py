"""A bank whose portal takes a spreadsheet: the connector writes it and reads its result; people carry both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from connectors.payouts.bank_file import reading, writing
from connectors.payouts.bank_file.config import BankFileConfig
from connectors.payouts.contract import (
    Connector,
    Destination,
    DestinationCheck,
    FileResult,
    NameMatch,
    PayoutBatch,
    PayoutOrder,
    PayoutOutcome,
    PayoutStatus,
    ProducedFile,
    Profile,
    ProviderEvent,
    WebhookRefusedError,
    WebhookRequest,
)
from connectors.payouts.refusals import in_order, refused, split

_WAITS = "in the file for the bank's portal; its result file or the statement says what became of it"


def build(config: Mapping[str, object]) -> Connector:
    """The connector of one portal. Raises pydantic.ValidationError for a configuration that cannot work."""
    return BankFileConnector(BankFileConfig.model_validate(dict(config)))


class BankFileConnector:
    """Nobody can be asked: an order stays accepted until the result file or the statement speaks of it."""

    def __init__(self, config: BankFileConfig) -> None:
        self._config = config
        self._profile = config.profile()

    @property
    def profile(self) -> Profile:
        """The claims of this portal."""
        return self._profile

    async def check_destination(self, destination: Destination) -> DestinationCheck:
        """A portal that takes files is asked nothing before."""
        del destination
        return DestinationCheck(exists=None, name_match=NameMatch.NOT_APPLICABLE, detail="this bank takes files and answers no questions")

    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        """Put each order into its file. One that the layout cannot carry is refused, and its neighbours go on."""
        answers, orders = split(self._profile, batch)
        taken: dict[str, PayoutOutcome] = {}
        for order in orders:
            try:
                writing.fit(order, batch, self._config.layout)
            except writing.FileRefusedError as error:
                taken[order.reference] = refused(order.reference, "invalid_order", str(error).partition(", ")[2] or str(error))
            else:
                taken[order.reference] = _waits(order.reference)
        return in_order([order.reference for order in batch.orders], answers, taken)

    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        """Still in the file: only people know whether it was taken to the portal."""
        del batch_reference
        return [_waits(reference) for reference in references]

    def write_file(self, batch: PayoutBatch) -> ProducedFile:
        """The file of a batch. Raises ValueError where the layout cannot carry it."""
        return writing.write(batch, self._config)

    def read_result(self, rows: Sequence[Sequence[str]], orders: Sequence[PayoutOrder]) -> FileResult:
        """What the bank's result file, as rows of text, says of these orders."""
        return reading.read(rows, orders, self._config.layout)

    def read_webhook(self, request: WebhookRequest) -> ProviderEvent:
        """Nobody calls back. Raises WebhookRefusedError."""
        del request
        raise WebhookRefusedError

    async def fetch_statement(self, day: date) -> bytes | None:
        """People upload the bank's statement."""
        del day
        return None

    async def aclose(self) -> None:
        """Nothing to release."""


def _waits(reference: str) -> PayoutOutcome:
    return PayoutOutcome(reference=reference, status=PayoutStatus.ACCEPTED, detail=_WAITS)
