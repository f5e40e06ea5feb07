"""What a connector must say when the provider or the wire misbehaves. The provider's journal is the oracle."""

from __future__ import annotations

import asyncio

from connectors.faults import FaultKind, FaultPlan
from connectors.payouts.conformance_bench import Bench, Finding, only, statuses
from connectors.payouts.contract import Finality, PayoutStatus

# The orders were executed although the answer never came or said otherwise.
TAKEN = (
    FaultKind.REPLY_LOST_AFTER_ACCEPT,
    FaultKind.SLOW_ACCEPT,
    FaultKind.EMPTY_ANSWER,
    FaultKind.TRUNCATED_ANSWER,
    FaultKind.SERVER_ERROR,
    FaultKind.CONFLICT,
)
# Nothing was taken, but the connector cannot know.
NOT_TAKEN = (
    FaultKind.RESET_BEFORE_READ,
    FaultKind.HALF_REQUEST,
    FaultKind.HTML_INSTEAD,
    FaultKind.UNAVAILABLE,
    FaultKind.REDIRECT_ELSEWHERE,
)
_ASKED_TO_WAIT = 1.1  # seconds: a provider under test sends "Retry-After: 1"

# Nothing was taken, and the provider says so.
REFUSED = (FaultKind.TOO_MANY_REQUESTS, FaultKind.NOT_AUTHORISED)


async def open_after_work_was_done(bench: Bench) -> list[Finding]:
    """UNKNOWN, then the look-up finds it, and the journal holds it once."""
    return [await _taken(bench, kind) for kind in TAKEN if kind in bench.provider.faults]


async def _taken(bench: Bench, kind: FaultKind) -> Finding:
    claim = f"{kind}: the order is unknown, then found, and paid once"
    batch = bench.batch()
    outcomes = await bench.submit(batch, kind)
    if not only(outcomes, PayoutStatus.UNKNOWN):
        return Finding(claim=claim, held=False, saw=f"submit answered {statuses(outcomes)} although the order was taken")
    found = await bench.until(batch, lambda outcomes: only(outcomes, PayoutStatus.ACCEPTED, PayoutStatus.PAID))
    credited = await bench.settled(batch, len(batch.orders))
    counts = [len(lines) for lines in credited.values()]
    looked = only(found, PayoutStatus.ACCEPTED, PayoutStatus.PAID) or (
        not bench.connector.profile.looks_up and only(found, PayoutStatus.UNKNOWN, PayoutStatus.ACCEPTED, PayoutStatus.PAID)
    )
    return Finding(claim=claim, held=looked and counts == [1] * len(counts), saw=f"look-up answered {statuses(found)}; credits {counts}")


async def open_although_nothing_was_done(bench: Bench) -> list[Finding]:
    """UNKNOWN (or a refusal that is true), never accepted; the look-up invents nothing."""
    return [await _not_taken(bench, kind) for kind in NOT_TAKEN if kind in bench.provider.faults]


async def _not_taken(bench: Bench, kind: FaultKind) -> Finding:
    claim = f"{kind}: the order is unknown, not accepted and not rejected"
    batch = bench.batch()
    outcomes = await bench.submit(batch, kind)
    found = await bench.look_up(batch)
    credited = [len(lines) for lines in (await bench.settled(batch, 0)).values()]
    invented = any(outcome.status in {PayoutStatus.PAID, PayoutStatus.REJECTED, PayoutStatus.RETURNED} for outcome in found)
    held = only(outcomes, PayoutStatus.UNKNOWN) and not invented and not any(credited)
    return Finding(claim=claim, held=held, saw=f"submit answered {statuses(outcomes)}, look-up {statuses(found)}; credits {credited}")


async def refused_by_the_provider(bench: Bench) -> list[Finding]:
    """A refusal may be taken at its word, because the provider says that nothing happened; or be left open."""
    findings = []
    for kind in REFUSED:
        if kind in bench.provider.faults:
            batch = bench.batch()
            outcomes = await bench.submit(batch, kind)
            credited = [len(lines) for lines in (await bench.settled(batch, 0)).values()]
            await bench.patience(outcomes)
            held = only(outcomes, PayoutStatus.REJECTED, PayoutStatus.UNKNOWN) and not any(credited)
            findings.append(Finding(claim=f"{kind}: nothing is accepted", held=held, saw=f"{statuses(outcomes)}; credits {credited}"))
    return findings


async def partial_batch(bench: Bench) -> Finding | None:
    """Half of the batch was taken: no order that was paid may be called rejected or not found, and none is paid twice."""
    if FaultKind.PARTIAL_BATCH not in bench.provider.faults:
        return None
    claim = "partial_batch: each order's fate is told apart"
    batch = bench.batch()
    outcomes = await bench.submit(batch, FaultKind.PARTIAL_BATCH)
    await bench.look_up(batch)  # which may let a batch go that was left waiting
    credited = await bench.settled(batch, len(batch.orders) // 2)
    paid = {reference for reference, lines in credited.items() if lines}
    found = await bench.until(
        batch, lambda outcomes: {each.reference for each in outcomes if each.status in {PayoutStatus.ACCEPTED, PayoutStatus.PAID}} >= paid
    )
    denied = [each for each in found if each.reference in paid and each.status in {PayoutStatus.REJECTED, PayoutStatus.NOT_FOUND}]
    invented = [each for each in found if each.reference not in paid and each.status is PayoutStatus.PAID]
    once = all(len(lines) <= 1 for lines in credited.values())
    open_ = not any(outcome.status is PayoutStatus.REJECTED for outcome in outcomes if outcome.reference in paid)
    return Finding(
        claim=claim,
        held=open_ and once and not denied and not invented,
        saw=f"submit answered {statuses(outcomes)}, look-up {statuses(found)}",
    )


async def out_of_funds(bench: Bench) -> Finding | None:
    """The account runs dry: those that were paid are paid, the others are rejected for it."""
    if FaultKind.OUT_OF_FUNDS not in bench.provider.faults:
        return None
    batch = bench.batch()
    submitted = await bench.submit(batch, FaultKind.OUT_OF_FUNDS)
    final = (PayoutStatus.PAID, PayoutStatus.REJECTED)
    found = await bench.until(batch, lambda outcomes: only(outcomes, *final)) if not only(submitted, *final) else submitted
    credited = await bench.settled(batch, 0)
    lies = [outcome for outcome in found if outcome.status is PayoutStatus.REJECTED and credited[outcome.reference]]
    lies += [outcome for outcome in found if outcome.status is PayoutStatus.PAID and not credited[outcome.reference]]
    reasons = {outcome.code for outcome in found if outcome.status is PayoutStatus.REJECTED}
    held = not lies and reasons == {"insufficient_funds"}
    return Finding(claim="out_of_funds: paid and rejected agree with the journal", held=held, saw=statuses(found))


async def other_amount(bench: Bench) -> Finding | None:
    """An amount that differs is seen: UNKNOWN amount_differs, or the outcome carries it for the caller to compare."""
    if FaultKind.OTHER_AMOUNT_ECHOED not in bench.provider.faults:
        return None
    batch = bench.batch()
    ordered = {order.reference: order.amount for order in batch.orders}
    outcomes = list(await bench.submit(batch, FaultKind.OTHER_AMOUNT_ECHOED))
    await bench.settled(batch, len(batch.orders))
    outcomes += await bench.until(
        batch, lambda found: only(found, PayoutStatus.PAID, PayoutStatus.UNKNOWN) or any(outcome.amount is not None for outcome in found)
    )
    seen = any(outcome.code == "amount_differs" or outcome.amount not in {None, ordered[outcome.reference]} for outcome in outcomes)
    return Finding(claim="other_amount_echoed: the difference is not swallowed", held=seen, saw=statuses(outcomes))


async def not_found_for_a_while(bench: Bench) -> Finding | None:
    """A provider that answers "not found" for a while has not proven anything before the claimed time is over."""
    profile = bench.connector.profile
    if FaultKind.NOT_FOUND_FOR_A_WHILE not in bench.provider.faults or not profile.looks_up:
        return None
    batch = bench.batch()
    await bench.submit(batch, FaultKind.NOT_FOUND_FOR_A_WHILE)
    early = await bench.look_up(batch)
    await asyncio.sleep(bench.provider.slow_seconds)
    late = await bench.until(batch, lambda outcomes: only(outcomes, PayoutStatus.ACCEPTED, PayoutStatus.PAID))
    claimed = profile.not_found_is_final_after
    patient = claimed is None or claimed.total_seconds() > bench.provider.slow_seconds
    honest = not any(outcome.status is PayoutStatus.REJECTED for outcome in early) and only(late, PayoutStatus.ACCEPTED, PayoutStatus.PAID)
    return Finding(
        claim="not_found_for_a_while: 'not found' is not final too early",
        held=patient and honest,
        saw=f"{statuses(early)}, later {statuses(late)}; final after {claimed}",
    )


async def troubled_look_ups(bench: Bench) -> list[Finding]:
    """A look-up that fails proves nothing: UNKNOWN, whatever the provider's gateway says."""
    if not bench.connector.profile.looks_up or bench.connector.profile.finality is Finality.BY_HAND:
        return []
    kinds = (
        FaultKind.RESET_BEFORE_READ,
        FaultKind.HTML_INSTEAD,
        FaultKind.TRUNCATED_ANSWER,
        FaultKind.SERVER_ERROR,
        FaultKind.TOO_MANY_REQUESTS,
        FaultKind.REDIRECT_ELSEWHERE,
    )
    findings = []
    for kind in kinds:
        if kind in bench.provider.faults:
            batch = bench.batch()
            await bench.submit(batch)
            await bench.settled(batch, len(batch.orders))
            await bench.provider.play(bench.plan("look_up", kind))
            found = await bench.look_up(batch)
            await bench.provider.play(FaultPlan())
            await asyncio.sleep(_ASKED_TO_WAIT if kind is FaultKind.TOO_MANY_REQUESTS else 0)
            lies = [each for each in found if each.status in {PayoutStatus.REJECTED, PayoutStatus.NOT_FOUND, PayoutStatus.RETURNED}]
            held = len(found) == len(batch.orders) and not lies
            findings.append(Finding(claim=f"{kind} during a look-up proves nothing", held=held, saw=statuses(found)))
    return findings


FAULTS = (
    open_after_work_was_done,
    open_although_nothing_was_done,
    refused_by_the_provider,
    partial_batch,
    out_of_funds,
    other_amount,
    not_found_for_a_while,
    troubled_look_ups,
)
