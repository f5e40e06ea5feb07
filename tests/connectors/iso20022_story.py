"""A bank, a factory's connector to it and an address for its reports, all real and on loopback, for the tests beside this file."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.faults import FaultPlan
from connectors.faulty_server import serving
from connectors.payouts.contract import (
    Connector,
    Destination,
    DestinationKind,
    PayoutBatch,
    PayoutOrder,
    WebhookRequest,
)
from connectors.payouts.iso20022.connector import build
from connectors.payouts.iso20022.simulated_bank import Account
from connectors.payouts.iso20022.simulator import Bank, SimulatorConfig, create_app
from importers.money import USD, Money

SECRET = "whsec_" + base64.b64encode(b"the factory signs with this one!").decode()
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"the bank signs its reports so!!!").decode()
PAYDAY = date(2026, 11, 30)
FACTORY_ACCOUNT = "4001234567"
ACCOUNTS = {
    "000123456": Account(holder="SOK DARA", status="open"),
    "000123457": Account(holder="CHAN THY", status="open"),
    "000123458": Account(holder="KEO SREYNICH", status="closed"),
}


def settings(**more: object) -> dict[str, object]:
    """A factory's agreement with the bank."""
    return {
        "credential": SECRET,
        "signing_secret": SECRET,
        "webhook_secrets": [WEBHOOK_SECRET],
        "debtor_name": "Golden Needle Garment Co., Ltd.",
        "debtor_account": FACTORY_ACCOUNT,
        "bank_bic": "ABAAKHPP",
        "currency": "USD",
        **more,
    }


def wage(reference: str, account: str = "000123456", cents: int = 21_000, holder: str = "SOK DARA") -> PayoutOrder:
    """One worker's wage."""
    destination = Destination(kind=DestinationKind.BANK_ACCOUNT, account=account, holder=holder)
    return PayoutOrder(reference=reference, amount=Money(cents, USD), destination=destination, purpose="Wage 2026-11")


def batch(reference: str, *orders: PayoutOrder, callback_url: str | None = None) -> PayoutBatch:
    """Wages that travel together."""
    return PayoutBatch(reference=reference, orders=orders, execute_on=PAYDAY, callback_url=callback_url)


@dataclass(kw_only=True)
class Inbox:
    """Where the bank's reports arrive. `answers` are the statuses given before 200."""

    received: list[WebhookRequest] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        """Keep the request as it came."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.body()
        self.received.append(
            WebhookRequest(method=request.method, path=request.url.path, headers=headers, body=body, received_at=datetime.now(UTC))
        )
        return Response(status_code=self.answers.pop(0) if self.answers else 200)


@dataclass(kw_only=True)
class Story:
    """Everything a test needs."""

    bank: Bank
    connector: Connector
    inbox: Inbox
    callback_url: str
    base_url: str

    def credits(self) -> list[tuple[str, str, int]]:
        """What the bank executed: reference, account, cents."""
        return [(line["reference"], line["account"], line["amount_minor"]) for line in self.bank.books.journal if line["kind"] == "credit"]


@contextlib.asynccontextmanager
async def story(
    *,
    faults: FaultPlan | None = None,
    accounts: Mapping[str, Account] | None = ACCOUNTS,
    journal: Path | None = None,
    delay_seconds: float = 0.0,
    plants: tuple[str, ...] = (),
    clock: Callable[[], datetime] | None = None,
    agreement: Mapping[str, object] | None = None,
) -> AsyncIterator[Story]:
    """Bank, connector and inbox while the block runs."""
    config = SimulatorConfig(
        secret=SECRET,
        webhook_secret=WEBHOOK_SECRET,
        accounts=accounts,
        journal=journal,
        delay_seconds=delay_seconds,
        faults=faults or FaultPlan(),
        plants=plants,
    )
    app, inbox = create_app(config), Inbox()
    inbox_app = Starlette(routes=[Route("/reports/{batch}", inbox.take, methods=["POST"])])
    async with serving(app) as base_url, serving(inbox_app) as inbox_url:
        connector = build(settings(base_url=base_url) | dict(agreement or {}) | ({"clock": clock} if clock else {}))
        try:
            yield Story(bank=app.state.bank, connector=connector, inbox=inbox, callback_url=f"{inbox_url}/reports/b1", base_url=base_url)
        finally:
            await connector.aclose()
