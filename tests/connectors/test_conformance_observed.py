"""Whatever a connector does, its caller gets one honest outcome for each order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.payouts.cash.connector import build
from connectors.payouts.contract import (
    Destination,
    DestinationCheck,
    DestinationKind,
    NameMatch,
    PayoutBatch,
    PayoutOrder,
    PayoutOutcome,
    PayoutStatus,
    Profile,
    ProviderEvent,
    WebhookRefusedError,
    WebhookRequest,
    WebhookUnreadableError,
)
from connectors.payouts.observed import Observation, ObservedConnector
from importers.money import USD, Money


def order(number: int) -> PayoutOrder:
    worker = Destination(kind=DestinationKind.CASH, account=f"ACC-{number:04d}", holder=f"Sok Dara {number}")
    return PayoutOrder(reference=f"GW{number}", amount=Money(1000 + number, USD), destination=worker, purpose="Wages")


BATCH = PayoutBatch(reference="B1", orders=[order(1), order(2)], execute_on=date(2026, 11, 30))


def told(number: int, status: PayoutStatus = PayoutStatus.ACCEPTED, **more: Any) -> PayoutOutcome:
    return PayoutOutcome(reference=f"GW{number}", status=status, **more)


class Scripted:
    """A third party's connector that answers every call by calling `answer`."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self.answer = answer

    @property
    def profile(self) -> Profile:
        return build({}).profile

    async def check_destination(self, destination: Destination) -> DestinationCheck:
        del destination
        return await self._say()  # type: ignore[no-any-return]  # a connector of a third party keeps no types

    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        del batch
        return await self._say()  # type: ignore[no-any-return]  # the same

    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        del batch_reference, references
        return await self._say()  # type: ignore[no-any-return]  # the same

    def read_webhook(self, request: WebhookRequest) -> ProviderEvent:
        del request
        return self.answer()  # type: ignore[no-any-return]  # the same

    async def fetch_statement(self, day: date) -> bytes | None:
        del day
        return await self._say()  # type: ignore[no-any-return]  # the same

    async def aclose(self) -> None:
        """Nothing to release."""

    async def _say(self) -> Any:
        answer = self.answer()
        return await answer if asyncio.iscoroutine(answer) else answer


def boom() -> Any:
    raise RuntimeError("account ACC-0001 of Sok Dara 1")


def seen(answer: Callable[[], Any], **more: Any) -> tuple[ObservedConnector, list[Observation]]:
    observations: list[Observation] = []
    return ObservedConnector(Scripted(answer), observer=observations.append, **more), observations


async def test_an_exception_leaves_every_order_unknown_and_tells_nobodys_name(caplog: pytest.LogCaptureFixture) -> None:
    connector, observations = seen(boom)
    with caplog.at_level(logging.DEBUG):
        outcomes = await connector.submit(BATCH)
    assert [(outcome.reference, outcome.status) for outcome in outcomes] == [("GW1", PayoutStatus.UNKNOWN), ("GW2", PayoutStatus.UNKNOWN)]
    assert (observations[0].call, observations[0].error, observations[0].results) == ("submit", "RuntimeError", {"unknown": 2})
    assert "RuntimeError" in caplog.text
    assert "Sok" not in caplog.text
    assert "ACC" not in caplog.text
    assert {outcome.status for outcome in await connector.look_up("B1", ["GW1"])} == {PayoutStatus.UNKNOWN}
    check = await connector.check_destination(BATCH.orders[0].destination)
    assert (check.exists, check.name_match) == (None, NameMatch.NOT_APPLICABLE)
    assert await connector.fetch_statement(date(2026, 11, 30)) is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([told(1), told(2)], ["accepted", "accepted"]),
        ([told(1)], ["accepted", "unknown"]),
        ([], ["unknown", "unknown"]),
        ([told(2), told(1)], ["unknown", "unknown"]),
        ([told(1), told(1)], ["accepted", "unknown"]),
        ([told(1), None], ["accepted", "unknown"]),
        (None, ["unknown", "unknown"]),
        ([told(1, PayoutStatus.NOT_FOUND), told(2, PayoutStatus.REJECTED)], ["unknown", "rejected"]),
        ([told(1, amount=Money(1001, USD)), told(2, amount=Money(9999, USD))], ["accepted", "unknown"]),
        ([told(1, PayoutStatus.REJECTED, amount=Money(1, USD)), told(2, PayoutStatus.PAID)], ["unknown", "paid"]),
    ],
)
async def test_outcomes_that_do_not_fit_their_orders_are_unknown(answer: Any, expected: list[str]) -> None:
    connector, _ = seen(lambda: answer)
    assert [outcome.status.value for outcome in await connector.submit(BATCH)] == expected


async def test_another_amount_has_its_own_code_and_a_foreign_code_becomes_ours() -> None:
    connector, _ = seen(lambda: [told(1, amount=Money(1, USD)), told(2, PayoutStatus.REJECTED, code="E-4711", detail="declined")])
    first, second = await connector.submit(BATCH)
    assert (first.code, second.code, second.detail) == ("amount_differs", "other", "declined")
    connector, _ = seen(lambda: [told(1, detail="to ACC-0001"), told(2, detail="to Sok Dara 2")])
    assert [outcome.detail for outcome in await connector.submit(BATCH)] == ["", ""]


async def test_a_provider_that_never_ends_is_a_time_out() -> None:
    connector, _ = seen(lambda: asyncio.sleep(60), deadline_seconds=0.05)
    assert [(outcome.status, outcome.code) for outcome in await connector.submit(BATCH)] == [(PayoutStatus.UNKNOWN, "timeout")] * 2


async def test_being_cancelled_is_not_swallowed() -> None:
    connector, _ = seen(lambda: asyncio.sleep(60))
    task = asyncio.create_task(connector.submit(BATCH))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_parser_that_stumbles_over_a_webhook_has_not_verified_it() -> None:
    request = WebhookRequest(method="PUT", path="/", headers={}, body=b"", received_at=datetime.now(UTC))

    def unreadable() -> Any:
        raise WebhookUnreadableError

    connector, observations = seen(boom)
    with pytest.raises(WebhookRefusedError):
        connector.read_webhook(request)
    connector, _ = seen(unreadable)
    with pytest.raises(WebhookUnreadableError):
        connector.read_webhook(request)
    connector, _ = seen(lambda: ProviderEvent(event_id="1", kind="batch_completed"))
    assert connector.read_webhook(request).event_id == "1"
    assert observations[0].results == {"refused": 1}
