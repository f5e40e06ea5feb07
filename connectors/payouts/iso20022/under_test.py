"""The bank connector with its simulated bank, as the conformance suite takes them."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.faults import FaultKind, FaultPlan
from connectors.faulty_server import serving
from connectors.payouts.conformance_bench import JournalLine
from connectors.payouts.contract import Connector, Destination, DestinationKind, WebhookRequest
from connectors.payouts.iso20022.connector import build
from connectors.payouts.iso20022.simulated_bank import Account
from connectors.payouts.iso20022.simulator import Bank, SimulatorConfig, create_app
from connectors.payouts.observed import ObservedConnector
from importers.money import Money, currency

SECRET = "whsec_" + base64.b64encode(b"of the simulated factory's account").decode()
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"of the simulated bank's reports").decode()
PATIENCE = "0.8"  # seconds; a busy machine still answers within it
KNOWN = 12_000  # accounts that exist


class SimulatedBank:
    """The simulated bank and a listener for its reports."""

    faults = frozenset(FaultKind)
    slow_seconds = 1.2
    settle_seconds = 5.0

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._listener = ""
        self._callbacks: list[WebhookRequest] = []

    def good(self, number: int) -> Destination:
        """One of the accounts that exist."""
        number %= KNOWN
        return Destination(kind=DestinationKind.BANK_ACCOUNT, account=_account(number), holder=_holder(number))

    def unknown(self) -> Destination:
        """A number without an account."""
        return Destination(kind=DestinationKind.BANK_ACCOUNT, account="999999999", holder="Sok Dara")

    def misnamed(self) -> Destination:
        """An account of somebody else."""
        return Destination(kind=DestinationKind.BANK_ACCOUNT, account=_account(1), holder="Keo Bopha")

    def callback_url(self, batch_reference: str) -> str:
        """A URL of its own for each batch."""
        return f"{self._listener}/webhooks/{batch_reference}"

    async def play(self, plan: FaultPlan) -> None:
        """From now on play these faults."""
        self._bank.faults = plan

    async def journal(self) -> Sequence[JournalLine]:
        """What the simulated bank executed."""
        return [
            JournalLine(
                kind=line["kind"],
                reference=line["reference"],
                account=line["account"],
                amount=Money(line["amount_minor"], currency(line["currency"])),
            )
            for line in self._bank.books.journal
        ]

    async def callbacks(self) -> Sequence[WebhookRequest]:
        """What came back."""
        return list(self._callbacks)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Take reports while the block runs."""
        async with serving(Starlette(routes=[Route("/webhooks/{batch}", self._listen, methods=["POST"])])) as url:
            self._listener = url
            yield

    async def _listen(self, request: Request) -> Response:
        body = await request.body()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self._callbacks.append(
            WebhookRequest(method=request.method, path=request.url.path, headers=headers, body=body, received_at=datetime.now(UTC))
        )
        return Response(status_code=204)


def _account(number: int) -> str:
    return f"0001{number:05d}"


def _holder(number: int) -> str:
    return f"Sok Dara {number}"


@contextlib.asynccontextmanager
async def under_test(**settings: object) -> AsyncIterator[tuple[Connector, SimulatedBank]]:
    """The connector and its bank while the block runs; `settings` go over the connector's configuration."""
    accounts = {_account(number): Account(holder=_holder(number), status="open") for number in range(KNOWN)}
    simulator = create_app(SimulatorConfig(secret=SECRET, webhook_secret=WEBHOOK_SECRET, accounts=accounts))
    provider = SimulatedBank(simulator.state.bank)
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
            "read_seconds": PATIENCE,
            **settings,
        }
        connector = ObservedConnector(build(given))
        try:
            yield connector, provider
        finally:
            await connector.aclose()
