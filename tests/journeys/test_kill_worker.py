"""A worker dies in the middle of paying. Another goes on, everybody is paid once, and the providers' journals prove it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from payroll_api.commands.demo_running import WORKER
from tests.journeys.real_processes import Stage, build, stage

pytestmark = pytest.mark.timeout(600)
WORKERS = 60


async def _until_money_moves(here: Stage, credits_: int) -> None:
    while True:
        moved = [await here.running.journal(name) for name in ("bank", "wallet")]
        if sum(map(len, moved)) >= credits_:
            return
        await asyncio.sleep(0.02)


@pytest.mark.long
async def test_a_worker_killed_while_it_pays_leaves_nobody_unpaid_and_nobody_paid_twice(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Chunks of five and a slow bank: many messages are on their way, in every state, when the worker dies.
    monkeypatch.setenv("PAYROLL_CHUNK_SIZE", "5")
    sheet = build(tmp_path, WORKERS, faults=False)
    async with stage(run_folder / "killed-worker", sheet, delay_ms=700) as here:
        playing = asyncio.create_task(here.play.run())
        for wanted in (1, 15):
            waiting = asyncio.create_task(_until_money_moves(here, wanted))
            await asyncio.wait({playing, waiting}, return_when=asyncio.FIRST_COMPLETED)
            assert waiting.done(), "the payday ended before money moved"
            here.running.children.kill("worker")
            here.running.children.start("worker", WORKER, here.running.environment)
        payday = await playing
        summary = await here.summary(payday)
    assert summary.disagreements == []
    paid = sum(some.count for some in summary.paid.values())
    failed = sum(some.count for some in summary.failed.values())
    assert set(summary.failed) <= {"account_closed"}, "only blocked accounts fail; a killed worker is no reason"
    assert paid + failed + sum(summary.held.values()) == WORKERS
    assert summary.slips == {"delivered": paid}
