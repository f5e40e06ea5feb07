"""What the provider told us on the way: shorter ways to an answer, kept for this process only.

Nothing here decides anything. What is forgotten (a restart, or many batches later) is found again by `/responses`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

_MOST = 20_000


@dataclass(slots=True, kw_only=True)
class Known:
    """Of one request of ours: the provider's ids, and what we said in it."""

    server_id: str | None = None  # serverCorrelationId of its answer, for /requeststates
    resource: str | None = None  # batchId or transactionReference, from an answer or a callback
    callback_url: str | None = None  # under which it travelled
    approved: bool = False  # a two-step batch that we approved


class Told:
    """By our reference, the latest ones."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Known] = OrderedDict()

    def of(self, reference: str) -> Known:
        """What is known; an empty entry where nothing is."""
        known = self._known.setdefault(reference, Known())
        self._known.move_to_end(reference)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return known
