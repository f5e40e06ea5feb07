"""`python -m tests.simulation --seeds 100000` looks for a seed that breaks a promise; `--seed N --trace` tells the story of one."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time

from tests.simulation.planted import PLANTED
from tests.simulation.rules import Rules
from tests.simulation.world import simulate


def _range(asked: tuple[int, int, str | None]) -> tuple[int, int, int, list[tuple[int, str]]]:
    first, count, bug = asked
    steps, failed = 0, []
    for seed in range(first, first + count):
        result = simulate(seed, PLANTED[bug] if bug else Rules())
        steps += result.steps
        if result.violation is not None:
            failed.append((seed, result.violation))
    return first, count, steps, failed


def _one(seed: int, bug: str | None, *, with_trace: bool) -> int:
    result = simulate(seed, PLANTED[bug] if bug else Rules(), print if with_trace else None)
    print(f"seed {seed}: {result.steps} steps, {result.hash}, {result.violation or 'nothing broken'}")
    return 1 if result.violation else 0


def main() -> int:
    """Give 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--seed", type=int, help="one seed alone")
    parser.add_argument("--trace", action="store_true", help="with --seed: every step")
    parser.add_argument("--bug", choices=sorted(PLANTED), help="with a planted bug, to see it caught")
    asked = parser.parse_args()
    if asked.seed is not None:
        return _one(asked.seed, asked.bug, with_trace=asked.trace)
    size = 50
    ranges = [
        (first, min(size, asked.first + asked.seeds - first), asked.bug) for first in range(asked.first, asked.first + asked.seeds, size)
    ]
    began, done, steps, shown = time.monotonic(), 0, 0, 0.0
    with multiprocessing.Pool(asked.jobs) as pool:
        for _, count, made, failed in pool.imap(_range, ranges):
            done, steps = done + count, steps + made
            if failed:
                for seed, violation in failed:
                    print(f"seed {seed}: {violation}")
                again = f"python -m tests.simulation --seed {failed[0][0]} --trace" + (f" --bug {asked.bug}" if asked.bug else "")
                print(f"broken after {done} seeds; see it again with: {again}")
                return 1
            if time.monotonic() - shown > 10:
                shown = time.monotonic()
                print(f"{done:>7} seeds, {steps:>10} steps, {shown - began:.0f} s", flush=True)
    spent = time.monotonic() - began
    print(f"{done} seeds, {steps} steps ({steps / max(done, 1):.0f} a seed), {spent:.0f} s: nothing broken")
    return 0


if __name__ == "__main__":
    sys.exit(main())
