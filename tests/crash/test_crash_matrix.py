"""A part of the crash matrix that fits into the suite: real processes killed, real PostgreSQL, the provider's journal as the oracle.

All of it: `make crash-matrix`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.crash.matrix import run_lanes
from tests.crash.plays import PLAYS
from tests.crash.points import POINTS
from tests.crash.profiles import KINDS
from tests.crash.run import Spec

pytestmark = pytest.mark.timeout(600)
# Of the points that lead to the same code the worst one, each over the kind of provider at which it would cost most; all kinds appear.
# Two parts, because a part must have a server of its own to kill, and no test may be what everybody waits for.
PARTS: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "answers that get lost": (
        ("B6", "kill", "keyed_24h"),
        ("B7", "kill", "look_up_only"),
        ("B9a", "raise", "look_up_only"),
        ("B15", "raise", "bulk_file"),
        ("G1", "kill", "keyed_24h"),
    ),
    "words that come too late or too often": (
        ("C4", "raise", "late_look_up"),
        ("C8", "kill", "keyed_for_ever"),
        ("E1", "kill", "conflict"),
        ("F1", "kill", "keyed_for_ever"),
    ),
}


def test_every_point_has_a_play_that_brings_it_about() -> None:
    assert set(POINTS) - set(PLAYS) == set()


def test_the_part_in_the_suite_knows_every_kind_of_provider() -> None:
    assert {kind for part in PARTS.values() for _, _, kind in part} == set(KINDS)


@pytest.mark.long
@pytest.mark.parametrize("part", PARTS)
def test_whatever_dies_wages_are_paid_once(part: str, tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    specs = [Spec(point=point, action=action, kind=kind, seed=1) for point, action, kind in PARTS[part]]
    run_lanes(specs, 1, results, time.time() + 500)
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert {line["run"] for line in lines} == {spec.name for spec in specs}
    wrong = {line["run"]: (line["broken"] + line["notes"])[:3] for line in lines if line["broken"] or line["notes"]}
    assert not wrong, json.dumps(wrong, indent=1)
    assert sum(line["credits"] for line in lines) >= 5 * len(specs), "a payday in which nobody is paid proves nothing"
