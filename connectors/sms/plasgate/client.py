"""The wire to PlasGate. TLS is verified; the private key travels in the query, as PlasGate asks, and reaches no log."""

from __future__ import annotations

import httpx2 as httpx

from connectors import http
from connectors.sms.plasgate.config import PlasGateConfig

LARGEST_ANSWER = 1024 * 1024


class PlasGateClient:
    """One connection pool to PlasGate."""

    def __init__(self, config: PlasGateConfig) -> None:
        self._http = http.client(
            config.base_url,
            headers={"x-secret": config.secret.get_secret_value(), "content-type": "application/json", "accept": "application/json"},
            read_seconds=config.read_seconds,
        )
        self._key = {"private_key": config.private_key.get_secret_value()}

    async def post(self, path: str, body: bytes) -> httpx.Response:
        """Send once. Raises httpx.TransportError; `http.nothing_was_sent` tells whether the request can have arrived."""
        request = self._http.build_request("POST", path, params=self._key, content=body)
        return await http.send(self._http, request, largest=LARGEST_ANSWER)

    async def aclose(self) -> None:
        """Release connections."""
        await self._http.aclose()
