"""Our connectors keep every claim of their profile, and one that lies is found out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import httpx2
import pytest

from connectors.payouts import conformance
from connectors.payouts import conformance_faults as faults
from connectors.payouts import conformance_profile as claims
from connectors.payouts import conformance_promises as promises
from connectors.payouts import conformance_wire as wire
from connectors.payouts.cash.under_test import under_test as cash_under_test
from connectors.payouts.contract import (
    Connector,
    Destination,
    DestinationCheck,
    Finality,
    NameMatch,
    PayoutBatch,
    PayoutOutcome,
    PayoutStatus,
    Profile,
    ProviderEvent,
    RepeatBehaviour,
    WebhookRequest,
)
from connectors.payouts.gsma_mobile_money.under_test import under_test


@pytest.mark.parametrize(
    "settings",
    [
        {"batch_size": 200, "statement_from": "transactions"},
        {"bulk": False, "batch_size": 40, "callback_proof": "address"},
        {"two_step": True, "batch_size": 40, "hours": {"cut_off": "15:30", "holidays": ["2026-11-23"]}},
    ],
    ids=["bulk", "one by one", "two-step"],
)
async def test_the_wallet_keeps_its_claims(settings: dict[str, object]) -> None:
    async with under_test(**settings) as (connector, provider):
        findings = await conformance.check(connector, provider)
    assert conformance.report(conformance.failures(findings)) == ""
    assert len(findings) > 55
    assert "none failed" in conformance.summary(findings)


async def test_cash_keeps_its_few_claims() -> None:
    async with cash_under_test(batch_size=100) as (connector, provider):
        findings = await conformance.check(connector, provider)
    assert conformance.report(conformance.failures(findings)) == ""
    assert len(findings) > 10


class Liar:
    """A wallet connector that says more than is true. Each subclass tells one lie."""

    def __init__(self, honest: Connector) -> None:
        self.honest = honest

    @property
    def profile(self) -> Profile:
        return self.honest.profile

    async def check_destination(self, destination: Destination) -> DestinationCheck:
        return await self.honest.check_destination(destination)

    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        return await self.honest.submit(batch)

    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        return await self.honest.look_up(batch_reference, references)

    def read_webhook(self, request: WebhookRequest) -> ProviderEvent:
        return self.honest.read_webhook(request)

    async def fetch_statement(self, day: date) -> bytes | None:
        return await self.honest.fetch_statement(day)

    async def aclose(self) -> None:
        await self.honest.aclose()


class TimeoutIsFailure(Liar):
    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        outcomes = await self.honest.submit(batch)
        return [
            dataclasses.replace(each, status=PayoutStatus.REJECTED) if each.status is PayoutStatus.UNKNOWN else each for each in outcomes
        ]


class RetriesByItself(Liar):
    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        outcomes = await self.honest.submit(batch)
        if any(each.status is PayoutStatus.UNKNOWN for each in outcomes):
            # A new reference for the retry: the provider cannot know that it is the same wage.
            await self.honest.submit(dataclasses.replace(batch, reference=batch.reference[::-1]))
            return [dataclasses.replace(each, status=PayoutStatus.ACCEPTED, code=None) for each in outcomes]
        return outcomes


class LosesTheLastOrder(Liar):
    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        return (await self.honest.submit(batch))[:-1]


class BelievesEveryCallback(Liar):
    def read_webhook(self, request: WebhookRequest) -> ProviderEvent:
        return ProviderEvent(event_id="1", kind="batch_completed", batch_reference=request.path.rsplit("/", 1)[-1])


class NotFoundIsRejected(Liar):
    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        outcomes = await self.honest.look_up(batch_reference, references)
        return [
            dataclasses.replace(each, status=PayoutStatus.REJECTED) if each.status is PayoutStatus.NOT_FOUND else each for each in outcomes
        ]


class EveryNameMatches(Liar):
    async def check_destination(self, destination: Destination) -> DestinationCheck:
        return dataclasses.replace(await self.honest.check_destination(destination), name_match=NameMatch.MATCH)


class SwallowsTheAmount(Liar):
    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        return [dataclasses.replace(each, amount=None) for each in await self.honest.look_up(batch_reference, references)]


class NamesTheWorker(Liar):
    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        outcomes = await self.honest.submit(batch)
        return [
            dataclasses.replace(each, detail=f"for {order.destination.holder}") for each, order in zip(outcomes, batch.orders, strict=True)
        ]


class SwallowsThePayee(Liar):
    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        return [dataclasses.replace(each, account=None) for each in await self.honest.look_up(batch_reference, references)]


class KeepsTheProvidersWishToItself(Liar):
    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        return [dataclasses.replace(each, retry_after=None) for each in await self.honest.submit(batch)]


class FollowsWhereverItIsSent(Liar):
    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        config = self.honest.inner._config  # type: ignore[attr-defined]  # noqa: SLF001 where the provider is
        async with httpx2.AsyncClient(follow_redirects=True, headers={"authorization": "Bearer of our key"}) as careless:
            await careless.get(f"{config.base_url}/responses/{batch_reference}")
        return await self.honest.look_up(batch_reference, references)


class EmbellishesTheStatement(Liar):
    async def fetch_statement(self, day: date) -> bytes | None:
        return (await self.honest.fetch_statement(day) or b"").replace(b'"amount":"', b'"amount":"1')


class Raises(Liar):
    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        raise ConnectionError(batch_reference, len(references))


class Boasts(Liar):
    """Changes its profile only."""

    def __init__(self, honest: Connector, **boast: Any) -> None:
        super().__init__(honest)
        self.boast = boast

    @property
    def profile(self) -> Profile:
        return dataclasses.replace(self.honest.profile, **self.boast)


class Silent(Boasts):
    async def balance(self) -> None:
        """Not told."""


LIES: dict[str, tuple[Any, dict[str, object], conformance.Scenario, str]] = {
    "a timeout is called a failure": (TimeoutIsFailure, {}, faults.open_after_work_was_done, "reply_lost_after_accept"),
    "it sends again by itself": (RetriesByItself, {}, faults.open_after_work_was_done, "reply_lost_after_accept"),
    "not found is called rejected": (NotFoundIsRejected, {}, faults.open_although_nothing_was_done, "html_instead"),
    "another amount is swallowed": (SwallowsTheAmount, {}, faults.other_amount, "other_amount_echoed"),
    "not found is final at once": (Boasts, {"not_found_is_final_after": timedelta(0)}, faults.not_found_for_a_while, "not_found"),
    "an order has no outcome": (LosesTheLastOrder, {}, claims.pays_what_was_ordered, "an order is paid once"),
    "forged callbacks are believed": (BelievesEveryCallback, {}, claims.reads_webhooks, "a forged callback is refused"),
    "every name matches": (EveryNameMatches, {}, claims.checks_names, "another holder does not match"),
    "a detail names the worker": (NamesTheWorker, {}, claims.says_nothing_personal, "name nobody"),
    "a look-up raises": (Raises, {}, claims.becomes_final, "becomes final"),
    "a repeat is refused, it says": (Boasts, {"repeat": RepeatBehaviour.CONFLICT}, claims.repeats_as_claimed, "repeat: conflict"),
    "batches of 500, it says": (Boasts, {"batch_size": 500}, claims.takes_full_batches, "a batch of 500 orders is taken"),
    "references of 60 letters, it says": (Boasts, {"reference_length": 60}, claims.keeps_references, "references of the claimed length"),
    "no statements, it says": (Boasts, {"has_statements": False}, claims.fetches_statements, "has_statements is false"),
    "another payee is swallowed": (SwallowsThePayee, {}, wire.other_payee, "other_payee_echoed"),
    "Retry-After is kept secret": (KeepsTheProvidersWishToItself, {}, wire.waits_when_asked, "retry_after"),
    "redirects are followed": (FollowsWhereverItIsSent, {}, wire.follows_no_redirect, "no request follows to another host"),
    "a statement of other amounts": (EmbellishesTheStatement, {}, promises.states_what_it_paid, "amounts and accounts are those ordered"),
    "a balance, it says": (Silent, {"tells_balance": True}, promises.tells_its_balance, "tells_balance"),
    "it remembers a day of what it never recognises": (
        Boasts,
        {"repeat": RepeatBehaviour.PAYS_AGAIN, "idempotency_window": timedelta(days=1)},
        promises.is_consistent,
        "idempotency_window: only where",
    ),
    "final by a webhook that never comes": (
        Boasts,
        {"finality": Finality.WEBHOOK, "has_webhooks": False},
        promises.is_consistent,
        "finality: its way exists",
    ),
    "no limits, it says": (Boasts, {"limits": {}}, promises.is_consistent, "limits: each has"),
    "it cannot look up, it says": (Boasts, {"looks_up": False}, claims.finds_nothing_that_was_never_sent, "looks_up is false"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_is_found_out(lie: str) -> None:
    liar, boast, scenario, expected = LIES[lie]
    async with under_test(batch_size=50) as (honest, provider):
        findings = await conformance.check(liar(honest, **boast), provider, scenarios=[scenario])
    assert any(expected in finding.claim for finding in conformance.failures(findings)), conformance.report(findings)
    assert all(finding.remedy for finding in findings)


def test_a_report_says_what_failed_what_was_seen_and_what_the_rule_is() -> None:
    findings = [
        conformance.Finding(claim="looks_up", held=True),
        conformance.Finding(claim="hours", held=True, proof=conformance.Proof.STATED),
        conformance.Finding(claim="tls", held=True, proof=conformance.Proof.NOT_TRIED, remedy="let the provider play it"),
        conformance.Finding(claim="repeat: conflict", held=False, saw="credits [2]", remedy="pays once"),
    ]
    assert conformance.report(findings).splitlines() == [
        "ok         looks_up",
        "stated     hours",
        "not tried  tls (let the provider play it)",
        "FAILED     repeat: conflict",
        "           seen: credits [2]",
        "           rule: pays once",
    ]
    assert conformance.summary(findings) == "1 claims held, 1 rest on the contract, 1 were not tried, 1 failed"


async def test_a_package_without_a_provider_is_told_what_to_add() -> None:
    with pytest.raises(conformance.NothingToCheckError, match=r"add connectors.sms.under_test with under_test\(\)"):
        await conformance.check_package("connectors.sms")
