"""What all simulated providers under test have in common: faults to play, a journal to read, and a listener for what they call back."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from connectors.faults import FaultKind, FaultPlan
from connectors.payouts.callback_listener import CallbackListener
from connectors.payouts.conformance_bench import JournalLine
from connectors.payouts.contract import Destination, DestinationKind, WebhookRequest
from importers.money import Money, currency

USUAL = frozenset(FaultKind) - {FaultKind.OTHER_PAYEE_ECHOED}  # that one needs an answer which states the payee
KNOWN = 12_000  # accounts that exist


class Books(Protocol):
    """The books of a simulator: one line for each credit and return that it executed."""

    journal: list[dict[str, Any]]


class Simulated(Protocol):
    """A simulator in this process. Its journal's lines have kind, reference, account, amount_minor and currency."""

    faults: FaultPlan

    @property
    def books(self) -> Books:
        """What it executed."""


class SimulatedRoom:
    """A ProviderUnderTest around one simulator. Each provider says what its accounts look like."""

    kind = DestinationKind.BANK_ACCOUNT
    nobodys_account = "999999999"
    slow_seconds = 1.2
    settle_seconds = 5.0

    def __init__(self, simulator: Simulated, faults: frozenset[FaultKind] = USUAL) -> None:
        self.faults = faults
        self.settings: dict[str, object] = {}  # with which its connector is configured
        self.simulator: Any = simulator  # what it offers besides is its own and its tests'
        self._listener = CallbackListener()

    @staticmethod
    def account(number: int) -> str:
        """The number of an account that exists."""
        return f"0001{number:05d}"

    @staticmethod
    def holder(number: int) -> str:
        """Whose it is."""
        return f"Sok Dara {number}"

    def good(self, number: int) -> Destination:
        """One of the accounts that exist."""
        number %= KNOWN
        return Destination(kind=self.kind, account=self.account(number), holder=self.holder(number))

    def unknown(self) -> Destination:
        """A number without an account."""
        return Destination(kind=self.kind, account=self.nobodys_account, holder="Sok Dara")

    def misnamed(self) -> Destination:
        """An account of somebody else."""
        return Destination(kind=self.kind, account=self.account(1), holder="Keo Bopha")

    def callback_url(self, batch_reference: str) -> str | None:
        """A URL of its own for each batch."""
        return self._listener.address(batch_reference)

    async def play(self, plan: FaultPlan) -> None:
        """From now on play these faults."""
        self.simulator.faults = plan

    async def journal(self) -> Sequence[JournalLine]:
        """What the simulator executed."""
        return [
            JournalLine(
                kind=line["kind"],
                reference=line["reference"],
                account=line["account"],
                amount=Money(line["amount_minor"], currency(line["currency"])),
            )
            for line in self.simulator.books.journal
        ]

    async def callbacks(self) -> Sequence[WebhookRequest]:
        """What came back."""
        return list(self._listener.received)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Take callbacks while the block runs."""
        async with self._listener.listening():
            yield
