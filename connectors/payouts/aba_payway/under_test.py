"""The PayWay connector with a simulated PayWay, as the conformance suite takes them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connectors.faults import FaultKind
from connectors.faulty_server import serving
from connectors.payouts.aba_payway.connector import build
from connectors.payouts.aba_payway.simulated_bank import Account
from connectors.payouts.aba_payway.simulator import Merchant, create_app
from connectors.payouts.contract import Connector
from connectors.payouts.observed import ObservedConnector
from connectors.payouts.simulated_room import KNOWN, SimulatedRoom

API_KEY = "simulated-key"
MERCHANT_ID = "samplefactory"
PATIENCE = 1.5  # seconds; a busy machine still answers within it
KEY_BITS = 1024  # as PayWay hands them out


class SimulatedPayway(SimulatedRoom):
    """The simulated PayWay. Its pushbacks all go to the one address in the merchant's profile."""

    slow_seconds = PATIENCE * 1.4

    def callback_url(self, batch_reference: str) -> str:
        """The merchant's one address."""
        del batch_reference
        return self._listener.address("payway")


@contextlib.asynccontextmanager
async def under_test(**settings: object) -> AsyncIterator[tuple[Connector, SimulatedPayway]]:
    """The connector and its provider while the block runs; `settings` go over the connector's configuration."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    accounts = {SimulatedPayway.account(number): Account(holder=SimulatedPayway.holder(number)) for number in range(KNOWN)}
    unit, written = str(settings.get("currency", "USD")), str(settings.get("payout_hash", "hex"))
    merchant = Merchant(merchant_id=MERCHANT_ID, api_key=API_KEY, key=key, currency=unit, payout_hash=written)
    simulator = create_app(merchant, accounts=accounts)
    # Orders that travel one by one know no half of a batch.
    provider = SimulatedPayway(simulator.state.payway, frozenset(FaultKind) - {FaultKind.PARTIAL_BATCH})
    async with serving(simulator) as url, provider.listening():
        simulator.state.payway.pushback_url = provider.callback_url("")
        given: dict[str, object] = {
            "base_url": url,
            "merchant_id": MERCHANT_ID,
            "api_key": API_KEY,
            "rsa_public_key": public,
            "currency": unit,
            "read_seconds": PATIENCE,
            "repeat": "conflict",
            "batch_size": 100,
            **settings,
        }
        connector = ObservedConnector(build(given))
        provider.settings = given
        try:
            yield connector, provider
        finally:
            await connector.aclose()
