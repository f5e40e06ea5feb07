"""The ways out of a break, and which kinds of break each is a way out of."""

from __future__ import annotations

import enum
from collections.abc import Mapping


class WayOut(enum.StrEnum):
    """What a person found a break to be, when she closes it."""

    EXPLAINED = "explained"  # something else, which her reason says
    FEE = "fee"  # the bank's charge
    FUNDING = "funding"  # the factory's own money coming in
    FOREIGN = "foreign"  # none of wages: another use of the same account
    RETURNED = "returned"  # the money came back, here or another way
    REPAID = "repaid"  # the worker is paid again, to her account as it is now: opens a proposal that another person confirms
    REPAID_CASH = "repaid_cash"  # the same, in an envelope this once
    CONFIRMED = "confirmed"  # the booking is that payment, although its reference is missing


_ALWAYS = (WayOut.EXPLAINED,)
WAYS: Mapping[str, tuple[WayOut, ...]] = {
    "twice": (WayOut.RETURNED,),
    "account": (WayOut.RETURNED,),
    "currency": (WayOut.RETURNED,),
    "reversed": (WayOut.RETURNED,),
    "amount": (WayOut.FEE, WayOut.RETURNED, WayOut.REPAID),
    "missing": (WayOut.REPAID, WayOut.REPAID_CASH),
    "batch": (WayOut.FEE,),
    "unreferenced": (WayOut.CONFIRMED, WayOut.FOREIGN),
    "returned": (WayOut.REPAID, WayOut.REPAID_CASH),
    "partial_return": (WayOut.REPAID, WayOut.RETURNED),
    "foreign": (WayOut.FUNDING, WayOut.FOREIGN, WayOut.FEE),
    "fee": (WayOut.FEE, WayOut.FOREIGN),
}


def ways_out(kind: str) -> tuple[WayOut, ...]:
    """The ways out of a break of this kind, the likeliest first."""
    return (*WAYS.get(kind, ()), *_ALWAYS)
