"""One run of the crash matrix: a payday of two factories, something that breaks, and time passing until nothing moves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx2 as httpx
from sqlalchemy import select

from connectors.payouts.iso20022.simulated_statement import Booking, write_statement
from connectors.signatures import signed_headers
from importers.money import Money, currency
from payroll_api.clock import pay_day
from payroll_api.people.keys import phone_key
from payroll_api.people.models import Worker
from payroll_api.settlement.upload import upload_statement
from tests.crash.connector import WEBHOOK_SECRET
from tests.crash.golden import Golden, Staged, phones_of
from tests.crash.lane import RUN, Lane
from tests.crash.nursery import Child
from tests.crash.profiles import KINDS
from tests.crash.provider import Books, Order, told

REST = {"paid", "rejected", "returned", "cancelled", "held"}
LEASE = timedelta(seconds=11)
_GONE = {"", "Z", "X", "T"}  # dead, or frozen
_PATIENCE = 1.0  # seconds of the machine after which jobs that a dead process had taken are let grow old
_JOBS = (
    "select count(*) filter (where status = 'queued' and execute_after <= now()), count(*) filter (where status = 'picked'),"
    " extract(epoch from min(execute_after) filter (where status = 'queued') - now())::float from pgqueuer"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What is run: a point, how it strikes, the kind of provider, and the seed of everything else."""

    point: str
    action: str  # kill or raise
    kind: str
    seed: int

    @property
    def name(self) -> str:
        """As it stands in the report and is found again when a matrix is resumed."""
        return f"{self.point}/{self.action}/{self.kind}/{self.seed}"


class Run:
    """A run under way. `notes` are what went against expectation beside the invariants."""

    def __init__(self, lane: Lane, spec: Spec) -> None:
        self.lane, self.spec = lane, spec
        self.notes: list[str] = []
        self.reached = 0
        self.told: set[str] = set()
        self.returned: set[str] = set()  # references whose money the provider sent back
        self.partly: dict[str, int] = {}  # references of which some minor units came back
        self.cancelled: dict[str, datetime] = {}  # payment -> when its cancel was committed
        self.redelivered: list[tuple[Staged, Sequence[Mapping[str, Any]], str]] = []
        self.rng = random.Random(f"{spec.point}/{spec.kind}/{spec.seed}")  # noqa: S311 a lot to repeat, no secret
        self.hits = lane.folder / "hits"
        self.numbers_changed: datetime | None = None  # when every worker got another phone
        self.is_older = False  # the database is a restored one: it must be silent, and knows nothing of what was executed
        self.chunk = 0  # payments in one message; 0: drawn
        self.idle_polls = 0
        self.next_due: float | None = None
        self.left_behind: float | None = None  # since when jobs are under way, none is due, and a process is dead

    @property
    def golden(self) -> Golden:
        """The database that the run began with."""
        return self.lane.golden[self.spec.kind]

    async def __aenter__(self) -> Self:
        lane = self.lane
        self.hits.unlink(missing_ok=True)
        self.journal = lane.folder / "journal.jsonl"
        self.journal.unlink(missing_ok=True)
        self.journal.touch()
        lane.clock.move(-lane.clock.offset)
        lane.struck.clear()
        lane.children.clear()
        lane.kill_on_point = False
        self.services = await lane.fresh(self.spec.kind)
        self.books = Books(kind=KINDS[self.spec.kind], journal=self.journal, clock=lane.clock, holders=self.golden.holders)
        lane.provider.books, lane.provider.delay = self.books, self.rng.choice((0.0, 0.0, 0.02))
        lane.provider.faults.clear()
        lane.proxy.cut = None
        self.tells = self.rng.random() < 0.5
        self._admin = lane.admin(RUN)
        self.connection = await self._admin.__aenter__()
        self.http = httpx.AsyncClient(timeout=10, trust_env=False, base_url=f"http://127.0.0.1:{lane.nursery.port}")
        return self

    async def __aexit__(self, *_: object) -> None:
        for child in self.lane.children:
            child.send(signal.SIGKILL)
        self.lane.proxy.cut = None
        with contextlib.suppress(Exception):
            await self._admin.__aexit__(None, None, None)
        await self.http.aclose()
        await self.services.connectors.close()  # type: ignore[attr-defined]  # the pool that services_of made
        await self.services.database.close()

    async def leave(self) -> None:
        """Give every connection to the run's database back."""
        with contextlib.suppress(Exception):
            await self._admin.__aexit__(None, None, None)
        await self.services.database.close()

    async def reconnect(self) -> None:
        """The matrix's own connection again, after the server or the database was another's."""
        with contextlib.suppress(Exception):
            await self._admin.__aexit__(None, None, None)
        await self.services.database.close()
        self._admin = self.lane.admin(RUN)
        self.connection = await self._admin.__aenter__()

    # --- processes -----------------------------------------------------------------------------------------------------------

    def spawn(self, plan: str = "", *, wired: str = "direct") -> Child:
        """A service process: server and worker."""
        chunk = self.chunk or self.rng.choice((2, 3, 5))
        child = self.lane.nursery.spawn(plan=plan, hits=self.hits if plan else None, wired=wired, chunk=chunk, seed=self.spec.seed)
        self.lane.children.append(child)
        return child

    async def until(self, condition: Callable[[], Awaitable[bool] | bool], seconds: float = 6.0) -> bool:
        """Whether the condition came true in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = condition()
            if found if isinstance(found, bool) else await found:
                return True
            await asyncio.sleep(0.025)
        return False

    def struck(self, action: str | None = None) -> int:
        """How often an armed point acted in this run."""
        if not self.hits.exists():
            return 0
        lines = [line.split() for line in self.hits.read_text().splitlines()]
        return sum(1 for line in lines if len(line) == 4 and line[2] != "-" and (action is None or line[2] == action))

    async def break_at(self, child: Child, action: str, *, seconds: float = 6.0) -> bool:
        """Wait until the armed point has acted, or everything that could come there is done."""

        async def is_over() -> bool:
            if self.struck(action) or not child.is_alive():
                return True
            return self.idle_polls >= 12 and await self.poll()

        self.idle_polls = 0
        await self.until(lambda: self._count_idle(is_over), seconds)
        if self.struck("kill"):
            await self.until(lambda: not child.is_alive(), 2)
        return self.struck(action) > 0

    async def _count_idle(self, then: Callable[[], Awaitable[bool]]) -> bool:
        self.idle_polls = self.idle_polls + 1 if await self.poll() else 0
        return await then()

    async def poll(self) -> bool:
        """Whether no job is due or under way."""
        try:
            row = await self.connection.fetchrow(_JOBS)
        except Exception:  # noqa: BLE001 the server may be down on purpose
            return False
        self.next_due = row[2]
        is_left = row[0] == 0 and row[1] > 0 and any(child.state() in _GONE for child in self.lane.children)
        self.left_behind = (self.left_behind or time.monotonic()) if is_left else None
        return bool(row[0] == 0 and row[1] == 0)

    # --- time ----------------------------------------------------------------------------------------------------------------

    async def advance(self, by: timedelta) -> None:
        """Let time pass."""
        await self.lane.advance(self.connection, by)

    def tick(self, *, all_of_it: bool = False) -> None:
        """Have every living process do the periodic tasks whose time has come, or all of them."""
        for child in self.lane.children:
            if child.state() not in _GONE:
                child.send(signal.SIGUSR2 if all_of_it else signal.SIGUSR1)

    async def quiet(self, seconds: float = 120.0) -> None:
        """Wait until no job is due or under way."""
        if not await self.until(self._poll_with_somebody_there, seconds):
            rows = await self.connection.fetch("select entrypoint, status, attempts from pgqueuer")
            self.notes.append(f"not quiet after {seconds} s: {[tuple(row) for row in rows][:6]}")

    async def settle(self, *, longest: timedelta = timedelta(hours=6)) -> None:
        """Let time pass until every payment is at rest, or nothing has moved for hours: then a person is waited for."""
        began, pause, before = self.lane.clock(), timedelta(seconds=6), ""
        for _ in range(120):
            await self.keep_one_alive()
            await self.quiet()
            await self._redeliver()
            if self.tells:
                await self.tell_all()
            now = await self.state()
            if self._is_at_rest(now) or self.lane.clock() - began > longest:
                return
            pause = timedelta(seconds=6) if now != before else min(pause * 2, timedelta(minutes=40))
            before = now
            due = None if self.next_due is None else timedelta(seconds=max(self.next_due, 0) + 0.05)
            await self.advance(due if due is not None and due < pause else pause)
            self.tick()
            await asyncio.sleep(0.02)
        self.notes.append("not settled after 120 steps")

    async def _poll_with_somebody_there(self) -> bool:
        if await self.poll():
            return True
        await self.keep_one_alive()
        if self.left_behind is not None and time.monotonic() - self.left_behind > _PATIENCE:
            self.left_behind = None
            await self.advance(LEASE)  # what the dead had taken is nobody's after that; the living take it over, as they would anyway
        return False

    async def keep_one_alive(self) -> None:
        """Where every process is dead or frozen, start another when their jobs are no longer theirs."""
        if all(child.state() in _GONE for child in self.lane.children):
            await self.advance(LEASE)
            self.spawn()

    async def state(self) -> str:
        """Payments and slips by state, as one text."""
        rows = await self.connection.fetch(
            "select 'p', state, count(*) from payments group by state union all select 's', state, count(*) from slips group by state"
            " union all select 'm', state, count(*) from provider_messages group by state"
            " union all select 'r', state, count(*) from pay_runs group by state"
            " union all select 'f', state, count(*) from statement_files group by state order by 1, 2"
        )
        return json.dumps([list(row) for row in rows])

    def _is_at_rest(self, state: str) -> bool:
        rows = json.loads(state)
        paid = sum(count for kind, name, count in rows if kind == "p" and name == "paid")
        slips = sum(count for kind, name, count in rows if kind == "s" and name not in {"composed", "sending"})
        payments = [name for kind, name, _ in rows if kind == "p"]
        runs = [name for kind, name, _ in rows if kind == "r"]
        waiting = any(kind == "f" and name == "received" for kind, name, _ in rows)
        return bool(payments) and set(payments) <= REST and slips >= paid and "approved" not in runs and not waiting

    # --- the provider's side ----------------------------------------------------------------------------------------------------

    async def deliver(self, staged: Staged, results: Sequence[Mapping[str, Any]], *, event: str | None = None) -> int:
        """Send a signed message to the service, as the provider does; 0 when it was not answered. It is sent again later then."""
        event = event or uuid4().hex
        body = json.dumps({"results": list(results)}).encode()
        headers = signed_headers(WEBHOOK_SECRET, identification=event, sent_at=self.lane.clock(), body=body)
        try:
            answer = await self.http.post(f"/webhooks/crash/{staged.webhook_key}", content=body, headers=headers)
            status = answer.status_code
        except httpx.RequestError:
            status = 0
        if status != 200:
            self.redelivered.append((staged, results, event))
        return status

    async def _redeliver(self) -> None:
        again, self.redelivered = self.redelivered, []
        for staged, results, event in again[:20]:
            await self.deliver(staged, results, event=event)

    async def tell_all(self) -> None:
        """Tell of every executed order that was not told of yet."""
        for staged in self.staged():
            orders = [one for one in self.orders_of(staged) if one.reference not in self.told]
            if orders:
                self.told |= {order.reference for order in orders}
                await self.deliver(staged, [told(order) for order in orders])

    def staged(self) -> list[Staged]:
        """Every factory of the run."""
        return [*self.golden.paying, *([self.golden.blank] if self.golden.blank else [])]

    def orders_of(self, staged: Staged) -> list[Order]:
        """The provider's orders for a factory's workers."""
        accounts = {account for _, account, _ in staged.people}
        return [order for order in self.books.orders.values() if order.account in accounts]

    def bookings(self, staged: Staged) -> list[Booking]:
        """What the provider's statement shows of a factory: every executed credit, from the journal."""
        accounts = {account for _, account, _ in staged.people}
        lines = [json.loads(line) for line in self.journal.read_text().splitlines()]
        return [
            Booking(
                provider_reference=line["id"],
                reference=line["reference"],
                account=line["account"],
                amount=Money(line["minor"], currency(line["currency"])),
                booked_on=line["at"][:10],
            )
            for line in lines
            if line["account"] in accounts
        ]

    async def statement(self, staged: Staged, lines: Sequence[Booking], *, name: str = "day.xml") -> None:
        """The finance person uploads the provider's statement with these lines."""
        if not lines:
            return
        day = pay_day(self.lane.clock()).isoformat()
        opening = Money.of(1_000_000, currency("USD"))
        content = write_statement("000100200", day, self.lane.clock().isoformat(timespec="seconds"), opening, lines)
        async with self.services.database.factory(staged.factory.id) as session:
            await upload_statement(
                session,
                self.services,
                staged.factory.finance,
                provider_account_id=staged.provider_id,
                file_name=name,
                content=content,
            )

    async def change_numbers(self) -> None:
        """Every worker has another phone from now on, as if changes that were confirmed long ago had their day."""
        for staged in self.golden.paying:
            phones = phones_of(staged, changed=True)
            async with self.services.database.factory(staged.factory.id) as session:
                vault = await self.services.keys.vault(session)
                for worker in await session.scalars(select(Worker)):
                    worker.phone = vault.seal(phones[worker.worker_code], "workers", worker.id, "phone")
                    worker.phone_key = phone_key(vault, phones[worker.worker_code])
        self.numbers_changed = self.lane.clock()

    async def close_the_day(self) -> None:
        """Statements for all, and everything that follows from them."""
        for staged in self.staged():
            await self.statement(staged, self.bookings(staged))
        await self.settle(longest=timedelta(hours=1))

    def log(self) -> Path:
        """Where the service processes write."""
        return self.lane.folder / "children.log"
