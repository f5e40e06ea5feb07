"""The simulator's receipts: each goes to the address its message carried until somebody takes it, also after a restart."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2 as httpx

from connectors import http
from connectors.faults import FaultKind, FaultPlan
from connectors.sms.plasgate.journal import Delivery, Journal

_FIRST_WAIT, _LONGEST_WAIT = 0.05, 5.0  # seconds between tries
_IDLE = 0.01


class Postman:
    """Sends receipts in the order of their messages. With `at_once` over 1 it sends JSON lists, otherwise forms one by one."""

    def __init__(self, journal: Journal, *, faults: FaultPlan, delay_seconds: float, at_once: int) -> None:
        self._journal = journal
        self._faults = faults
        self._delay = delay_seconds
        self._at_once = max(at_once, 1)
        self._waiting: deque[tuple[float, Delivery]] = deque()
        self._bell = asyncio.Event()

    def hand_over(self, deliveries: Iterable[Delivery]) -> None:
        """Receipts to send once their delay is over."""
        due = asyncio.get_running_loop().time() + self._delay
        self._waiting.extend((due, delivery) for delivery in deliveries if delivery.receipt_url)
        self._bell.set()

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Send while the block runs, beginning with what an earlier run left."""
        self.hand_over(self._journal.open_receipts())
        work = asyncio.create_task(self._walk())
        try:
            yield
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work

    async def _walk(self) -> None:
        async with http.client("", read_seconds=30) as post:
            while True:
                batch = await self._next_batch()
                fault = self._faults.draw("event")
                if fault is FaultKind.REORDER_EVENTS:
                    batch.reverse()
                if fault is FaultKind.FORGED_EVENT:
                    await self._try(post, batch, is_forged=True)
                if fault is not FaultKind.LOST_EVENT:
                    await self._send_until_taken(post, batch)
                if fault is FaultKind.DUPLICATE_EVENT:
                    await self._try(post, batch)
                self._journal.take([delivery.identifier for delivery in batch])

    async def _next_batch(self) -> list[Delivery]:
        """Receipts that are due and go to the same address."""
        while not self._waiting:
            self._bell.clear()
            await self._bell.wait()
        loop = asyncio.get_running_loop()
        if self._waiting[0][0] <= loop.time():
            await asyncio.sleep(_IDLE if len(self._waiting) < self._at_once else 0)  # let a few more gather
        # A loop may wake us a little early (uvloop counts whole milliseconds): an empty batch would be nobody's.
        while (wait := self._waiting[0][0] - loop.time()) > 0:  # noqa: ASYNC110  a time is waited for, not an event
            await asyncio.sleep(wait)
        now, first = asyncio.get_running_loop().time(), _address(self._waiting[0][1])
        batch: list[Delivery] = []
        while self._waiting and len(batch) < self._at_once and self._waiting[0][0] <= now and _address(self._waiting[0][1]) == first:
            batch.append(self._waiting.popleft()[1])
        return batch

    async def _send_until_taken(self, post: httpx.AsyncClient, batch: Sequence[Delivery]) -> None:
        wait = _FIRST_WAIT
        while not await self._try(post, batch):
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _try(self, post: httpx.AsyncClient, batch: Sequence[Delivery], *, is_forged: bool = False) -> bool:
        receipts = [_receipt(delivery) for delivery in batch]
        if is_forged:
            receipts = [{**receipt, "message_status": "UNDELIV", "token": "x" * 32} for receipt in receipts]
        address = _address(batch[0])
        try:
            if self._at_once == 1:
                query = urlencode([(name, receipts[0].pop(name)) for name in ("reference", "token") if name in receipts[0]])
                answer = await post.post(f"{address}{'&' if '?' in address else '?'}{query}", data=receipts[0])
            else:
                answer = await post.post(address, json=receipts)
        except httpx.HTTPError:
            return False
        return answer.is_success


def _address(delivery: Delivery) -> str:
    """The receipt address without what belongs to one message."""
    parts = urlsplit(delivery.receipt_url or "")
    rest = [(name, value) for name, value in parse_qsl(parts.query) if name not in {"reference", "token"}]
    return parts._replace(query=urlencode(rest)).geturl()


def _receipt(delivery: Delivery) -> dict[str, str]:
    """The words of a level 2 receipt; in a list each also brings the reference and token that its own address holds."""
    minute = datetime.now(UTC).strftime("%y%m%d%H%M")
    own = {name: value for name, value in parse_qsl(urlsplit(delivery.receipt_url or "").query) if name in {"reference", "token"}}
    state = {
        "id": delivery.identifier,
        "id_smsc": "1",
        "message_status": delivery.status,
        "level": "2",
        "subdate": minute,
        "donedate": minute,
    }
    return {**state, "sub": "001", "dlvrd": "001" if delivery.status == "DELIVRD" else "000", "err": "000", **own}
