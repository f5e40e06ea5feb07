"""What one seed is like: which provider, how many workers and payments, and which faults at which rates."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from connectors.payouts.contract import DestinationKind, Finality, Profile, RepeatBehaviour

QUIET = timedelta(minutes=10)
# What the world keeps to, because nothing could be proven of one that does not: see README.md in this folder.
LONGEST_WAY = 120.0  # seconds a message travels at most
LONGEST_LAG = 120.0  # seconds that a look-up may still not see an order
LONGEST_BLINK = 30.0  # seconds a sender stands still between its last look at the clock and its first byte
LONGEST_SETBACK = 240.0  # seconds by which a clock is set back in all

_PLAIN = Profile(
    name="keyed_for_ever",
    title="Simulated",
    kinds=frozenset({DestinationKind.WALLET}),
    limits={},
    batch_size=3,
    repeat=RepeatBehaviour.SAME_RESULT,
    idempotency_window=None,
    looks_up=True,
    not_found_is_final_after=QUIET,
    checks_names=False,
    has_webhooks=True,
    has_statements=True,
    finality=Finality.LOOK_UP,
    reference_length=20,
)
PROFILES: Mapping[str, Profile] = {
    one.name: one
    for one in (
        _PLAIN,
        replace(_PLAIN, name="keyed_24_hours", idempotency_window=timedelta(hours=24)),
        replace(_PLAIN, name="conflict_on_repeat", repeat=RepeatBehaviour.CONFLICT, arrives_whole=False, finality=Finality.WEBHOOK),
        replace(_PLAIN, name="no_key_look_up", repeat=RepeatBehaviour.PAYS_AGAIN, arrives_whole=False),
        replace(
            _PLAIN,
            name="bulk_file",
            repeat=RepeatBehaviour.PAYS_AGAIN,
            looks_up=False,
            not_found_is_final_after=None,
            has_webhooks=False,
            finality=Finality.STATEMENT,
        ),
        replace(_PLAIN, name="absent_for_a_while", repeat=RepeatBehaviour.CONFLICT),
    )
}  # fmt: skip

# Each fault and the rates it is drawn from: per message, per transaction, per step or per order, as it comes.
FAULTS: Mapping[str, tuple[float, ...]] = {
    # the wire
    "request_lost": (0.05, 0.3, 0.7),
    "reply_lost": (0.05, 0.3, 0.7),
    "request_slow": (0.1, 0.4),
    "request_twice": (0.1, 0.4),
    "webhook_lost": (0.2, 0.8),
    "webhook_slow": (0.3, 0.8),
    "webhook_twice": (0.2, 0.6),
    # the provider
    "works_slowly": (0.3, 0.8),
    "drops_orders": (0.1, 0.4),
    "refuses": (0.1, 0.5),
    "refuses_strangely": (0.1, 0.4),
    "fails_later": (0.1, 0.4),
    "not_now": (0.2, 0.6),
    "another_amount": (0.1, 0.3),
    "tells_too_early": (0.2, 0.6),
    "returns": (0.1, 0.5),
    "outage": (0.005, 0.03),
    "statement": (0.005, 0.02),
    # our own side
    "commit_lost": (0.01, 0.1),
    "commit_reply_lost": (0.01, 0.1),
    "crash": (0.01, 0.05),
    "freeze": (0.02, 0.12),
    "clock_forward": (0.002, 0.01),
    "clock_back": (0.002, 0.01),
    "restore": (0.001, 0.004),
    # people
    "hold": (0.005, 0.03),
    "cancel": (0.003, 0.01),
    "stop": (0.003, 0.01),
    "finding": (0.01, 0.05),
    "repay": (0.01, 0.05),
}


# Faults that are dangerous in company, each with the provider they are dangerous at.
_COMPANY = (
    (("not_now", "freeze"), "keyed_for_ever"),
    (("not_now", "freeze"), "conflict_on_repeat"),
    (("reply_lost", "outage", "webhook_lost"), "keyed_24_hours"),
    (("drops_orders", "request_lost"), "absent_for_a_while"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swarm:
    """One seed's world."""

    profile: Profile
    payments: int
    workers: int
    steps: int
    rates: Mapping[str, float]


def draw(rng: random.Random) -> Swarm:
    """A random subset of the faults, each at a random rate: seeds differ in kind, not only in luck."""
    share = rng.choice((0.15, 0.3, 0.5, 0.8))
    name = rng.choice(sorted(PROFILES))
    rates = {fault: rng.choice(rates) for fault, rates in FAULTS.items() if rng.random() < share}
    if rng.random() < 0.25:
        faults, name = rng.choice(_COMPANY)
        rates |= {fault: max(FAULTS[fault]) for fault in faults}
    return Swarm(
        profile=PROFILES[name],
        payments=rng.randint(2, 5),
        workers=rng.randint(2, 3),
        steps=rng.randint(160, 340),
        rates=rates,
    )
