"""A bank, an order and a dispatch as the pure rules of paying see them, and Hypothesis strategies for what may come."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from connectors.payouts.contract import (
    OUTCOME_CODES,
    DestinationKind,
    Finality,
    PayoutOutcome,
    PayoutStatus,
    Profile,
    RepeatBehaviour,
)
from importers.money import USD, Money
from payroll_api.payments.protocol import (
    DispatchNow,
)
from payroll_api.payments.verdict import Change, Ignored, OrderNow, Source, Word

WAGE, RAIL = Money(20510, USD), UUID(int=7)
START = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)
BANK = Profile(
    name="bank",
    title="Bank",
    kinds=frozenset({DestinationKind.BANK_ACCOUNT}),
    limits={},
    batch_size=100,
    repeat=RepeatBehaviour.CONFLICT,
    idempotency_window=None,
    looks_up=True,
    not_found_is_final_after=timedelta(minutes=10),
    checks_names=False,
    has_webhooks=True,
    has_statements=True,
    finality=Finality.LOOK_UP,
    reference_length=35,
)

words = st.builds(
    Word,
    outcome=st.builds(
        PayoutOutcome,
        reference=st.just("GW1"),
        status=st.sampled_from(PayoutStatus),
        code=st.none() | st.sampled_from(sorted(OUTCOME_CODES)),
        amount=st.sampled_from([None, WAGE, WAGE, Money(1, USD)]),
    ),
    source=st.sampled_from(Source),
)
profiles = st.builds(
    dataclasses.replace,
    st.just(BANK),
    finality=st.sampled_from(Finality),
    repeat=st.sampled_from(RepeatBehaviour),
    arrives_whole=st.booleans(),
    looks_up=st.booleans(),
    not_found_polls=st.integers(1, 4),
    not_found_is_final_after=st.sampled_from([None, timedelta(0), timedelta(minutes=1), timedelta(minutes=10)]),
    idempotency_window=st.sampled_from([None, timedelta(hours=1), timedelta(hours=24)]),
)


def order(reference: str = "GW1", **known: object) -> OrderNow:
    """An order of an intent, unless told otherwise."""
    made = OrderNow(
        reference=reference,
        payment_id=UUID(int=int(reference[2:])),
        run_id=UUID(int=1),
        rail=RAIL,
        number=1,
        latest=1,
        attempt_state="intent",
        payment_state="submitting",
        amount=WAGE,
    )
    return dataclasses.replace(made, **known)  # type: ignore[arg-type]


def dispatch(*orders: OrderNow, **known: object) -> DispatchNow:
    """A dispatch that was sent at START, unless told otherwise."""
    made = DispatchNow(
        id=UUID(int=3), state="open", fence=1, count=len(orders), created_at=START, sent_at=START, looked_up=0, orders=orders
    )
    return dataclasses.replace(made, **known)  # type: ignore[arg-type]


def moved(before: OrderNow, verdict: Change | Ignored) -> OrderNow:
    """The order as the engine would store it after a verdict."""
    if isinstance(verdict, Ignored):
        return before
    return dataclasses.replace(before, attempt_state=verdict.state, payment_state=verdict.state)
