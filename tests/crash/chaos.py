"""`make chaos`: a large payday while COMMIT replies are cut, or while PostgreSQL is killed again and again.

    python -m tests.crash.chaos commits [--payments 2000] [--cuts 1000]
    python -m tests.crash.chaos database [--payments 10000]

Nobody helps: a service process that ends is started again, as any supervisor does, and that is all.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path

from tests.crash.checker import check
from tests.crash.lane import Lane
from tests.crash.run import LEASE, Run, Spec
from tests.crash.wire import Cut

_CHUNK = 5
_COMMITS = b"COMMIT"


async def commits(run: Run, payments: int, cuts: int) -> list[str]:
    """Every third COMMIT is done, and its reply never comes, `cuts` times; every error is seen by the service as a broken connection."""
    run.chunk = 2
    cut = Cut(marker=_COMMITS, is_done=True, times=cuts, every=3)
    run.lane.proxy.cut = cut
    run.lane.proxy.on_cut = lambda: None
    child = run.spawn(wired="proxied")
    began, said = time.monotonic(), 0.0
    for _ in range(4000):
        if not child.is_alive():
            await run.advance(LEASE)
            child = run.spawn(wired="proxied")
        await run.until(run.poll, 1.0)
        if await paid(run) >= payments:
            break
        await run.advance(timedelta(seconds=6))
        run.tick()
        if time.monotonic() - said > 10:
            said = time.monotonic()
            sys.stdout.write(f"  {said - began:4.0f} s: {cut.made} of {cuts} replies cut, {await paid(run)} paid\n")
    run.lane.proxy.cut = None
    sys.stdout.write(f"COMMIT replies cut: {cut.made} (of {cut.seen} COMMITs seen)\n")
    return [] if cut.made >= cuts else [f"only {cut.made} replies could be cut"]


async def paid(run: Run) -> int:
    """How many payments the database calls paid."""
    return int(await run.connection.fetchval("select count(*) from payments where state = 'paid'"))


async def database(run: Run, payments: int, _cuts: int) -> list[str]:
    """PostgreSQL is killed every 5 to 20 seconds and stays down for 0 to 5, until all is sent."""
    run.chunk, lots = _CHUNK, random.Random(run.spec.seed)  # noqa: S311 a lot to repeat
    workers = [run.spawn(), run.spawn()]
    kills, resumed, began = 0, [], time.monotonic()
    while len(run.books.credits) < payments and time.monotonic() - began < 3600:
        until = time.monotonic() + lots.uniform(5, 20)
        while time.monotonic() < until and len(run.books.credits) < payments:
            await asyncio.sleep(0.2)
            workers = [worker if worker.is_alive() else run.spawn() for worker in workers]
            run.tick()
        if len(run.books.credits) >= payments:
            break
        await asyncio.to_thread(run.lane.server.kill)
        kills += 1
        await asyncio.sleep(lots.uniform(0, 5))
        await asyncio.to_thread(run.lane.server.start)
        resumed.append(await _until_money_moves(run, payments))
        sys.stdout.write(f"  kill {kills}: {len(run.books.credits)} credits, going on {resumed[-1]:.1f} s after the server was there\n")
        sys.stdout.flush()
        workers = [child for child in run.lane.children if child.is_alive()]
    await run.reconnect()
    slowest, median = max(resumed, default=0), sorted(resumed or [0])[len(resumed) // 2]
    sys.stdout.write(f"PostgreSQL killed {kills} times; slowest to go on {slowest:.1f} s, median {median:.1f} s\n")
    return [] if kills else ["PostgreSQL was never killed"]


async def _until_money_moves(run: Run, payments: int) -> float:
    """Seconds until the provider hears of a new order; processes that ended are started again meanwhile."""
    began, before = time.monotonic(), len(run.books.received)
    while len(run.books.received) == before and len(run.books.credits) < payments and time.monotonic() - began < 120:
        await asyncio.sleep(0.05)
        alive = [child for child in run.lane.children if child.is_alive()]
        run.lane.children[:] = alive
        for _ in range(2 - len(alive)):
            run.spawn()
    return time.monotonic() - began


WAYS: dict[str, Callable[[Run, int, int], Awaitable[list[str]]]] = {"commits": commits, "database": database}


def play(way: str, payments: int, cuts: int, folder: Path) -> list[str]:
    """One chaos; what is broken after it."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    lane = Lane(folder / "lane", ["keyed_for_ever"], sizes=(payments, 1, 1))
    lane.open()

    async def all_of_it() -> list[str]:
        await lane.begin()
        async with Run(lane, Spec(point="G1", action="raise", kind="keyed_for_ever", seed=7)) as run:
            began = time.monotonic()
            run.tells = False
            wrong = await WAYS[way](run, payments, cuts)
            sys.stdout.write(f"{len(run.books.credits)} credits in {time.monotonic() - began:.0f} s; letting everything come to rest\n")
            for child in run.lane.children:
                child.send(signal.SIGTERM)
            await run.until(lambda: not any(child.is_alive() for child in run.lane.children), 15)
            await run.settle()
            await run.close_the_day()
            wrong += await check(run)
            sys.stdout.write(f"{await paid(run)} payments paid, {len(run.books.credits)} credits executed, {len(wrong)} things wrong\n")
            return wrong + run.notes

    try:
        return asyncio.run(all_of_it())
    finally:
        lane.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Play one chaos; 0 when nothing is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("way", choices=sorted(WAYS))
    parser.add_argument("--payments", type=int)
    parser.add_argument("--cuts", type=int, default=1000)
    given = parser.parse_args(arguments)
    memory = Path("/dev/shm")  # noqa: S108 see the matrix
    folder = Path(tempfile.mkdtemp(prefix="crash-chaos-", dir=memory if os.access(memory, os.W_OK) else None))
    folder.chmod(0o755)
    try:
        wrong = play(given.way, given.payments or {"commits": 2000, "database": 10_000}[given.way], given.cuts, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for one in wrong[:20]:
        sys.stdout.write(f"  {one}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
