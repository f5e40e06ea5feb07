"""What follows for a dispatch, for whatever a provider says and whenever: asked of the pure decisions, without a database."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.payouts.contract import (
    Finality,
    PayoutOutcome,
    PayoutStatus,
    Profile,
    RepeatBehaviour,
)
from payroll_api.payments.protocol import (
    MOST_FENCES,
    AskPerson,
    LookUp,
    Repeat,
    Rest,
    after_answer,
    is_overdue,
    may_pass,
    may_still_send,
    may_withdraw,
    to_ask,
    weigh,
)
from payroll_api.payments.verdict import OPEN, OrderNow, Source, decide, may_try_again
from tests.payroll_api.paying_rules import BANK, START, dispatch, moved, order, profiles

# --- the gate -------------------------------------------------------------------------------------------------------------------


@given(state=st.sampled_from(["intent", "sending", "open", "closed"]), fence=st.integers(1, 3), mine=st.integers(1, 3), stop=st.booleans())
def test_a_sender_passes_the_gate_once_under_its_own_fence_and_never_while_stopped(state: str, fence: int, mine: int, stop: bool) -> None:
    here = dispatch(order("GW1"), order("GW2", attempt_state="rejected", payment_state="held"), state=state, fence=fence)
    gate = may_pass(here, fence=mine, is_stopped=stop)
    assert (gate.refused is None) == (state == "intent" and fence == mine and not stop)
    assert list(gate.references) == (["GW1"] if gate.refused is None else [])


def test_what_was_withdrawn_whole_is_not_sent_at_all() -> None:
    here = dispatch(order(attempt_state="rejected", payment_state="cancelled"), state="intent")
    assert may_pass(here, fence=1, is_stopped=False).refused == "withdrawn"


def test_a_sender_that_slept_since_its_gate_or_was_overtaken_does_not_send() -> None:
    here, soon, late = dispatch(order("GW1"), state="sending"), START + timedelta(seconds=5), START + timedelta(seconds=61)
    slept = timedelta(seconds=5)
    assert may_still_send(here, ["GW1"], fence=1, now=soon, slept=slept)
    assert not may_still_send(here, ["GW1"], fence=1, now=late, slept=slept)
    assert not may_still_send(here, ["GW1"], fence=1, now=START - timedelta(seconds=1), slept=slept)
    assert not may_still_send(dataclasses.replace(here, fence=2), ["GW1"], fence=1, now=soon, slept=slept)
    assert not may_still_send(dataclasses.replace(here, state="closed"), ["GW1"], fence=1, now=soon, slept=slept)
    assert not may_still_send(here, ["GW1", "GW2"], fence=1, now=soon, slept=slept)


def test_a_sender_that_slept_is_not_fooled_by_a_clock_that_was_set_back_while_it_slept() -> None:
    here, soon = dispatch(order("GW1"), state="sending"), START + timedelta(seconds=5)
    assert not may_still_send(here, ["GW1"], fence=1, now=soon, slept=timedelta(hours=2))


@pytest.mark.parametrize("state", ["sending", "open", "closed"])
def test_after_the_gate_nothing_can_be_withdrawn(state: str) -> None:
    assert may_withdraw(dispatch(order(), state="intent"), order())
    assert not may_withdraw(dispatch(order(), state=state), order())


# --- looking up -----------------------------------------------------------------------------------------------------------------


def absent(*orders: OrderNow) -> list[PayoutOutcome]:
    """The provider knows none of these."""
    return [PayoutOutcome(reference=one.reference, status=PayoutStatus.NOT_FOUND) for one in orders]


def polls(profile: Profile, minutes: Sequence[int], **known: object) -> object:
    """What follows when the provider does not know the whole dispatch at each of these minutes."""
    here, step = dispatch(order("GW1"), order("GW2"), **known), None
    for minute in minutes:
        now = START + timedelta(minutes=minute)
        weighed = weigh(here, absent(*here.orders), profile, now, fence=here.fence, is_stopped=False, shortest=timedelta(seconds=20))
        counted = {absence.reference: absence for absence in weighed.absences}
        orders = [
            dataclasses.replace(one, absent_since=counted[one.reference].since, absent_answers=counted[one.reference].answers)
            for one in here.orders
        ]
        here, step = dataclasses.replace(here, orders=orders), weighed.step
    return step


@given(st.lists(st.integers(0, 60), min_size=1, max_size=8).map(sorted), profiles)
def test_not_found_counts_only_after_enough_answers_over_enough_time(minutes: list[int], profile: Profile) -> None:
    step = polls(profile, minutes)
    quiet = profile.not_found_is_final_after
    enough = quiet is not None and len(minutes) >= profile.not_found_polls and timedelta(minutes=minutes[-1] - minutes[0]) >= quiet
    assert isinstance(step, Repeat | AskPerson) == enough


@given(st.integers(0, 60 * 48), profiles, st.integers(1, MOST_FENCES + 1))
def test_nothing_is_given_again_beyond_the_window_or_where_it_would_pay_again(minutes: int, profile: Profile, fence: int) -> None:
    count = profile.not_found_polls
    step = polls(profile, [*[minutes] * count, *[minutes + 10] * count], fence=fence)
    if isinstance(step, Repeat):
        assert profile.repeat is not RepeatBehaviour.PAYS_AGAIN
        assert profile.idempotency_window is None or timedelta(minutes=minutes + 10) < profile.idempotency_window
        assert fence < MOST_FENCES
        assert list(step.references) == ["GW1", "GW2"]


def test_a_provider_that_does_not_know_repeats_is_never_given_an_order_again() -> None:
    profile = dataclasses.replace(BANK, repeat=RepeatBehaviour.PAYS_AGAIN, idempotency_window=None)
    assert isinstance(polls(BANK, [20, 20, 20, 30, 30, 30], fence=1), Repeat)
    step = polls(profile, [20, 20, 20, 30, 30, 30], fence=1)
    assert isinstance(step, AskPerson)
    assert step.why == "pays_again"


def test_the_providers_memory_is_counted_from_the_intent_and_not_from_the_last_sending() -> None:
    profile, minutes = dataclasses.replace(BANK, idempotency_window=timedelta(hours=24)), [20, 20, 20, 30, 30, 30]
    assert isinstance(polls(profile, minutes), Repeat)
    step = polls(profile, minutes, created_at=START - timedelta(hours=24))  # sent again at START, a day after it was first meant
    assert isinstance(step, AskPerson)
    assert step.why == "window_over"


def test_an_answer_from_before_the_message_was_given_again_proves_nothing() -> None:
    old = order(absent_since=START - timedelta(hours=1), absent_answers=9)
    profile, now = dataclasses.replace(BANK, not_found_polls=1), START + timedelta(minutes=11)
    weighed = weigh(dispatch(old), absent(old), profile, now, fence=1, is_stopped=False, shortest=timedelta(seconds=20))
    assert isinstance(weighed.step, LookUp)
    assert [(one.since, one.answers) for one in weighed.absences] == [(now, 1)]
    meanwhile = dispatch(dataclasses.replace(old, absent_since=START), fence=2)
    weighed = weigh(meanwhile, absent(old), profile, now, fence=1, is_stopped=False, shortest=timedelta(seconds=20))
    assert isinstance(weighed.step, LookUp)


def _long_absent(reference: str, **known: object) -> OrderNow:
    return order(reference, absent_since=START, absent_answers=9, **known)


@pytest.mark.parametrize("arrives_whole", [True, False])
def test_an_order_missing_from_a_message_that_arrived_will_never_come_but_one_sent_by_itself_may(arrives_whole: bool) -> None:
    missing, there = _long_absent("GW1"), order("GW2")
    answers = [*absent(missing), PayoutOutcome(reference="GW2", status=PayoutStatus.ACCEPTED)]
    profile = dataclasses.replace(BANK, arrives_whole=arrives_whole)
    now = START + timedelta(minutes=11)
    weighed = weigh(dispatch(missing, there), answers, profile, now, fence=1, is_stopped=False, shortest=timedelta(seconds=20))
    concluded = [word.outcome.code for word in weighed.words if word.source is Source.ENGINE]
    assert concluded == (["not_received"] if arrives_whole else [])
    assert isinstance(weighed.step, LookUp) if arrives_whole else weighed.step == Repeat(references=["GW1"])


def test_an_order_that_the_provider_once_had_is_neither_called_refused_nor_given_again() -> None:
    forgotten = _long_absent("GW1", was_known=True, attempt_state="accepted", payment_state="accepted")
    now = START + timedelta(days=40)
    for whole in (True, False):
        profile = dataclasses.replace(BANK, arrives_whole=whole)
        weighed = weigh(dispatch(forgotten), absent(forgotten), profile, now, fence=1, is_stopped=False, shortest=timedelta(seconds=20))
        assert isinstance(weighed.step, LookUp)
        assert all(word.outcome.status is PayoutStatus.NOT_FOUND for word in weighed.words)


def test_what_never_went_with_a_message_is_not_counted_among_what_arrived() -> None:
    """One of two was withdrawn before the gate, the other never arrived: the whole message did not, so it is given again."""
    lost, now = _long_absent("GW1"), START + timedelta(minutes=11)
    weighed = weigh(dispatch(lost, count=1), absent(lost), BANK, now, fence=1, is_stopped=False, shortest=timedelta(seconds=20))
    assert weighed.step == Repeat(references=["GW1"])
    assert [word.source for word in weighed.words] == [Source.LOOK_UP]


def test_a_refused_order_that_is_asked_about_again_is_never_given_again() -> None:
    refused = _long_absent("GW1", attempt_state="rejected", payment_state="ready")
    profile = dataclasses.replace(BANK, arrives_whole=False)
    now = START + timedelta(minutes=11)
    weighed = weigh(dispatch(refused), absent(refused), profile, now, fence=1, is_stopped=False, shortest=timedelta(seconds=20))
    assert weighed.step == Rest()


def test_while_it_is_stopped_nothing_is_given_again() -> None:
    gone = _long_absent("GW1")
    now = START + timedelta(minutes=11)
    weighed = weigh(dispatch(gone), absent(gone), BANK, now, fence=1, is_stopped=True, shortest=timedelta(seconds=20))
    assert isinstance(weighed.step, LookUp)


def test_a_look_up_without_an_answer_does_not_break_the_row_but_a_real_answer_does() -> None:
    gone = _long_absent("GW1")
    for status, answers in ((PayoutStatus.UNKNOWN, 9), (PayoutStatus.ACCEPTED, 0)):
        said = [PayoutOutcome(reference="GW1", status=status)]
        weighed = weigh(dispatch(gone), said, BANK, START, fence=1, is_stopped=False, shortest=timedelta(seconds=20))
        assert [one.answers for one in weighed.absences] == [answers]


@pytest.mark.parametrize("arrives_whole", [True, False])
def test_a_look_up_without_an_answer_proves_nothing_with_the_row_from_before_a_repeat(arrives_whole: bool) -> None:
    """Two look-ups at once: the first gives the message again, the second times out. It must neither send a third time nor give up."""
    old, there = _long_absent("GW1"), order("GW2", attempt_state="paid", payment_state="paid")
    here = dispatch(old, there, fence=2, sent_at=START + timedelta(minutes=11))
    profile, now = dataclasses.replace(BANK, arrives_whole=arrives_whole), START + timedelta(minutes=12)
    silence = [PayoutOutcome(reference="GW1", status=PayoutStatus.UNKNOWN, code="timeout")]
    weighed = weigh(here, silence, profile, now, fence=1, is_stopped=False, shortest=timedelta(seconds=20))
    assert isinstance(weighed.step, LookUp)
    assert [word.source for word in weighed.words] == [Source.LOOK_UP]
    assert [(one.since, one.answers) for one in weighed.absences] == [(None, 0)]


def test_what_a_provider_may_have_forgotten_is_not_called_never_received() -> None:
    gone, there = _long_absent("GW1"), order("GW2", attempt_state="paid", payment_state="paid")
    profile = dataclasses.replace(BANK, idempotency_window=timedelta(hours=24))
    for hours, concluded in ((1, ["not_received"]), (25, [])):
        now = START + timedelta(hours=hours)
        weighed = weigh(dispatch(gone, there), absent(gone), profile, now, fence=1, is_stopped=False, shortest=timedelta(seconds=20))
        assert [word.outcome.code for word in weighed.words if word.source is Source.ENGINE] == concluded
    assert isinstance(weighed.step, AskPerson)
    assert weighed.step.why == "window_over"


def test_the_next_look_up_comes_when_not_found_becomes_an_answer_and_otherwise_ever_later() -> None:
    waits = []
    for looked_up in range(12):
        here = dispatch(order("GW1"), looked_up=looked_up)
        weighed = weigh(
            here, absent(*here.orders), BANK, START + timedelta(hours=1), fence=1, is_stopped=False, shortest=timedelta(seconds=20)
        )
        assert isinstance(weighed.step, LookUp)
        waits.append(weighed.step.after)
    assert waits == sorted(waits)
    assert max(waits) <= timedelta(minutes=30)
    near = dispatch(_long_absent("GW1"), looked_up=9)
    weighed = weigh(
        near, absent(*near.orders), BANK, START + timedelta(minutes=9), fence=1, is_stopped=False, shortest=timedelta(seconds=20)
    )
    assert weighed.step == LookUp(after=timedelta(minutes=1))


def test_who_is_asked_about_what() -> None:
    here = dispatch(order("GW1"), order("GW2", attempt_state="accepted"), order("GW3", attempt_state="paid"))
    assert to_ask(here, BANK) == ["GW1", "GW2"]
    assert to_ask(here, BANK, ["GW3"]) == ["GW1", "GW2", "GW3"]
    refused = dispatch(order("GW1", attempt_state="rejected", payment_state="rejected"))
    assert (to_ask(refused, BANK), to_ask(refused, BANK, ["GW1"])) == ([], ["GW1"])
    assert to_ask(dataclasses.replace(here, state="intent"), BANK) == []
    assert to_ask(here, dataclasses.replace(BANK, looks_up=False, finality=Finality.STATEMENT)) == []
    # A list of envelopes that was interrupted while it was written is asked about; one that lies with the cashier is not.
    assert to_ask(here, dataclasses.replace(BANK, looks_up=False, finality=Finality.BY_HAND)) == ["GW1"]


def test_what_follows_an_answer() -> None:
    pause = timedelta(seconds=20)
    assert after_answer(0, BANK, pause) == Rest()
    assert after_answer(1, BANK, pause) == LookUp(after=pause)
    assert isinstance(after_answer(1, dataclasses.replace(BANK, looks_up=False), pause), AskPerson)


def test_an_order_without_a_final_word_becomes_a_persons_after_the_providers_deadline() -> None:
    for state in ("submitting", "unknown", "accepted", "paid", "rejected", "held"):
        one = order(payment_state=state)
        assert not is_overdue(one, START, BANK, START + BANK.overdue_after - timedelta(seconds=1))
        assert is_overdue(one, START, BANK, START + BANK.overdue_after) == (state in ("submitting", "unknown", "accepted"))


# --- every way at once ----------------------------------------------------------------------------------------------------------


@given(st.data(), profiles.filter(lambda one: one.finality is Finality.LOOK_UP and one.looks_up))
def test_a_provider_that_loses_answers_and_executes_late_never_lets_us_pay_twice(data: st.DataObject, profile: Profile) -> None:
    """A provider executes what it got, up to the time after which it says that "not found" is final, and forgets after its window."""
    quiet = profile.not_found_is_final_after or timedelta(minutes=10)
    here, now, in_flight, executed = dispatch(order("GW1")), START, [START], 0
    for _ in itertools.repeat(None, 12):
        now += timedelta(minutes=data.draw(st.integers(0, 90)))
        arrived = [moment for moment in in_flight if now - moment > quiet or data.draw(st.booleans())]
        for moment in arrived:
            in_flight.remove(moment)
            # A message may also be lost on its way; a repeated one is recognised within the window, unless the provider never does.
            if data.draw(st.booleans()):
                window = profile.idempotency_window
                forgot = window is not None and moment - START > window
                executed += 1 if profile.repeat is RepeatBehaviour.PAYS_AGAIN or forgot or not executed else 0
        status = PayoutStatus.PAID if executed else PayoutStatus.NOT_FOUND
        heard = [PayoutOutcome(reference="GW1", status=status if data.draw(st.booleans()) else PayoutStatus.UNKNOWN)]
        weighed = weigh(here, heard, profile, now, fence=here.fence, is_stopped=False, shortest=timedelta(seconds=20))
        one = here.orders[0]
        for absence in weighed.absences:
            one = dataclasses.replace(one, absent_since=absence.since, absent_answers=absence.answers)
        for word in weighed.words:
            one = moved(one, decide(one, word, profile))
        here = dataclasses.replace(here, orders=[one], looked_up=here.looked_up + 1)
        if isinstance(weighed.step, Repeat):
            here = dataclasses.replace(here, fence=here.fence + 1, sent_at=now)
            in_flight.append(now)
        assert executed <= 1
        assert not may_try_again(one) or not (executed or in_flight)
        if one.attempt_state not in OPEN:
            break
