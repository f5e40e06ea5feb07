"""A real HTTP server that takes what a provider calls back, for the conformance suite and for `payroll connectors try`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.faulty_server import serving
from connectors.payouts.contract import WebhookRequest

LARGEST = 1024 * 1024  # bytes of one callback that are kept
MOST = 100_000  # callbacks that are kept


class CallbackListener:
    """Keeps each request as it came. It believes nothing and verifies nothing: that is the connector's."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[WebhookRequest] = []

    def address(self, batch_reference: str) -> str:
        """A callback address of its own for each batch."""
        return f"{self.url}/webhooks/{batch_reference}"

    @contextlib.asynccontextmanager
    async def listening(self, *, host: str = "127.0.0.1", port: int = 0, public_url: str | None = None) -> AsyncIterator[None]:
        """Take callbacks while the block runs. `public_url` is told to the provider where it reaches us under another address."""
        app = Starlette(routes=[Route("/webhooks/{batch}", self._take, methods=["POST", "PUT"])])
        async with serving(app, port, host=host) as url:
            self.url = (public_url or url).rstrip("/")
            yield

    async def _take(self, request: Request) -> Response:
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                return Response(status_code=413)
        if len(self.received) >= MOST:
            return Response(status_code=503)
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(
            WebhookRequest(method=request.method, path=path, headers=headers, body=bytes(body), received_at=datetime.now(UTC))
        )
        return Response(status_code=204)
