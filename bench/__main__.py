"""`make bench`: measure what the README claims, on this machine, and write it under bench/results/."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import payday

RESULTS = Path(__file__).parent / "results"
ALONE = ("law", "intake", "dispatch", "dispatch_singly", "statement", "statement_parsing", "webhooks", "pages")


def main() -> int:
    """Run the benches that were asked for; 1 if one did not come out right."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "which",
        nargs="?",
        default="payday",
        choices=["payday", *ALONE, "all"],
        help="payday (default), one of the others, or all of them",
    )
    parser.add_argument(
        "--workers", type=int, nargs="+", help="sizes of the factory (payday: 1000 20000; law and intake take the largest, 20000)"
    )
    parser.add_argument("--processes", type=int, default=1, help="worker processes of a payday (1)")
    given = parser.parse_args()
    wanted = ["payday", *ALONE] if given.which == "all" else [given.which]
    # A list, not a generator: a bench that fails does not keep the others from running.
    statuses = [
        _payday(given.workers or [1_000, 20_000], given.processes) if name == "payday" else _alone(name, given.workers) for name in wanted
    ]
    return 1 if any(statuses) else 0


def _alone(name: str, sizes: Sequence[int] | None) -> int:
    """A bench with its own `main`, in a process of its own: the memory that another has used is not counted in."""
    size = ["--workers", str(max(sizes))] if sizes else []
    sys.stdout.flush()
    return subprocess.run([sys.executable, "-m", f"bench.{name}", *size], check=False).returncode  # noqa: S603  modules of this folder


def _payday(sizes: list[int], processes: int) -> int:
    figures, is_right = payday.run(sizes, processes=processes)
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "system": platform.system(), "python": platform.python_version()}
    load = os.getloadavg()[0]
    if load > (os.cpu_count() or 1):
        print(f"\nThe machine was busy with something else (load {load:.1f}): these figures say little.")
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "payday.json"
    path.write_text(json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine, **figures}, indent=1) + "\n")
    print(f"\nWritten to {path}.")
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
