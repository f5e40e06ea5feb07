"""The wallet connector with its simulated provider, as the conformance suite takes them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from connectors.faults import FaultKind
from connectors.faulty_server import serving
from connectors.payouts.contract import Connector, DestinationKind
from connectors.payouts.gsma_mobile_money.config import GsmaConfig
from connectors.payouts.gsma_mobile_money.connector import GsmaConnector
from connectors.payouts.gsma_mobile_money.simulated_wallet import Wallet
from connectors.payouts.gsma_mobile_money.simulator import create_app
from connectors.payouts.observed import ObservedConnector
from connectors.payouts.simulated_room import KNOWN, SimulatedRoom

API_KEY = "simulated-key"
CALLBACK_SECRET = "simulated-callback-secret"  # noqa: S105 of a simulator on loopback
PATIENCE = 1.5  # seconds; a busy machine still answers within it


class SimulatedWallets(SimulatedRoom):
    """The simulated wallet provider: accounts are phone numbers."""

    kind = DestinationKind.WALLET
    nobodys_account = "+85599999999"
    slow_seconds = PATIENCE * 1.4
    settle_seconds = 8.0

    @staticmethod
    def account(number: int) -> str:
        """The phone number of a wallet that exists."""
        return f"+85512{number:06d}"


@contextlib.asynccontextmanager
async def under_test(**settings: object) -> AsyncIterator[tuple[Connector, SimulatedWallets]]:
    """The connector and its provider while the block runs; `settings` go over the connector's configuration."""
    wallets = {SimulatedWallets.account(number): Wallet(holder=SimulatedWallets.holder(number)) for number in range(KNOWN)}
    two_step = bool(settings.get("two_step", False))
    simulator = create_app(api_key=API_KEY, callback_secret=CALLBACK_SECRET, wallets=wallets, two_step=two_step)
    # Orders that travel one by one know no half of a batch.
    faults = frozenset(FaultKind) if settings.get("bulk", True) else frozenset(FaultKind) - {FaultKind.PARTIAL_BATCH}
    provider = SimulatedWallets(simulator.state.provider, faults)
    async with serving(simulator) as url, provider.listening():
        given: dict[str, object] = {
            "base_url": url,
            "client_id": "sample-factory",
            "api_key": API_KEY,
            "callback_secret": CALLBACK_SECRET,
            "debit_party_value": "2000",
            "read_seconds": PATIENCE,
            "repeat": "same_result",
            "callback_proof": "signature",
            "balance_currency": "USD",
            **settings,
        }
        connector = ObservedConnector(GsmaConnector(GsmaConfig.model_validate(given)))
        provider.settings = given
        try:
            yield connector, provider
        finally:
            await connector.aclose()
