"""Named places where a process can be made to die, fail, freeze or wait, to prove that nobody is paid twice when it does.

Off, a place costs one comparison. Nothing can be armed unless `PAYROLL_FAILPOINTS_ARE_MEANT=yes` stands in the environment too:

    PAYROLL_FAILPOINTS="B7=kill; B8=raise@3; C9=sleep:0.2%25" PAYROLL_FAILPOINTS_SEED=7 PAYROLL_FAILPOINTS_HITS=/tmp/hits

An arm is `point=action`, for its first hit; `@3` for the third alone, `@3+` for the third and all after it, `%25` for every hit with a
chance of 25 in 100, drawn from the seed. Every hit is written to the file of hits, if one is named, before anything happens.
"""

from __future__ import annotations

import asyncio
import enum
import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from payroll_api.errors import ConfigurationError

PLAN = "PAYROLL_FAILPOINTS"
MEANT = "PAYROLL_FAILPOINTS_ARE_MEANT"
SEED = "PAYROLL_FAILPOINTS_SEED"
HITS = "PAYROLL_FAILPOINTS_HITS"

# Every name that the code reaches. Faults of wires, providers, servers and orders of events are made from outside and have no name here.
POINTS: Mapping[str, str] = {
    "A1": "a payroll file is kept, its batch is not committed",
    "A2": "the batch is committed, the request is not answered",
    "A4": "a run is released, what pays it is not asked for",
    "B1": "a job to pay is taken, nothing is claimed",
    "B2": "the intent is committed, no connection is made",
    "B7": "the provider's answer is read, nothing is recorded",
    "B8": "the answer is recorded, not committed",
    "B10": "the answer is committed, the job is not given back",
    "C1": "a provider's message is verified, not stored",
    "C2": "the message is stored, not committed",
    "C3": "the message is committed, not answered",
    "C9": "a look-up is answered, nothing is recorded",
    "D1": "some statements of a file are kept, not all",
    "E1": "a change is booked, its audit event is not written",
    "E2": "the sealer: before its block is written (hit 1), and between the block's commit and the file outside (hit 2)",
    "F1": "the gateway took slips, nothing is recorded",
    "F2": "slips are claimed, not handed to the gateway",
    "G10": "the keys of a factory are asked for",
}


class FailpointError(Exception):
    """A failpoint that was armed to raise did."""


class Action(enum.StrEnum):
    """What an armed place does to its process."""

    KILL = "kill"  # SIGKILL: no handler, no clean-up
    RAISE = "raise"
    STOP = "stop"  # SIGSTOP: frozen until somebody sends SIGCONT
    SLEEP = "sleep"  # for some seconds, alone
    COUNT = "count"  # nothing: only the hit is written down


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What happens at one point: at its `nth` hit (and after it, if `onwards`), or by `chance` in a hundred at every hit."""

    point: str
    action: Action
    seconds: float = 0.0
    nth: int = 1
    onwards: bool = False
    chance: int | None = None

    def strikes(self, hit: int, seed: int) -> bool:
        """Whether this hit, counted from 1, is one to act at. The same for the same seed."""
        if self.chance is not None:
            return random.Random(f"{seed}/{self.point}/{hit}").randrange(100) < self.chance  # noqa: S311 a lot to repeat, no secret
        return hit == self.nth or (self.onwards and hit > self.nth)


@dataclass(slots=True, kw_only=True)
class Plan:
    """The arms of one process, and how often each point was hit."""

    arms: Sequence[Arm]
    seed: int = 0
    hits: Path | None = None
    seen: Counter[str] = field(default_factory=Counter)

    def struck(self, point: str) -> Arm | None:
        """Count a hit; give the arm that acts at it."""
        self.seen[point] += 1
        arm = next((one for one in self.arms if one.point == point and one.strikes(self.seen[point], self.seed)), None)
        if self.hits is not None:
            line = f"{point} {self.seen[point]} {arm.action if arm else '-'} {os.getpid()}\n"
            descriptor = os.open(self.hits, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, line.encode())
            finally:
                os.close(descriptor)
        return arm


_ARM = re.compile(
    r"^(?P<point>\w+)=(?P<action>kill|raise|stop|sleep|count)(?::(?P<seconds>\d+(?:\.\d+)?))?"
    r"(?:@(?P<nth>[1-9]\d*)(?P<onwards>\+)?|%(?P<chance>\d{1,3}))?$"
)
_plan: Plan | None = None


def parse(text: str, *, seed: int = 0, hits: Path | None = None) -> Plan:
    """A plan from its text. Raises ConfigurationError for a point that does not exist or an arm that cannot be understood."""
    arms = []
    for part in filter(None, (one.strip() for one in text.split(";"))):
        found = _ARM.match(part)
        if found is None or found["point"] not in POINTS:
            raise ConfigurationError(
                f"{PLAN}: {part!r} is no failpoint. Write for example B7=kill or B8=raise@3; points: {', '.join(POINTS)}."
            )
        arms.append(
            Arm(
                point=found["point"],
                action=Action(found["action"]),
                seconds=float(found["seconds"] or 0),
                nth=int(found["nth"] or 1),
                onwards=found["onwards"] is not None,
                chance=int(found["chance"]) if found["chance"] else None,
            )
        )
    return Plan(arms=arms, seed=seed, hits=hits)


def arm(plan: Plan) -> None:
    """Arm this process. Raises ConfigurationError unless the environment says that it is meant."""
    global _plan  # noqa: PLW0603 one plan for each process, read at every point
    if os.environ.get(MEANT) != "yes":
        raise ConfigurationError(
            f"Failpoints kill and stop the service. They are refused unless {MEANT}=yes is set; where wages are paid, unset {PLAN} instead."
        )
    _plan = plan


def disarm() -> None:
    """Let every point pass again."""
    global _plan  # noqa: PLW0603 the same
    _plan = None


def arm_from_environment() -> Plan | None:
    """Arm what the environment asks for; None when it asks for nothing. Raises ConfigurationError."""
    text = os.environ.get(PLAN, "")
    if not text.strip():
        return None
    hits, seed = os.environ.get(HITS), os.environ.get(SEED, "0")
    if not seed.isdigit():
        raise ConfigurationError(f"{SEED} is a number without sign, such as 7.")
    plan = parse(text, seed=int(seed), hits=Path(hits) if hits else None)
    arm(plan)
    return plan


async def failpoint(name: str) -> None:
    """A place that can be armed. `name` is one of POINTS."""
    if _plan is None:
        return
    struck = _plan.struck(name)
    if struck is not None and struck.action is Action.SLEEP:
        await asyncio.sleep(struck.seconds)
    elif struck is not None:
        _act(struck)


def failpoint_now(name: str) -> None:
    """The same where nothing can be awaited."""
    if _plan is None:
        return
    struck = _plan.struck(name)
    if struck is not None and struck.action is Action.SLEEP:
        time.sleep(struck.seconds)
    elif struck is not None:
        _act(struck)


def _act(struck: Arm) -> None:
    if struck.action is Action.KILL:
        os.kill(os.getpid(), signal.SIGKILL)
    elif struck.action is Action.STOP:
        os.kill(os.getpid(), signal.SIGSTOP)
    elif struck.action is Action.RAISE:
        raise FailpointError(f"failpoint {struck.point}")
