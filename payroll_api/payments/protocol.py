r"""The rules that keep money safe, as pure decisions: what to do next with a dispatch. `verdict.py` has those about one order.

Nothing here reads a clock, a database or a wire. The SQL engine loads what is known under a lock, asks these functions, and carries
their answers out under guards; a simulation asks the same functions. The way of a dispatch:

    intent --(may_pass: the gate)--> sending --(an answer)--> open --(all orders final)--> closed
       \--(stopped before a byte left)--> closed, its orders withdrawn

- An intent that never passed the gate has sent nothing: whoever takes it up raises the fence first, and the old sender is refused there.
- After the gate bytes may have left. It is looked up, and given again only unchanged, under the next fence, where the provider
  recognises a repeated reference and still remembers it.
- "Not found" proves something only after enough answers over enough time since the last possible sending.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from connectors.payouts.contract import Finality, PayoutOutcome, PayoutStatus, Profile, RepeatBehaviour
from payroll_api.payments.verdict import OPEN, Change, OrderNow, Source, Word, decide

LONGEST_PAUSE = timedelta(minutes=30)
MOST_FENCES = 4  # the first sending and three repeats
# A repeat must arrive while the provider still remembers the reference, so it begins well before the window ends.
WINDOW_MARGIN = timedelta(minutes=5)
# How long after its gate a sender may begin. Looked up first thing, a dispatch is proven absent only much later than this.
SEND_WITHIN = timedelta(minutes=1)
_FASTEST_GROWTH = 10  # doublings of the pause


class Standing(Protocol):
    """What is asked of an order before it leaves. `OrderNow` answers it, and so does what is loaded for the gate alone."""

    @property
    def reference(self) -> str: ...  # noqa: D102 as in OrderNow
    @property
    def attempt_state(self) -> str: ...  # noqa: D102 the same
    @property
    def number(self) -> int: ...  # noqa: D102 the same
    @property
    def latest(self) -> int: ...  # noqa: D102 the same


class Leaving(Protocol):
    """What is asked of a dispatch before it leaves. `DispatchNow` answers it, and so does what is loaded for the gate alone."""

    @property
    def state(self) -> str: ...  # noqa: D102 as in DispatchNow
    @property
    def fence(self) -> int: ...  # noqa: D102 the same
    @property
    def sent_at(self) -> datetime | None: ...  # noqa: D102 the same
    @property
    def orders(self) -> Sequence[Standing]: ...  # noqa: D102 the same


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchNow:
    """A dispatch as it is stored at this moment, and its orders that are open or asked about. All times are aware UTC."""

    id: UUID
    state: str  # intent, sending, open, closed
    fence: int
    count: int  # of its orders, open or not, that went with it: without those of which nothing shows that it was ever there
    created_at: datetime  # when the intent was committed: nothing was sent before
    sent_at: datetime | None  # when it last passed the gate; None: never
    looked_up: int
    orders: Sequence[OrderNow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """How long and how often in a row the provider has said that it does not know an order."""

    reference: str
    since: datetime | None  # None: it is known again
    answers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Nothing is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """Ask the provider what became of it after a pause."""

    after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Give these orders again: the same references, accounts and amounts, under the next fence."""

    references: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPerson:
    """No machine may decide. It is still looked up after a pause: the provider may remember."""

    why: str  # see PERSON_REASONS
    after: timedelta


Step = Rest | LookUp | Repeat | AskPerson

PERSON_REASONS: Mapping[str, str] = {
    "pays_again": "the provider does not recognise a repeated order, so it must not be given again",
    "window_over": "the provider may have forgotten the reference by now, so it must not be given again",
    "repeated_enough": "it was given several times and never arrived",
    "changed_since": "an account is no longer the one that was sent, so the same message cannot be given again",
    "cannot_be_asked": 'the provider cannot be asked, and "not found" would prove nothing',
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What a look-up's answers are worth: words to record, counts of absence to keep, and what to do next."""

    words: Sequence[Word]
    absences: Sequence[Absence]
    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Whether a sender may begin: the orders that still stand, or why not ("fenced", "sent", "stopped", "withdrawn")."""

    references: Sequence[str] = ()
    refused: str | None = None


def may_pass(dispatch: Leaving, *, fence: int, is_stopped: bool) -> Gate:
    """Asked right before the first byte, under the dispatch's lock. What was withdrawn since the intent is left out."""
    if dispatch.fence != fence:
        return Gate(refused="fenced")
    if dispatch.state != "intent":
        return Gate(refused="sent")
    if is_stopped:
        return Gate(refused="stopped")
    standing = [order.reference for order in dispatch.orders if order.attempt_state == "intent" and order.number == order.latest]
    return Gate(references=standing) if standing else Gate(refused="withdrawn")


def may_still_send(dispatch: Leaving, references: Sequence[str], *, fence: int, now: datetime, slept: timedelta) -> bool:
    """Asked after the gate, as the very last thing before the first byte: a sender may have stood still since (frozen, swapped out).

    One that slept does not send. By now others may have taken the dispatch up, or proven that it never left; bytes that came after
    that, or after the provider has forgotten the reference, would pay a second time. `slept` is how long ago the gate was by a watch
    that nobody sets: the clock may have been put back meanwhile.
    """
    if dispatch.fence != fence or dispatch.state not in ("sending", "open") or dispatch.sent_at is None:
        return False
    still_open = {order.reference for order in dispatch.orders if order.attempt_state in OPEN}
    is_soon = timedelta(0) <= now - dispatch.sent_at <= SEND_WITHIN and slept <= SEND_WITHIN
    return still_open.issuperset(references) and is_soon


def may_withdraw(dispatch: DispatchNow, order: OrderNow) -> bool:
    """Whether an order can still be taken out of its message: nothing was sent, and the gate will leave it out from now on."""
    return dispatch.state == "intent" and order.attempt_state == "intent" and order.number == order.latest


def to_ask(dispatch: DispatchNow, profile: Profile, also: Sequence[str] = ()) -> list[str]:
    """The references to look up now. `also` are final ones that the provider says something new about."""
    if dispatch.state == "intent":
        return []
    by_hand = profile.finality is Finality.BY_HAND
    if not (profile.looks_up or by_hand):
        return []
    # What people confirm by hand cannot be asked for. But a list that was interrupted while it was written must become one.
    asked = [o.reference for o in dispatch.orders if o.attempt_state in OPEN and not (by_hand and o.attempt_state == "accepted")]
    return asked + [o.reference for o in dispatch.orders if o.attempt_state in ("paid", "rejected") and o.reference in also]


def pause(dispatch: DispatchNow, profile: Profile, now: datetime, shortest: timedelta) -> timedelta:
    """How long to wait before asking again: longer each time, but not past the moment when "not found" becomes an answer."""
    wait: timedelta = min(shortest * 2 ** min(dispatch.looked_up, _FASTEST_GROWTH), LONGEST_PAUSE)
    quiet = profile.not_found_is_final_after
    if quiet is None or dispatch.sent_at is None:
        return wait
    open_ = [order for order in dispatch.orders if order.attempt_state in OPEN]
    since = [max(order.absent_since or dispatch.sent_at, dispatch.sent_at) for order in open_]
    if any(order.absent_answers < profile.not_found_polls for order in open_ if order.absent_since is not None):
        wait = min(wait, max(shortest, quiet / profile.not_found_polls))
    return min([wait, *(moment + quiet - now for moment in since if moment + quiet > now)])


def weigh(
    dispatch: DispatchNow,
    answers: Sequence[PayoutOutcome],
    profile: Profile,
    now: datetime,
    *,
    fence: int,
    is_stopped: bool,
    shortest: timedelta,
) -> Weighed:
    """What a look-up's answers are worth.

    `dispatch` is as it is now, under its lock; `fence` is what it was when the look-up began. Where it was given again meanwhile, "not
    found" says nothing. While it is stopped, nothing is given again.
    """
    if dispatch.fence != fence:
        answers = [answer for answer in answers if answer.status is not PayoutStatus.NOT_FOUND]
    said = {answer.reference: answer for answer in answers}
    asked = [order for order in dispatch.orders if order.reference in said]
    counted = [(order, _absence(order, said[order.reference], dispatch, now)) for order in asked if _counts(order, said[order.reference])]
    absent = {reference for reference, answer in said.items() if answer.status is PayoutStatus.NOT_FOUND}
    proven = {
        order.reference
        for order, absence in counted
        if order.reference in absent and order.attempt_state in OPEN and not order.was_known and _is_proof(absence, profile, now)
    }
    open_ = [order for order in dispatch.orders if order.attempt_state in OPEN]
    never_arrived = len(open_) == dispatch.count and {order.reference for order in open_} <= proven
    if never_arrived or not profile.arrives_whole:
        again, gone = sorted(proven) if not is_stopped else [], set[str]()
    else:
        # Beyond its memory the provider may just have forgotten: then a person says what became of it.
        again, gone = ([], proven) if _remembers(dispatch, profile, now) else (sorted(proven), set())
    words = [
        Word(outcome=_gone(answer), source=Source.ENGINE) if answer.reference in gone else Word(outcome=answer, source=Source.LOOK_UP)
        for answer in answers
    ]
    wait = pause(dispatch, profile, now, shortest)
    step: Step = LookUp(after=wait) if _still_open(open_, words, profile) else Rest()
    if again:
        step = _again(dispatch, again, profile, now, wait)
    return Weighed(words=words, absences=[absence for _, absence in counted], step=step)


def after_answer(still_open: int, profile: Profile, shortest: timedelta) -> Step:
    """What follows an answer that left orders open. A provider's own message usually comes before the look-up."""
    if not still_open:
        return Rest()
    if profile.looks_up:
        return LookUp(after=shortest)
    return AskPerson(why="cannot_be_asked", after=LONGEST_PAUSE)


def is_overdue(order: OrderNow, since: datetime, profile: Profile, now: datetime) -> bool:
    """Whether an order has been without a final word for longer than its provider ever needs: an alarm, and a person's."""
    return order.payment_state in ("submitting", "unknown", "accepted") and now - since >= profile.overdue_after


def why_not_again(dispatch: DispatchNow, profile: Profile, now: datetime) -> str | None:
    """Why a dispatch that may have been sent must not be given again; None where a repeat can never pay twice."""
    if profile.repeat is RepeatBehaviour.PAYS_AGAIN:
        return "pays_again"
    if not _remembers(dispatch, profile, now):
        return "window_over"
    return "repeated_enough" if dispatch.fence >= MOST_FENCES else None


def _remembers(dispatch: DispatchNow, profile: Profile, now: datetime) -> bool:
    """Counted from the intent: the provider cannot have seen the reference before, and may have seen it at any moment since."""
    window = profile.idempotency_window
    return window is None or now - dispatch.created_at < window - min(WINDOW_MARGIN, window / 2)


def _again(dispatch: DispatchNow, references: Sequence[str], profile: Profile, now: datetime, wait: timedelta) -> Step:
    why = why_not_again(dispatch, profile, now)
    return Repeat(references=references) if why is None else AskPerson(why=why, after=wait)


def _counts(order: OrderNow, answer: PayoutOutcome) -> bool:
    return answer.status is PayoutStatus.NOT_FOUND or order.absent_answers > 0


def _absence(order: OrderNow, answer: PayoutOutcome, dispatch: DispatchNow, now: datetime) -> Absence:
    """Only an unbroken row counts, and only since the last sending: an answer from before says nothing about it."""
    sent, since, answers = dispatch.sent_at or dispatch.created_at, order.absent_since, order.absent_answers
    if since is None or since < sent:
        since, answers = None, 0
    if answer.status is PayoutStatus.NOT_FOUND:
        return Absence(reference=order.reference, since=since or now, answers=answers + 1)
    # No answer at all proves nothing either way and does not break the row; any word that is one does.
    heard = answer.status is not PayoutStatus.UNKNOWN
    return Absence(reference=order.reference, since=None if heard else since, answers=0 if heard else answers)


def _is_proof(absence: Absence, profile: Profile, now: datetime) -> bool:
    quiet = profile.not_found_is_final_after
    return quiet is not None and absence.since is not None and absence.answers >= profile.not_found_polls and now - absence.since >= quiet


def _gone(answer: PayoutOutcome) -> PayoutOutcome:
    detail = "the provider took the message without this order"
    return dataclasses.replace(answer, status=PayoutStatus.REJECTED, code="not_received", detail=detail)


def _still_open(orders: Sequence[OrderNow], words: Sequence[Word], profile: Profile) -> bool:
    by_reference = {word.outcome.reference: word for word in words}
    for order in orders:
        word = by_reference.get(order.reference)
        verdict = decide(order, word, profile) if word is not None else None
        if not (isinstance(verdict, Change) and verdict.state not in OPEN):
            return True
    return False
