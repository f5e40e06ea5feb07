"""The bank file connector as the conformance suite takes it: people stand between it and the portal, so nothing happens by itself."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from connectors.payouts.bank_file.connector import build
from connectors.payouts.bank_file.layout import shipped
from connectors.payouts.bank_file.simulator import Portal
from connectors.payouts.contract import Connector
from connectors.payouts.simulated_room import KNOWN, SimulatedRoom


class SimulatedPortal(SimulatedRoom):
    """A portal to which nobody carries a file: nothing can be broken on the way, and nobody calls back."""

    slow_seconds = 0.0
    settle_seconds = 0.0

    def unknown(self) -> None:  # type: ignore[override]  # every account can stand in a file: the portal finds out later
        """Nobody is asked before."""

    def misnamed(self) -> None:  # type: ignore[override]  # the same
        """Nobody is asked whose it is."""

    def callback_url(self, batch_reference: str) -> str | None:
        """Nobody calls back."""
        del batch_reference
        return None


@contextlib.asynccontextmanager
async def under_test(**settings: object) -> AsyncIterator[tuple[Connector, SimulatedPortal]]:
    """The connector and its portal; `settings` go over the connector's configuration."""
    accounts = {SimulatedPortal.account(number): SimulatedPortal.holder(number) for number in range(KNOWN)}
    room = SimulatedPortal(Portal(shipped("generic"), accounts), frozenset())
    room.settings = {"layout": "generic", "factory_name": "Sample Garment Co., Ltd.", "debit_account": "000100200", **settings}
    yield build(room.settings), room
