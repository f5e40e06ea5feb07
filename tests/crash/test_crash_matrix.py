"""A part of the crash matrix that fits into the suite: real processes killed, real PostgreSQL, the provider's journal as the oracle.

All of it: `make crash-matrix`.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.crash.matrix import run_lanes
from tests.crash.plays import PLAYS
from tests.crash.points import POINTS
from tests.crash.run import Spec

pytestmark = pytest.mark.timeout(900)
# The points whose faults are the worst, over two kinds of provider.
CHOSEN = (
    ("B2", "kill", "conflict"),
    ("B6", "kill", "conflict"),
    ("B7", "kill", "keyed_24h"),
    ("B8", "raise", "conflict"),
    ("B9a", "raise", "conflict"),
    ("B11", "kill", "conflict"),
    ("B15", "raise", "keyed_24h"),
    ("C4", "raise", "conflict"),
    ("C8", "kill", "conflict"),
    ("E1", "kill", "conflict"),
    ("F1", "kill", "conflict"),
    ("G1", "kill", "keyed_24h"),
    ("G7", "raise", "conflict"),
)


def test_every_point_has_a_play_that_brings_it_about() -> None:
    assert set(POINTS) - set(PLAYS) == set()


@pytest.mark.long
def test_whatever_dies_wages_are_paid_once(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    specs = [Spec(point=point, action=action, kind=kind, seed=1) for point, action, kind in CHOSEN]
    run_lanes(specs, 1, results, time.time() + 800)
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert {line["run"] for line in lines} == {spec.name for spec in specs}
    wrong = {line["run"]: (line["broken"] + line["notes"])[:3] for line in lines if line["broken"] or line["notes"]}
    assert not wrong, json.dumps(wrong, indent=1)
    assert sum(line["credits"] for line in lines) >= 10 * len(specs), "a payday in which nobody is paid proves nothing"
