"""What a word makes of an order, for whatever a provider says in whatever order: asked of the pure decisions, without a database."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.payouts.contract import (
    OUTCOME_CODES,
    PROOFS_OF_FAILURE,
    Finality,
    PayoutOutcome,
    PayoutStatus,
    Profile,
)
from importers.money import USD, Money
from payroll_api.payments.verdict import FAILED, Change, Ignored, Source, Word, decide, may_try_again, transfers
from tests.payroll_api.paying_rules import BANK, RAIL, WAGE, moved, order, profiles, words


@given(st.lists(words, max_size=12), profiles)
def test_no_order_of_words_takes_a_final_state_back_and_the_books_follow(said: Sequence[Word], profile: Profile) -> None:
    now, booked = order(), Counter({f"in_transit:{RAIL}": WAGE.minor})
    for word in said:
        verdict = decide(now, word, profile)
        after = moved(now, verdict)
        if now.attempt_state == "returned" or (now.attempt_state == "rejected" and word.source is not Source.PEOPLE):
            assert after == now
        if now.attempt_state == "paid":
            assert after.attempt_state in ("paid", "returned")
        if isinstance(verdict, Change):
            for one in transfers(verdict):
                booked[one.debit] -= one.amount_minor
                booked[one.credit] += one.amount_minor
        now = after
    home = {"unknown": "suspense", "paid": f"bank:{RAIL}", "rejected": "wages_payable", "returned": "returns"}
    assert +booked == Counter({home.get(now.attempt_state, f"in_transit:{RAIL}"): WAGE.minor})
    assert min(booked.values()) >= 0


@given(words, profiles, st.sampled_from(["intent", "accepted", "unknown"]))
def test_only_proof_makes_an_attempt_fail_and_only_failure_allows_another(word: Word, profile: Profile, state: str) -> None:
    before = order(attempt_state=state, payment_state="submitting" if state == "intent" else state)
    after = moved(before, decide(before, word, profile))
    if after.attempt_state == "rejected" and word.source not in (Source.PEOPLE, Source.ENGINE):
        assert word.outcome.status is PayoutStatus.REJECTED
        assert word.outcome.code in profile.proves_failure
        assert word.outcome.amount in (None, WAGE)
    assert may_try_again(after) == (after.attempt_state in FAILED)


@pytest.mark.parametrize("code", [*sorted(set(OUTCOME_CODES) - PROOFS_OF_FAILURE), None])
def test_a_refusal_that_is_on_no_list_is_unknown_and_waits_for_proof(code: str | None) -> None:
    word = Word(outcome=PayoutOutcome(reference="GW1", status=PayoutStatus.REJECTED, code=code), source=Source.ANSWER)
    verdict = decide(order(), word, BANK)
    assert isinstance(verdict, Change)
    assert (verdict.state, verdict.outcome.code) == ("unknown", "not_proven")


@pytest.mark.parametrize("status", [PayoutStatus.UNKNOWN, PayoutStatus.NOT_FOUND])
@given(code=st.none() | st.sampled_from(sorted(OUTCOME_CODES)), profile=profiles)
def test_neither_a_time_out_nor_a_404_is_a_failure(status: PayoutStatus, code: str | None, profile: Profile) -> None:
    for source in (Source.ANSWER, Source.LOOK_UP, Source.MESSAGE):
        verdict = decide(order(), Word(outcome=PayoutOutcome(reference="GW1", status=status, code=code), source=source), profile)
        assert not isinstance(verdict, Change) or verdict.state == "unknown"


@given(words, profiles)
def test_a_word_about_another_amount_pays_and_refuses_nobody(word: Word, profile: Profile) -> None:
    other = dataclasses.replace(word, outcome=dataclasses.replace(word.outcome, amount=Money(1, USD)))
    if other.source in (Source.PEOPLE, Source.ENGINE):
        return
    for state in ("submitting", "accepted", "unknown"):
        before = order(payment_state=state, attempt_state="intent" if state == "submitting" else state)
        verdict = decide(before, other, profile)
        assert not isinstance(verdict, Change) or (verdict.state, verdict.outcome.code) == ("unknown", "amount_differs")


@given(words, profiles)
def test_a_word_about_an_earlier_attempt_moves_nothing_and_a_payment_by_it_is_a_contradiction(word: Word, profile: Profile) -> None:
    earlier = order(number=1, latest=2, attempt_state="rejected", payment_state="submitting")
    verdict = decide(earlier, word, profile)
    assert isinstance(verdict, Ignored)
    assert verdict.contradicts == (word.outcome.status is PayoutStatus.PAID)


@pytest.mark.parametrize("code", ["not_received", "withdrawn", "temporary", "found_out", "not_authorised"])
@pytest.mark.parametrize("latest", [1, 2])
def test_a_provider_that_took_an_order_after_all_which_was_proven_never_to_have_arrived_contradicts(code: str, latest: int) -> None:
    """It may pay it yet. Were that no contradiction, she would be paid again beside it."""
    given_up = order(latest=latest, attempt_state="rejected", attempt_code=code, payment_state="rejected")
    for source in (Source.ANSWER, Source.LOOK_UP, Source.MESSAGE):
        verdict = decide(given_up, Word(outcome=PayoutOutcome(reference="GW1", status=PayoutStatus.ACCEPTED), source=source), BANK)
        assert isinstance(verdict, Ignored)
        assert verdict.contradicts


def test_a_late_word_that_it_was_taken_before_it_was_refused_contradicts_nothing() -> None:
    refused = order(attempt_state="rejected", attempt_code="account_closed", payment_state="rejected")
    verdict = decide(refused, Word(outcome=PayoutOutcome(reference="GW1", status=PayoutStatus.ACCEPTED), source=Source.MESSAGE), BANK)
    assert isinstance(verdict, Ignored)
    assert not verdict.contradicts


@pytest.mark.parametrize("code", ["temporary", "not_authorised", "invalid_order"])
@pytest.mark.parametrize("again", [True, False])
def test_a_refusal_at_the_door_of_a_message_given_again_says_nothing_about_the_first(code: str, again: bool) -> None:
    """429 to the second sending: nothing came of the second. The first may be on its way all the same."""
    outcome = PayoutOutcome(reference="GW1", status=PayoutStatus.REJECTED, code=code)
    verdict = decide(order(), Word(outcome=outcome, source=Source.ANSWER, is_repeat=again), BANK)
    assert isinstance(verdict, Change)
    assert (verdict.state, verdict.outcome.code) == (("unknown", "not_proven") if again else ("rejected", code))


def test_an_earlier_attempt_that_two_people_found_paid_pays_the_worker_where_the_later_one_failed() -> None:
    """The wage of attempt 1 arrived after all. Attempt 2 had been refused, or was never sent: she has her money, once."""
    found = Word(outcome=PayoutOutcome(reference="GW1", status=PayoutStatus.PAID, code="found_out"), source=Source.PEOPLE)
    for state in ("rejected", "returned", "held", "ready", "cancelled"):
        earlier = order(number=1, latest=2, attempt_state="rejected", payment_state=state)
        verdict = decide(earlier, found, None)
        assert isinstance(verdict, Change), state
        assert verdict.state == "paid"
        # The one that paid is the one that can come back.
        paid = dataclasses.replace(moved(earlier, verdict), latest=1)
        back = decide(paid, Word(outcome=PayoutOutcome(reference="GW1", status=PayoutStatus.RETURNED), source=Source.STATEMENT), None)
        assert isinstance(back, Change), state
        assert back.state == "returned"
    for state in ("submitting", "accepted", "unknown", "paid"):
        verdict = decide(order(number=1, latest=2, attempt_state="rejected", payment_state=state), found, None)
        assert isinstance(verdict, Ignored), state


@pytest.mark.parametrize("last", [PayoutStatus.REJECTED, PayoutStatus.PAID])
def test_a_late_word_that_cannot_be_so_is_told(last: PayoutStatus) -> None:
    first = "paid" if last is PayoutStatus.REJECTED else "rejected"
    settled = order(attempt_state=first, payment_state=first)
    verdict = decide(settled, Word(outcome=PayoutOutcome(reference="GW1", status=last, code="other"), source=Source.LOOK_UP), BANK)
    assert isinstance(verdict, Ignored)
    assert verdict.contradicts


def test_a_wage_that_came_back_after_it_was_paid_is_returned() -> None:
    paid = order(attempt_state="paid", payment_state="paid")
    verdict = decide(paid, Word(outcome=PayoutOutcome(reference="GW1", status=PayoutStatus.RETURNED), source=Source.STATEMENT), None)
    assert isinstance(verdict, Change)
    assert verdict.state == "returned"


@pytest.mark.parametrize(
    ("finality", "source", "state"),
    [
        (Finality.LOOK_UP, Source.MESSAGE, "accepted"),
        (Finality.LOOK_UP, Source.LOOK_UP, "paid"),
        (Finality.WEBHOOK, Source.MESSAGE, "paid"),
        (Finality.STATEMENT, Source.LOOK_UP, "accepted"),
        (Finality.STATEMENT, Source.STATEMENT, "paid"),
        (Finality.BY_HAND, Source.ANSWER, "accepted"),
        (Finality.BY_HAND, Source.PEOPLE, "paid"),
    ],
)
def test_only_the_word_that_the_profile_calls_final_makes_it_paid(finality: Finality, source: Source, state: str) -> None:
    word = Word(outcome=PayoutOutcome(reference="GW1", status=PayoutStatus.PAID), source=source)
    verdict = decide(order(), word, dataclasses.replace(BANK, finality=finality))
    assert isinstance(verdict, Change)
    assert verdict.state == state
