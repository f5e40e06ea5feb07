"""Cash as the conformance suite takes it: nobody stands behind the list, so there is nothing to break and no journal."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

from connectors.faults import FaultKind, FaultPlan
from connectors.payouts.cash.connector import build
from connectors.payouts.conformance_bench import JournalLine
from connectors.payouts.contract import Connector, Destination, DestinationKind, WebhookRequest


class Envelopes:
    """A factory that pays in cash."""

    faults: frozenset[FaultKind] = frozenset()
    slow_seconds = 0.0
    settle_seconds = 0.0

    def good(self, number: int) -> Destination:
        """A worker of the factory."""
        return Destination(kind=DestinationKind.CASH, account=f"W{number:05d}", holder=f"Sok Dara {number}")

    def unknown(self) -> None:
        """Every envelope can be filled."""

    def misnamed(self) -> None:
        """An envelope belongs to whom it names."""

    def callback_url(self, batch_reference: str) -> None:
        """Nobody calls back."""

    async def play(self, plan: FaultPlan) -> None:
        """There is nothing to break."""

    async def journal(self) -> Sequence[JournalLine]:
        """No machine pays."""
        return []

    async def callbacks(self) -> Sequence[WebhookRequest]:
        """Nobody calls back."""
        return []


@contextlib.asynccontextmanager
async def under_test(**settings: object) -> AsyncIterator[tuple[Connector, Envelopes]]:
    """The connector and its factory; `settings` are the connector's configuration."""
    yield build(settings), Envelopes()
