"""Failpoints: where they are, what they do, and that nobody arms them by accident."""

from __future__ import annotations

import ast
import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from payroll_api import failpoints
from payroll_api.errors import ConfigurationError
from payroll_api.failpoints import FailpointError, failpoint, failpoint_now
from tests.crash.points import POINTS, Means

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def meant(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(failpoints.MEANT, "yes")
    yield
    failpoints.disarm()


def reached() -> Counter[str]:
    """Every name that the code passes to a failpoint, and how often it stands there."""
    return Counter(
        str(node.args[0].value)
        for path in (ROOT / "payroll_api").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"failpoint", "failpoint_now"}
        and isinstance(node.args[0], ast.Constant)
    )


def test_all_53_points_are_known_and_each_one_in_the_code_is_reached() -> None:
    assert len(POINTS) == 53
    assert set(reached()) == set(failpoints.POINTS), "a failpoint without a name in POINTS, or a name that the code has lost"
    assert {point.failpoint for point in POINTS.values() if point.failpoint} == set(failpoints.POINTS)
    assert all(point.failpoint == name for name, point in POINTS.items() if point.means is Means.CODE)


async def test_an_unarmed_point_costs_next_to_nothing() -> None:
    started = time.perf_counter()
    for _ in range(100_000):
        await failpoint("B7")
    assert time.perf_counter() - started < 1, "100,000 passages take milliseconds; a payday has a few for each chunk"


def test_nothing_is_armed_unless_the_environment_says_that_it_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(failpoints.PLAN, "B7=kill")
    monkeypatch.delenv(failpoints.MEANT, raising=False)
    with pytest.raises(ConfigurationError, match="FAILPOINTS_ARE_MEANT"):
        failpoints.arm_from_environment()
    monkeypatch.setenv(failpoints.MEANT, "1")
    with pytest.raises(ConfigurationError):
        failpoints.arm_from_environment()
    failpoint_now("B7")  # and it was not armed all the same
    monkeypatch.setenv(failpoints.PLAN, " ")
    assert failpoints.arm_from_environment() is None


@pytest.mark.parametrize("text", ["B3=kill", "B7", "B7=explode", "B7=kill@0", "B7=kill%x", "B7=kill extra"])
def test_a_plan_that_cannot_be_understood_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="no failpoint"):
        failpoints.parse(text)


@pytest.mark.usefixtures("meant")
async def test_a_point_acts_at_its_nth_hit_and_every_hit_is_counted(tmp_path: Path) -> None:
    hits = tmp_path / "hits"
    failpoints.arm(failpoints.parse("B7=raise@2; B8=raise@2+; B1=count", hits=hits))
    met = []
    for name in ("B7", "B7", "B7", "B8", "B8", "B8", "B1", "C1"):
        try:
            await failpoint(name)
        except FailpointError:
            met.append(name)
    assert met == ["B7", "B8", "B8"]
    lines = [line.split()[:3] for line in hits.read_text().splitlines()]
    assert [line[2] for line in lines] == ["-", "raise", "-", "-", "raise", "raise", "count", "-"]
    assert lines[-1] == ["C1", "1", "-"]


@pytest.mark.usefixtures("meant")
async def test_chances_are_drawn_from_the_seed() -> None:
    async def struck(seed: int) -> list[bool]:
        failpoints.arm(failpoints.parse("B7=raise%30", seed=seed))
        return [isinstance((await asyncio.gather(failpoint("B7"), return_exceptions=True))[0], FailpointError) for _ in range(200)]

    first = await struck(1)
    assert first == await struck(1)
    assert first != await struck(2)
    assert 30 < sum(first) < 90


@pytest.mark.usefixtures("meant")
async def test_a_point_that_sleeps_lets_the_others_work() -> None:
    failpoints.arm(failpoints.parse("B2=sleep:0.05"))
    woken = asyncio.create_task(failpoint("B2"))
    await asyncio.sleep(0)
    assert not woken.done()
    await woken


_DIES = "from payroll_api import failpoints; failpoints.arm_from_environment(); failpoints.failpoint_now('E2'); print('alive')"


@pytest.mark.parametrize(("action", "number"), [("kill", signal.SIGKILL), ("stop", signal.SIGSTOP)])
def test_killing_and_freezing_are_real_signals(action: str, number: signal.Signals) -> None:
    environment = {**os.environ, failpoints.PLAN: f"E2={action}", failpoints.MEANT: "yes"}
    with subprocess.Popen([sys.executable, "-c", _DIES], cwd=ROOT, env=environment, stdout=subprocess.PIPE) as child:  # noqa: S603 our own code
        assert child.stdout is not None
        if action == "kill":
            assert child.stdout.read() == b""
            assert child.wait(30) == -number
        else:
            _, status = os.waitpid(child.pid, os.WUNTRACED)
            assert os.WSTOPSIG(status) == number
            child.send_signal(signal.SIGCONT)
            assert child.stdout.read() == b"alive\n"


def test_a_worker_with_failpoints_refuses_to_start_unmeant() -> None:
    environment = {**os.environ, failpoints.PLAN: "B7=kill"}
    environment.pop(failpoints.MEANT, None)
    told = subprocess.run(  # noqa: S603 our own command
        [str(Path(sys.executable).parent / "payroll"), "worker"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert told.returncode == 1
    assert "Failpoints kill and stop the service" in told.stderr
    assert "Traceback" not in told.stderr
