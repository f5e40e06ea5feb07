"""The six kinds of provider that the crash matrix pays through: what each claims, and what it really does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from connectors.payouts.contract import RepeatBehaviour

_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of provider. `hidden_for` is how long its look-ups do not find what it has executed."""

    repeat: RepeatBehaviour
    window: timedelta | None = None  # after it a repeated reference is a new order
    looks_up: bool = True
    hidden_for: timedelta = timedelta(0)
    not_found_is_final_after: timedelta | None = timedelta(seconds=60)
    batch_size: int = 3


KINDS: Mapping[str, Kind] = {
    "keyed_for_ever": Kind(repeat=RepeatBehaviour.SAME_RESULT),
    "keyed_24h": Kind(repeat=RepeatBehaviour.SAME_RESULT, window=_DAY),
    "conflict": Kind(repeat=RepeatBehaviour.CONFLICT, batch_size=1),
    "look_up_only": Kind(repeat=RepeatBehaviour.PAYS_AGAIN),
    "bulk_file": Kind(repeat=RepeatBehaviour.PAYS_AGAIN, looks_up=False, not_found_is_final_after=None, batch_size=50),
    "late_look_up": Kind(
        repeat=RepeatBehaviour.CONFLICT, hidden_for=timedelta(seconds=60), not_found_is_final_after=timedelta(seconds=120)
    ),
}
