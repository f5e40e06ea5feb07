"""The transport of the GSMA Mobile Money API: its headers, and one request at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from connectors import http
from connectors.json_http import Answer, NoAnswer, ask
from connectors.patience import Patience
from connectors.payouts.gsma_mobile_money.config import GsmaConfig
from connectors.signatures import content_hash_hex


def now() -> datetime:
    """The moment of sending, which the X-Date header has to carry."""
    return datetime.now(UTC)


class GsmaClient:
    """One wallet provider over HTTP. It sends each request once and follows no redirect."""

    def __init__(self, config: GsmaConfig, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._patience = Patience()
        self._http = http.client(
            config.base_url,
            headers={"accept": "application/json", "x-client-id": config.client_id, "x-api-key": config.api_key.get_secret_value()},
            read_seconds=config.read_seconds,
        )

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Answer | NoAnswer:
        """One GET. `path` is relative to the base URL and already percent-encoded."""
        return await ask(self._http, self._http.build_request("GET", path, params=query, headers=self._headers(b"")), self._patience)

    async def write(
        self, method: str, path: str, body: bytes, *, correlation_id: str, callback_url: str | None = None
    ) -> Answer | NoAnswer:
        """One POST or PATCH under a correlation id that stays the same for a repeat of the same request."""
        headers = self._headers(body) | {"content-type": "application/json", "x-correlationid": correlation_id}
        if callback_url is not None:
            headers["x-callback-url"] = callback_url
        return await ask(self._http, self._http.build_request(method, path, content=body, headers=headers), self._patience)

    async def aclose(self) -> None:
        """Release connections."""
        await self._http.aclose()

    def _headers(self, body: bytes) -> dict[str, str]:
        stamp = self._clock().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"x-date": stamp, "x-content-hash": content_hash_hex(body)} if body else {"x-date": stamp}
