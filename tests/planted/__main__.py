"""`make planted`: apply each bug to a copy of the tree, one at a time, and see that the tests named in its recipe notice.

python -m tests.planted [NAME ...] [--jobs 2]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.planted.recipe import ROOT, Recipe, recipes

_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "results")
_FAILED = 1  # what pytest ends with when tests ran and some failed


def copied(folder: Path) -> Path:
    """A copy of the tree without its history and installation."""
    shutil.copytree(ROOT, folder, ignore=_LEFT_OUT)
    return folder


def status_of(root: Path, tests: Sequence[str]) -> tuple[int, str]:
    """Run tests in a copy: pytest's exit status and its last words."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    told = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 our own tests
    return told.returncode, "\n".join((told.stdout + told.stderr).splitlines()[-4:])


def try_one(recipe: Recipe) -> tuple[Recipe, list[str], float]:
    """Plant a bug; give the tests that did not notice."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        Path(folder).chmod(0o755)
        root = copied(Path(folder) / "tree")
        recipe.spoil(root)
        missed = []
        for test in recipe.caught_by:
            status, words = status_of(root, [test])
            if status != _FAILED:
                missed.append(test)
                if status:
                    missed.append(f"(pytest ended with {status}: {words})")
    return recipe, missed, time.monotonic() - began


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the bugs and print a table; 0 when every one was noticed by every test that its recipe names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="only these bugs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--no-baseline", action="store_true", help="do not first see that the tests pass without a bug")
    given = parser.parse_args(arguments)
    chosen = [recipe for recipe in recipes() if not given.names or recipe.name in given.names]
    write = sys.stdout.write
    if not given.no_baseline:
        with tempfile.TemporaryDirectory(prefix="planted-") as folder:
            Path(folder).chmod(0o755)
            status, words = status_of(copied(Path(folder) / "tree"), sorted({test for recipe in chosen for test in recipe.caught_by}))
        write(f"without a bug: {'all pass' if status == 0 else words}\n")
        if status:
            return 1
    caught = 0
    with ThreadPoolExecutor(max(1, given.jobs)) as pool:
        for recipe, missed, seconds in pool.map(try_one, chosen):
            caught += not missed
            write(f"{'caught' if not missed else 'MISSED':7} {seconds:5.0f} s  {recipe.name:38} {recipe.title}\n")
            for test in missed:
                write(f"        not noticed by {test}\n")
            sys.stdout.flush()
    write(f"{caught} of {len(chosen)} planted bugs caught by every test named\n")
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
