"""The claims of a profile that hold in fair weather."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from connectors.payouts.conformance_bench import Bench, Finding, only, statuses
from connectors.payouts.contract import (
    OUTCOME_CODES,
    Destination,
    DestinationKind,
    Finality,
    NameMatch,
    PayoutBatch,
    PayoutOrder,
    PayoutOutcome,
    PayoutStatus,
    RepeatBehaviour,
    WebhookProof,
    WebhookRefusedError,
    WebhookRequest,
    WebhookUnreadableError,
)
from importers.money import CURRENCIES, Money

_GOOD = (PayoutStatus.ACCEPTED, PayoutStatus.PAID)
_MOST = 5000  # orders in the test of the batch size


async def pays_what_was_ordered(bench: Bench) -> Finding:
    """One outcome for each order, in order, and the journal holds exactly the orders."""
    claim = "an order is paid once, to its account, in its amount"
    batch = bench.batch()
    outcomes = await bench.submit(batch)
    if [outcome.reference for outcome in outcomes] != [order.reference for order in batch.orders] or not only(outcomes, *_GOOD):
        return Finding(claim=claim, held=False, saw=f"submit answered {statuses(outcomes)}")
    if bench.connector.profile.finality is Finality.BY_HAND:
        return Finding(claim=claim, held=True, saw="paid by hand: nothing to see")
    credited = await bench.settled(batch, len(batch.orders))
    wrong = [order.reference for order in batch.orders if not _exactly(order, credited[order.reference])]
    return Finding(claim=claim, held=not wrong, saw=f"the journal is wrong for {len(wrong)} of {len(batch.orders)} orders" if wrong else "")


def _exactly(order: PayoutOrder, lines: Iterable[object]) -> bool:
    return [(getattr(line, "account", None), getattr(line, "amount", None)) for line in lines] == [
        (order.destination.account, order.amount)
    ]


async def becomes_final(bench: Bench) -> Finding:
    """Whose word makes an order paid."""
    finality = bench.connector.profile.finality
    claim = f"finality: {finality}"
    batch = bench.batch()
    await bench.submit(batch)
    found = await bench.until(batch, lambda outcomes: only(outcomes, PayoutStatus.PAID) or finality is Finality.BY_HAND)
    if finality is Finality.LOOK_UP:
        return Finding(claim=claim, held=only(found, PayoutStatus.PAID), saw=f"look-up answered {statuses(found)}")
    if finality is Finality.BY_HAND:
        return Finding(claim=claim, held=not any(outcome.status is PayoutStatus.PAID for outcome in found), saw=statuses(found))
    if finality is Finality.STATEMENT:
        return Finding(claim=claim, held=bench.connector.profile.has_statements, saw="the statement is final, but has_statements is false")
    return Finding(claim=claim, held=bench.connector.profile.has_webhooks, saw="the webhook is final, but has_webhooks is false")


async def rejects_unknown_accounts(bench: Bench) -> Finding | None:
    """An account that does not exist costs nothing and says so; its neighbours are paid."""
    nobody = bench.provider.unknown()
    if nobody is None:
        return None
    claim = "an order to an account that does not exist is rejected, and only that"
    batch = bench.batch([bench.order(to=nobody), bench.order()])
    submitted = await bench.submit(batch)
    found = list(submitted)
    if submitted[0].status is not PayoutStatus.REJECTED:
        found = list(await bench.until(batch, lambda outcomes: outcomes[0].status is PayoutStatus.REJECTED))
    credited = await bench.settled(batch, 1)
    counts = [len(credited[order.reference]) for order in batch.orders]
    held = found[0].status is PayoutStatus.REJECTED and found[0].code == "account_unknown" and counts == [0, 1]
    return Finding(claim=claim, held=held, saw=f"{statuses(found)}; credits {counts}")


async def keeps_limits(bench: Bench) -> list[Finding]:
    """The largest and smallest amounts pass; one minor unit beyond is refused, before approval could be wrong about it."""
    findings = []
    for code, limit in sorted(bench.connector.profile.limits.items()):
        one = Money(1, limit.smallest.currency)
        inside = await bench.submit(bench.batch([bench.order(limit.smallest), bench.order(limit.largest)]))
        outside = await bench.submit(bench.batch([bench.order(limit.largest + one)]))
        if limit.smallest > one:
            outside = [*outside, *await bench.submit(bench.batch([bench.order(limit.smallest - one)]))]
        held = only(inside, *_GOOD) and only(outside, PayoutStatus.REJECTED)
        findings.append(Finding(claim=f"limits in {code}", held=held, saw=f"inside {statuses(inside)}; outside {statuses(outside)}"))
    other = next((money for name, money in sorted(CURRENCIES.items()) if name not in bench.connector.profile.limits), None)
    if other is not None:
        refused = await bench.submit(bench.batch([bench.order(Money(100_000, other))]))
        findings.append(Finding(claim=f"{other} is not paid here", held=only(refused, PayoutStatus.REJECTED), saw=statuses(refused)))
    return findings


async def refuses_other_kinds(bench: Bench) -> Finding | None:
    """A destination of another kind never travels."""
    kind = next((kind for kind in DestinationKind if kind not in bench.connector.profile.kinds), None)
    if kind is None:
        return None
    stranger = Destination(kind=kind, account="000000000", holder="Sok Dara")
    outcomes = await bench.submit(bench.batch([bench.order(to=stranger)]))
    return Finding(claim=f"a destination of kind {kind} is refused", held=only(outcomes, PayoutStatus.REJECTED), saw=statuses(outcomes))


async def takes_full_batches(bench: Bench) -> list[Finding]:
    """The largest batch is paid whole; one more is refused whole."""
    size = bench.connector.profile.batch_size
    if size > _MOST:
        return []
    full, over = bench.batch([bench.order() for _ in range(size)]), bench.batch([bench.order() for _ in range(size + 1)])
    outcomes, refused = await bench.submit(full), await bench.submit(over)
    findings = [Finding(claim=f"a batch of {size} orders is taken", held=only(outcomes, *_GOOD), saw=statuses(outcomes[:3]))]
    held = len(refused) == size + 1 and only(refused, PayoutStatus.REJECTED)
    return [*findings, Finding(claim=f"a batch of {size + 1} orders is refused whole", held=held, saw=statuses(refused[:3]))]


async def keeps_references(bench: Bench) -> Finding:
    """The longest reference of the claimed alphabet arrives at the provider letter by letter."""
    claim = "references of the claimed length and alphabet arrive whole"
    profile = bench.connector.profile
    batch = bench.batch([bench.order(reference=bench.reference(profile.reference_length))])
    outcomes = await bench.submit(batch)
    if not only(outcomes, *_GOOD):
        return Finding(claim=claim, held=False, saw=f"submit answered {statuses(outcomes)}")
    credited = await bench.settled(batch, 0 if profile.finality is Finality.BY_HAND else 1)
    held = profile.finality is Finality.BY_HAND or len(credited[batch.orders[0].reference]) == 1
    return Finding(claim=claim, held=held, saw="the provider's journal does not hold the reference")


async def repeats_as_claimed(bench: Bench) -> Finding:
    """The same batch twice is paid once, unless the profile warns that it is not."""
    claim = f"repeat: {bench.connector.profile.repeat}"
    if bench.connector.profile.repeat is RepeatBehaviour.PAYS_AGAIN:
        return Finding(claim=claim, held=True, saw="never repeated")
    batch = bench.batch()
    first, second = await bench.submit(batch), await bench.submit(batch)
    by_hand = bench.connector.profile.finality is Finality.BY_HAND
    credited = await bench.settled(batch, 0 if by_hand else len(batch.orders))
    counts = [len(lines) for lines in credited.values()]
    once = by_hand or counts == [1] * len(counts)
    same_result = bench.connector.profile.repeat is RepeatBehaviour.SAME_RESULT
    told = only(second, *_GOOD) if same_result else all(outcome.code == "duplicate" for outcome in second)
    never_refused = not any(outcome.status is PayoutStatus.REJECTED for outcome in second)
    return Finding(claim=claim, held=once and told and never_refused, saw=f"{statuses(first)}; again {statuses(second)}; credits {counts}")


async def finds_nothing_that_was_never_sent(bench: Bench) -> Finding:
    """A reference that was never sent is not found, where the connector claims to look up."""
    profile = bench.connector.profile
    found = await bench.look_up(bench.batch())
    if profile.looks_up:
        return Finding(claim="looks_up: what was never sent is not found", held=only(found, PayoutStatus.NOT_FOUND), saw=statuses(found))
    honest = not any(outcome.status in {PayoutStatus.PAID, PayoutStatus.NOT_FOUND, PayoutStatus.REJECTED} for outcome in found)
    return Finding(claim="looks_up is false: a look-up proves nothing", held=honest, saw=statuses(found))


async def checks_names(bench: Bench) -> list[Finding]:
    """The four answers about a destination."""
    claimed = bench.connector.profile.checks_names
    good = await bench.connector.check_destination(bench.provider.good(1))
    if not claimed:
        held = good.name_match is NameMatch.NOT_APPLICABLE
        return [Finding(claim="checks_names is false: a name is never confirmed", held=held, saw=good.name_match)]
    findings = [Finding(claim="checks_names: the true holder matches", held=good.name_match is NameMatch.MATCH, saw=good.name_match)]
    wrong, nobody = bench.provider.misnamed(), bench.provider.unknown()
    if wrong is not None:
        other = await bench.connector.check_destination(wrong)
        held = other.name_match in {NameMatch.NO_MATCH, NameMatch.CLOSE_MATCH}
        findings.append(Finding(claim="checks_names: another holder does not match", held=held, saw=other.name_match))
    if nobody is not None:
        missing = await bench.connector.check_destination(nobody)
        held = missing.exists is False and missing.name_match is NameMatch.NOT_APPLICABLE
        findings.append(Finding(claim="checks_names: an account that does not exist is told", held=held, saw=f"exists is {missing.exists}"))
    return findings


async def reads_webhooks(bench: Bench) -> list[Finding]:
    """True callbacks are read the same each time; changed, unsigned and foreign ones are refused."""
    batch = bench.batch()
    if not bench.connector.profile.has_webhooks or batch.callback_url is None:
        return []
    await bench.submit(batch)
    await bench.until(batch, lambda outcomes: only(outcomes, PayoutStatus.PAID))
    await bench.settled(batch, len(batch.orders))
    mine: list[WebhookRequest] = []
    for _ in range(100):
        mine = [request for request in await bench.provider.callbacks() if _is_about(request, batch)]
        if mine:
            break
        await bench.settled(batch, len(batch.orders))
    if not mine:
        return [Finding(claim="has_webhooks: the provider calls back", held=False, saw="no callback came")]
    event, again = bench.connector.read_webhook(mine[0]), bench.connector.read_webhook(mine[0])
    named = {outcome.reference for outcome in event.outcomes}
    useful = event.batch_reference == batch.reference or bool(named & {order.reference for order in batch.orders})
    forged = _forged(mine[0], bench.connector.profile.webhook_proof)
    return [
        Finding(claim="has_webhooks: a callback names its batch or its orders", held=useful, saw=f"kind {event.kind}"),
        Finding(claim="has_webhooks: the same callback has the same id", held=event.event_id == again.event_id),
        Finding(claim="has_webhooks: a forged callback is refused", held=all(_refused(bench, request) for request in forged)),
    ]


def _is_about(request: WebhookRequest, batch: PayoutBatch) -> bool:
    """Some providers call back at the batch's own address, others at one address and name an order in the body."""
    return batch.reference in request.path or any(order.reference.encode() in request.body for order in batch.orders)


def _forged(true: WebhookRequest, proof: WebhookProof) -> list[WebhookRequest]:
    """The same message without its proof: another body under its signature, or an address that we never gave."""
    method = "PUT" if true.method.upper() == "POST" else "POST"
    wrong = [dataclasses.replace(true, method=method), dataclasses.replace(true, path=true.path.partition("?")[0], headers={})]
    if proof is WebhookProof.ADDRESS:
        return [*wrong, dataclasses.replace(true, path=f"{true.path}x", headers={})]
    return [*wrong, dataclasses.replace(true, body=true.body + b" "), *(dataclasses.replace(true, **change) for change in _OTHER)]


_OTHER: tuple[dict[str, Any], ...] = ({"body": b"{}"}, {"headers": {}})


def _refused(bench: Bench, request: WebhookRequest) -> bool:
    try:
        bench.connector.read_webhook(request)
    except WebhookRefusedError:
        return True
    except WebhookUnreadableError:
        return False
    return False


async def fetches_statements(bench: Bench) -> Finding:
    """Today's statement names today's payments."""
    batch = bench.batch()
    await bench.submit(batch)
    by_hand = bench.connector.profile.finality is Finality.BY_HAND
    await bench.settled(batch, 0 if by_hand else len(batch.orders))
    statement = await bench.connector.fetch_statement(bench.day)
    if not bench.connector.profile.has_statements:
        return Finding(claim="has_statements is false: there is none", held=statement is None)
    named = statement is not None and all(order.reference.encode() in statement for order in batch.orders)
    return Finding(
        claim="has_statements: today's names today's payments", held=named, saw="none" if statement is None else "payments are missing"
    )


async def says_nothing_personal(bench: Bench) -> Finding:
    """Codes are ours, and no detail names an account or a holder."""
    nobody = bench.provider.unknown()
    orders = [bench.order(), bench.order(bench.connector.profile.limits[bench.order().amount.currency.code].largest + bench.ordinary())]
    batch = bench.batch(orders if nobody is None else [*orders, bench.order(to=nobody)])
    outcomes: list[PayoutOutcome] = [*await bench.submit(batch), *await bench.look_up(batch)]
    secrets = [secret for order in batch.orders for secret in (order.destination.account, order.destination.holder) if secret]
    leaking = [outcome for outcome in outcomes if any(secret in outcome.detail for secret in secrets)]
    foreign = [outcome.code for outcome in outcomes if outcome.code is not None and outcome.code not in OUTCOME_CODES]
    saw = f"{len(leaking)} details name somebody; foreign codes {foreign}"
    return Finding(claim="outcomes use our codes and name nobody", held=not leaking and not foreign, saw=saw)


CLAIMS = (
    pays_what_was_ordered,
    becomes_final,
    rejects_unknown_accounts,
    keeps_limits,
    refuses_other_kinds,
    takes_full_batches,
    keeps_references,
    repeats_as_claimed,
    finds_nothing_that_was_never_sent,
    checks_names,
    reads_webhooks,
    fetches_statements,
    says_nothing_personal,
)
