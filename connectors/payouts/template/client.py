"""The transport. 4: addresses, headers, signatures of your provider. Send once, follow no redirect, never retry."""

from __future__ import annotations

from connectors import http
from connectors.json_http import Answer, NoAnswer, ask
from connectors.patience import Patience
from connectors.payouts.template.config import TemplateConfig


class TemplateClient:
    """One account with the provider."""

    def __init__(self, config: TemplateConfig) -> None:
        headers = {"authorization": f"Bearer {config.api_key.get_secret_value()}"}
        self._patience = Patience()  # keeps a Retry-After, so that nothing is sent before it
        self._http = http.client(config.base_url, headers=headers, read_seconds=config.read_seconds)

    async def get(self, path: str, query: dict[str, str] | None = None) -> Answer | NoAnswer:
        """Ask, which changes nothing."""
        return await ask(self._http, self._http.build_request("GET", path, params=query))

    async def post(self, path: str, body: bytes) -> Answer | NoAnswer:
        """Send once."""
        request = self._http.build_request("POST", path, content=body, headers={"content-type": "application/json"})
        return await ask(self._http, request, self._patience)

    async def aclose(self) -> None:
        """Release connections."""
        await self._http.aclose()
