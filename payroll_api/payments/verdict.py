"""What a word about an order makes of its attempt and its payment: the pure half of `outcomes.py`, and the same for a simulation."""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from connectors.payouts.contract import Finality, PayoutOutcome, PayoutStatus, Profile
from importers.money import Money
from payroll_api.audit.journal import Event
from payroll_api.ledger.book import Account, Cause, Transfer
from payroll_api.payments.states import TRANSITIONS

OPEN = frozenset({"intent", "accepted", "unknown"})  # attempts whose end is not known
FAILED = frozenset({"rejected", "returned"})  # attempts after which a new one may be decided
# Words that make an order doubtful which the provider had already taken. A look-up without an answer is no such word.
_DOUBTS = frozenset({"amount_differs", "payee_differs", "not_proven"})
# Refusals that a provider may give before it looks whether it has the reference: of a message given again they say nothing about the first.
_AT_THE_DOOR = frozenset({"temporary", "not_authorised", "invalid_order"})
# Ends after which a provider that says it took the order cannot be right: nothing had arrived there, or people found so.
_NEVER_TAKEN = frozenset({"not_received", "withdrawn", "temporary", "not_authorised", "found_out"})
# Where a payment stands when none of its attempts is open or has paid.
_NOTHING_OUT = frozenset({"rejected", "returned", "ready", "held", "cancelled"})


class Source(enum.StrEnum):
    """Whose word it is, and so what it is worth."""

    ANSWER = "answer"  # to the sending itself
    LOOK_UP = "look_up"
    MESSAGE = "message"  # the provider called
    STATEMENT = "statement"  # the provider's books
    PEOPLE = "people"  # two people who saw evidence, or who counted signed envelopes
    ENGINE = "engine"  # our own proof: withdrawn before the gate, or never received


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNow:
    """An attempt and its payment as they are stored at this moment."""

    reference: str
    payment_id: UUID
    run_id: UUID
    rail: UUID  # the provider account
    number: int
    latest: int  # number of the payment's attempt that counts: the latest, or an earlier one that people found to have paid
    attempt_state: str
    payment_state: str
    amount: Money
    attempt_code: str | None = None
    was_known: bool = False  # the provider has had it at some time: "not found" about it proves nothing
    absent_since: datetime | None = None
    absent_answers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One outcome and whose it is."""

    outcome: PayoutOutcome
    source: Source
    is_repeat: bool = False  # an answer to a message that had perhaps been sent before


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A legal step of a payment and its latest attempt: both get `state`."""

    order: OrderNow
    outcome: PayoutOutcome  # as far as it is believed
    was: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A word that moves nothing: repeated, late, about an earlier attempt, or none at all.

    `contradicts` is set when it says that money moved where we have proof of the opposite, or the other way round: nothing moves back,
    nobody is paid again, and a person finds out.
    """

    order: OrderNow
    outcome: PayoutOutcome
    why: str  # "nothing", "history", "no_step"
    contradicts: bool


def believed(order: OrderNow, word: Word, profile: Profile | None) -> PayoutOutcome:
    """The word, cut down to what it proves. `profile` may be missing only where the word does not hang on the provider's behaviour."""
    outcome = word.outcome
    if word.source in (Source.PEOPLE, Source.ENGINE):
        return outcome
    if outcome.amount is not None and outcome.amount != order.amount and outcome.status is not PayoutStatus.NOT_FOUND:
        # A word about another amount than was approved is no word about this payment: open until somebody finds out why.
        return _doubt(outcome, "amount_differs", "the provider states another amount than was ordered")
    if outcome.status is PayoutStatus.REJECTED and (profile is None or outcome.code not in profile.proves_failure):
        return _doubt(outcome, "not_proven", f"refused ({outcome.code or 'without a reason'}), which does not prove that no money moved")
    if outcome.status is PayoutStatus.REJECTED and word.is_repeat and outcome.code in _AT_THE_DOOR:
        return _doubt(outcome, "not_proven", f"given again and refused ({outcome.code}): the first sending may have arrived all the same")
    if outcome.status is PayoutStatus.PAID and word.source is not Source.STATEMENT and not _may_confirm(word.source, profile):
        return dataclasses.replace(outcome, status=PayoutStatus.ACCEPTED)
    return outcome


def decide(order: OrderNow, word: Word, profile: Profile | None) -> Change | Ignored:
    """What a word makes of an order. Whatever is no legal step changes nothing: no order of words takes a final state back."""
    outcome = believed(order, word, profile)
    state = outcome.status.value
    if outcome.status is PayoutStatus.NOT_FOUND:
        return Ignored(order=order, outcome=outcome, why="nothing", contradicts=False)
    if order.number != order.latest and not _paid_after_all(order, word):
        return Ignored(order=order, outcome=outcome, why="history", contradicts=_contradicts(order, word))
    # Out of a failure leads only what two people found out; every other word comes too late.
    is_legal = state in TRANSITIONS[order.payment_state] and (
        order.attempt_state not in FAILED or (order.attempt_state == "rejected" and word.source is Source.PEOPLE)
    )
    if order.payment_state == "accepted" and outcome.status is PayoutStatus.UNKNOWN and outcome.code not in _DOUBTS:
        is_legal = False
    if not is_legal:
        return Ignored(order=order, outcome=outcome, why="no_step", contradicts=_contradicts(order, word))
    return Change(order=order, outcome=outcome, was=order.payment_state, state=state)


def _paid_after_all(order: OrderNow, word: Word) -> bool:
    """Whether two people find that an earlier attempt paid, while none after it did or may yet: then that one counts."""
    found = word.source is Source.PEOPLE and word.outcome.status is PayoutStatus.PAID
    return found and order.attempt_state == "rejected" and order.payment_state in _NOTHING_OUT


def _may_confirm(source: Source, profile: Profile | None) -> bool:
    """Whether a word of this kind makes money paid at this provider; it is only taken for accepted where not."""
    if profile is None or profile.finality in (Finality.STATEMENT, Finality.BY_HAND):
        return False
    return profile.finality is Finality.WEBHOOK or source is not Source.MESSAGE


def _doubt(outcome: PayoutOutcome, code: str, detail: str) -> PayoutOutcome:
    return dataclasses.replace(outcome, status=PayoutStatus.UNKNOWN, code=code, detail=detail)


def _contradicts(order: OrderNow, word: Word) -> bool:
    said = word.outcome.status
    if order.attempt_state == "rejected":
        return said is PayoutStatus.PAID or (said is PayoutStatus.ACCEPTED and order.attempt_code in _NEVER_TAKEN)
    if order.attempt_state == "paid":
        differs = word.outcome.amount is not None and word.outcome.amount != order.amount
        elsewhere = word.outcome.code == "payee_differs"
        return said is PayoutStatus.REJECTED or elsewhere or (said in (PayoutStatus.PAID, PayoutStatus.RETURNED) and differs)
    return False


def may_try_again(order: OrderNow) -> bool:
    """Whether a new attempt may be decided at all: only after the latest one failed for sure. Never by itself: people decide."""
    return order.number == order.latest and order.attempt_state in FAILED and order.payment_state in FAILED


def transfers(change: Change) -> list[Transfer]:
    """What a change moves in the ledger. Handing over was booked with the intent."""
    rail = change.order.rail
    transit = f"{Account.IN_TRANSIT}:{rail}"
    holding = {
        "ready": str(Account.WAGES_PAYABLE),
        "held": str(Account.WAGES_PAYABLE),
        "cancelled": str(Account.WAGES_DUE),
        "unknown": str(Account.SUSPENSE),
        "paid": f"{Account.BANK}:{rail}",
        "rejected": str(Account.WAGES_PAYABLE),
        "returned": str(Account.RETURNS),
    }
    source, target = holding.get(change.was, transit), holding.get(change.state, transit)
    if source == target:
        return []
    causes = {"unknown": Cause.UNCERTAIN, "paid": Cause.CONFIRMED, "rejected": Cause.FAILED, "returned": Cause.RETURNED}
    return [
        Transfer(
            run_id=change.order.run_id,
            payment_id=change.order.payment_id,
            attempt=change.order.number,
            cause=causes.get(change.state, Cause.CERTAIN),
            debit=source,
            credit=target,
            currency=change.order.amount.currency.code,
            amount_minor=change.order.amount.minor,
        )
    ]


def event(change: Change, actor: str) -> Event:
    """The audit event of a change."""
    return Event(
        actor=actor,
        action=f"payment.{change.state}",
        subject=f"payment:{change.order.payment_id}",
        data={
            "reference": change.outcome.reference,
            "attempt": change.order.number,
            "code": change.outcome.code,
            "was": change.was,
        },
    )
