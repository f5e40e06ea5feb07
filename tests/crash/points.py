"""The 53 points at which paying wages can break, and how each is brought about: the list that the crash matrix works through.

A point is reached in the code (a failpoint of that name, see `payroll_api.failpoints`), on the wire (the simulated provider, or a proxy
in front of it or of PostgreSQL, does it), by the order of events, or by the machine underneath.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class Means(enum.StrEnum):
    """What brings a point about."""

    CODE = "code"  # a failpoint
    WIRE = "wire"  # the provider or a proxy
    ORDER = "order"  # who comes when
    MACHINE = "machine"  # processes, disk, clock, keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One of the 53: what happens, and the failpoint that is armed for it, if one is.

    `impossible` are kinds of provider at which it cannot happen, each with why; everywhere else a run that does not reach it is a failure.
    """

    what: str
    means: Means
    failpoint: str | None = None
    impossible: Mapping[str, str] = field(default_factory=dict)


def _code(what: str, failpoint: str) -> Point:
    return Point(what=what, means=Means.CODE, failpoint=failpoint)


def _wire(what: str) -> Point:
    return Point(what=what, means=Means.WIRE)


def _order(what: str, failpoint: str | None = None, impossible: Mapping[str, str] | None = None) -> Point:
    return Point(what=what, means=Means.ORDER, failpoint=failpoint, impossible=impossible or {})


def _machine(what: str, failpoint: str | None = None) -> Point:
    return Point(what=what, means=Means.MACHINE, failpoint=failpoint)


POINTS: Mapping[str, Point] = {
    "A1": _code("after the file is kept, before its batch is committed", "A1"),
    "A2": _code("after the batch is committed, before the answer", "A2"),
    "A3": _order("two approvers at once; one person twice; an edit racing the approval"),
    "A4": _code("after the release, before what pays it is asked for: one transaction", "A4"),
    "A5": _wire("the reply to the approval's COMMIT is lost"),
    "B1": _code("after a job is taken, before the intent", "B1"),
    "B2": _code("after the intent is committed, before connecting", "B2"),
    "B3": _wire("connected, no byte sent"),
    "B4": _wire("half of the request sent"),
    "B5": _wire("the whole request sent, the provider executes after our time-out"),
    "B6": _wire("the provider executed, its answer is lost"),
    "B7": _code("the answer is read, not recorded", "B7"),
    "B8": _code("recorded, not committed", "B8"),
    "B9a": _wire("COMMIT of the answer sent, done, its reply lost"),
    "B9b": _wire("COMMIT of the answer never arrives"),
    "B10": _code("committed, the job not given back", "B10"),
    "B11": _machine("frozen between intent and sending for longer than its job is its own; another takes over; it wakes and sends", "B2"),
    "B12": _wire("429, 500, 503, HTML, empty, cut answers; another amount or payee echoed"),
    "B13": _wire("409 'already exists' at the first try after a crash while sending"),
    "B14": _order("the provider has forgotten the reference before it is tried again"),
    "B15": _wire("of a file the provider takes k of n and its answer is lost; the same file taken twice"),
    "B16": _wire("no name, no TLS, a redirect to another host"),
    "B17": _wire("the factory's account at the provider runs dry in the middle"),
    "B18": _order("cancelled or switched off between the intent and the sending", "B2"),
    "C1": _code("a provider's message verified, not stored", "C1"),
    "C2": _code("stored, not committed", "C2"),
    "C3": _code("committed, not answered: it is delivered again", "C3"),
    "C4": _order("the message comes before the answer is recorded", "B7"),
    "C5": _order("a message about an attempt whose sending was never recorded"),
    "C6": _order("a message about a reference that we never made"),
    "C7": _order("every order of accepted, paid, failed and returned, with duplicates"),
    "C8": _order("fifty identical messages at once"),
    "C9": _order("a look-up and a message at once", "C9", {"bulk_file": "nobody can be asked there: no look-up is ever made"}),
    "D1": _code("in the middle of taking a statement", "D1"),
    "D2": _order("the same statement twice, and overlapping ones"),
    "D3": _wire("a line without a payment"),
    "D4": _wire("a payment without a line after the cut-off"),
    "D5": _wire("another amount, currency or account in the statement"),
    "D6": _order("a return after the payment was settled; a partial return"),
    "E1": _code("between booking and audit: one transaction", "E1"),
    "E2": _code("the sealer dies before its block, and between block and checkpoint", "E2"),
    "F1": _code("the gateway took the slip, nothing recorded", "F1"),
    "F2": _code("the number changes between composing and sending", "F2"),
    "G1": _machine("every process of PostgreSQL killed"),
    "G2": _machine("the disk gives errors on fsync"),
    "G3": _machine("the disk is full"),
    "G4": _machine("no connection is left in the pool"),
    "G5": _machine("the clock jumps a day ahead, a day back"),
    "G6": _machine("SIGTERM in the middle of sending"),
    "G7": _machine("an older dump is restored"),
    "G8": _machine("two schedulers started by mistake"),
    "G9": _machine("the worker or the reader of sheets is killed for its memory", "B8"),
    "G10": _machine("the keys cannot be had", "G10"),
}
