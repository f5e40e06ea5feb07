"""What a connector refuses before anything travels: orders that its own profile excludes."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.payouts.contract import PayoutBatch, PayoutOrder, PayoutOutcome, PayoutStatus, Profile


def refused(reference: str, code: str, detail: str) -> PayoutOutcome:
    """A conclusive refusal: no money moved and none will."""
    return PayoutOutcome(reference=reference, status=PayoutStatus.REJECTED, code=code, detail=detail)


def split(profile: Profile, batch: PayoutBatch) -> tuple[dict[str, PayoutOutcome], list[PayoutOrder]]:
    """The refusals of a batch, and the orders that may travel. A batch too large or with a reference twice goes back whole."""
    references = [order.reference for order in batch.orders]
    if len(set(references)) != len(references) or len(references) > profile.batch_size:
        detail = f"a batch holds {profile.batch_size} different references at the most; nothing was sent"
        return {reference: refused(reference, "invalid_order", detail) for reference in references}, []
    answers = {order.reference: outcome for order in batch.orders if (outcome := refusal(profile, order)) is not None}
    return answers, [order for order in batch.orders if order.reference not in answers]


def refusal(profile: Profile, order: PayoutOrder) -> PayoutOutcome | None:
    """The refusal of one order that must not travel, or None."""
    limit = profile.limits.get(order.amount.currency.code)
    if order.destination.kind not in profile.kinds:
        kinds = " and ".join(sorted(profile.kinds))
        return refused(order.reference, "invalid_order", f"this provider pays to {kinds} only; nothing was sent")
    if limit is None:
        return refused(order.reference, "invalid_order", f"this provider does not pay {order.amount.currency}; nothing was sent")
    if not limit.smallest <= order.amount <= limit.largest:
        return refused(order.reference, "limit_exceeded", f"one order carries {limit.smallest} to {limit.largest}; nothing was sent")
    if not 0 < len(order.reference) <= profile.reference_length:
        return refused(order.reference, "invalid_order", f"a reference has 1 to {profile.reference_length} letters; nothing was sent")
    return None


def in_order(references: Sequence[str], *answers: dict[str, PayoutOutcome]) -> list[PayoutOutcome]:
    """One outcome for each reference, in order, from the first of `answers` that has it."""
    return [next(answer[reference] for answer in answers if reference in answer) for reference in references]
