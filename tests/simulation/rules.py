"""The pure decisions that the simulated engine asks, as one value, so that a planted bug is a changed copy of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from connectors.payouts.contract import PayoutOutcome
from payroll_api.payments import protocol, verdict
from payroll_api.payments.references import attempt_reference
from tests.simulation.wire import no_answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The real ones, and what the carrying out keeps to."""

    may_pass: Callable[..., protocol.Gate] = protocol.may_pass
    may_still_send: Callable[..., bool] = protocol.may_still_send
    weigh: Callable[..., protocol.Weighed] = protocol.weigh
    after_answer: Callable[..., protocol.Step] = protocol.after_answer
    to_ask: Callable[..., list[str]] = protocol.to_ask
    decide: Callable[..., verdict.Change | verdict.Ignored] = verdict.decide
    reference: Callable[[UUID, int], str] = attempt_reference
    on_silence: Callable[..., list[PayoutOutcome]] = no_answer
    salt_on_repeat: str = ""
    looks_at_fence: bool = True
    asks_gate: bool = True
    asks_about_messages: bool = True
    compares_epoch: bool = True
    counts_after_gate: bool = True
