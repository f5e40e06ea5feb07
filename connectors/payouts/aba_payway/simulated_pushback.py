"""How the simulated PayWay tells its merchant: signed, again until it is taken, and with faults on purpose."""

from __future__ import annotations

import asyncio
import json

import httpx2 as httpx

from connectors import http
from connectors.faults import FaultKind, FaultPlan
from connectors.payouts.aba_payway.pushback import SIGNATURE_HEADER
from connectors.payouts.aba_payway.sealing import pushback_hash
from connectors.payouts.aba_payway.simulated_bank import Transaction

ATTEMPTS = 5
FIRST_PAUSE = 0.2  # seconds, doubled after each attempt


class Pusher:
    """Sends pushbacks beside the requests."""

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key
        self._http = http.client("", read_seconds=5.0)
        self._working: set[asyncio.Task[None]] = set()

    def tell(self, url: str, done: Transaction, faults: FaultPlan) -> None:
        """Tell of one transaction, later."""
        task = asyncio.create_task(self._tell(url, done, faults))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def aclose(self) -> None:
        """Stop telling."""
        for task in list(self._working):
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        await self._http.aclose()

    async def _tell(self, url: str, done: Transaction, faults: FaultPlan) -> None:
        fault = faults.draw("event")
        body = {"tran_id": done.reference, "apv": done.apv, "status": 0, "return_params": ""}
        content, signature = json.dumps(body, separators=(",", ":")).encode(), pushback_hash(self._api_key, body)
        if fault is FaultKind.LOST_EVENT:
            return
        if fault is FaultKind.REORDER_EVENTS:
            await asyncio.sleep(faults.seconds)
        if fault is FaultKind.FORGED_EVENT:
            await self._post(url, content, "forged")
        pause = FIRST_PAUSE
        for _ in range(ATTEMPTS):
            if await self._post(url, content, signature):
                if fault is FaultKind.DUPLICATE_EVENT:
                    await self._post(url, content, signature)
                return
            await asyncio.sleep(pause)
            pause *= 2

    async def _post(self, url: str, content: bytes, signature: str) -> bool:
        try:
            answer = await self._http.post(url, content=content, headers={"content-type": "application/json", SIGNATURE_HEADER: signature})
        except httpx.HTTPError:
            return False
        return answer.is_success
