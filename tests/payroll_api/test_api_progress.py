"""Watching a run: events each second over a real connection, until it is done or the watcher may not see it any more."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from sqlalchemy import update

from payroll_api.access import users
from payroll_api.app import create_app
from payroll_api.runs.models import PayRun
from payroll_api.services import Services
from tests.payroll_api.callers import bearer
from tests.payroll_api.furnished import draft_run

if TYPE_CHECKING:
    from tests.conftest import SampleFactory

STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
async def served(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """The service on a real port: a stream must leave piece by piece."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(create_app(services), log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1)
        )
        running = asyncio.create_task(server.serve(sockets=[listener]))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=10) as client:
            yield client
        server.should_exit = True
        await running


async def draft(services: Services, factory: SampleFactory) -> UUID:
    async with services.database.factory(factory.id) as session:
        return (await draft_run(session, services, factory)).id


async def set_state(services: Services, factory: SampleFactory, run_id: UUID, state: str) -> None:
    async with services.database.factory(factory.id) as session:
        await session.execute(update(PayRun).where(PayRun.id == run_id).values(state=state))


async def events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    name = ""
    async for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


async def test_a_watcher_sees_each_change_and_then_the_end(served: httpx.AsyncClient, services: Services, factory: SampleFactory) -> None:
    run_id = await draft(services, factory)
    headers = await bearer(services, factory.approver) | STREAM
    seen = []
    async with served.stream("GET", f"/api/v1/pay-runs/{run_id}/progress", headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        async for name, data in events(response.aiter_lines()):
            seen.append((name, data["state"]))
            if data["state"] == "draft":
                await set_state(services, factory, run_id, "rejected")
    assert seen == [("progress", "draft"), ("progress", "rejected"), ("done", "rejected")]


async def test_whoever_loses_access_sees_no_more(served: httpx.AsyncClient, services: Services, factory: SampleFactory) -> None:
    run_id = await draft(services, factory)
    headers = await bearer(services, factory.approver) | STREAM
    seen = []
    async with served.stream("GET", f"/api/v1/pay-runs/{run_id}/progress", headers=headers) as response:
        async for name, data in events(response.aiter_lines()):
            seen.append((name, data.get("code")))
            assert factory.approver.user_id
            async with services.database.factory(factory.id) as session:
                await users.disable(session, services, factory.administrator, factory.approver.user_id)
    assert seen == [("progress", None), ("problem", "not_signed_in")]


async def test_one_snapshot_for_programs_and_nothing_for_strangers(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, other_factory: SampleFactory
) -> None:
    run_id = await draft(services, factory)
    response = await client.get(f"/api/v1/pay-runs/{run_id}/progress", headers=await bearer(services, factory.preparer))
    assert response.json()["state"] == "draft"
    assert [stage["name"] for stage in response.json()["stages"]][:2] == ["read", "reconcile"]
    strange = await bearer(services, other_factory.preparer) | STREAM
    assert (await client.get(f"/api/v1/pay-runs/{run_id}/progress", headers=strange)).status_code == 404
