"""How each point of the crash matrix is brought about: here on the wire to the provider and at the machine."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from payroll_api.errors import ProblemError
from payroll_api.factories import provider_accounts
from payroll_api.payments.hold import cancel
from tests.crash import machine, plays_code, plays_people, plays_statements
from tests.crash.lane import BACKUP, RUN
from tests.crash.provider import Fault
from tests.crash.run import LEASE, Run

Play = Callable[[Run], Awaitable[None]]
_STATUSES = (429, 500, 503)


def on_the_wire(*faults: Fault, times: int = 1) -> Play:
    """The first messages meet these faults; the process dies in that moment, or lives on."""

    async def play(run: Run) -> None:
        run.lane.kill_on_point = run.spec.action == "kill"
        point = run.spec.point
        run.lane.provider.faults.extend(list(faults) * times)
        run.spawn()
        await run.until(lambda: point in run.lane.struck, 30)
        await asyncio.sleep(0.02)
        run.lane.kill_on_point = False
        run.reached += run.lane.struck.count(point)
        await run.settle()
        await run.close_the_day()

    return play


async def answers(run: Run) -> None:
    """B12: an answer that cannot be used, another each time."""
    choices = [
        *(Fault(kind="status", point="B12", status=status) for status in _STATUSES),
        *(Fault(kind=kind, point="B12") for kind in ("html", "empty", "cut", "other_amount", "other_payee")),
        Fault(kind="executed_then_status", point="B12", status=500),
    ]
    await on_the_wire(choices[run.spec.seed % len(choices)], run.rng.choice(choices))(run)


async def exists_already(run: Run) -> None:
    """B13: executed, the answer lost; every later try is told that the reference exists."""
    exists = Fault(kind="status", point="B13x", status=409)
    await on_the_wire(Fault(kind="lost", point="B13"), exists, exists)(run)


async def out_of_window(run: Run) -> None:
    """B14: a message is lost on the way out or on the way back, and nobody works for more than a day."""
    run.lane.kill_on_point = True
    kind = "lost" if run.spec.action == "kill" else "connected"
    run.lane.provider.faults.append(Fault(kind=kind, point="B14"))
    run.tells = False
    run.spawn()
    await run.until(lambda: "B14" in run.lane.struck, 30)
    run.lane.kill_on_point = False
    run.reached += run.lane.struck.count("B14")
    await run.advance(timedelta(hours=25 + run.rng.randrange(48)))
    await run.settle()
    await run.close_the_day()


async def elsewhere(run: Run) -> None:
    """B16: a redirect to another host, bytes that are no HTTP, or nobody who listens."""
    if run.spec.seed % 3 == 0:
        run.lane.provider.close()
        run.spawn()
        await asyncio.sleep(0.4)
        run.reached += 1
        if run.spec.action == "kill":
            run.lane.children[-1].send(signal.SIGKILL)
        await run.lane.provider.open()
        await run.settle()
        await run.close_the_day()
        return
    fault = Fault(kind="status", point="B16", status=307) if run.spec.seed % 3 == 1 else Fault(kind="connected", point="B16")
    await on_the_wire(fault)(run)


async def out_of_money(run: Run) -> None:
    """B17: the factory's account at the provider holds enough for some."""
    run.books.balance = 60_000
    run.reached += 1
    child = run.spawn()
    if run.spec.action == "kill":
        await run.until(lambda: len(run.books.credits) > 1, 30)
        child.send(signal.SIGKILL)
    await run.settle(longest=timedelta(minutes=10))
    # The rail stopped itself. Money comes, and two people lift the stop: here by the row, their proposal has tests of its own.
    run.books.balance = None
    await run.connection.execute("update stops set lifted_by = 'user:other', lifted_at = now() where pressed_by = 'system'")
    await run.settle()
    await run.close_the_day()


def partial(run: Run) -> Awaitable[None]:
    """B15: k of n are taken, the answer is lost."""
    return on_the_wire(Fault(kind="partial", point="B15", first=1 + run.rng.randrange(2)))(run)


async def frozen(run: Run) -> None:
    """B11: frozen between intent and sending; another takes its job over and works on; then it wakes and sends."""
    zombie = run.spawn("B2=stop")
    await run.until(lambda: zombie.state() == "T", 30)
    run.reached += int(zombie.state() == "T")
    await run.advance(2 * LEASE)
    run.spawn()
    await run.until(run.poll, 3)
    if run.spec.action == "kill":  # long gone: the quiet period has passed, and others have decided
        await run.settle(longest=timedelta(minutes=10))
    zombie.send(signal.SIGCONT)
    await asyncio.sleep(0.3)
    await run.settle()
    await run.close_the_day()


async def stopped_by_people(run: Run) -> None:
    """B18: cancelled, or the provider's account switched off, between the intent and the sending."""
    zombie = run.spawn("B2=stop")
    await run.until(lambda: zombie.state() == "T", 30)
    run.reached += int(zombie.state() == "T")
    staged = run.golden.paying[0]
    async with run.services.database.factory(staged.factory.id) as session:
        ids = [row[0] for row in await run.connection.fetch("select id from payments where factory_id = $1", staged.factory.id)]
        del session
    for payment in ids:
        try:
            # What the frozen process had under way holds its locks: who waits for them gives up and is told so.
            async with asyncio.timeout(2), run.services.database.factory(staged.factory.id) as session:
                await cancel(session, run.services, staged.factory.approver, payment, reason="stopped by a person")
            run.cancelled[str(payment)] = run.lane.clock()
        except (ProblemError, TimeoutError):
            pass  # it is on its way already, and we say so
    if run.spec.seed % 2:
        async with run.services.database.factory(staged.factory.id) as session:
            await provider_accounts.disable(session, run.services, staged.factory.administrator, staged.provider_id)
    zombie.send(signal.SIGKILL if run.spec.action == "kill" else signal.SIGCONT)
    await run.settle()
    await run.close_the_day()


async def servers_killed(run: Run) -> None:
    """G1: every process of PostgreSQL dies while payments go out; it is started again after a moment."""
    run.lane.provider.delay = 0.05
    child = run.spawn()
    await run.until(lambda: len(run.books.received) > run.rng.randrange(4), 30)
    await asyncio.sleep(run.rng.random() * 0.2)
    await asyncio.to_thread(run.lane.server.kill)
    run.reached += 1
    if run.spec.action == "kill":
        child.send(signal.SIGKILL)
    await asyncio.to_thread(run.lane.server.start)
    await run.reconnect()
    await run.settle()
    await run.close_the_day()


def disk(flag: str) -> Play:
    """G2 and G3: for a moment fsync fails, or the disk takes nothing more; the server panics or refuses, and comes back."""

    async def play(run: Run) -> None:
        library = machine.shim(run.lane.folder)
        if library is None:
            run.notes.append("no C compiler: the disk cannot be made to fail here")
            return
        server, flags = run.lane.server, run.lane.folder / "flags"
        await run.leave()
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start, {"LD_PRELOAD": str(library), "CRASH_FLAGS": str(flags)})
        await run.reconnect()
        child = run.spawn()
        await run.until(lambda: len(run.books.received) > run.rng.randrange(3), 30)
        (flags / flag).touch()
        run.reached += 1
        await asyncio.sleep(0.2 + run.rng.random() * 0.3)
        if run.spec.action == "kill":
            child.send(signal.SIGKILL)
        (flags / flag).unlink()
        await run.leave()
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        await run.reconnect()
        await run.settle()
        await run.close_the_day()

    return play


async def pool_exhausted(run: Run) -> None:
    """G4: the server takes no more connections of the service."""
    child = run.spawn()
    await run.until(lambda: len(run.books.received) > 0, 30)
    await run.connection.execute("alter role payroll_app connection limit 1")
    run.reached += 1
    await asyncio.sleep(0.3)
    if run.spec.action == "kill":
        child.send(signal.SIGKILL)
        run.spawn()
        await asyncio.sleep(0.3)
    await run.connection.execute("alter role payroll_app connection limit -1")
    await run.settle()
    await run.close_the_day()


async def clock_jumps(run: Run) -> None:
    """G5: the clock jumps a day ahead, or a day back, between sending and recording; in the end it is put right."""
    child = run.spawn("B7=stop" if run.spec.seed % 2 else "B2=stop")
    await run.until(lambda: child.state() == "T", 30)
    run.reached += int(child.state() == "T")
    jump = timedelta(days=1 if run.rng.random() < 0.5 else -1)
    run.lane.clock.move(jump)
    child.send(signal.SIGKILL if run.spec.action == "kill" else signal.SIGCONT)
    if jump > timedelta(0):
        await run.settle()
    else:
        # Nothing is paid before its day comes once more, and nothing is proven absent since a moment to come: it is asked again and again.
        await run.settle(longest=timedelta(minutes=10))
        run.lane.clock.move(-jump)
        await run.settle()
    await run.close_the_day()


async def told_to_stop(run: Run) -> None:
    """G6: SIGTERM in the middle of sending: what is under way is heard out, and another process goes on."""
    run.lane.provider.delay = 0.25
    child = run.spawn()
    await run.until(lambda: len(run.books.received) > 0, 30)
    child.send(signal.SIGTERM)
    run.reached += 1
    if run.spec.action == "kill":
        await asyncio.sleep(run.rng.random() * 0.3)
        child.send(signal.SIGKILL)
    elif not await run.until(lambda: not child.is_alive(), 10):
        run.notes.append("a process that was told to stop ran on for ten seconds")
    elif await run.connection.fetchval("select count(*) from dispatches where state = 'intent'"):
        run.notes.append("a process that stopped in good order left a message unanswered")
    run.lane.provider.delay = 0.0
    await run.settle()
    await run.close_the_day()


async def restored(run: Run) -> None:
    """G7: a dump from before the payday is restored after it: nothing may be sent again."""
    async with run.lane.admin() as admin:
        await run.leave()
        await admin.execute(f"drop database if exists {BACKUP} with (force)")
        await admin.execute(f"create database {BACKUP} template {RUN}")
        await run.reconnect()
        run.spawn()
        await run.settle()
        executed = len(run.books.credits)
        for child in run.lane.children:
            child.send(signal.SIGKILL)
        await run.leave()
        await admin.execute(f"drop database {RUN} with (force)")
        await admin.execute(f"create database {RUN} template {BACKUP}")
        await admin.execute("checkpoint")
    await run.reconnect()
    run.reached += 1
    run.spawn()
    await run.settle(longest=timedelta(minutes=30))
    run.is_older = True
    if not await run.connection.fetchval("select count(*) from alarms where kind = 'sending_locked' and cleared_at is null"):
        run.notes.append("an older database sounded no alarm")
    if len(run.books.credits) > executed:
        run.notes.append(f"after the restore {len(run.books.credits) - executed} credits were executed again")


async def two_schedulers(run: Run) -> None:
    """G8: two processes, both with a scheduler, both ticking."""
    children = [run.spawn(), run.spawn()]
    run.reached += 1
    for _ in range(4):
        run.tick(all_of_it=True)
        await asyncio.sleep(0.05)
    if run.spec.action == "kill":
        children[0].send(signal.SIGKILL)
    await run.settle()
    await run.close_the_day()


async def keys_gone(run: Run) -> None:
    """G10: the keys of a factory cannot be had for a while."""
    plan = f"G10={run.spec.action}@1" + ("+" if run.spec.action == "raise" else "")
    run.spawn(plan)
    await run.until(lambda: run.struck() > 0, 30)
    run.reached += run.struck()
    await asyncio.sleep(0.2)
    for child in run.lane.children:
        child.send(signal.SIGKILL)
    await run.settle()
    await run.close_the_day()


PLAYS: Mapping[str, Play] = {
    **plays_code.PLAYS,
    **plays_people.PLAYS,
    **plays_statements.PLAYS,
    "B3": on_the_wire(Fault(kind="connected", point="B3")),
    "B4": on_the_wire(Fault(kind="half", point="B4")),
    "B5": on_the_wire(Fault(kind="slow", point="B5")),
    "B6": on_the_wire(Fault(kind="lost", point="B6")),
    "B11": frozen,
    "B12": answers,
    "B13": exists_already,
    "B14": out_of_window,
    "B15": partial,
    "B16": elsewhere,
    "B17": out_of_money,
    "B18": stopped_by_people,
    "G1": servers_killed,
    "G2": disk("eio"),
    "G3": disk("full"),
    "G4": pool_exhausted,
    "G5": clock_jumps,
    "G6": told_to_stop,
    "G7": restored,
    "G8": two_schedulers,
    "G10": keys_gone,
}
