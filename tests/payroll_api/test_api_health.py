"""What operators ask: alive, ready, figures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx

from payroll_api.app import create_app
from payroll_api.services import Services
from tests.payroll_api.callers import bearer

if TYPE_CHECKING:
    from tests.conftest import SampleFactory


async def test_alive_and_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "alive"}
    assert (await client.get("/readyz")).json() == {"status": "ready"}


async def test_a_database_that_is_older_than_the_code_is_not_ready(services: Services) -> None:
    app = create_app(services)
    app.state.heads = lambda: {"9999"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1:8000") as client:
        response = await client.get("/readyz")
    assert (response.status_code, response.json()["code"]) == (503, "migrations_pending")
    assert "payroll migrate" in response.json()["detail"]


async def test_figures_name_routes_jobs_and_states_and_nobody(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory
) -> None:
    headers = await bearer(services, factory.preparer)
    await client.get("/api/v1/workers/01a203a8-87ea-7503-8b35-927fab7cdb0c", headers=headers)
    await client.post("/webhooks/iso20022/a-secret-part-of-an-address")
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = response.text
    assert 'payroll_http_requests_total{method="GET",route="/api/v1/workers/{worker_id}",status="404"}' in text
    assert 'payroll_payments{state="unknown"} 0.0' in text
    assert "payroll_oldest_unknown_payment_seconds 0.0" in text
    for secret in ("01a203a8-87ea-7503-8b35-927fab7cdb0c", "a-secret-part", str(factory.id), factory.slug):
        assert secret not in text
    assert all(re.match(r"^(# (HELP|TYPE) .+|[a-z_]+(\{[^}]*(\{[a-z_]+\}[^}]*)*\})? [0-9.e+-]+|)$", line) for line in text.splitlines())


async def test_figures_behind_a_public_front_ask_who_it_is(services: Services, factory: SampleFactory) -> None:
    closed: Any = services.settings.model_copy(update={"metrics_open": False})
    object.__setattr__(services, "settings", closed)
    transport = httpx.ASGITransport(app=create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/metrics", headers=await bearer(services, factory.preparer))).status_code == 403
        assert (await client.get("/metrics", headers=await bearer(services, factory.auditor))).status_code == 200
