"""Banks, wallets and gateways call: what is answered, whatever is sent."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import func, select

from connectors.signatures import hmac_hex
from payroll_api.api.limits import LARGEST_WEBHOOK, LARGEST_WEBHOOK_OF, largest
from payroll_api.app import create_app
from payroll_api.db.session import Database
from payroll_api.factories.models import ProviderAccount
from payroll_api.factories.provider_accounts import add_provider_account, callback_url
from payroll_api.payments.models import ProviderMessage
from payroll_api.services import Services

if TYPE_CHECKING:
    from tests.conftest import SampleFactory

SECRET = "a callback secret of the wallet"
BODY = json.dumps({"batchId": "77", "batchStatus": "completed", "batchTitle": "GWB7K3M9QX"}).encode()
WALLET = {
    "base_url": "http://127.0.0.1:1/v1.1.2/mm",
    "client_id": "angkor",
    "api_key": "wallet-api-key",
    "callback_secret": SECRET,
    "debit_party_value": "9000",
}


async def wallet(services: Services, factory: SampleFactory) -> ProviderAccount:
    async with services.database.factory(factory.id) as session:
        return await add_provider_account(
            session, services, factory.administrator, name="Wallet", kind="wallet", connector="gsma_mobile_money", config=WALLET
        )


def path_of(services: Services, account: ProviderAccount, request_key: str | None = "GWB7K3M9QX") -> str:
    return urlsplit(callback_url(services.settings, account, request_key)).path


def signed(body: bytes = BODY, secret: str = SECRET) -> dict[str, str]:
    return {"X-Callback-Signature": hmac_hex(secret.encode(), body), "Content-Type": "application/json"}


async def stored(services: Services, factory: SampleFactory) -> int:
    async with services.database.factory(factory.id) as session:
        return int(await session.scalar(select(func.count()).select_from(ProviderMessage)) or 0)


async def test_a_proven_message_is_stored_once_however_often_it_comes(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory
) -> None:
    path = path_of(services, await wallet(services, factory))
    for _ in range(3):
        response = await client.put(path, content=BODY, headers=signed())
        assert (response.status_code, response.content) == (204, b"")
    assert await stored(services, factory) == 1


async def test_what_proves_nothing_gets_one_constant_answer(client: httpx.AsyncClient, services: Services, factory: SampleFactory) -> None:
    account = await wallet(services, factory)
    path = path_of(services, account)
    unsigned = {"Content-Type": "application/json"}
    tries = [
        (path, unsigned),
        (path, signed(secret="another secret altogether")),
        (path, signed(BODY + b" ")),
        (path.replace(account.webhook_key, "k" * 32), signed()),
        (path.replace("gsma_mobile_money", "iso20022"), signed()),
        (path.replace("gsma_mobile_money", "plasgate"), signed()),
        ("/webhooks/gsma_mobile_money", signed()),
        ("/webhooks/gsma_mobile_money/short", signed()),
        ("/webhooks/gsma_mobile_money/" + "k" * 129, signed()),
        (path, signed() | {"X-Large": "x" * 9000}),
    ]
    told = set()
    for url, headers in tries:
        response = await client.put(url, content=BODY, headers=headers)
        assert response.status_code == 401, url
        told.add((response.json()["code"], response.json()["detail"]))
    assert len(told) == 1
    assert await stored(services, factory) == 0


async def test_a_header_that_came_twice_proves_nothing(client: httpx.AsyncClient, services: Services, factory: SampleFactory) -> None:
    path = path_of(services, await wallet(services, factory))
    good = signed()["X-Callback-Signature"].encode()
    headers = [(b"X-Callback-Signature", b"0" * 64), (b"X-Callback-Signature", good), (b"Content-Type", b"application/json")]
    assert (await client.put(path, content=BODY, headers=headers)).status_code == 401


async def test_other_methods_encodings_sizes_and_names_are_refused(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory
) -> None:
    path = path_of(services, await wallet(services, factory))
    for method in ("GET", "DELETE", "PATCH", "TRACE"):
        response = await client.request(method, path)
        assert response.status_code == 405
        assert set(response.headers["allow"].replace(",", " ").split()) == {"POST", "PUT"}
    packed = await client.put(path, content=BODY, headers=signed() | {"Content-Encoding": "gzip"})
    assert (packed.status_code, packed.json()["code"]) == (415, "media_type_refused")
    assert (await client.put(path, content=b"x" * (LARGEST_WEBHOOK + 1), headers=signed())).status_code == 413
    assert (await client.post("/webhooks/no_such_bank/0123456789abcdef", content=BODY)).status_code == 404
    assert (await client.post("/webhooks/registry/0123456789abcdef", content=BODY)).status_code == 404
    assert await stored(services, factory) == 0


def test_a_banks_report_may_be_larger_and_this_is_written_in_one_place() -> None:
    assert largest("/webhooks/iso20022/key", "application/xml") == LARGEST_WEBHOOK_OF["iso20022"] == 8 * 2**20
    assert largest("/webhooks/plasgate/key", "multipart/form-data") == LARGEST_WEBHOOK == 256 * 1024


@pytest.fixture
async def unplugged(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """The service while nobody answers at the database's address."""
    database = Database("postgresql://payroll_app@127.0.0.1:1/payroll")
    transport = httpx.ASGITransport(app=create_app(dataclasses.replace(services, database=database)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client
    await database.close()


async def test_while_the_database_is_down_the_provider_is_asked_to_come_again(unplugged: httpx.AsyncClient) -> None:
    for method, path in (("POST", f"/webhooks/iso20022/{'k' * 32}"), ("GET", "/readyz"), ("POST", "/api/v1/sessions")):
        response = await unplugged.request(method, path, json={"login": "sokha", "password": "x"} if "sessions" in path else None)
        assert (response.status_code, response.json()["code"]) == (503, "database_unavailable"), path
        assert response.headers["retry-after"].isdigit()
    assert (await unplugged.get("/healthz")).status_code == 200


async def test_a_person_at_a_browser_gets_a_page_in_both_languages(unplugged: httpx.AsyncClient) -> None:
    cookie = {"Accept": "text/html", "Cookie": f"session={'0' * 32}.{'a' * 43}"}
    response = await unplugged.get("/", headers=cookie)
    assert response.status_code == 503
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "សូមរង់ចាំបន្តិច" in response.text
    assert "Wait a moment" in response.text
    assert response.headers["x-request-id"] in response.text


async def test_thirty_copies_at_the_same_moment_are_one(client: httpx.AsyncClient, services: Services, factory: SampleFactory) -> None:
    path = path_of(services, await wallet(services, factory))
    answers = await asyncio.gather(*(client.put(path, content=BODY, headers=signed()) for _ in range(30)))
    assert {answer.status_code for answer in answers} == {204}
    assert await stored(services, factory) == 1
