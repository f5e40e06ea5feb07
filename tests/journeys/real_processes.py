"""The demo's processes for journeys: a small synthetic sheet, and a payday through the real service, worker and simulators."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import io
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from importers.period import PayPeriod
from payroll_api.clock import pay_day, system_clock
from payroll_api.commands import demo_folder, demo_play, demo_summary
from payroll_api.commands.demo_factory import ensure_rates
from payroll_api.commands.demo_folder import SIMULATORS, Payday
from payroll_api.commands.demo_running import Running, started
from payroll_api.commands.demo_stages import Stages
from payroll_api.commands.demo_summary import Summary

SHEETS = Path(__file__).parent.parent / "sheets"
PERIOD = PayPeriod(2026, 11)


def build(folder: Path, workers: int, *, faults: bool = True) -> Path:
    """A synthetic sheet with the accounts of its workers beside it."""
    spec = importlib.util.spec_from_file_location("build_payroll", SHEETS / "build_payroll.py")
    assert spec is not None
    assert spec.loader is not None
    builder: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(builder)
    sheet = folder / f"payday_{PERIOD.year}_{PERIOD.month}.xlsx"
    built = builder.build_payroll(workers, 7, sheet, faults=faults, period=str(PERIOD))
    accounts = builder.json.dumps(builder.accounts_of(built["workers"]), ensure_ascii=False)
    sheet.with_name(f"{sheet.stem}_accounts.json").write_text(accounts)
    return sheet


def environment(run_folder: Path) -> dict[str, str]:
    """The environment of a command: compiled once, where the machine does not want bytecode beside the code."""
    found = dict(os.environ)
    if found.pop("PYTHONDONTWRITEBYTECODE", None):
        found["PYTHONPYCACHEPREFIX"] = str(run_folder / "bytecode")
    return found


async def payroll(run_folder: Path, *arguments: str, extra: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run the real command; its exit status and everything it wrote."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "payroll_api", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**environment(run_folder), **(extra or {})},
        cwd=Path(__file__).parent.parent.parent,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    return demo_folder.free_port()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A demo that has started, and what a test does with it."""

    running: Running
    play: demo_play.Play

    async def summary(self, payday: Payday) -> Summary:
        """What the payday came to, compared with the simulators' journals."""
        journals = {name: await self.running.journal(name) for name in SIMULATORS}
        return await demo_summary.collect(self.play.staff.hr, payday, journals, "intact")


@contextlib.asynccontextmanager
async def stage(folder: Path, sheet: Path, *, delay_ms: int = 50, workers: int = 1) -> AsyncIterator[Stage]:
    """Start everything in this process's care, so that a test can end one process in the middle."""
    given = argparse.Namespace(port=free_port(), workers=workers, delay_ms=delay_ms)
    console = Console(file=io.StringIO())
    with demo_folder.opened(folder) as opened:
        accounts = sheet.with_name(f"{sheet.stem}_accounts.json")
        async with started(given, opened, accounts, console) as running:
            await ensure_rates(running.services, running.factory_id, PERIOD)
            staff = await demo_play.sign_in(running.base_url, running.memory)
            stages = Stages(console)
            play = demo_play.Play(
                staff=staff,
                folder=opened,
                memory=running.memory,
                stages=stages,
                sheet=sheet,
                period=PERIOD,
                statements=running.statements,
                today=lambda: pay_day(system_clock()),
            )
            with stages.shown():
                yield Stage(running=running, play=play)
            await staff.close()
