"""Calls that come at the same moment share one transaction: durable before each is answered, at the price of one commit for all."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Together(Generic[Item, Answer]):
    """Hands on what has gathered while the last work was under way; nobody waits for more to come.

    `work` gives one answer for each item, in order: an exception among them is raised to that caller alone. Whatever `work` itself
    raises is raised to all of its callers.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]], *, most: int = 200) -> None:
        self._work = work
        self._most = most
        self._waiting: deque[tuple[Item, asyncio.Future[Answer]]] = deque()
        self._running: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> Answer:
        """Have `item` worked on, perhaps with others, and wait for its own answer."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._running is None:
            # A context of its own: what is logged for all must not bear the first caller's request id.
            self._running = asyncio.create_task(self._run(), context=contextvars.Context())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
                answers: Sequence[Answer | Exception]
                try:
                    answers = await self._work([item for item, _ in batch])
                except Exception as error:  # noqa: BLE001 whatever it is belongs to the callers, not to this task
                    answers = [error] * len(batch)
                for (_, future), answer in zip(batch, answers, strict=True):
                    if future.done():
                        continue  # its caller has gone; the work was done all the same
                    if isinstance(answer, Exception):
                        future.set_exception(answer)
                    else:
                        future.set_result(answer)
        finally:
            self._running = None
