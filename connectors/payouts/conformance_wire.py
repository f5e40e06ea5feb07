"""What a connector must and must not do on the wire: patience, redirects, what is echoed, and references that come twice."""

from __future__ import annotations

import dataclasses

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.faults import FaultKind, FaultPlan
from connectors.faulty_server import serving
from connectors.payouts.conformance_bench import Bench, Finding, Proof, only, statuses
from connectors.payouts.contract import Finality, PayoutStatus
from connectors.payouts.names import same_account


async def waits_when_asked(bench: Bench) -> Finding | None:
    """After a 429 with Retry-After nothing is sent before that time, and the outcome says for how long; then it works again."""
    if FaultKind.TOO_MANY_REQUESTS not in bench.provider.faults:
        return None
    claim = "retry_after: the provider is not called again before it wants to be"
    refused = await bench.submit(bench.batch(), FaultKind.TOO_MANY_REQUESTS)
    early = bench.batch()
    outcomes = await bench.submit(early)
    sent = sum(len(lines) for lines in (await bench.settled(early, 1 if only(outcomes, PayoutStatus.ACCEPTED) else 0)).values())
    waited = await bench.patience(refused)
    late = bench.batch()
    again = await bench.submit(late)
    held = waited > 0 and not sent and only(outcomes, PayoutStatus.REJECTED) and only(again, PayoutStatus.ACCEPTED, PayoutStatus.PAID)
    saw = f"told to wait {waited:g} s, {sent} orders sent in that time ({statuses(outcomes)}), afterwards {statuses(again)}"
    return Finding(
        claim=claim, held=held, saw=saw, remedy="keep the Retry-After of a 429, send nothing before it, hand it on as retry_after"
    )


async def follows_no_redirect(bench: Bench) -> Finding | None:
    """A redirect to another host is not followed: neither the order nor the credential may travel there."""
    if FaultKind.REDIRECT_ELSEWHERE not in bench.provider.faults:
        return None
    seen: list[str] = []

    async def trap(request: Request) -> Response:
        seen.append(f"{request.method}{' with credentials' if 'authorization' in request.headers else ''}")
        return Response(status_code=200)

    methods = ["GET", "POST", "PUT", "PATCH", "HEAD"]
    async with serving(Starlette(routes=[Route("/{path:path}", trap, methods=methods)])) as url:
        for point in ("submit", "look_up", "check", "statement"):
            await bench.provider.play(bench.plan(point, FaultKind.REDIRECT_ELSEWHERE, elsewhere=f"{url}/elsewhere"))
            batch = bench.batch()
            if point == "submit":
                await bench.connector.submit(batch)
            elif point == "look_up":
                await bench.look_up(batch)
            elif point == "check":
                await bench.connector.check_destination(bench.provider.good(1))
            else:
                await bench.connector.fetch_statement(bench.day)
        await bench.provider.play(FaultPlan())
    return Finding(
        claim="redirect_elsewhere: no request follows to another host",
        held=not seen,
        saw=f"the other host was visited: {', '.join(seen)}",
        remedy="switch redirects off in the HTTP client (connectors.http.client has them off)",
    )


async def other_payee(bench: Bench) -> Finding | None:
    """An account that differs is seen: UNKNOWN payee_differs, or the outcome carries it for the caller to compare."""
    if FaultKind.OTHER_PAYEE_ECHOED not in bench.provider.faults:
        return None
    batch = bench.batch()
    ordered = {order.reference: order.destination.account for order in batch.orders}
    outcomes = list(await bench.submit(batch, FaultKind.OTHER_PAYEE_ECHOED))
    await bench.settled(batch, len(batch.orders))
    outcomes += await bench.until(batch, lambda found: only(found, PayoutStatus.PAID, PayoutStatus.UNKNOWN))
    told = [each for each in outcomes if each.account is not None and not same_account(ordered[each.reference], each.account)]
    return Finding(
        claim="other_payee_echoed: the difference is not swallowed",
        held=bool(told) or any(each.code == "payee_differs" for each in outcomes),
        saw=statuses(outcomes),
        remedy="put the account that the provider states into PayoutOutcome.account",
    )


async def refuses_doubled_references(bench: Bench) -> Finding:
    """One reference twice in a batch is paid once at the most, and never both are called paid."""
    first = bench.order()
    batch = bench.batch([first, dataclasses.replace(bench.order(), reference=first.reference)])
    outcomes = await bench.submit(batch)
    by_hand = bench.connector.profile.finality is Finality.BY_HAND
    credited = len((await bench.settled(batch, 0 if by_hand or only(outcomes, PayoutStatus.REJECTED) else 1))[first.reference])
    held = len(outcomes) == len(batch.orders) and credited <= 1 and not (credited and only(outcomes, PayoutStatus.REJECTED))
    return Finding(
        claim="a reference that stands twice in a batch is not paid twice",
        held=held and (not by_hand or only(outcomes, PayoutStatus.REJECTED)),
        saw=f"submit answered {statuses(outcomes)}; credits {credited}",
        remedy="refuse a batch whose references are not all different",
    )


async def names_what_was_not_tried(bench: Bench) -> list[Finding]:
    """Faults that this provider cannot play: the connector may be right about them, but nobody has seen it."""
    events = {FaultKind.DUPLICATE_EVENT, FaultKind.REORDER_EVENTS, FaultKind.FORGED_EVENT, FaultKind.LOST_EVENT}
    missing = sorted(frozenset(FaultKind) - bench.provider.faults - events)
    return [
        Finding(claim=kind, held=True, proof=Proof.NOT_TRIED, remedy="let the provider in under_test play it")
        for kind in missing
        if bench.connector.profile.finality is not Finality.BY_HAND
    ]


WIRE = (waits_when_asked, follows_no_redirect, other_payee, refuses_doubled_references, names_what_was_not_tried)
