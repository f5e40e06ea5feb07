"""How the API says no: problem+json with a code, never a value that was sent, never a trace."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import FastAPI

from payroll_api.api.limits import LARGEST_BODY, LARGEST_PAYROLL_UPLOAD
from payroll_api.app import create_app
from payroll_api.services import Services
from tests.payroll_api.callers import bearer, fresh, open_session

if TYPE_CHECKING:
    from tests.conftest import SampleFactory

SECRET = "012 345 678 Sok Dara"


def check_problem(response: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json"), response.text
    problem: dict[str, object] = response.json()
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["type"] == f"urn:garment-wages:problem:{code}"
    assert problem["request_id"] == response.headers["x-request-id"]
    assert str(problem["detail"]).endswith(".")
    return problem


async def test_nobody_gets_nothing(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/pay-runs")
    check_problem(response, 401, "not_signed_in")
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Basic c29raGE6eA==", "Bearer", "Bearer  ", "Bearer gw_x", "bearer " + "x" * 300, "Bearer é"])
async def test_a_wrong_token_is_nobody_even_beside_a_good_cookie(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, header: str
) -> None:
    token, _ = await open_session(services, factory.preparer)
    cookie = {"Cookie": f"session={token}"}
    assert (await client.get("/api/v1/pay-runs", headers=cookie)).status_code == 200
    response = await client.get(
        "/api/v1/pay-runs",
        headers=[*((name.encode(), value.encode()) for name, value in cookie.items()), (b"Authorization", header.encode())],
    )
    check_problem(response, 401, "not_signed_in")


async def test_each_wrong_field_is_named_and_no_value_is_repeated(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory
) -> None:
    headers = await bearer(services, factory.administrator)
    body = {"login": 5, "display_name": SECRET * 20, "password": SECRET, "roles": ["king"], "tenant_id": SECRET}
    response = await client.post("/api/v1/users", headers=headers | fresh(), json=body)
    problem = check_problem(response, 422, "invalid")
    fields = problem["fields"]
    assert isinstance(fields, list)
    assert {field["field"] for field in fields} == {"body.login", "body.display_name", "body.roles.0", "body.tenant_id"}
    assert SECRET not in response.text


@pytest.mark.parametrize("body", ['{"login": ', '["a"]', '"x"', "null", "{}", '{"login": "\\ud800", "password": "x"}', "\x00"])
async def test_a_body_that_is_no_sign_in_is_refused_politely(client: httpx.AsyncClient, body: str) -> None:
    response = await client.post("/api/v1/sessions", content=body, headers={"Content-Type": "application/json"})
    check_problem(response, 422, "invalid")


async def test_what_is_not_there_and_what_cannot_be_done(client: httpx.AsyncClient) -> None:
    check_problem(await client.get("/api/v1/nothing"), 404, "not_found")
    for method in ("DELETE", "PATCH", "TRACE"):
        response = await client.request(method, "/api/v1/pay-runs")
        check_problem(response, 405, "method_not_allowed")
        assert response.headers["allow"] == "GET, POST"
    response = await client.get("/webhooks/iso20022/0123456789abcdef")
    check_problem(response, 405, "method_not_allowed")
    assert set(response.headers["allow"].replace(",", " ").split()) == {"POST", "PUT"}


async def test_a_misspelt_or_doubled_filter_is_not_overlooked(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory
) -> None:
    headers = await bearer(services, factory.preparer)
    for query in ("staet=paid", "state=paid&state=unknown", "cursor=%00", "cursor=zzz", "limit=0", "limit=201", "limit=1e1"):
        response = await client.get(f"/api/v1/payments?{query}", headers=headers)
        assert response.status_code == 422, query
        assert response.json()["code"] in {"invalid", "cursor_invalid"}


async def test_ids_and_headers_of_whoever_asks(client: httpx.AsyncClient, services: Services, factory: SampleFactory) -> None:
    response = await client.get("/healthz", headers={"X-Request-Id": "erp-2026-11-30-0001"})
    assert response.headers["x-request-id"] == "erp-2026-11-30-0001"
    for bad in ("short", "x" * 65, "two words here", "a\tbcdefgh"):
        assert (await client.get("/healthz", headers={"X-Request-Id": bad})).headers["x-request-id"] != bad
    headers = await bearer(services, factory.preparer)
    spoofed = {"X-Forwarded-For": "10.0.0.1", "X-User": "admin", "X-Tenant": "other", "X-Factory-Id": "other"}
    response = await client.get("/api/v1/sessions", headers=headers | spoofed)
    assert response.json()["name"] == factory.preparer.name


async def test_every_answer_carries_its_armour(client: httpx.AsyncClient) -> None:
    for method, path in (("GET", "/healthz"), ("GET", "/api/v1/pay-runs"), ("GET", "/nothing"), ("POST", "/webhooks/cash"), ("GET", "/")):
        headers = (await client.request(method, path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] in {"no-referrer", "same-origin"}
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers
        assert "strict-transport-security" not in headers  # plain http here


async def test_over_https_browsers_are_told_to_stay_there(services: Services) -> None:
    object.__setattr__(services, "settings", services.settings.model_copy(update={"public_url": "https://wages.example"}))
    transport = httpx.ASGITransport(app=create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="https://wages.example") as client:
        seconds = (await client.get("/healthz")).headers["strict-transport-security"].partition("=")[2].partition(";")[0]
        assert int(seconds) >= 31_536_000


async def test_a_declared_giant_is_refused_before_it_is_read(client: httpx.AsyncClient, services: Services, factory: SampleFactory) -> None:
    headers = await bearer(services, factory.preparer) | fresh()
    read = 0

    async def giant() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(60):
            read += 1
            yield b"x" * 2**20

    declared = {"Content-Length": str(60 * 2**20), "Content-Type": "multipart/form-data; boundary=x"}
    response = await client.post("/api/v1/payroll-files", headers=headers | declared, content=giant())
    problem = check_problem(response, 413, "body_too_large")
    assert problem["largest_bytes"] == LARGEST_PAYROLL_UPLOAD
    assert read == 0


async def test_a_giant_in_chunks_is_stopped_on_the_way(client: httpx.AsyncClient, services: Services, factory: SampleFactory) -> None:
    headers = await bearer(services, factory.administrator) | fresh()
    read = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(64):
            read += 1
            yield b" " * (LARGEST_BODY // 4)

    json_headers = headers | {"Content-Type": "application/json"}
    check_problem(await client.post("/api/v1/api-keys", headers=json_headers, content=chunks()), 413, "body_too_large")
    assert read <= 6


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "1 ", "²"])
async def test_a_length_that_is_no_number_is_refused(client: httpx.AsyncClient, length: str) -> None:
    response = await client.post("/api/v1/sessions", headers=[(b"Content-Length", length.encode())], content=b"{}")
    check_problem(response, 400, "request_unreadable")


@pytest.fixture
async def broken(services: Services, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[httpx.AsyncClient]:
    """The service with one operation that fails in a way nobody foresaw."""
    del capsys
    app: FastAPI = create_app(services)

    async def fail() -> None:
        raise ZeroDivisionError(SECRET)

    app.add_api_route("/api/v1/broken", fail, include_in_schema=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1:8000") as client:
        yield client


async def test_what_nobody_foresaw_is_told_without_its_text(broken: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]) -> None:
    response = await broken.get("/api/v1/broken")
    check_problem(response, 500, "unexpected")
    assert SECRET not in response.text
    assert "Traceback" not in response.text
    logged = capsys.readouterr()
    assert "ZeroDivisionError" in logged.out + logged.err
    assert SECRET not in logged.out + logged.err


async def test_problems_are_json_that_any_client_reads(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/pay-runs")
    assert set(json.loads(response.content)) >= {"type", "title", "status", "detail", "instance", "code", "request_id"}
