"""`make crash-matrix`: every point, killed and raised, over six kinds of provider and ten seeds. Can be stopped and resumed.

The first pass plays every cell (a point, how it strikes, a kind of provider) once, each with a seed of its own; each pass after it plays
every cell with the next seed. So a matrix that is stopped early has seen every cell, and every branch that seeds choose.

python -m tests.crash.matrix [--seeds 10] [--lanes 2] [--points B7 C4] [--kinds conflict] [--fresh] [--minutes 60]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.crash.points import POINTS
from tests.crash.profiles import KINDS
from tests.crash.run import Run, Spec

RESULTS = Path("bench/results/crash-matrix.jsonl")
SIZES = (4, 3, 2)  # workers of the factories: enough for a message of several, and for several messages


def specs(points: Sequence[str], kinds: Sequence[str], seeds: int) -> Iterator[Spec]:
    """Every run, pass by pass."""
    for turn in range(seeds):
        for point in points:
            for kind in kinds:
                if kind in POINTS[point].impossible:
                    continue
                for action in ("kill", "raise"):
                    first = zlib.crc32(f"{point}/{action}/{kind}".encode())
                    yield Spec(point=point, action=action, kind=kind, seed=1 + (first + turn) % seeds)


async def play(lane: Any, spec: Spec) -> dict[str, Any]:
    """One run and what the checker says of it."""
    from tests.crash.checker import check  # noqa: PLC0415 imported in the process that runs
    from tests.crash.plays import PLAYS  # noqa: PLC0415 the same

    began, broken = time.monotonic(), []
    async with Run(lane, spec) as run:
        try:
            async with asyncio.timeout(400):
                await PLAYS[spec.point](run)
                broken = [] if run.is_older else await check(run, returned=frozenset(run.returned))
                if not run.reached:
                    run.notes.append("the point was never reached: this run proves nothing")
        except Exception:  # noqa: BLE001 a run that cannot be finished is told as one
            broken = [f"harness: {traceback.format_exc(limit=-3)}"]
        credits_ = len(run.books.credits)
        return {
            "run": spec.name, "point": spec.point, "action": spec.action, "kind": spec.kind, "seed": spec.seed, "reached": run.reached,
            "broken": broken, "notes": run.notes, "credits": credits_, "seconds": round(time.monotonic() - began, 2),
        }  # fmt: skip


def lane_process(folder: Path, mine: Sequence[Spec], results: Path, until: float) -> None:
    """One lane: its own server, provider and nursery, and a share of the runs."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder.parent))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # told to stop: the server and the processes of the lane go with it
    from tests.crash.lane import Lane  # noqa: PLC0415 the import is dear, and only lanes need it

    kinds = [kind for kind in KINDS if any(spec.kind == kind for spec in mine)]
    lane = Lane(folder, kinds, SIZES)
    lane.open()

    async def all_of_them() -> None:
        await lane.begin()
        for spec in mine:
            if time.time() > until:
                return
            told = await play(lane, spec)
            with results.open("a") as file:
                file.write(json.dumps(told) + "\n")

    try:
        asyncio.run(all_of_them())
    finally:
        lane.close()


def report(results: Path, wanted: Sequence[Spec]) -> int:
    """The table; the exit status."""
    names = {spec.name for spec in wanted}
    done = [line for line in map(json.loads, results.read_text().splitlines()) if line["run"] in names] if results.exists() else []
    latest = {line["run"]: line for line in done}
    by_point: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in latest.values():
        by_point[line["point"]].append(line)
    kinds_of_trouble = Counter(trouble.partition(":")[0] for line in latest.values() for trouble in line["broken"])
    write = sys.stdout.write
    write(f"{'point':6} {'runs':>5} {'reached':>8} {'broken':>7} {'seconds':>8}  what\n")
    for point, description in POINTS.items():
        if not (lines := by_point.get(point, [])):
            continue
        seconds = sum(line["seconds"] for line in lines)
        broken = sum(1 for line in lines if line["broken"] or line["notes"])
        write(f"{point:6} {len(lines):5} {sum(1 for line in lines if line['reached']):8} {broken:7} {seconds:8.0f}  {description.what}\n")
    reached = sum(1 for lines in by_point.values() if any(line["reached"] for line in lines))
    runs = len(latest)
    bad = [line for line in latest.values() if line["broken"] or line["notes"]]
    double = sum(1 for line in latest.values() if any(trouble.startswith(("I1:", "I13:")) for trouble in line["broken"]))
    wrong = sum(1 for line in latest.values() if any(trouble.startswith("I2:") for trouble in line["broken"]))
    lost = sum(1 for line in latest.values() if any(trouble.startswith(("I4:", "I5:", "I18:")) for trouble in line["broken"]))
    paid = sum(line["credits"] for line in latest.values())
    cells = {(line["point"], line["action"], line["kind"]) for line in latest.values() if line["reached"]}
    every = {(spec.point, spec.action, spec.kind) for spec in wanted}
    write(f"\ncells (point, how it strikes, kind of provider) reached {len(cells)} of {len(every)}\n")
    write(f"{runs} runs of {len(names)}, {paid} credits executed; points reached {reached}/{len(POINTS)}\n")
    write(f"runs with a double payment {double}, a wrong payee or amount {wrong}, a lost or hidden one {lost}\n")
    write(f"runs with anything broken or noted {len(bad)}: {dict(kinds_of_trouble)}\n")
    for line in bad[:12]:
        write(f"  {line['run']}: {'; '.join([*line['broken'], *line['notes']])[:300]}\n")
    return 0 if not bad and runs == len(names) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing and tell."""
    from tests.crash.plays import PLAYS  # noqa: PLC0415 see lane_process

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--points", nargs="*", default=[point for point in POINTS if point in PLAYS])
    parser.add_argument("--kinds", nargs="*", default=list(KINDS))
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    parser.add_argument("--minutes", type=float, default=600)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="only tell what there is")
    given = parser.parse_args(arguments)
    wanted = list(specs(given.points, given.kinds, given.seeds))
    given.results.parent.mkdir(parents=True, exist_ok=True)
    if given.fresh:
        given.results.unlink(missing_ok=True)
    done = {json.loads(line)["run"] for line in given.results.read_text().splitlines()} if given.results.exists() else set()
    missing = [spec for spec in wanted if spec.name not in done]
    if missing and not given.report:
        run_lanes(missing, given.lanes, given.results, time.time() + given.minutes * 60)
    return report(given.results, wanted)


def run_lanes(missing: Sequence[Spec], lanes: int, results: Path, until: float) -> None:
    """Share the runs out among lanes and wait for them."""
    memory = Path("/dev/shm")  # noqa: S108 a disk that is killed with the machine only; processes of the server die without it
    folder = Path(tempfile.mkdtemp(prefix="crash-matrix-", dir=memory if os.access(memory, os.W_OK) else None))
    folder.chmod(0o755)
    context = multiprocessing.get_context("spawn")
    running = [
        context.Process(target=lane_process, args=(folder / f"lane{number}", missing[number::lanes], results.resolve(), until))
        for number in range(min(lanes, len(missing)))
    ]
    try:
        for process in running:
            process.start()
        for process in running:
            process.join()
    finally:
        for process in running:
            process.terminate()
            process.join(30)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
