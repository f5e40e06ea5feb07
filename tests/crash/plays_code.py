"""How points in the code are brought about: an armed failpoint on the way of a payday, and what people and the machine do meanwhile."""

from __future__ import annotations

import asyncio
import csv
import dataclasses
import io
import signal
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import psutil
from openpyxl import Workbook

from tests.crash.nursery import Child
from tests.crash.plays_people import Desk
from tests.crash.points import POINTS
from tests.crash.profiles import KINDS
from tests.crash.run import Run

Play = Callable[[Run], Awaitable[None]]


async def in_the_code(run: Run) -> None:
    """An armed failpoint on the way of a payday: kill or raise, at the first or the second hit."""
    name = POINTS[run.spec.point].failpoint
    nth = 1 + run.rng.randrange(2)
    if name in {"C1", "C2", "C3"}:
        run.tells, nth = True, 1
    plan = f"{name}={run.spec.action}@{nth}"
    child = run.spawn(plan)
    await _go_on(run, child, plan)


async def _go_on(run: Run, child: Child, plan: str) -> None:
    wanted = plan.partition("=")[2].partition("@")[0].partition(":")[0]
    await _until_struck(run, child, wanted)
    run.reached += run.struck(wanted)
    await run.settle()
    await run.close_the_day()


async def _until_struck(run: Run, child: Child, wanted: str) -> None:
    """Let time pass with the armed process until its point has acted."""
    for number in range(14):
        if await run.break_at(child, wanted, seconds=4):
            return
        if number == 1 and not KINDS[run.spec.kind].looks_up:
            # Nobody can be asked here: only the day's statement says what was paid, and only then there are slips.
            for staged in run.staged():
                await run.statement(staged, run.bookings(staged), name="early.xml")
        if run.tells:
            await run.tell_all()
        # Where look-ups find nothing for a minute, slips come late.
        await run.advance(timedelta(seconds=6 if number < 7 else 30))
        run.tick()


async def sealing(run: Run) -> None:
    """E2: the sealer dies before its block is written, or between the block and the file outside."""
    plan = f"E2={run.spec.action}@{1 + run.spec.seed % 2}"
    child = run.spawn(plan)
    await run.break_at(child, "never", seconds=2)
    run.tick(all_of_it=True)
    await run.until(lambda: run.struck() > 0, 3)
    run.reached += run.struck()
    await run.settle()
    run.tick(all_of_it=True)
    await run.close_the_day()
    await _sealed(run)


async def _sealed(run: Run) -> None:
    """Whatever happened to one sealer, the next one leaves nothing out."""

    async def left() -> int:
        return int(
            await run.connection.fetchval(
                "select count(*) from audit_events e where not exists (select from audit_blocks b where b.factory_id = e.factory_id"
                " and e.xid >= b.from_xid and e.xid < b.to_xid) and subject like 'payment:%'"
            )
        )

    async def is_sealed() -> bool:
        return not await left()

    for _ in range(3):
        run.tick(all_of_it=True)
        if await run.until(is_sealed, 4):
            return
    run.notes.append(f"{await left()} events of payments were never sealed")


async def number_changes(run: Run) -> None:
    """F2: a worker's number changes between composing and sending; whoever sends then dies, or wakes and sends. Or it simply fails there.

    A slip was written for a number: it goes to that one, or to none. What is composed later goes to the new one.
    """
    if run.spec.seed % 3 == 0:
        await in_the_code(run)
        return
    child = run.spawn("F2=stop@1")
    await _until_struck(run, child, "stop")
    if child.state() == "T":
        run.reached += 1
        await run.change_numbers()
    child.send(signal.SIGKILL if run.spec.action == "kill" else signal.SIGCONT)
    await run.settle()
    await run.close_the_day()


async def killed_for_memory(run: Run) -> None:
    """G9: a worker that uses too much memory is killed; so is the process that reads a sheet, and then the sheet is sent once more."""
    if run.spec.action == "raise" or run.spec.seed % 2:
        await in_the_code(run)
        return
    child, desk = run.spawn(), Desk(run)
    desk.staged = dataclasses.replace(desk.staged, sheet=_workbook(desk.staged.sheet))  # text is read without a process of its own
    uploading = asyncio.create_task(desk.upload())
    await run.until(lambda: _kill_reader(run, child), 30)
    first = await uploading
    state = await run.connection.fetchval("select state from payroll_files where id = $1::uuid", first)
    if run.reached and state != "refused":
        run.notes.append(f"the reader of a sheet was killed, and the file is {state}")
    run_id, content = await desk.submitted(again=True)
    await desk.to_the_end(run_id, content)


def _workbook(sheet: bytes) -> bytes:
    book, content = Workbook(), io.BytesIO()
    page = book.active
    assert page is not None
    for row in csv.reader(sheet.decode().splitlines()):
        page.append(row)
    book.save(content)
    return content.getvalue()


def _kill_reader(run: Run, child: Child) -> bool:
    try:
        readers = [one for one in psutil.Process(child.pid).children() if "importers.child" in one.cmdline()]
        for reader in readers:
            reader.kill()
    except psutil.Error:
        return False
    run.reached += len(readers)
    return bool(readers)


PLAYS: Mapping[str, Play] = {
    **dict.fromkeys(("B1", "B2", "B7", "B8", "B10", "C1", "C2", "C3", "E1", "F1"), in_the_code),
    "E2": sealing,
    "F2": number_changes,
    "G9": killed_for_memory,
}
