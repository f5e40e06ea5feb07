"""What a connector must keep that pays nothing and only checks accounts."""

from __future__ import annotations

from connectors.faults import FaultKind, FaultPlan
from connectors.payouts.conformance_bench import Bench, Finding, only, statuses
from connectors.payouts.contract import NameMatch, PayoutOrder, PayoutStatus
from importers.money import USD, Money

# Whatever goes wrong on the way, the account may exist or not.
_TROUBLE = (
    FaultKind.RESET_BEFORE_READ,
    FaultKind.SLOW_ACCEPT,
    FaultKind.HTML_INSTEAD,
    FaultKind.EMPTY_ANSWER,
    FaultKind.TRUNCATED_ANSWER,
    FaultKind.SERVER_ERROR,
    FaultKind.UNAVAILABLE,
    FaultKind.REDIRECT_ELSEWHERE,
)


async def tells_existence(bench: Bench) -> list[Finding]:
    """An account that exists, and one that does not, are told apart; no name is confirmed that was not told."""
    good = await bench.connector.check_destination(bench.provider.good(1))
    named = bench.connector.profile.checks_names
    findings = [
        Finding(claim="an account that exists is told", held=good.exists is True, saw=f"exists is {good.exists}"),
        Finding(
            claim="a name is confirmed only where the provider tells it",
            held=named or (good.name_match is NameMatch.NOT_APPLICABLE and good.holder is None),
            saw=good.name_match,
        ),
    ]
    nobody = bench.provider.unknown()
    if nobody is not None:
        missing = await bench.connector.check_destination(nobody)
        held = missing.exists is False and missing.name_match is NameMatch.NOT_APPLICABLE
        findings.append(Finding(claim="an account that does not exist is told", held=held, saw=f"exists is {missing.exists}"))
    return findings


async def trouble_proves_nothing(bench: Bench) -> list[Finding]:
    """A question that failed says neither yes nor no."""
    findings = []
    for kind in _TROUBLE:
        if kind in bench.provider.faults:
            await bench.provider.play(bench.plan("check", kind))
            said = await bench.connector.check_destination(bench.provider.good(2))
            await bench.provider.play(FaultPlan())
            held = said.exists is None and said.name_match is NameMatch.NOT_APPLICABLE
            findings.append(Finding(claim=f"{kind} during a check proves nothing", held=held, saw=f"exists is {said.exists}"))
    return findings


async def pays_nothing(bench: Bench) -> list[Finding]:
    """Every order is refused, and the provider's journal stays empty."""
    good = bench.provider.good(1)
    order = PayoutOrder(reference=bench.reference(), amount=Money(1000, USD), destination=good, purpose="Wages 2026-11")
    batch = bench.batch([order])
    outcomes = await bench.connector.submit(batch)
    found = await bench.look_up(batch)
    invented = [each for each in found if each.status in {PayoutStatus.PAID, PayoutStatus.NOT_FOUND, PayoutStatus.REJECTED}]
    quiet = not await bench.provider.journal() and await bench.connector.fetch_statement(bench.day) is None
    profile = bench.connector.profile
    return [
        Finding(claim="an order is refused, nothing moves", held=only(outcomes, PayoutStatus.REJECTED) and quiet, saw=statuses(outcomes)),
        Finding(claim="a look-up proves nothing", held=not invented, saw=statuses(found)),
        Finding(
            claim="it claims no look-up, callback or statement",
            held=not (profile.looks_up or profile.has_webhooks or profile.has_statements),
            saw="it claims one",
        ),
    ]


CHECKS_ONLY = (tells_existence, trouble_proves_nothing, pays_nothing)
