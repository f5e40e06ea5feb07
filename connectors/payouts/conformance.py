"""Does a connector do what its profile claims? Every claim is tried against the provider, in fair weather and under faults.

python -m connectors.payouts.conformance gsma_mobile_money

A connector brings its provider in a module `under_test` beside it: `under_test(**settings)`, an asynchronous context manager that
gives the connector and a ProviderUnderTest.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import importlib
import secrets
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from connectors.payouts.conformance_accounts import CHECKS_ONLY
from connectors.payouts.conformance_bench import Bench, Finding, JournalLine, Proof, ProviderUnderTest
from connectors.payouts.conformance_faults import FAULTS
from connectors.payouts.conformance_profile import CLAIMS
from connectors.payouts.conformance_promises import PROMISES
from connectors.payouts.conformance_wire import WIRE
from connectors.payouts.contract import Connector

__all__ = [
    "SCENARIOS",
    "Bench",
    "Finding",
    "JournalLine",
    "NothingToCheckError",
    "Proof",
    "ProviderUnderTest",
    "Scenario",
    "check",
    "check_package",
    "failures",
    "report",
    "summary",
]

Scenario = Callable[[Bench], Awaitable[list[Finding] | Finding | None]]
PHNOM_PENH = ZoneInfo("Asia/Phnom_Penh")


SCENARIOS: tuple[Scenario, ...] = (*CLAIMS, *PROMISES, *FAULTS, *WIRE)


async def check(
    connector: Connector, provider: ProviderUnderTest, *, day: date | None = None, scenarios: Iterable[Scenario] | None = None
) -> list[Finding]:
    """Every claim with whether it held. Real orders are sent: run it against a sandbox or a simulator only.

    `day` is the provider's business day, today in Phnom Penh if not given. A claim that ends in an exception did not hold.
    """
    # The alphabet of every reference is a subset of these; a run's own prefix keeps runs against one sandbox apart.
    alphabet = connector.profile.reference_alphabet
    # A digit first, as in the service's own: a word without one is not taken for a reference in a statement's free text.
    first = [sign for sign in alphabet if sign.isdigit()] or alphabet
    prefix = secrets.choice(first) + "".join(secrets.choice(alphabet) for _ in range(7))
    bench = Bench(connector=connector, provider=provider, day=day or datetime.now(UTC).astimezone(PHNOM_PENH).date(), prefix=prefix)
    findings: list[Finding] = []
    for scenario in scenarios or (SCENARIOS if connector.profile.pays else CHECKS_ONLY):
        try:
            found = await scenario(bench)
        except Exception as error:  # noqa: BLE001 a connector under test may raise anything, and that is a finding
            name = getattr(scenario, "__name__", "scenario").replace("_", " ")
            remedy = "catch what goes wrong and answer with outcomes, as connectors/payouts/contract.py says"
            findings.append(Finding(claim=name, held=False, saw=f"{type(error).__name__} was raised", remedy=remedy))
            continue
        if found is not None:
            rule = (scenario.__doc__ or "").strip().splitlines()[0]
            listed = found if isinstance(found, list) else [found]
            findings += [dataclasses.replace(each, remedy=each.remedy or rule) for each in listed]
    return findings


def failures(findings: Iterable[Finding]) -> list[Finding]:
    """The claims that did not hold."""
    return [finding for finding in findings if not finding.held]


def report(findings: Iterable[Finding]) -> str:
    """The findings as lines a person reads: what held, what rests on the contract, what nobody tried, and what to mend."""
    return "\n".join(line for each in findings for line in _lines(each))


def summary(findings: Sequence[Finding]) -> str:
    """The last line of a check."""
    failed = len(failures(findings))
    words = {proof: sum(each.held and each.proof is proof for each in findings) for proof in Proof}
    tail = f"{words[Proof.TRIED]} claims held, {words[Proof.STATED]} rest on the contract, {words[Proof.NOT_TRIED]} were not tried"
    return f"{tail}, {failed} failed" if failed else f"{tail}; none failed"


def _lines(finding: Finding) -> list[str]:
    if not finding.held:
        return [f"FAILED     {finding.claim}", f"           seen: {finding.saw or 'the opposite'}", f"           rule: {finding.remedy}"]
    if finding.proof is Proof.STATED:
        return [f"stated     {finding.claim}"]
    if finding.proof is Proof.NOT_TRIED:
        return [f"not tried  {finding.claim} ({finding.remedy})"]
    return [f"ok         {finding.claim}"]


class NothingToCheckError(Exception):
    """A connector that brings no provider; the message says what to add."""


async def check_package(package: str) -> list[Finding]:
    """Check the connector in this package with the provider that its module `under_test` brings. Raises NothingToCheckError."""
    try:
        bring = importlib.import_module(f"{package}.under_test").under_test
    except (ImportError, AttributeError) as error:
        raise NothingToCheckError(
            f"{package} brings no provider to be tried with: add {package}.under_test with under_test() ({error})"
        ) from error
    async with bring() as (connector, provider):
        return await check(connector, provider)


def main() -> int:
    """Check one connector and print what held; 1 if a claim did not hold, 2 if there is nothing to check."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("package", help="one of ours by its name, as gsma_mobile_money, or the whole name of a package")
    name: str = parser.parse_args().package
    try:
        findings = asyncio.run(check_package(name if "." in name else f"connectors.payouts.{name}"))
    except NothingToCheckError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{report(findings)}\n{summary(findings)}\n")
    return 1 if failures(findings) else 0


if __name__ == "__main__":
    sys.exit(main())
