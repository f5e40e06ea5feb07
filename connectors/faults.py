"""Faults that a simulated provider plays on purpose: drawn by seed or written as a script, and the same again for the same seed."""

from __future__ import annotations

import enum
import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class FaultKind(enum.StrEnum):
    """What goes wrong. The first group is about requests, the second about events that the provider sends."""

    REPLY_LOST_AFTER_ACCEPT = "reply_lost_after_accept"  # the order is taken, then the connection breaks
    SLOW_ACCEPT = "slow_accept"  # the order is taken, but the answer comes after the client's patience
    RESET_BEFORE_READ = "reset_before_read"  # the connection breaks before anything is read
    HALF_REQUEST = "half_request"  # half of the body is read, then the connection breaks
    PARTIAL_BATCH = "partial_batch"  # the first half of the orders is taken, then the connection breaks
    HTML_INSTEAD = "html_instead"  # 200 with an HTML page of some gateway; nothing is taken
    EMPTY_ANSWER = "empty_answer"  # the order is taken, the answer is 200 without a body
    TRUNCATED_ANSWER = "truncated_answer"  # the order is taken, the answer ends in its middle
    SERVER_ERROR = "server_error"  # 500 after the order was taken
    UNAVAILABLE = "unavailable"  # 503, nothing is taken
    TOO_MANY_REQUESTS = "too_many_requests"  # 429 with Retry-After, nothing is taken
    NOT_AUTHORISED = "not_authorised"  # 401, nothing is taken
    OTHER_AMOUNT_ECHOED = "other_amount_echoed"  # the answer states another amount than was ordered
    OTHER_PAYEE_ECHOED = "other_payee_echoed"  # the answer states another account than was ordered
    NOT_FOUND_FOR_A_WHILE = "not_found_for_a_while"  # taken, but look-ups say "not found" for `seconds`
    CONFLICT = "conflict"  # 409 on the first try
    REDIRECT_ELSEWHERE = "redirect_elsewhere"  # a redirect to another host; nothing is taken
    OUT_OF_FUNDS = "out_of_funds"  # the factory's account runs dry in the middle of the batch

    DUPLICATE_EVENT = "duplicate_event"  # the same event comes twice
    REORDER_EVENTS = "reorder_events"  # this event comes after the next one
    FORGED_EVENT = "forged_event"  # an event with a wrong signature is sent before the true one
    LOST_EVENT = "lost_event"  # the event never comes


ELSEWHERE = "http://127.0.0.1:9/elsewhere"  # nobody listens there
_EVENTS = frozenset({FaultKind.DUPLICATE_EVENT, FaultKind.REORDER_EVENTS, FaultKind.FORGED_EVENT, FaultKind.LOST_EVENT})
_SUBMITS = frozenset(FaultKind) - _EVENTS
_QUESTIONS = frozenset(
    {
        FaultKind.RESET_BEFORE_READ,
        FaultKind.SLOW_ACCEPT,
        FaultKind.HTML_INSTEAD,
        FaultKind.EMPTY_ANSWER,
        FaultKind.TRUNCATED_ANSWER,
        FaultKind.SERVER_ERROR,
        FaultKind.UNAVAILABLE,
        FaultKind.TOO_MANY_REQUESTS,
        FaultKind.OTHER_AMOUNT_ECHOED,
        FaultKind.OTHER_PAYEE_ECHOED,
        FaultKind.NOT_FOUND_FOR_A_WHILE,
        FaultKind.REDIRECT_ELSEWHERE,
    }
)

POSSIBLE_AT: Mapping[str, frozenset[FaultKind]] = {
    "submit": _SUBMITS,
    "look_up": _QUESTIONS,
    "check": _QUESTIONS,
    "statement": _QUESTIONS,
    "event": _EVENTS,
}


class FaultPlanError(ValueError):
    """A fault plan that cannot be understood; the message names the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedFault:
    """`kind` at the `nth` visit of `point` (1 is the first) and at the `times - 1` visits after it."""

    point: str
    kind: FaultKind
    nth: int = 1
    times: int = 1

    def covers(self, visit: int) -> bool:
        """Whether this fault plays at this visit, counted from 1."""
        return self.nth <= visit < self.nth + self.times


class _ScriptedText(BaseModel):
    model_config = ConfigDict(extra="forbid")
    point: str
    kind: FaultKind
    nth: int = Field(default=1, ge=1)
    times: int = Field(default=1, ge=1)


class _PlanText(BaseModel):
    model_config = ConfigDict(extra="forbid")
    seed: int = 0
    rates: dict[FaultKind, Decimal] = Field(default_factory=dict)
    script: list[_ScriptedText] = Field(default_factory=list)
    seconds: float = Field(default=2.0, ge=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """Which fault plays when. The script goes first; otherwise each visit draws by `rates` (0 to 1 for each kind).

    `seconds` is how long slow answers and absences last. A draw depends only on the seed, the point and the number of the visit to
    that point, so that one busy point does not shift the faults of another.
    """

    seed: int = 0
    rates: Mapping[FaultKind, Decimal] = field(default_factory=dict)
    script: tuple[ScriptedFault, ...] = ()
    seconds: float = 2.0
    elsewhere: str = ELSEWHERE  # where REDIRECT_ELSEWHERE points to
    _visits: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if any(rate < 0 for rate in self.rates.values()) or sum(self.rates.values(), Decimal(0)) > 1:
            raise FaultPlanError("rates must not be negative and must add up to 1 at the most, for example 0.02 for one in fifty")

    @classmethod
    def parse(cls, text: str) -> Self:
        """A plan from JSON: {"seed": 7, "rates": {"slow_accept": 0.02}, "script": [{"point": "submit", "nth": 2, "kind": "conflict"}]}.

        Raises FaultPlanError for anything else.
        """
        try:
            read = _PlanText.model_validate(json.loads(text, parse_float=Decimal))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the plan"
            raise FaultPlanError(f"fault plan: {place}: {first['msg']}; known kinds are {', '.join(sorted(FaultKind))}") from None
        except ValueError as error:
            raise FaultPlanError(
                f'fault plan is not JSON ({error}); write for example {{"seed": 7, "rates": {{"conflict": 0.1}}}}'
            ) from None
        script = tuple(ScriptedFault(point=line.point, kind=line.kind, nth=line.nth, times=line.times) for line in read.script)
        return cls(seed=read.seed, rates=read.rates, script=script, seconds=read.seconds)

    @classmethod
    def at(cls, point: str, *kinds: FaultKind, seconds: float = 2.0) -> Self:
        """A plan whose first visits of `point` meet `kinds`, one after the other, and nothing after that."""
        script = tuple(ScriptedFault(point=point, kind=kind, nth=number) for number, kind in enumerate(kinds, start=1))
        return cls(script=script, seconds=seconds)

    def draw(self, point: str, *, among: Iterable[FaultKind] | None = None) -> FaultKind | None:
        """The fault of this visit of `point`, or None. `among` narrows what rates may draw; a script is always obeyed."""
        visit = self._visits.get(point, 0) + 1
        self._visits[point] = visit
        for scripted in self.script:
            if scripted.point == point and scripted.covers(visit):
                return scripted.kind
        if not self.rates:
            return None
        possible = frozenset(among) if among is not None else POSSIBLE_AT.get(point, frozenset(FaultKind))
        lot = Decimal(random.Random(f"{self.seed}/{point}/{visit}").randrange(10**9)) / 10**9
        for kind in sorted(self.rates):
            if lot < self.rates[kind]:
                return kind if kind in possible else None
            lot -= self.rates[kind]
        return None
