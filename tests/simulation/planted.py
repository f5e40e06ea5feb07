"""Known bugs, each as the rules with one of them changed: the simulation must catch every one of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.payouts.contract import PayoutOutcome, PayoutStatus, Profile, RepeatBehaviour
from payroll_api.payments import protocol, verdict
from payroll_api.payments.protocol import DispatchNow, Weighed
from payroll_api.payments.verdict import Change, Ignored, OrderNow, Source, Word
from tests.simulation.rules import Rules


def _silence_is_failure(references: Sequence[str]) -> list[PayoutOutcome]:
    return [PayoutOutcome(reference=one, status=PayoutStatus.REJECTED, code="temporary") for one in references]


def _absent_is_failure(dispatch: DispatchNow, answers: Sequence[PayoutOutcome], profile: Profile, now: datetime, **rest: Any) -> Weighed:
    weighed = protocol.weigh(dispatch, answers, profile, now, **rest)
    words = [
        Word(outcome=dataclasses.replace(one.outcome, status=PayoutStatus.REJECTED, code="not_received"), source=Source.ENGINE)
        if one.outcome.status is PayoutStatus.NOT_FOUND
        else one
        for one in weighed.words
    ]
    return dataclasses.replace(weighed, words=words)


def _without_window(dispatch: DispatchNow, answers: Sequence[PayoutOutcome], profile: Profile, now: datetime, **rest: Any) -> Weighed:
    return protocol.weigh(dispatch, answers, dataclasses.replace(profile, idempotency_window=None), now, **rest)


def _pays_again_forgotten(dispatch: DispatchNow, answers: Sequence[PayoutOutcome], profile: Profile, now: datetime, **rest: Any) -> Weighed:
    return protocol.weigh(dispatch, answers, dataclasses.replace(profile, repeat=RepeatBehaviour.CONFLICT), now, **rest)


def _counted_across(dispatch: DispatchNow, answers: Sequence[PayoutOutcome], profile: Profile, now: datetime, **rest: Any) -> Weighed:
    long_ago = dataclasses.replace(dispatch, sent_at=dispatch.created_at - timedelta(days=400))
    return protocol.weigh(long_ago, answers, profile, now, **rest)


def _amount_not_compared(order: OrderNow, word: Word, profile: Profile | None) -> Change | Ignored:
    return verdict.decide(order, dataclasses.replace(word, outcome=dataclasses.replace(word.outcome, amount=None)), profile)


def _every_refusal_is_proof(order: OrderNow, word: Word, profile: Profile | None) -> Change | Ignored:
    if profile is not None and word.outcome.code is not None:
        profile = dataclasses.replace(profile, proves_failure=profile.proves_failure | {word.outcome.code})
    return verdict.decide(order, word, profile)


def _late_word_counts(order: OrderNow, word: Word, profile: Profile | None) -> Change | Ignored:
    found = verdict.decide(order, word, profile)
    said = found.outcome.status.value
    is_late = isinstance(found, Ignored) and found.why == "no_step" and order.payment_state in ("paid", "rejected", "returned")
    if is_late and said != order.payment_state:
        return Change(order=order, outcome=found.outcome, was=order.payment_state, state=said)
    return found


def _message_is_final(order: OrderNow, word: Word, profile: Profile | None) -> Change | Ignored:
    source = Source.LOOK_UP if word.source is Source.MESSAGE else word.source
    return verdict.decide(order, dataclasses.replace(word, source=source), profile)


def _always(*_: Any, **__: Any) -> bool:
    return True


# Two of them would be caught by the sender's last look as well, so that look is taken out with them.
PLANTED: Mapping[str, Rules] = {
    "silence_is_failure": Rules(on_silence=_silence_is_failure),
    "absent_is_failure": Rules(weigh=_absent_is_failure),
    "fence_ignored": Rules(looks_at_fence=False),
    "window_ignored": Rules(weigh=_without_window),
    "given_again_where_it_pays_again": Rules(weigh=_pays_again_forgotten),
    "another_reference_on_repeat": Rules(salt_on_repeat="R", may_still_send=_always),
    "absence_counted_across_a_repeat": Rules(weigh=_counted_across),
    "gate_not_asked": Rules(asks_gate=False, may_still_send=_always),
    "message_believed": Rules(asks_about_messages=False, decide=_message_is_final),
    "amount_not_compared": Rules(decide=_amount_not_compared),
    "every_refusal_is_proof": Rules(decide=_every_refusal_is_proof),
    "late_word_counts": Rules(decide=_late_word_counts),
    "sleeper_sends": Rules(may_still_send=_always),
    "restored_database_sends": Rules(compares_epoch=False),
    "counted_before_the_gate": Rules(counts_after_gate=False),
}
