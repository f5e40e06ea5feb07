"""`make bench`: measure what the README claims, on this machine, and write it under bench/results/."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import payday

RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Run the benches; 1 if a payday did not come out right."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1_000, 20_000], help="sizes of the factory (1000 20000)")
    given = parser.parse_args()
    figures, is_right = payday.run(given.workers)
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
