"""What two thousand seeds must have seen: each fault in every payment state it can meet, and every decision of the protocol."""

from __future__ import annotations

from payroll_api.payments.protocol import PERSON_REASONS
from payroll_api.payments.states import STATES, TRANSITIONS

# At any moment something of these may happen, whatever the payments' states are.
_AT_ANY_TIME = (
    "commit_lost", "commit_reply_lost", "crash", "freeze", "clock_forward", "clock_back", "outage", "restore",
    "hold", "cancel", "stop", "finding", "repay", "statement",
)  # fmt: skip
# An order reaches the provider while it is being sent, or when it is sent again with its end unknown.
_AT_THE_PROVIDER = (
    "works_slowly", "drops_orders", "refuses", "refuses_strangely", "fails_later", "not_now", "another_amount", "tells_too_early",
    "request_slow", "request_twice",
)  # fmt: skip
# Requests are looked up as well, and messages come about whatever the provider took.
_ASKED = ("request_lost", "reply_lost", "webhook_lost", "webhook_slow", "webhook_twice")

MET = frozenset(
    {(fault, state) for fault in _AT_ANY_TIME for state in STATES}
    | {(fault, state) for fault in _AT_THE_PROVIDER for state in ("submitting", "unknown")}
    | {(fault, state) for fault in _ASKED for state in ("submitting", "unknown", "accepted", "paid")}
    | {("returns", state) for state in ("submitting", "unknown", "accepted")}
)

# Asked only of a provider whose accounts change or who cannot be asked at all: the simulated ones do neither after a look-up.
_UNREACHED = {"changed_since", "cannot_be_asked"}
# Two people contradict a proof of failure, or a provider its own word: no provider here tells such an untruth.
_NOT_HERE = {"rejected->paid", "ready->paid", "held->paid", "returned->paid", "cancelled->paid"}

NAMED = frozenset(
    {("way", f"{was}->{to}") for was, ways in TRANSITIONS.items() for to in ways if f"{was}->{to}" not in _NOT_HERE}
    | {("gate", what) for what in ("passed", "fenced", "sent", "stopped", "taken_up")}
    | {("step", what) for what in ("Rest", "LookUp", "Repeat", *(why for why in PERSON_REASONS if why not in _UNREACHED))}
    | {("after_answer", what) for what in ("Rest", "LookUp", "AskPerson")}
    | {("ignored", what) for what in ("history", "no_step", "no_step!")}
    | {("adopted", what) for what in ("yes", "after rejected")}
    | {("answer", "fenced_out"), ("still_send", "no"), ("locked", "database_older"), ("message", "known")}
)
