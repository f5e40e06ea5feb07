"""The Bakong connector with a simulated National Bank, as the conformance suite takes them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from connectors.faulty_server import serving
from connectors.payouts.bakong.connector import build
from connectors.payouts.bakong.simulator import NationalBank, create_app
from connectors.payouts.contract import Connector, Destination
from connectors.payouts.observed import ObservedConnector
from connectors.payouts.simulated_room import SimulatedRoom

TOKEN = "token-of-the-simulated-bank"  # noqa: S105 of a simulator on loopback
EMAIL = "factory@example.com"
PATIENCE = 0.6  # seconds
KNOWN = 100


class SimulatedBakong(SimulatedRoom):
    """The simulated National Bank: accounts are name@bank."""

    nobodys_account = "nobody@aclb"
    slow_seconds = PATIENCE * 1.5
    settle_seconds = 0.0

    @staticmethod
    def account(number: int) -> str:
        """The id of an account that exists."""
        return f"sok_dara_{number % KNOWN}@aclb"

    def misnamed(self) -> Destination:
        """No name is told, so none is wrong."""
        return self.good(1)


@contextlib.asynccontextmanager
async def under_test(**settings: object) -> AsyncIterator[tuple[Connector, SimulatedBakong]]:
    """The connector and its provider while the block runs; `settings` go over the connector's configuration."""
    bank = NationalBank((SimulatedBakong.account(number) for number in range(KNOWN)), token=TOKEN, email=EMAIL)
    room = SimulatedBakong(bank)
    async with serving(create_app(bank)) as url:
        room.settings = {"base_url": url, "token": TOKEN, "renew_email": EMAIL, "read_seconds": PATIENCE, **settings}
        connector = ObservedConnector(build(room.settings))
        try:
            yield connector, room
        finally:
            await connector.aclose()
