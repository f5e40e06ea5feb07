"""The bank connector with its simulated bank, as the conformance suite takes them."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator

from connectors.faults import FaultKind
from connectors.faulty_server import serving
from connectors.payouts.contract import Connector
from connectors.payouts.iso20022.connector import build
from connectors.payouts.iso20022.simulated_bank import Account
from connectors.payouts.iso20022.simulator import SimulatorConfig, create_app
from connectors.payouts.observed import ObservedConnector
from connectors.payouts.simulated_room import KNOWN, SimulatedRoom

SECRET = "whsec_" + base64.b64encode(b"of the simulated factory's account").decode()
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"of the simulated bank's reports").decode()
PATIENCE = "0.8"  # seconds; a busy machine still answers within it


@contextlib.asynccontextmanager
async def under_test(**settings: object) -> AsyncIterator[tuple[Connector, SimulatedRoom]]:
    """The connector and its bank while the block runs; `settings` go over the connector's configuration."""
    accounts = {SimulatedRoom.account(number): Account(holder=SimulatedRoom.holder(number), status="open") for number in range(KNOWN)}
    simulator = create_app(SimulatorConfig(secret=SECRET, webhook_secret=WEBHOOK_SECRET, accounts=accounts))
    provider = SimulatedRoom(simulator.state.bank, frozenset(FaultKind))
    async with serving(simulator) as url, provider.listening():
        given: dict[str, object] = {
            "base_url": url,
            "credential": SECRET,
            "signing_secret": SECRET,
            "webhook_secrets": [WEBHOOK_SECRET],
            "debtor_name": "Sample Garment Co., Ltd.",
            "debtor_account": "000100200",
            "bank_bic": "ABAAKHPP",
            "currency": "USD",
            "tells_balance": True,
            "read_seconds": PATIENCE,
            **settings,
        }
        connector = ObservedConnector(build(given))
        provider.settings = given
        try:
            yield connector, provider
        finally:
            await connector.aclose()
