"""Which notes fill the envelopes: for each envelope its own, the fewest, so that what the bank gives can be shared out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from importers.money import Money

# The notes in use, in minor units: dollars and riel.
NOTES: Mapping[str, tuple[int, ...]] = {
    "USD": (100_00, 50_00, 20_00, 10_00, 5_00, 1_00),
    "KHR": (100_000, 50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """The notes of one currency, the largest first, and what no note pays: cents of a dollar, or riel below a hundred."""

    currency: str
    counts: tuple[tuple[Money, int], ...]
    rest: Money


def notes_for(amounts: Iterable[Money]) -> list[Notes]:
    """The notes for envelopes with these amounts, by currency. Raises KeyError for a currency without notes here."""
    counts: dict[str, Counter[int]] = {}
    rests: dict[str, int] = {}
    units = {}
    for amount in amounts:
        code, left = amount.currency.code, amount.minor
        units[code] = amount.currency
        own = counts.setdefault(code, Counter())
        for note in NOTES[code]:
            number, left = divmod(left, note)
            if number:
                own[note] += number
        rests[code] = rests.get(code, 0) + left
    return [
        Notes(
            currency=code,
            counts=tuple((Money(note, units[code]), own[note]) for note in NOTES[code] if own[note]),
            rest=Money(rests[code], units[code]),
        )
        for code, own in sorted(counts.items(), reverse=True)
    ]
