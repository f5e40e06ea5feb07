"""Over five hundred labelled pairs of names: nobody else's account is taken for hers, and two scripts are never compared."""

from __future__ import annotations

from collections import Counter

from connectors.payouts.contract import NameMatch
from connectors.payouts.names import compare
from tests.connectors.labelled_names import labelled

MOST_FALSE_MATCHES = 0.002  # of all pairs


def test_the_pairs_are_many_and_of_every_kind() -> None:
    counts = Counter(label for *_, label in labelled())
    assert sum(counts.values()) >= 500
    assert all(counts[label] >= 25 for label in ("same", "other", "script"))


def test_another_persons_name_is_never_a_match() -> None:
    pairs = labelled()
    wrong = [(ours, theirs) for ours, theirs, label in pairs if label != "same" and compare(ours, theirs) is NameMatch.MATCH]
    assert len(wrong) <= MOST_FALSE_MATCHES * len(pairs), wrong
    assert wrong == []


def test_two_scripts_are_not_compared_whoever_they_are() -> None:
    answers = Counter(compare(ours, theirs) for ours, theirs, label in labelled() if label == "script")
    assert set(answers) == {NameMatch.NOT_APPLICABLE}


def test_the_same_name_in_another_order_with_a_title_or_without_accents_is_recognised() -> None:
    pairs = [(ours, theirs) for ours, theirs, label in labelled() if label == "same"]
    missed = [pair for pair in pairs if compare(*pair) is not NameMatch.MATCH]
    assert len(missed) <= len(pairs) // 100, missed
