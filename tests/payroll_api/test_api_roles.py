"""Every role at every route, read from the API's own document: a new route is tested before anybody thinks of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from payroll_api.access.actor import KEY_PERMISSIONS, PERMISSIONS, Permission, Role
from payroll_api.api.mount import ROUTERS
from payroll_api.api.route import RULE, StepRoute
from payroll_api.services import Services
from tests.payroll_api.callers import bearer, fresh, key_bearer

if TYPE_CHECKING:
    from tests.conftest import SampleFactory

# What may be used without being signed in; everything else must ask.
PUBLIC = {("post", "/api/v1/sessions")}
METHODS = {"get", "post", "put", "delete", "patch"}


async def operations(client: httpx.AsyncClient) -> list[tuple[str, str, dict[str, Any]]]:
    document = (await client.get("/api/v1/openapi.json")).json()
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        if path.startswith("/api/")
        for method, operation in methods.items()
        if method in METHODS
    ]


def address(path: str) -> str:
    return re.sub(r"\{[^}]+\}", str(uuid4()), path.replace("{pay_period}", "2026-11"))


async def call(client: httpx.AsyncClient, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    body: dict[str, Any] = {"json": {}} if method in {"post", "put"} else {}
    return await client.request(method, address(path), headers=headers | fresh(), **body)


async def test_every_operation_says_who_may_use_it(client: httpx.AsyncClient) -> None:
    found = await operations(client)
    assert len(found) > 45
    open_to_all = set()
    for method, path, operation in found:
        rule = operation[RULE]
        if rule["public"]:
            open_to_all.add((method, path))
        else:
            assert operation["security"], path
            assert "401" in operation["responses"], path
        if rule["permissions"]:
            assert "403" in operation["responses"], path
    assert open_to_all == PUBLIC


def test_a_route_without_a_rule_cannot_even_be_added() -> None:
    router = APIRouter(route_class=StepRoute)

    async def open_door() -> None: ...

    with pytest.raises(ValueError, match="has no rule"):
        router.add_api_route("/open-door", open_door)


def test_every_route_of_the_api_is_one_that_asks() -> None:
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, StepRoute if isinstance(route, APIRoute) else ()), route


async def test_nobody_gets_in_anywhere(client: httpx.AsyncClient) -> None:
    for method, path, _ in await operations(client):
        if (method, path) not in PUBLIC:
            response = await call(client, method, path, {})
            assert (response.status_code, response.json()["code"]) == (401, "not_signed_in"), f"{method} {path}"


async def test_each_role_gets_in_where_it_may_and_nowhere_else(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory
) -> None:
    callers: list[tuple[str, frozenset[Permission], dict[str, str]]] = [
        (role.value, PERMISSIONS[role], await bearer(services, factory.people[role])) for role in Role
    ]
    callers.append(("api_key", KEY_PERMISSIONS, await key_bearer(services, factory)))
    found = [entry for entry in await operations(client) if entry[:2] != ("delete", "/api/v1/sessions")]
    for name, permissions, headers in callers:
        for method, path, operation in found:
            rule = operation[RULE]
            allowed = not rule["permissions"] or bool(permissions & {Permission(entry) for entry in rule["permissions"]})
            assert (name in rule["roles"]) == allowed, f"{name} {method} {path}"
            if method == "get" and allowed and not rule["streams"]:
                continue  # what they answer is tested where it is read
            status = (await call(client, method, path, headers)).status_code
            assert (status != 403) == allowed, f"{name} {method} {path}: {status}"
            assert status < 500, f"{name} {method} {path}: {status}"


@pytest.mark.parametrize("permission", [Permission.APPROVE, Permission.RELEASE, Permission.ADMINISTER])
async def test_no_key_ever_decides_on_money_or_people(client: httpx.AsyncClient, permission: Permission) -> None:
    for method, path, operation in await operations(client):
        if operation[RULE]["permissions"] == [permission.value]:
            assert "api_key" not in operation[RULE]["roles"], f"{method} {path}"


async def test_no_list_fails_when_there_is_nothing(client: httpx.AsyncClient, services: Services, factory: SampleFactory) -> None:
    everything = {role: await bearer(services, factory.people[role]) for role in (Role.PREPARER, Role.ADMINISTRATOR, Role.FINANCE)}
    for method, path, operation in await operations(client):
        if method != "get" or operation[RULE]["streams"]:
            continue
        role = next(role for role in everything if role.value in operation[RULE]["roles"])
        query = "?pay_period=2026-11" if path.endswith("template.xlsx") else ""
        response = await client.get(address(path) + query, headers=everything[role])
        assert response.status_code == (404 if "{" in path else 200), f"{path}: {response.text}"
