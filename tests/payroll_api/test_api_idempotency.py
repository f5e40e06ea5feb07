"""A request that creates is done once, however often it comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest
from sqlalchemy import func, select

from payroll_api.access.models import ApiKey
from payroll_api.api.idempotency import REPLAYED
from payroll_api.api.models import IdempotentRequest
from payroll_api.intake.models import PayrollFile
from payroll_api.services import Services
from tests.payroll_api.callers import bearer, fresh

if TYPE_CHECKING:
    from tests.conftest import SampleFactory

SHEET = b"code,name,net\nA-1,Sok,210.00\n"


async def count(services: Services, factory: SampleFactory, model: type[ApiKey | PayrollFile | IdempotentRequest]) -> int:
    async with services.database.factory(factory.id) as session:
        return int(await session.scalar(select(func.count()).select_from(model)) or 0)


async def test_a_lost_answer_is_given_again_and_nothing_is_done_twice(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory
) -> None:
    headers = await bearer(services, factory.administrator) | fresh()
    first = await client.post("/api/v1/api-keys", headers=headers, json={"name": "ERP"})
    again = await client.post("/api/v1/api-keys", headers=headers, json={"name": "ERP"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers[REPLAYED] == "true"
    assert REPLAYED not in first.headers
    assert await count(services, factory, ApiKey) == 1


async def test_an_answer_that_holds_a_secret_is_sealed_at_rest(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory
) -> None:
    headers = await bearer(services, factory.administrator) | fresh()
    secret = (await client.post("/api/v1/api-keys", headers=headers, json={"name": "ERP"})).json()["secret"]
    async with services.database.factory(factory.id) as session:
        stored = (await session.scalars(select(IdempotentRequest))).one()
    assert secret.encode() not in stored.answer


async def test_a_key_with_another_request_is_refused(client: httpx.AsyncClient, services: Services, factory: SampleFactory) -> None:
    headers = await bearer(services, factory.administrator) | fresh()
    await client.post("/api/v1/api-keys", headers=headers, json={"name": "ERP"})
    response = await client.post("/api/v1/api-keys", headers=headers, json={"name": "Another"})
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")


async def test_the_same_key_of_two_people_is_two_keys(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, other_factory: SampleFactory
) -> None:
    key = fresh()
    for owner in (factory, other_factory):
        response = await client.post("/api/v1/api-keys", headers=await bearer(services, owner.administrator) | key, json={"name": "ERP"})
        assert REPLAYED not in response.headers
        assert await count(services, owner, ApiKey) == 1


async def test_an_upload_that_is_repeated_has_a_new_boundary_and_is_still_the_same(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory
) -> None:
    headers = await bearer(services, factory.preparer) | fresh()
    answers = []
    for boundary in ("one", "two"):
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        response = await client.post(
            "/api/v1/payroll-files",
            headers=headers | kind,
            files={"file": ("november.csv", SHEET, "text/csv")},
            data={"pay_period": "2026-11", "kind": "balance"},
        )
        assert response.status_code == 201, response.text
        answers.append(response.json()["id"])
    assert answers[0] == answers[1]
    assert await count(services, factory, PayrollFile) == 1
    response = await client.post(
        "/api/v1/payroll-files",
        headers=headers,
        files={"file": ("november.csv", SHEET + b"A-2,Dara,200\n", "text/csv")},
        data={"pay_period": "2026-11", "kind": "balance"},
    )
    assert response.json()["code"] == "idempotency_key_reused"


async def test_twenty_at_once_have_one_effect(client: httpx.AsyncClient, services: Services, factory: SampleFactory) -> None:
    headers = await bearer(services, factory.administrator) | fresh()
    tries = [client.post("/api/v1/api-keys", headers=headers, json={"name": "ERP"}) for _ in range(20)]
    answers = await asyncio.gather(*tries)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"idempotency_key_in_use"}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert await count(services, factory, ApiKey) == 1


async def test_a_refusal_leaves_nothing_and_the_key_may_be_used_again(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory
) -> None:
    headers = await bearer(services, factory.administrator) | fresh()
    body = {"login": f"chan.{factory.slug}", "display_name": "Chan", "password": "short", "roles": ["auditor"]}
    refused = await client.post("/api/v1/users", headers=headers, json=body)
    assert refused.json()["code"] == "password_refused"
    assert await count(services, factory, IdempotentRequest) == 0
    made = await client.post("/api/v1/users", headers=headers, json=body | {"password": "nine small boats on the tonle sap"})
    assert made.status_code == 201
    assert made.json()["display_name"] == "Chan"


@pytest.mark.parametrize(("key", "code", "status"), [(None, "missing", 400), ("short", "invalid", 422), ("x" * 129, "invalid", 422)])
async def test_a_key_must_be_there_and_be_one(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, key: str | None, code: str, status: int
) -> None:
    headers = await bearer(services, factory.administrator) | ({"Idempotency-Key": key} if key else {})
    response = await client.post("/api/v1/api-keys", headers=headers, json={"name": "ERP"})
    assert (response.status_code, response.json()["code"]) == (status, f"idempotency_key_{code}")
