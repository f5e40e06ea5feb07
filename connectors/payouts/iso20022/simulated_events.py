"""How the simulated bank tells of finished messages: signed pain.002 to the callback, again until it is answered, and its faults."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx2 as httpx

from connectors import http
from connectors.faults import FaultKind, FaultPlan
from connectors.payouts.iso20022.simulated_bank import Books, Message
from connectors.payouts.iso20022.simulated_messages import write_report
from connectors.signatures import signed_headers

ORDERS_IN_AN_EVENT = 400  # about 160 kB: receivers of webhooks commonly take no more than 256 KiB
_AGAIN_AFTER = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)  # seconds
_GONE, _OK = 410, range(200, 300)
_WAIT_FOR_THE_NEXT = 1.0  # seconds that a reordered event waits to be overtaken
_STRANGER = "whsec_" + base64.b64encode(b"not the secret of this bank at all").decode()


class Teller:
    """Sends each finished message's report to the address that came with it."""

    def __init__(self, books: Books, secret: str, faults: Callable[[], FaultPlan]) -> None:
        self._faults = faults
        self._books = books
        self._secret = secret
        self._http = http.client("", read_seconds=15)
        self._told_one = asyncio.Event()

    async def tell(self, message: Message) -> None:
        """Send every part of the report, in order."""
        if not message.callback_url:
            return
        done = [await self._tell_part(message, identification, body) for identification, body in _parts(message)]
        if all(done):
            self._books.told(message)

    async def _tell_part(self, message: Message, identification: str, body: bytes) -> bool:
        fault = self._faults().draw("event")
        if fault is FaultKind.LOST_EVENT:
            return True
        if fault is FaultKind.REORDER_EVENTS:
            self._told_one.clear()
            with contextlib.suppress(TimeoutError):  # there is no next one: it comes late, that is all
                await asyncio.wait_for(self._told_one.wait(), _WAIT_FOR_THE_NEXT)
        if fault is FaultKind.FORGED_EVENT:
            await self._post(message.callback_url, f"{identification}-forged", body.replace(b"RJCT", b"ACSC"), _STRANGER)
        for pause in (*_AGAIN_AFTER, None):
            status = await self._post(message.callback_url, identification, body, self._secret)
            if status in _OK:
                if fault is FaultKind.DUPLICATE_EVENT:
                    await self._post(message.callback_url, identification, body, self._secret)
                self._told_one.set()
                return True
            if status == _GONE or pause is None:
                return False
            await asyncio.sleep(pause)
        return False

    async def _post(self, url: str, identification: str, body: bytes, secret: str) -> int:
        headers = signed_headers(secret, identification=identification, sent_at=datetime.now(UTC), body=body)
        try:
            request = self._http.build_request("POST", url, content=body, headers={"content-type": "application/xml", **headers})
            return (await http.send(self._http, request)).status_code
        except (httpx.RequestError, httpx.InvalidURL):
            return 0

    async def aclose(self) -> None:
        """Release connections."""
        await self._http.aclose()


def _parts(message: Message) -> Iterator[tuple[str, bytes]]:
    """(id, body) of each event; the same bytes under the same id whenever it is sent again."""
    orders = message.told_of()
    for number, start in enumerate(range(0, len(orders), ORDERS_IN_AN_EVENT), 1):
        body = write_report(message.original, message.done_at, orders[start : start + ORDERS_IN_AN_EVENT])
        yield f"{message.original.message}-{number}", body
