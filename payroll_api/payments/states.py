"""The states of a payment and every way between them: one table for the code and for the SQL guards."""

from __future__ import annotations

from collections.abc import Mapping

# From -> to, and what makes it happen. Whatever is not here does not happen.
TRANSITIONS: Mapping[str, Mapping[str, str]] = {
    "held": {
        "ready": "a person released the hold",
        "paid": "two people found out that an earlier attempt had arrived after all",
        "cancelled": "a person took the worker out of the run",
    },
    "ready": {
        "submitting": "an intent with its reference was committed; bytes may leave from now on",
        "held": "a person or a rule stopped this one worker",
        "paid": "two people found out that an earlier attempt had arrived after all",
        "cancelled": "a person cancelled before anything was sent",
    },
    "submitting": {
        "accepted": "the provider took the order",
        "paid": "the provider executed it at once",
        "rejected": "the provider refused it conclusively: no money moved",
        "returned": "it came back before we heard that it had left",
        "unknown": "no answer, or none that can be understood: money may have moved",
        "held": "a person stopped it before a byte of its message left",
        "cancelled": "a person gave it up before a byte of its message left",
    },
    "unknown": {
        "accepted": "a look-up or the provider's message found the order",
        "paid": "a look-up, a message or the statement shows that the money arrived",
        "rejected": "proof that no money moved",
        "returned": "it moved and came back",
    },
    "accepted": {
        "paid": "a look-up or the statement confirms it",
        "rejected": "the provider refused it after taking it: no money moved",
        "returned": "it moved and came back",
        "unknown": "the provider said something that cannot be so: another amount, or a refusal that proves nothing",
    },
    "rejected": {
        "ready": "a new attempt was decided: only after conclusive failure",
        "cancelled": "a person gave up paying it this way",
        "paid": "two people found out that the money had moved after all",
    },
    "paid": {
        "returned": "the money came back days later",
    },
    "returned": {
        "ready": "a new attempt was decided",
        "cancelled": "a person gave up paying it this way",
        "paid": "two people found out that an earlier attempt had arrived after all",
    },
    "cancelled": {
        "paid": "two people found out that it had arrived after all, and nothing else pays for it",
    },
}

STATES = tuple(TRANSITIONS)
# Nothing more happens to it in this run: a held payment still waits for a person, so it is not among them.
AT_REST = ("paid", "rejected", "returned", "cancelled")
MOVING = tuple(state for state in STATES if state not in AT_REST)  # named, so that an index finds them among a run that is nearly done


def sources(target: str) -> list[str]:
    """The states from which `target` can be reached: the guard of an UPDATE."""
    return [state for state, ways in TRANSITIONS.items() if target in ways]
