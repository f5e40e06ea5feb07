"""Whatever is sent, the API answers with a problem and never fails itself."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest

from payroll_api.access.actor import Role
from payroll_api.services import Services
from tests.payroll_api.callers import bearer

if TYPE_CHECKING:
    from tests.conftest import SampleFactory

ODD: list[Any] = [
    None, True, 0, -1, 10**30, 1.5, 1e308, float("inf"), "", " ", "\x00", "a\x00b", "x" * 2000, "\ud800", "'; drop table users; --",
    "../../etc/passwd", "=cmd|' /C calc'!A0", "៛៛៛", "\u202eabc", "2026-13", "2026-11", [], {}, [[]], {"a": {"b": []}}, ["x"] * 300,
    "0190f5fe-7c00-7a00-8000-000000000001", {"$ref": "x"}, "pay_law", "approve", "0" * 64, "NaN", "-0", "1e5",
]  # fmt: skip


def _example(schema: dict[str, Any], schemas: dict[str, Any], chance: random.Random) -> Any:
    """A body with the right names, some right values, and nonsense in between."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    body = {name: chance.choice(ODD) for name in schema.get("properties", {}) if chance.random() < 0.9}
    if chance.random() < 0.1:
        body["factory_id"] = chance.choice(ODD)
    return body if chance.random() < 0.9 else chance.choice(ODD)


@pytest.mark.parametrize("seed", range(4))
async def test_odd_bodies_and_odd_addresses_never_break_it(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 the same nonsense at each run
    document = (await client.get("/api/v1/openapi.json")).json()
    headers = [await bearer(services, factory.people[role]) for role in Role]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if operation["operationId"] in {"createSession", "deleteSession", "watchPayRun"}:
                continue  # signing in takes its time on purpose; the others are tested on their own
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            body = _example(content["schema"], document["components"]["schemas"], chance) if content else None
            place = re.sub(
                r"\{[^}]+\}",
                lambda _: chance.choice(["0190f5fe-7c00-7a00-8000-000000000001", str(UUID(int=0)), "x", "%00", "2026-11"]),
                path,
            )
            query = chance.choice(["", "?limit=200", "?cursor=AAAA", "?state=%00", "?cursor=" + "A" * 199, "?pay_period=2026-11"])
            response = await client.request(
                method,
                place + query,
                headers=chance.choice(headers)
                | {"Idempotency-Key": f"nonsense-{seed}-{chance.random()}", "Content-Type": "application/json"},
                content=b"" if body is None else json.dumps(body).encode(),
            )
            assert response.status_code < 500, f"{method} {place}{query} {body!r}: {response.text}"
            if response.status_code >= 400:
                assert response.headers["content-type"] == "application/problem+json"
                assert response.json()["code"]


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe\x00", b"1" * 5000, b'"' + b"\\u0000" * 100 + b'"'])
async def test_json_that_is_made_to_break_readers(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, content: bytes
) -> None:
    headers = await bearer(services, factory.administrator)
    sent = headers | {"Content-Type": "application/json", "Idempotency-Key": "a-key-of-its-own"}
    response = await client.post("/api/v1/api-keys", headers=sent, content=content)
    assert response.status_code in {400, 422}
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"--x",
        b"--x\r\n",
        b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n',
        b"--x--\r\n",
        b"\x00" * 100,
        b"--x\r\n" * 2000,
    ],
)
async def test_forms_that_are_none(client: httpx.AsyncClient, services: Services, factory: SampleFactory, content: bytes) -> None:
    headers = await bearer(services, factory.preparer)
    sent = headers | {"Content-Type": "multipart/form-data; boundary=x", "Idempotency-Key": "a-key-of-its-own"}
    response = await client.post("/api/v1/payroll-files", headers=sent, content=content)
    assert response.status_code in {400, 422}
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_form_of_thousands_of_fields_is_refused(client: httpx.AsyncClient, services: Services, factory: SampleFactory) -> None:
    headers = await bearer(services, factory.preparer) | {"Idempotency-Key": "a-key-of-its-own"}
    files = [("file", (f"{number}.csv", b"x")) for number in range(2000)]
    response = await client.post("/api/v1/payroll-files", headers=headers, files=files)
    assert response.status_code in {400, 422}
