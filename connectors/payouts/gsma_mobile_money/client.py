"""The transport of the GSMA Mobile Money API: headers, one request, and an answer that is either JSON or trouble."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx2 as httpx

from connectors import http
from connectors.payouts.gsma_mobile_money.config import GsmaConfig
from connectors.signatures import content_hash_hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole HTTP answer with a JSON body (None where it is empty). The body may hold personal data: never log it."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """Nothing that can be used came back. `code` is one of ours; `nothing_sent` proves that the provider got no byte."""

    code: str
    nothing_sent: bool = False
    status: int | None = None


def now() -> datetime:
    """The moment of sending, which the X-Date header has to carry."""
    return datetime.now(UTC)


class GsmaClient:
    """One wallet provider over HTTP. It sends each request once and follows no redirect."""

    def __init__(self, config: GsmaConfig, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._http = http.client(
            config.base_url,
            headers={"accept": "application/json", "x-client-id": config.client_id, "x-api-key": config.api_key.get_secret_value()},
            read_seconds=config.read_seconds,
        )

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Answer | NoAnswer:
        """One GET. `path` is relative to the base URL and already percent-encoded."""
        return await self._send(self._http.build_request("GET", path, params=query, headers=self._headers(b"")))

    async def write(
        self, method: str, path: str, body: bytes, *, correlation_id: str, callback_url: str | None = None
    ) -> Answer | NoAnswer:
        """One POST or PATCH under a correlation id that stays the same for a repeat of the same request."""
        headers = self._headers(body) | {"content-type": "application/json", "x-correlationid": correlation_id}
        if callback_url is not None:
            headers["x-callback-url"] = callback_url
        return await self._send(self._http.build_request(method, path, content=body, headers=headers))

    async def aclose(self) -> None:
        """Release connections."""
        await self._http.aclose()

    def _headers(self, body: bytes) -> dict[str, str]:
        stamp = self._clock().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"x-date": stamp, "x-content-hash": content_hash_hex(body)} if body else {"x-date": stamp}

    async def _send(self, request: httpx.Request) -> Answer | NoAnswer:
        try:
            response = await http.send(self._http, request)
        except httpx.TimeoutException as error:
            return NoAnswer(code="timeout", nothing_sent=http.nothing_was_sent(error))
        except http.AnswerTooLargeError:
            return NoAnswer(code="unreadable_answer")
        except httpx.TransportError as error:
            return NoAnswer(code="connection_lost", nothing_sent=http.nothing_was_sent(error))
        except httpx.RequestError:
            return NoAnswer(code="unreadable_answer")
        return read_answer(response.status_code, response.headers, response.content)


def read_answer(status: int, headers: Mapping[str, str], content: bytes) -> Answer | NoAnswer:
    """An answer as JSON. A redirect, HTML, or JSON cut short is trouble, and money may have moved."""
    if 300 <= status < 400:  # noqa: PLR2004 the redirects of HTTP
        return NoAnswer(code="unreadable_answer", status=status)
    try:
        # An amount written as a JSON number is read without passing through a float.
        body = json.loads(content, parse_float=Decimal) if content.strip() else None
    except (ValueError, RecursionError):
        return NoAnswer(code="unreadable_answer", status=status)
    return Answer(status=status, headers=headers, body=body)
