"""P1: a whole payday of one factory through real processes, from the upload to sealed audit, in workers a second.

The service, one worker and the simulated bank, wallet and SMS gateway run as they do in `make run`; people are played through the
public HTTP API. Building the sheet and starting the processes are not counted. Two limits stand beside it from the same run: how
fast openpyxl only reads the same file, and how fast SHA-256 goes over the bytes of the audit events.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import openpyxl
from sqlalchemy import text

from bench.stage_costs import CountedStages
from payroll_api.commands import demo
from payroll_api.commands.demo_summary import Summary
from tests.journeys.real_processes import Stage, build, stage

_LEAST_SHOWN = 0.05  # processor seconds
CLOSING = "Sealing and verifying the audit chain"
# Another system's published figure for its whole payday, "100k in about 7 minutes" (121 Platform, release notes).
PEER_PER_SECOND = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Payday:
    """What one payday took, in seconds."""

    workers: int
    seconds: float
    stages: dict[str, float]
    cost: dict[str, Mapping[str, float]]  # processor seconds of each stage, by process
    openpyxl_seconds: float
    sha256_seconds: float
    audit_events: int
    disagreements: list[str]

    def spent(self) -> dict[str, float]:
        """Processor seconds of all stages, by process, the greatest first."""
        names = sorted({name for cost in self.cost.values() for name in cost})
        sums = {name: sum(cost.get(name, 0.0) for cost in self.cost.values()) for name in names}
        return dict(sorted(sums.items(), key=lambda entry: -entry[1]))

    def to_json(self) -> dict[str, Any]:
        """The figures with the rates made from them."""
        return {
            "workers": self.workers,
            "seconds": round(self.seconds, 2),
            "workers_per_second": round(self.workers / self.seconds, 1),
            "times_the_peer": round(self.workers / self.seconds / PEER_PER_SECOND, 2),
            "stages": {name: round(took, 2) for name, took in self.stages.items()},
            "processor_ms_per_worker": {name: round(spent * 1000 / self.workers, 2) for name, spent in self.spent().items()},
            "processor_seconds_of_stages": {
                stage: {name: round(spent, 2) for name, spent in cost.items() if spent >= _LEAST_SHOWN} for stage, cost in self.cost.items()
            },
            "openpyxl_only_reading": {
                "seconds": round(self.openpyxl_seconds, 2),
                "rows_per_second": round(self.workers / self.openpyxl_seconds),
            },
            "sha256_of_the_audit_events": {"events": self.audit_events, "seconds": round(self.sha256_seconds, 3)},
            "disagreements": self.disagreements,
        }


async def measure(workers: int, folder: Path, *, processes: int = 1) -> Payday:
    """Play one payday of `workers` with so many worker processes and give what it took."""
    sheet = await asyncio.to_thread(build, folder, workers)
    async with stage(folder / "demo", sheet, delay_ms=0, workers=processes) as here:
        stages = CountedStages(here.play.stages, here.running)
        began = time.monotonic()
        payday = await replace(here.play, stages=stages).run()
        with stages.stage(CLOSING):
            await demo.sealed(here.play.staff.auditor)
            chain = await demo.verified(here.running)
        seconds = time.monotonic() - began
        summary = await here.summary(payday)
        events, hashing = await _hash_events(here)
    problems = [*summary.disagreements, *_missing(summary, chain)]
    reading = await asyncio.to_thread(_read_with_openpyxl, sheet)
    return Payday(
        workers=workers,
        seconds=seconds,
        stages=dict(here.play.stages.seconds),
        cost=stages.cost,
        openpyxl_seconds=reading,
        sha256_seconds=hashing,
        audit_events=events,
        disagreements=problems,
    )


def _missing(summary: Summary, chain: str) -> list[str]:
    """A payday that was quick because it paid nobody is none."""
    paid = sum(some.count for some in summary.paid.values())
    read = int(summary.rows["counts"]["read"])
    found = [] if paid > read * 0.9 else [f"only {paid} of {read} workers were paid"]
    return found if chain.startswith("intact") else [*found, chain]


def _read_with_openpyxl(sheet: Path) -> float:
    began = time.monotonic()
    book = openpyxl.load_workbook(sheet, read_only=True, data_only=True)
    cells = sum(1 for row in book.worksheets[0].iter_rows(values_only=True) for _ in row)
    book.close()
    assert cells, "openpyxl read nothing"
    return time.monotonic() - began


async def _hash_events(here: Stage) -> tuple[int, float]:
    async with here.running.services.database.factory(here.running.factory_id) as session:
        bodies = [bytes(body) for body in await session.scalars(text("select body from audit_events"))]
    began = time.monotonic()
    for body in bodies:
        hashlib.sha256(body).digest()
    return len(bodies), time.monotonic() - began


def show(figures: Payday) -> None:
    """Print how the time divides."""
    told = figures.to_json()
    print(f"\nA payday of {figures.workers:,} workers: {told['seconds']} s, {told['workers_per_second']} workers/s")
    for name, took in figures.stages.items():
        print(f"  {name:50} {took:8.2f} s  {took / figures.seconds:6.1%}")
    between = figures.seconds - sum(figures.stages.values())
    print(f"  {'between the stages':50} {between:8.2f} s  {between / figures.seconds:6.1%}")
    spent = ", ".join(f"{name} {ms:.2f}" for name, ms in told["processor_ms_per_worker"].items())
    print(f"  processor milliseconds for each worker: {spent}")
    reading = told["openpyxl_only_reading"]
    print(f"  openpyxl only reading the same file: {reading['seconds']} s ({reading['rows_per_second']:,} rows/s)")
    print(f"  SHA-256 over the bytes of its {figures.audit_events:,} audit events: {told['sha256_of_the_audit_events']['seconds']} s")
    print(f"  {told['times_the_peer']} times 121 Platform's published {PEER_PER_SECOND} people/s")
    for sentence in figures.disagreements:
        print(f"  WRONG: {sentence}")


def run(sizes: list[int], *, processes: int = 1) -> tuple[dict[str, Any], bool]:
    """Measure each size; the figures, and whether every payday came out right."""
    results = []
    for workers in sizes:
        with tempfile.TemporaryDirectory(prefix="gw-bench-") as name:
            folder = Path(name)
            folder.chmod(0o755)  # PostgreSQL runs as a user of its own when we are root
            figures = asyncio.run(measure(workers, folder, processes=processes))
        show(figures)
        sys.stdout.flush()
        results.append(figures)
    return {"P1": [figures.to_json() for figures in results]}, not any(figures.disagreements for figures in results)
