"""Browsers: cookies that scripts cannot read, and forms that only our own pages can send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.services import Services
from tests.payroll_api.callers import fresh, key_bearer, open_session

if TYPE_CHECKING:
    from tests.conftest import SampleFactory

PASSWORD = "seven lotus ponds at dawn"
RATE = {"purpose": "tax", "rate": "4012", "source": "General Department of Taxation, 15 November 2026"}
RATES = "/api/v1/factories/current/rates/2026-11"


async def test_sokha_signs_in_looks_and_signs_out(client: httpx.AsyncClient, factory: SampleFactory) -> None:
    response = await client.post("/api/v1/sessions", json={"login": factory.logins[Role.PREPARER], "password": PASSWORD})
    assert response.status_code == 201
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("session=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    who = (await client.get("/api/v1/sessions")).json()
    assert who["roles"] == ["preparer"]
    assert who["display_name"] == "Preparer"
    assert (await client.delete("/api/v1/sessions")).json()["code"] == "csrf_token_wrong"
    token = {"X-CSRF-Token": response.json()["csrf_token"]}
    assert (await client.delete("/api/v1/sessions", headers=token)).status_code == 204
    assert (await client.get("/api/v1/sessions", headers={"Cookie": cookie.partition(";")[0]})).status_code == 401


async def test_a_wrong_password_has_one_answer(client: httpx.AsyncClient, factory: SampleFactory) -> None:
    for login in (factory.logins[Role.PREPARER], "nobody@nowhere"):
        response = await client.post("/api/v1/sessions", json={"login": login, "password": "seven lotus ponds at dusk"})
        assert (response.status_code, response.json()["code"]) == (401, "sign_in_failed")
        assert "set-cookie" not in response.headers


async def test_over_https_the_cookie_is_bound_to_this_host(services: Services, factory: SampleFactory) -> None:
    object.__setattr__(services, "settings", services.settings.model_copy(update={"public_url": "https://wages.example"}))
    transport = httpx.ASGITransport(app=create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="https://wages.example") as client:
        response = await client.post("/api/v1/sessions", json={"login": factory.logins[Role.PREPARER], "password": PASSWORD})
        assert response.headers["set-cookie"].startswith("__Host-session=")
        assert "Secure" in response.headers["set-cookie"]
        assert "Domain" not in response.headers["set-cookie"]
        assert (await client.get("/api/v1/sessions")).status_code == 200
        bare = {"Cookie": f"session={response.json()['token']}"}
        client.cookies.clear()
        assert (await client.get("/api/v1/sessions", headers=bare)).status_code == 401


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "csrf_token_wrong"),
        ({"X-CSRF-Token": "guessed"}, "csrf_token_wrong"),
        ({"Origin": "https://evil.example", "X-CSRF-Token": "own"}, "other_site"),
        ({"Origin": "null", "X-CSRF-Token": "own"}, "other_site"),
        ({"Sec-Fetch-Site": "cross-site", "X-CSRF-Token": "own"}, "other_site"),
        ({"Origin": "http://127.0.0.1:8000", "X-CSRF-Token": "own"}, None),
        ({"X-CSRF-Token": "own"}, None),
    ],
)
async def test_a_cookie_alone_changes_nothing(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, headers: dict[str, str], code: str | None
) -> None:
    token, csrf = await open_session(services, factory.preparer)
    sent = {name: csrf if value == "own" else value for name, value in headers.items()} | {"Cookie": f"session={token}"}
    response = await client.put(RATES, headers=sent, json=RATE)
    assert response.json().get("code") == code
    assert response.status_code == (403 if code else 200)


async def test_a_form_may_carry_the_token_in_a_field(client: httpx.AsyncClient, services: Services, factory: SampleFactory) -> None:
    token, csrf = await open_session(services, factory.preparer)
    headers = {"Cookie": f"session={token}"} | fresh()
    upload = {"file": ("november.csv", b"code,name,net\nA-1,Sok,210.00\n")}
    fields = {"pay_period": "2026-11", "csrf_token": csrf}
    response = await client.post("/api/v1/payroll-files", headers=headers, files=upload, data=fields)
    assert response.status_code == 201, response.text
    wrong = await client.post("/api/v1/payroll-files", headers=headers, files=upload, data=fields | {"csrf_token": "guessed"})
    assert wrong.json()["code"] == "csrf_token_wrong"


async def test_another_site_cannot_sign_somebody_in(client: httpx.AsyncClient, factory: SampleFactory) -> None:
    body = {"login": factory.logins[Role.PREPARER], "password": PASSWORD}
    response = await client.post("/api/v1/sessions", json=body, headers={"Origin": "https://evil.example"})
    assert response.json()["code"] == "other_site"


async def test_a_field_that_is_not_asked_for_is_refused(client: httpx.AsyncClient, services: Services, factory: SampleFactory) -> None:
    token, _ = await open_session(services, factory.preparer)
    response = await client.post(
        "/api/v1/payroll-files",
        headers={"Authorization": f"Bearer {token}"} | fresh(),
        files={"file": ("november.csv", b"code,name,net\n")},
        data={"pay_period": "2026-11", "factory_id": "another"},
    )
    assert response.status_code == 422
    assert response.json()["fields"] == [{"field": "body.factory_id", "problem": "remove it"}]


async def test_a_key_in_a_cookie_is_nobodys(client: httpx.AsyncClient, services: Services, factory: SampleFactory) -> None:
    secret = (await key_bearer(services, factory))["Authorization"].removeprefix("Bearer ")
    assert (await client.get("/api/v1/sessions", headers={"Authorization": f"Bearer {secret}"})).status_code == 200
    assert (await client.get("/api/v1/sessions", headers={"Cookie": f"session={secret}"})).status_code == 401
