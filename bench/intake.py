"""P2 and P11: a workbook of 20,000 workers and 25 columns from bytes to checked rows in PostgreSQL, against openpyxl only reading it.

`stored` is the worker's job, from the kept file to rows, problems, sums and questions, committed; `read` is the part before the database.

`python -m bench.intake` prints and writes the rate by the wall clock, the rate by processor time (what a quiet machine would
show), and the memory of the calling process and of the child that parses. Each side is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl

from bench.filled import filled
from importers.annotate import annotate
from importers.period import PayPeriod, RunKind
from importers.read import read_sheet
from payroll_api.access.actor import Role
from payroll_api.garbage import search_seldom
from payroll_api.intake.models import PayrollFile
from payroll_api.intake.read_file import read_file
from payroll_api.intake.upload import upload

RESULTS = Path(__file__).parent / "results"
PERIOD = PayPeriod(2026, 11)
HEAD = (
    *("No.", "Worker code", "Name", "Name (Latin)", "Sex", "Position", "Section", "Join date", "Pay method", "Bank", "Account no."),
    *("Phone", "Days worked", "OT 150 % (hours)", "Basic wage (USD)", "OT pay 150 % (USD)", "Attendance bonus (USD)"),
    *("Transport (USD)", "Seniority bonus (USD)", "OT meal (USD)", "Gross pay (USD)", "NSSF pension (USD)", "Salary tax (USD)"),
    *("Total deductions (USD)", "Net pay (USD)"),
)
NAMES = (("សុខ សុភា", "Sok Sophea"), ("ចាន់ ដារា", "Chan Dara"), ("ស្រី មុំ", "Srey Mom"))


def workbook(workers: int) -> bytes:
    """A synthetic payroll of so many workers, the same every time."""
    draw = random.Random(2026)  # noqa: S311  figures for a bench, no secret
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet("Payroll")
    page.append(("Example Garment",))
    page.append(HEAD)
    for number in range(workers):
        parts = [21_000, draw.randrange(5_000), 1_000, 700, draw.randrange(12) * 100, draw.randrange(1_300)]
        gross = sum(parts)
        pension = gross * 2 // 100
        who = (number + 1, f"GW-{number:05}", *draw.choice(NAMES), draw.choice("FM"), "Sewer", f"Line {draw.randrange(40)}")
        joined = date(2015 + draw.randrange(10), 1 + draw.randrange(12), 1 + draw.randrange(28))
        where = ("bank", "ABA", f"{draw.randrange(10**9):09}", f"012{draw.randrange(10**6):06}", 26, draw.randrange(100) / 4)
        sums = (*parts, gross, pension, 0, pension, gross - pension)
        page.append((*who, joined, *where, *(cents / 100 for cents in sums)))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _ours(data: bytes) -> int:
    return len(read_sheet(data, file_name="p.xlsx", period=PERIOD).rows)


def _openpyxl(data: bytes) -> int:
    page = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True).worksheets[0]
    return sum(1 for _ in page.iter_rows(values_only=True)) - 2


def _annotate(data: bytes) -> int:
    sheet = read_sheet(data, file_name="p.xlsx", period=PERIOD)
    annotate(data, sheet)
    return len(sheet.rows)


async def _stored(data: bytes) -> dict[str, float]:
    """A worker's job on a kept file; what PostgreSQL uses is in the clock, not in the processor time."""
    async with filled(runs=0, workers=0) as here:
        async with here.services.database.factory(here.factory_id) as session:
            kept = await upload(
                session,
                here.services,
                here.actor(Role.PREPARER),
                file_name="p.xlsx",
                content=data,
                period=PERIOD,
                kind=RunKind.BALANCE,
            )
        told = _Told()
        await read_file(here.services, here.factory_id, {"file": str(kept.id)})
        used = told.until_now()
        async with here.services.database.factory(here.factory_id) as session:
            file = await session.get_one(PayrollFile, (here.factory_id, kept.id))
            return {"rows": file.rows_done if file.state == "read" else 0, **used}


def _in_memory(side: Callable[[bytes], int], data: bytes) -> dict[str, float]:
    told = _Told()
    rows = side(data)
    return {"rows": rows, **told.until_now()}


SIDES: dict[str, Callable[[bytes], int]] = {"read": _ours, "openpyxl": _openpyxl, "annotate": _annotate}


class _Told:
    """Clock, processor and memory from here on."""

    def __init__(self) -> None:
        self._before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self._started, self._used = time.perf_counter(), _processor()

    def until_now(self) -> dict[str, float]:
        """What it took."""
        own, child = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        return {
            "seconds": time.perf_counter() - self._started,
            "cpu": _processor() - self._used,
            "before_mib": self._before / 1024,
            "own_mib": own / 1024,
            "child_mib": child / 1024,
        }


def _measure(side: str, data: bytes) -> dict[str, float]:
    search_seldom()  # as in a worker
    return asyncio.run(_stored(data)) if side == "stored" else _in_memory(SIDES[side], data)


def _processor() -> float:
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _apart(side: str, data: bytes) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-m", "bench.intake", "--side", side], input=data, capture_output=True, check=True)  # noqa: S603  this module
    return dict(json.loads(done.stdout))


def main() -> int:
    """Measure, print and write; 1 if a row was lost."""
    parser = argparse.ArgumentParser(prog="python -m bench.intake", description=__doc__)
    parser.add_argument("--workers", type=int, default=20_000)
    parser.add_argument("--side", choices=["stored", *SIDES], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(_measure(given.side, sys.stdin.buffer.read())))
        return 0
    data = workbook(given.workers)
    found: dict[str, Any] = {side: _apart(side, data) for side in ("stored", *SIDES)}
    print(f"{given.workers:,} workers, {len(HEAD)} columns, {len(data) / 2**20:.1f} MiB, load {os.getloadavg()[0]:.1f}")
    for side, one in found.items():
        rates = f"{one['rows'] / one['seconds']:8,.0f} rows/s by the clock, {one['rows'] / one['cpu']:8,.0f} by processor time"
        print(f"  {side:9} {one['seconds']:6.2f} s {rates}, {one['own_mib']:5.0f} MiB (child {one['child_mib']:.0f})")
    ratio = found["openpyxl"]["seconds"] / found["stored"]["seconds"]
    print(f"  stored, {ratio:.1f} times the rate at which openpyxl only reads, by the clock")
    RESULTS.mkdir(exist_ok=True)
    told = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "load": os.getloadavg()[0], "ratio": ratio, **found}
    (RESULTS / "intake.json").write_text(json.dumps(told, indent=1) + "\n")
    return 0 if all(one["rows"] == given.workers for one in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
