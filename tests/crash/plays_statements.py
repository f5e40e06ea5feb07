"""How points of statements are brought about: a bank that repeats, forgets, errs, and sends money back."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import signal
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from connectors.payouts.iso20022.simulated_statement import Booking
from importers.money import Money, currency
from payroll_api.errors import ProblemError
from tests.crash.run import Run

Play = Callable[[Run], Awaitable[None]]


async def reading_a_statement(run: Run) -> None:
    """D1: the service dies, or fails, in the middle of a statement; nothing of it is half done."""
    run.spawn()
    await run.settle()
    for child in run.lane.children:
        child.send(signal.SIGKILL)
    await asyncio.sleep(0.03)
    run.lane.children.clear()
    child = run.spawn(f"D1={run.spec.action}@1")
    for staged in run.golden.paying:
        await run.statement(staged, run.bookings(staged))
    await run.until(lambda: run.struck() > 0, 30)
    run.reached += run.struck()
    await run.until(lambda: not child.is_alive(), 0.2)
    await run.settle()
    await _settled(run)


async def _settled(run: Run, *, but: int = 0) -> None:
    """All that was executed stands as settled by the statement, except what the play has spoilt."""
    rows = await run.connection.fetchrow(
        "select count(*) filter (where state = 'paid'), count(*) filter (where settled_on is not null) from payments"
    )
    if rows[0] - rows[1] != but:
        run.notes.append(f"{rows[0]} paid, {rows[1]} settled, {but} expected to be open")
    waiting = await run.connection.fetchval("select count(*) from statement_files where state = 'received'")
    if waiting:
        run.notes.append(f"{waiting} statements were never taken")


async def statements_again(run: Run) -> None:
    """D2: the same statement twice, and one that overlaps it."""
    run.spawn()
    await run.settle()
    staged = run.golden.paying[0]
    lines = run.bookings(staged)
    half = lines[: len(lines) // 2]
    await run.statement(staged, half)
    await run.quiet()
    run.reached += 1
    with contextlib.suppress(ProblemError):  # refused where its bytes are the same to the second
        await run.statement(staged, half)
    if run.spec.action == "kill":
        run.lane.children[-1].send(signal.SIGKILL)
    await run.statement(staged, lines, name="all.xml")
    await run.statement(run.golden.paying[1], run.bookings(run.golden.paying[1]))
    await run.settle()
    await _settled(run)
    double = await run.connection.fetchval(
        "select count(*) from (select 1 from statement_lines where kind = 'matched' group by payment_id having count(*) > 1) t"
    )
    if double:
        run.notes.append(f"{double} payments were settled twice")


def spoilt(how: Callable[[list[Booking], Run], tuple[list[Booking], int, set[str]]]) -> Play:
    """D3, D4, D5: a statement in which something does not fit; the rest settles, and what does not is a break."""

    async def play(run: Run) -> None:
        run.spawn()
        await run.settle()
        staged, other = run.golden.paying
        lines, unsettled, kinds = how(run.bookings(staged), run)
        await run.statement(staged, lines)
        await run.statement(other, run.bookings(other))
        run.reached += 1
        if run.spec.action == "kill":
            await asyncio.sleep(run.rng.random() * 0.05)
            run.lane.children[-1].send(signal.SIGKILL)
        await run.settle()
        await _settled(run, but=unsettled)
        found = {row[0] for row in await run.connection.fetch("select kind from settlement_breaks where state = 'open'")}
        if not kinds & found:
            run.notes.append(f"a spoilt statement gave breaks {sorted(found)}")

    return play


def _foreign(lines: list[Booking], run: Run) -> tuple[list[Booking], int, set[str]]:
    extra = dataclasses.replace(lines[0], reference="GW0NOBODYSPAYMENT000", provider_reference=f"X{run.spec.seed}", account="000999999")
    return [*lines, extra], 0, {"foreign", "unreferenced"}


def _missing(lines: list[Booking], run: Run) -> tuple[list[Booking], int, set[str]]:
    del run
    return lines[1:], 1, {"missing"}


def _different(lines: list[Booking], run: Run) -> tuple[list[Booking], int, set[str]]:
    first, kind = lines[0], run.spec.seed % 3
    spoil = (
        dataclasses.replace(first, amount=Money(first.amount.minor + 1, first.amount.currency)),
        dataclasses.replace(first, account="000999999"),
        dataclasses.replace(first, amount=Money(first.amount.minor, currency("KHR"))),
    )[kind]
    return [spoil, *lines[1:]], 1, {"amount", "currency", "account"}


async def came_back(run: Run) -> None:
    """D6: money that was paid and settled comes back days later; part of another's comes back and is a break."""
    run.spawn()
    await run.settle()
    staged = run.golden.paying[0]
    lines = run.bookings(staged)
    for one in run.golden.paying:
        await run.statement(one, run.bookings(one))
    await run.settle()
    await run.advance(timedelta(days=2))
    day = run.lane.clock().date().isoformat()
    whole = dataclasses.replace(lines[0], out=False, provider_reference="RETURN1", booked_on=day)
    part = dataclasses.replace(
        lines[1], out=False, provider_reference="RETURN2", booked_on=day, amount=Money(100, lines[1].amount.currency)
    )
    await run.statement(staged, [whole, part], name="returns.xml")
    run.returned.add(whole.reference)
    run.partly[part.reference] = part.amount.minor
    run.reached += 1
    if run.spec.action == "kill":
        await asyncio.sleep(run.rng.random() * 0.05)
        run.lane.children[-1].send(signal.SIGKILL)
    await run.settle()
    states = dict(await run.connection.fetch("select a.reference, p.state from attempts a join payments p on p.id = a.payment_id"))
    if (states[whole.reference], states[part.reference]) != ("returned", "paid"):
        run.notes.append(f"returned became {states[whole.reference]}, partly returned {states[part.reference]}")


PLAYS: Mapping[str, Play] = {
    "D1": reading_a_statement,
    "D2": statements_again,
    "D3": spoilt(_foreign),
    "D4": spoilt(_missing),
    "D5": spoilt(_different),
    "D6": came_back,
}
