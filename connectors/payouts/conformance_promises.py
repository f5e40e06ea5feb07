"""The claims of a profile that concern days, memory, balances and statements."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connectors.payouts.conformance_bench import AgesRequests, Bench, Finding, Proof, only, statuses
from connectors.payouts.contract import (
    ChecksInBulk,
    Finality,
    NameMatch,
    PayoutOrder,
    PayoutStatus,
    Profile,
    RepeatBehaviour,
    TellsBalance,
)
from importers.statements.contract import Direction, StatementError, StatementLine
from importers.statements.messages import read_message

_GOOD = (PayoutStatus.ACCEPTED, PayoutStatus.PAID)
_SHORTEST_REFERENCE = 8  # letters: a prefix for the factory and a number that is never used again


async def is_consistent(bench: Bench) -> list[Finding]:
    """Claims that contradict each other, whatever the provider does."""
    profile = bench.connector.profile
    faults = {
        "kinds: it pays to at least one kind of destination": bool(profile.kinds),
        "limits: each has the smallest below the largest, both in its own currency": bool(profile.limits)
        and all(
            code == limit.smallest.currency.code == limit.largest.currency.code and 0 < limit.smallest.minor <= limit.largest.minor
            for code, limit in profile.limits.items()
        ),
        "batch_size and checks_at_once: one at least": profile.batch_size >= 1 and profile.checks_at_once >= 1,
        "reference_length: our references fit": profile.reference_length >= _SHORTEST_REFERENCE,
        "reference_alphabet: different letters, ten at least": len(set(profile.reference_alphabet))
        == len(profile.reference_alphabet)
        >= 10,  # noqa: PLR2004 digits alone suffice
        "not_found_is_final_after: only where it looks up": profile.looks_up or profile.not_found_is_final_after is None,
        "idempotency_window: only where a repeat is recognised": profile.idempotency_window is None or _recognises(profile),
        "finality: its way exists": _finality_exists(profile),
    }
    return [
        Finding(claim=claim, held=held, saw="the profile contradicts itself", remedy="correct the profile")
        for claim, held in faults.items()
    ]


def _recognises(profile: Profile) -> bool:
    return (
        profile.repeat is not RepeatBehaviour.PAYS_AGAIN
        and profile.idempotency_window is not None
        and profile.idempotency_window > timedelta(0)
    )


def _finality_exists(profile: Profile) -> bool:
    ways = {Finality.LOOK_UP: profile.looks_up, Finality.WEBHOOK: profile.has_webhooks, Finality.STATEMENT: profile.has_statements}
    return ways.get(profile.finality, True)


async def works_at_its_hours(bench: Bench) -> Finding:
    """Hours that never open are none, and are refused where they are configured. That the bank keeps to its own, only the contract says."""
    hours = bench.connector.profile.hours
    if hours is None:
        return Finding(claim="hours: at any time, every day", held=True, proof=Proof.STATED)
    claim = f"hours: until {hours.cut_off:%H:%M} in {hours.zone}, {len(hours.holidays)} holidays listed"
    day = hours.executes_on(datetime.now(UTC), bench.day)
    return Finding(claim=claim, held=True, saw=f"an order of now would go on {day}", proof=Proof.STATED)


async def remembers_as_long_as_claimed(bench: Bench) -> Finding | None:
    """A repeat shortly before the claimed window ends is still recognised."""
    profile = bench.connector.profile
    if profile.repeat is RepeatBehaviour.PAYS_AGAIN or profile.finality is Finality.BY_HAND:
        return None
    claim = f"idempotency_window: {profile.idempotency_window or 'for ever'}"
    if not isinstance(bench.provider, AgesRequests):
        return Finding(claim=claim, held=True, proof=Proof.STATED, remedy="give the provider in under_test a method age(by)")
    batch = bench.batch()
    await bench.submit(batch)
    await bench.settled(batch, len(batch.orders))
    window = profile.idempotency_window or timedelta(days=400)
    await bench.provider.age(window - timedelta(minutes=1))
    second = await bench.submit(batch)
    counts = [len(lines) for lines in (await bench.settled(batch, len(batch.orders))).values()]
    saw = f"a repeat a minute before: {statuses(second)}; credits {counts}"
    return Finding(claim=claim, held=counts == [1] * len(counts), saw=saw, remedy="claim a shorter idempotency_window")


async def tells_its_balance(bench: Bench) -> Finding:
    """A balance is money of a currency that is paid, or honestly not told."""
    claimed = bench.connector.profile.tells_balance
    inner = getattr(bench.connector, "inner", bench.connector)
    if not claimed:
        return Finding(claim="tells_balance is false", held=True)
    told = await inner.balance() if isinstance(inner, TellsBalance) else None
    held = told is not None and told.currency.code in bench.connector.profile.limits
    return Finding(
        claim="tells_balance: money in a currency that is paid", held=held, saw=f"{told}", remedy="implement balance(), or claim false"
    )


async def checks_many_at_once(bench: Bench) -> Finding | None:
    """One answer for each account, in order, for as many as are claimed."""
    size = bench.connector.profile.checks_at_once
    if size == 1 or not isinstance(bench.connector, ChecksInBulk):
        return None
    asked = [bench.provider.good(number) for number in range(size)]
    nobody = bench.provider.unknown()
    if nobody is not None:
        asked[-1] = nobody
    found = await bench.connector.check_destinations(asked)
    matches = [answer.name_match for answer in found]
    held = len(found) == size and all(match is NameMatch.MATCH for match in matches[:-1]) and (nobody is None or found[-1].exists is False)
    return Finding(claim=f"checks_at_once: {size} answers in the order of the question", held=held, saw=f"{len(found)} answers")


async def states_what_it_paid(bench: Bench) -> Finding | None:
    """The statement can be read, and states each payment's amount and payee as ordered."""
    profile = bench.connector.profile
    if not profile.has_statements or profile.finality is Finality.BY_HAND:
        return None
    claim = "has_statements: amounts and accounts are those ordered"
    batch = bench.batch()
    if not only(await bench.submit(batch), *_GOOD):
        return Finding(claim=claim, held=False, saw="the batch was not taken")
    await bench.settled(batch, len(batch.orders))
    try:
        statements = read_message(await bench.connector.fetch_statement(bench.day) or b"", file_name="statement")
    except StatementError as error:
        return Finding(claim=claim, held=False, saw=str(error), remedy="answer a statement as the provider writes it")
    lines = {
        name: line for statement in statements for line in statement.lines for name in line.references if line.direction is Direction.OUT
    }
    missing = [order for order in batch.orders if order.reference not in lines]
    differing = [order for order in batch.orders if order not in missing and not _as_ordered(order, lines[order.reference])]
    saw = f"of {len(batch.orders)} payments {len(missing)} are missing and {len(differing)} differ"
    return Finding(claim=claim, held=not missing and not differing, saw=saw)


def _as_ordered(order: PayoutOrder, line: StatementLine) -> bool:
    return line.amount == order.amount and line.account in {None, order.destination.account}


PROMISES = (
    is_consistent,
    works_at_its_hours,
    remembers_as_long_as_claimed,
    tells_its_balance,
    checks_many_at_once,
    states_what_it_paid,
)
