"""The wallet connector with its simulated provider, as the conformance suite takes them."""

from __future__ import annotations

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
from connectors.payouts.gsma_mobile_money.config import GsmaConfig
from connectors.payouts.gsma_mobile_money.connector import GsmaConnector
from connectors.payouts.gsma_mobile_money.simulated_wallet import Wallet
from connectors.payouts.gsma_mobile_money.simulator import create_app
from connectors.payouts.observed import ObservedConnector
from importers.money import Money, currency

API_KEY = "simulated-key"
CALLBACK_SECRET = "simulated-callback-secret"  # noqa: S105 of a simulator on loopback
PATIENCE = 1.5  # seconds; a busy machine still answers within it
KNOWN = 12_000  # wallets that exist


class SimulatedWallets:
    """The simulated provider and a listener for its callbacks."""

    slow_seconds = PATIENCE * 1.4
    settle_seconds = 8.0

    def __init__(self, simulator: Starlette, faults: frozenset[FaultKind]) -> None:
        self.faults = faults
        self._simulator = simulator
        self._listener = ""
        self._callbacks: list[WebhookRequest] = []

    def good(self, number: int) -> Destination:
        """One of the wallets that exist."""
        number %= KNOWN
        return Destination(kind=DestinationKind.WALLET, account=_account(number), holder=_holder(number))

    def unknown(self) -> Destination:
        """A number without a wallet."""
        return Destination(kind=DestinationKind.WALLET, account="+85599999999", holder="Sok Dara")

    def misnamed(self) -> Destination:
        """A wallet of somebody else."""
        return Destination(kind=DestinationKind.WALLET, account=_account(1), holder="Keo Bopha")

    def callback_url(self, batch_reference: str) -> str:
        """A URL of its own for each batch."""
        return f"{self._listener}/webhooks/{batch_reference}"

    async def play(self, plan: FaultPlan) -> None:
        """From now on play these faults."""
        self._simulator.state.provider.faults = plan

    async def journal(self) -> Sequence[JournalLine]:
        """What the simulated provider executed."""
        return [
            JournalLine(
                kind=line["kind"],
                reference=line["reference"],
                account=line["account"],
                amount=Money(line["amount_minor"], currency(line["currency"])),
            )
            for line in self._simulator.state.provider.books.journal
        ]

    async def callbacks(self) -> Sequence[WebhookRequest]:
        """What came back."""
        return list(self._callbacks)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Take callbacks while the block runs."""
        async with serving(Starlette(routes=[Route("/webhooks/{batch}", self._listen, methods=["PUT"])])) as url:
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
    return f"+85512{number:06d}"


def _holder(number: int) -> str:
    return f"Sok Dara {number}"


@contextlib.asynccontextmanager
async def under_test(**settings: object) -> AsyncIterator[tuple[Connector, SimulatedWallets]]:
    """The connector and its provider while the block runs; `settings` go over the connector's configuration."""
    wallets = {_account(number): Wallet(holder=_holder(number)) for number in range(KNOWN)}
    two_step = bool(settings.get("two_step", False))
    simulator = create_app(api_key=API_KEY, callback_secret=CALLBACK_SECRET, wallets=wallets, two_step=two_step)
    # Orders that travel one by one know no half of a batch.
    faults = frozenset(FaultKind) if settings.get("bulk", True) else frozenset(FaultKind) - {FaultKind.PARTIAL_BATCH}
    provider = SimulatedWallets(simulator, faults)
    async with serving(simulator) as url, provider.listening():
        given: dict[str, object] = {
            "base_url": url,
            "client_id": "sample-factory",
            "api_key": API_KEY,
            "callback_secret": CALLBACK_SECRET,
            "debit_party_value": "2000",
            "read_seconds": PATIENCE,
            "repeat": "same_result",
            **settings,
        }
        connector = ObservedConnector(GsmaConnector(GsmaConfig.model_validate(given)))
        try:
            yield connector, provider
        finally:
            await connector.aclose()
