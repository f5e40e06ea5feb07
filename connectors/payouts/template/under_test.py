"""The connector with its simulated provider, as `payroll connectors check` takes them. 8: or with the provider's own sandbox."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator

from connectors.faults import FaultKind
from connectors.faulty_server import serving
from connectors.payouts.contract import Connector
from connectors.payouts.observed import ObservedConnector
from connectors.payouts.simulated_room import KNOWN, SimulatedRoom
from connectors.payouts.template.connector import build
from connectors.payouts.template.simulator import Books, create_app

API_KEY = "simulated-key"
CALLBACK_SECRET = "whsec_" + base64.b64encode(b"of the simulated provider's callbacks").decode()
PATIENCE = 1.0  # seconds; shorter than `slow_seconds` of the room


@contextlib.asynccontextmanager
async def under_test(**settings: object) -> AsyncIterator[tuple[Connector, SimulatedRoom]]:
    """The connector and its provider while the block runs; `settings` go over the connector's configuration."""
    accounts = {SimulatedRoom.account(number): SimulatedRoom.holder(number) for number in range(KNOWN)}
    simulator = create_app(Books(accounts), api_key=API_KEY, callback_secret=CALLBACK_SECRET)
    room = SimulatedRoom(simulator.state.provider, frozenset(FaultKind))
    async with serving(simulator) as url, room.listening():
        room.settings = {
            "base_url": url,
            "api_key": API_KEY,
            "callback_secret": CALLBACK_SECRET,
            "read_seconds": PATIENCE,
            **settings,
        }
        connector = ObservedConnector(build(room.settings))
        try:
            yield connector, room
        finally:
            await connector.aclose()
