"""The published compliance cases, from the first request to the last callback, against a provider that shares no code with ours.

Every request is held against the OpenAPI; callbacks are bare, as the cases write them, and must be answered 204.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from datetime import date

import pytest

from connectors.payouts.callback_listener import CallbackListener
from connectors.payouts.contract import (
    Destination,
    DestinationKind,
    NameMatch,
    PayoutBatch,
    PayoutOrder,
    PayoutOutcome,
    PayoutStatus,
    ProviderEvent,
    TellsBalance,
    WebhookProof,
    WebhookRefusedError,
)
from connectors.payouts.gsma_mobile_money.config import GsmaConfig
from connectors.payouts.gsma_mobile_money.connector import GsmaConnector
from importers.money import KHR, USD, Money
from importers.statements.gsma import read_gsma_statement
from tests.connectors.gsma_server import REFUSED, Provider, running


class Room:
    """The connector, the foreign provider, and the listener for its callbacks."""

    def __init__(self, connector: GsmaConnector, provider: Provider, listener: CallbackListener) -> None:
        self.connector, self.provider, self.listener = connector, provider, listener

    def batch(self, *amounts: int, calls_back: bool = True) -> PayoutBatch:
        orders = [
            PayoutOrder(
                reference=f"GW26110000{number:02d}",
                amount=Money(amount, USD),
                destination=Destination(kind=DestinationKind.WALLET, account="+33555789123", holder="Sok Dara"),
                purpose="Wages 2026-11",
            )
            for number, amount in enumerate(amounts)
        ]
        address = self.listener.address("GWBATCH01") if calls_back else None
        return PayoutBatch(reference="GWBATCH01", orders=orders, execute_on=date(2026, 11, 30), callback_url=address)

    async def events(self, count: int) -> list[ProviderEvent]:
        """The callbacks, read by the connector as they come."""
        for _ in range(200):
            if len(self.provider.callbacks) >= count:
                break
            await asyncio.sleep(0.01)
        return [self.connector.read_webhook(request) for request in self.listener.received]

    async def look_up(self, batch: PayoutBatch) -> list[PayoutOutcome]:
        return list(await self.connector.look_up(batch.reference, [order.reference for order in batch.orders]))


@contextlib.asynccontextmanager
async def room(provider: Provider | None = None, **settings: object) -> AsyncIterator[Room]:
    provider = provider or Provider()
    listener = CallbackListener()
    async with listener.listening():
        with running(provider) as url:
            config = {
                "base_url": url,
                "client_id": "DISORG1STEP12345",
                "api_key": "a-long-api-key",
                "callback_secret": "a-long-callback-secret",
                "debit_party_key": "msisdn",
                "debit_party_value": "+33555123456",
                "read_seconds": 10,
                **settings,
            }
            connector = GsmaConnector(GsmaConfig.model_validate(config))
            try:
                yield Room(connector, provider, listener)
            finally:
                await connector.aclose()
                await asyncio.to_thread(provider.finish)
    assert provider.breaches == []
    assert set(provider.callbacks) <= {204}


@pytest.mark.parametrize("path", ["/transactions/type/disbursement", "/transactions"])
async def test_individual_disbursement_with_a_callback_of_success(path: str) -> None:
    async with room(bulk=False, single_path=path) as here:
        batch = here.batch(5000, 5000)
        assert {each.status for each in await here.connector.submit(batch)} == {PayoutStatus.ACCEPTED}
        events = await here.events(2)
        assert {event.outcomes[0].reference for event in events} == {order.reference for order in batch.orders}
        assert {(event.kind, event.outcomes[0].status, event.outcomes[0].amount) for event in events} == {
            ("transaction", PayoutStatus.PAID, Money(5000, USD))
        }
        # The callback told the transaction: it is looked at directly.
        assert {each.status for each in await here.look_up(batch)} == {PayoutStatus.PAID}
        assert not any("/responses/" in asked or "/requeststates/" in asked for asked in here.provider.asked)


async def test_individual_disbursement_with_a_callback_of_insufficient_funds() -> None:
    async with room(bulk=False) as here:
        batch = here.batch(5100)
        assert (await here.connector.submit(batch))[0].status is PayoutStatus.ACCEPTED
        event = (await here.events(1))[0]
        assert (event.kind, event.batch_reference) == ("failed", "GWBATCH01")
        assert [(hint.reference, hint.status, hint.code) for hint in event.outcomes] == [
            (batch.orders[0].reference, PayoutStatus.REJECTED, "insufficient_funds")
        ]
        here.provider.pending_polls = 0
        found = (await here.look_up(batch))[0]
        assert (found.status, found.code) == (PayoutStatus.REJECTED, "insufficient_funds")


async def test_individual_disbursement_by_polling_its_request_state() -> None:
    async with room(Provider(knows_responses=False), bulk=False) as here:
        batch = here.batch(5200, calls_back=False)
        await here.connector.submit(batch)
        assert [(await here.look_up(batch))[0].status for _ in range(3)] == [
            PayoutStatus.ACCEPTED,
            PayoutStatus.ACCEPTED,
            PayoutStatus.PAID,
        ]


async def test_individual_disbursement_whose_request_state_is_gone_is_open() -> None:
    async with room(Provider(knows_responses=False), bulk=False) as here:
        batch = here.batch(5300, calls_back=False)
        await here.connector.submit(batch)
        # The provider took it and now knows nothing of it: nobody may pay again on that word.
        assert (await here.look_up(batch))[0].status is PayoutStatus.UNKNOWN


async def test_one_step_bulk_disbursement() -> None:
    async with room() as here:
        batch = here.batch(5400, 1234)
        assert {each.status for each in await here.connector.submit(batch)} == {PayoutStatus.ACCEPTED}
        event = (await here.events(1))[0]
        assert (event.kind, event.batch_reference) == ("batch_created", "GWBATCH01")
        assert {each.status for each in await here.look_up(batch)} == {PayoutStatus.PAID}


async def test_one_step_bulk_disbursement_that_fails_by_callback() -> None:
    async with room() as here:
        batch = here.batch(5500)
        await here.connector.submit(batch)
        event = (await here.events(1))[0]
        assert (event.kind, event.outcomes, event.batch_reference) == ("failed", (), "GWBATCH01")


@pytest.mark.parametrize("knows_responses", [True, False], ids=["at once", "when the callback names the batch"])
async def test_two_step_bulk_disbursement_is_approved(*, knows_responses: bool) -> None:
    async with room(Provider(two_step=True, knows_responses=knows_responses), two_step=True) as here:
        batch = here.batch(5400)
        here.provider.pending_polls = 1_000_000
        await here.connector.submit(batch)
        if not knows_responses:
            await here.events(1)
            await here.look_up(batch)
        kinds = [event.kind for event in await here.events(2)]
        assert kinds == ["batch_completed", "approval"]
        assert (await here.look_up(batch))[0].status is PayoutStatus.PAID
        assert sum(asked.startswith("PATCH") for asked in here.provider.asked) == 1


async def test_every_error_of_the_api_is_read_by_its_category_and_code() -> None:
    expected = {
        "60": (PayoutStatus.REJECTED, "invalid_order"),
        "61": (PayoutStatus.REJECTED, "not_authorised"),
        "62": (PayoutStatus.REJECTED, "account_unknown"),
        "63": (PayoutStatus.UNKNOWN, "duplicate"),
        "64": (PayoutStatus.UNKNOWN, "other"),
        "65": (PayoutStatus.UNKNOWN, "other"),
        "66": (PayoutStatus.UNKNOWN, "other"),  # a code that nobody knows proves nothing
        "67": (PayoutStatus.UNKNOWN, "other"),  # nor does a 500 that speaks of validation
    }
    assert set(expected) == set(REFUSED)
    async with room(bulk=False) as here:
        batch = here.batch(*(int(amount) * 100 for amount in expected))
        outcomes = await here.connector.submit(batch)
        said = {f"{order.amount.minor // 100}": (each.status, each.code) for order, each in zip(batch.orders, outcomes, strict=True)}
    del said["67"], expected["67"]
    assert said == expected
    assert outcomes[-1].status is PayoutStatus.UNKNOWN


@pytest.mark.parametrize("bulk", [True, False], ids=["bulk", "one by one"])
async def test_an_answer_that_was_lost_is_found_by_our_own_correlation_id(*, bulk: bool) -> None:
    async with room(Provider(forgets_answers=True), bulk=bulk) as here:
        batch = here.batch(5200, calls_back=False)
        first = (await here.connector.submit(batch))[0]
        assert (first.status, first.code) == (PayoutStatus.UNKNOWN, "connection_lost")
        assert (await here.look_up(batch))[0].status is PayoutStatus.PAID
        sent = dict(here.provider.correlations)
        await here.connector.submit(batch)
        assert here.provider.correlations == sent  # a repeat travels under the same id with the same bytes


async def test_the_organisations_account_balance_history_and_service() -> None:
    async with room(balance_currency="USD", statement_from="transactions", page_size=10) as here:
        assert isinstance(here.connector, TellsBalance)
        assert await here.connector.balance() == Money(100_000, USD)
        assert await here.connector.is_available() is True
        statement = read_gsma_statement(await here.connector.fetch_statement(date(2021, 1, 1)) or b"")
        assert len(statement.lines) == 25
        assert statement.lines[3].references == ("GW0000000003",)
        paid = await here.connector.check_destination(_worker("+33555789123"))
        nobody = await here.connector.check_destination(_worker("+33000000000"))
        assert (paid.name_match, nobody.exists) == (NameMatch.MATCH, False)


def _worker(number: str) -> Destination:
    return Destination(kind=DestinationKind.WALLET, account=number, holder="SOK DARA")


async def test_a_reversal_is_asked_for_once_and_told_by_callback() -> None:
    async with room() as here:
        said = await here.connector.ask_reversal("REF-1", reference="GW2611000099", callback_url=here.batch(1).callback_url)
        assert said.status is PayoutStatus.ACCEPTED
        for _ in range(100):
            if here.provider.callbacks:
                break
            await asyncio.sleep(0.01)
        # Its address was not one that this connector made for a request of its own.
        with pytest.raises(WebhookRefusedError):
            here.connector.read_webhook(here.listener.received[0])


async def test_a_bare_callback_is_refused_at_a_changed_address_and_where_signatures_were_agreed() -> None:
    async with room(bulk=False) as here:
        batch = here.batch(5000)
        await here.connector.submit(batch)
        await here.events(1)
        true = here.listener.received[0]
        changed = [
            true.path.replace("GWBATCH01&", "GWBATCH02&"),
            true.path[:-1],
            true.path.partition("?")[0],
            true.path.replace("00&", "01&"),
        ]
        for path in changed:
            with pytest.raises(WebhookRefusedError):
                here.connector.read_webhook(dataclasses.replace(true, path=path))
        with pytest.raises(WebhookRefusedError):
            here.connector.read_webhook(dataclasses.replace(true, headers={**true.headers, "x-callback-signature": "0" * 64}))
        strict = {**here.connector._config.model_dump(), "callback_proof": WebhookProof.SIGNATURE}  # noqa: SLF001 the same contract but for one word
        signed_only = GsmaConnector(GsmaConfig.model_validate(strict))
        with pytest.raises(WebhookRefusedError):
            signed_only.read_webhook(true)
        await signed_only.aclose()


async def test_what_the_api_would_not_take_never_leaves() -> None:
    async with room() as here:
        orders = here.batch(5400, 100).orders
        letters = Destination(kind=DestinationKind.WALLET, account="012 345 67x", holder="Sok Dara")
        sent = dataclasses.replace(here.batch(5400), orders=[orders[0], dataclasses.replace(orders[1], destination=letters)])
        outcomes = await here.connector.submit(sent)
        assert [each.status for each in outcomes] == [PayoutStatus.ACCEPTED, PayoutStatus.REJECTED]
        assert "creditParty" in outcomes[1].detail
        assert "012" not in outcomes[1].detail
        riel = dataclasses.replace(orders[0], reference="GW2611000003", amount=Money(401_300, KHR))
        assert (await here.connector.submit(dataclasses.replace(sent, reference="GWBATCH02", orders=[riel])))[
            0
        ].status is PayoutStatus.ACCEPTED
