"""The notes for the envelopes: each envelope can be filled exactly, and together they come to the list's total."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.payouts.cash.notes import notes_for
from importers.money import KHR, USD, Money


def test_each_envelope_has_notes_of_its_own() -> None:
    # Two of 50 are not one of 100: the notes are shared out, not only fetched.
    (dollars,) = notes_for([Money(50_00, USD), Money(50_00, USD)])
    assert [(note.short(), number) for note, number in dollars.counts] == [("$50.00", 2)]
    dollars, riel = notes_for([Money(205_10, USD), Money(187_600, KHR)])
    assert [(note.minor, number) for note, number in dollars.counts] == [(10_000, 2), (500, 1)]
    assert dollars.rest == Money(10, USD)
    assert [(note.minor, number) for note, number in riel.counts] == [
        (100_000, 1), (50_000, 1), (20_000, 1), (10_000, 1), (5_000, 1), (2_000, 1), (500, 1), (100, 1),
    ]  # fmt: skip
    assert riel.rest == Money(0, KHR)


@given(st.lists(st.builds(Money, st.integers(1, 10**8), st.sampled_from([USD, KHR])), max_size=30))
def test_notes_and_rest_come_to_the_total(amounts: list[Money]) -> None:
    for found in notes_for(amounts):
        total = sum(amount.minor for amount in amounts if amount.currency.code == found.currency)
        assert sum(note.minor * number for note, number in found.counts) + found.rest.minor == total
