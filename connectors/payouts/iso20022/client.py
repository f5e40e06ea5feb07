"""The way to the bank: HTTPS, a bearer credential, each message signed, sent once, and what came back or why nothing did."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx2 as httpx

from connectors import http
from connectors.patience import Patience
from connectors.payouts.iso20022.config import Config
from connectors.signatures import signed_headers

_PATIENCE = 2  # an answer that drips in may take twice the time of one that is late


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the bank answered, whatever it is."""

    status: int
    media: str  # the media type without parameters, lower case
    body: bytes = field(repr=False)
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """No answer. `nothing_sent` is True only where the bank provably received no byte."""

    code: str  # of OUTCOME_CODES
    nothing_sent: bool
    retry_after: timedelta | None = None


class Client:
    """One bank, one credential."""

    def __init__(self, config: Config, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._clock = clock
        self._patience = Patience()
        self._seconds = float(config.read_seconds)
        self._http = http.client(
            config.base_url,
            headers={"authorization": f"Bearer {config.credential.get_secret_value()}", "accept": "application/xml, application/json"},
            read_seconds=self._seconds,
        )

    async def post(
        self, path: str, body: bytes, *, media: str, identification: str, headers: Mapping[str, str] | None = None
    ) -> Answer | Silence:
        """Send one signed message, once."""
        signature = signed_headers(
            self._config.signing_secret.get_secret_value(), identification=identification, sent_at=self._clock(), body=body
        )
        return await self._ask("POST", path, body, {"content-type": media, **signature, **(headers or {})})

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer | Silence:
        """Ask, which changes nothing."""
        return await self._ask("GET", path, None, headers or {})

    async def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer | Silence:
        left = self._patience.left(self._clock())
        if left is not None:
            return Silence(code="temporary", nothing_sent=True, retry_after=left)
        try:
            request = self._http.build_request(method, path, content=body, headers=headers)
            async with asyncio.timeout(self._seconds * _PATIENCE + http.CONNECT_SECONDS):
                response = await http.send(self._http, request)
        except (httpx.TimeoutException, TimeoutError) as error:
            unsent = isinstance(error, httpx.TransportError) and http.nothing_was_sent(error)
            return Silence(code="temporary" if unsent else "timeout", nothing_sent=unsent)
        except httpx.TransportError as error:
            unsent = http.nothing_was_sent(error)
            return Silence(code="temporary" if unsent else "connection_lost", nothing_sent=unsent)
        except httpx.RequestError:  # for example a body that its own encoding contradicts
            return Silence(code="unreadable_answer", nothing_sent=False)
        media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        asked = self._patience.note(response.status_code, response.headers, self._clock())
        return Answer(status=response.status_code, media=media, body=response.content, retry_after=asked)

    async def aclose(self) -> None:
        """Release connections."""
        await self._http.aclose()
