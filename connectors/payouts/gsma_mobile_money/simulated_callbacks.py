"""How the simulated wallet provider calls its clients back: signed, again until it is taken, and with faults on purpose."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2 as httpx

from connectors import http
from connectors.faults import FaultKind, FaultPlan
from connectors.payouts.gsma_mobile_money.callbacks import CONTENT_HASH_HEADER, SIGNATURE_HEADER
from connectors.payouts.gsma_mobile_money.simulated_wallet import Books, Taken, stamp
from connectors.signatures import content_hash_hex, hmac_hex

ATTEMPTS = 8
FIRST_PAUSE = 0.2  # seconds, doubled after each attempt


class Caller:
    """Sends callbacks for the books. One client for all of them."""

    def __init__(self, books: Books, secret: str) -> None:
        self._books = books
        self._secret = secret.encode()
        self._http = http.client("", read_seconds=5.0)

    async def aclose(self) -> None:
        """Release connections."""
        await self._http.aclose()

    async def tell(self, taken: Taken, body: dict[str, Any], faults: FaultPlan) -> None:
        """PUT the body to the request's callback URL until the client says 2xx, or give up after ATTEMPTS."""
        if taken.callback_url is None:
            return
        fault = faults.draw("event")
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        if fault is FaultKind.LOST_EVENT:
            return
        if fault is FaultKind.REORDER_EVENTS:
            await asyncio.sleep(faults.seconds)
        if fault is FaultKind.FORGED_EVENT:
            await self._put(taken.callback_url, content, "0" * 64)
        signature = hmac_hex(self._secret, content)
        pause = FIRST_PAUSE
        for _ in range(ATTEMPTS):
            if await self._put(taken.callback_url, content, signature):
                self._books.called_back(taken)
                if fault is FaultKind.DUPLICATE_EVENT:
                    await self._put(taken.callback_url, content, signature)
                return
            await asyncio.sleep(pause)
            pause *= 2

    async def _put(self, url: str, content: bytes, signature: str) -> bool:
        headers = {
            "content-type": "application/json",
            "x-date": stamp(),
            CONTENT_HASH_HEADER: content_hash_hex(content),
            SIGNATURE_HEADER: signature,
        }
        try:
            answer = await self._http.put(url, content=content, headers=headers)
        except httpx.HTTPError:
            return False
        return answer.is_success
