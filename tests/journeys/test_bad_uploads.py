"""What is no payroll: each ends in a clear problem, with nothing left half done."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from payroll_api import wiring
from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.db.embedded import Addresses
from payroll_api.db.session import Database
from payroll_api.services import Services
from tests.conftest import PASSWORD, SampleFactory, make_factory

WORKING = b"Worker code,Name,Net pay ($),Pay method\nA-1,Sok Dara,210.00,cash\nA-2,Chan Thida,205.50,cash\n"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hr:
    """HR at the API, with a worker that does the jobs."""

    http: httpx.AsyncClient
    services: Services
    factory: SampleFactory

    async def upload(self, name: str, content: bytes) -> httpx.Response:
        """Send a file as the page does."""
        return await self.http.post(
            "/payroll-files",
            data={"pay_period": "2026-11", "kind": "balance"},
            files={"file": (name, content)},
            headers={"idempotency-key": f"upload-{uuid4()}"},
        )

    async def settled(self, answer: httpx.Response) -> dict[str, Any]:
        """The file once it has been read or refused."""
        assert answer.status_code == 201, answer.text
        for _ in range(400):
            file: dict[str, Any] = (await self.http.get(f"/payroll-files/{answer.json()['id']}")).json()
            if file["state"] not in {"received", "reading"}:
                return file
            await asyncio.sleep(0.05)
        raise AssertionError("the file was not read")

    async def left_behind(self) -> dict[str, int]:
        """Rows of the tables that a file fills."""
        async with self.services.database.factory(self.factory.id) as session:
            return {
                table: (await session.scalar(text(f"select count(*) from {table}"))) or 0  # noqa: S608 our own names
                for table in ("file_rows", "workers", "destinations", "file_entitlements", "pay_runs", "payments")
            }


@pytest.fixture
async def hr(services: Services, empty_addresses: Addresses) -> AsyncIterator[Hr]:
    database = Database(empty_addresses.application)
    settings = services.settings.model_copy(update={"database_url": empty_addresses.application})
    here = dataclasses.replace(services, settings=settings, database=database)
    factory = await make_factory(here)
    worker = wiring.open_worker(here)
    working = asyncio.create_task(worker.run())
    transport = httpx.ASGITransport(app=create_app(here))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000/api/v1", timeout=60) as http:
        answer = await http.post("/sessions", json={"login": factory.logins[Role.PREPARER], "password": PASSWORD})
        http.cookies.clear()
        http.headers["authorization"] = f"Bearer {answer.json()['token']}"
        yield Hr(http=http, services=here, factory=factory)
    worker.stop()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(working, 15)
    await database.close()


async def test_a_csv_is_a_payroll_like_any_other(hr: Hr) -> None:
    file = await hr.settled(await hr.upload("november.csv", WORKING))
    assert file["state"] == "read", file["summary"]
    assert file["summary"]["counts"] == {"read": 2, "accepted": 2, "rejected": 0}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.xlsx", b""),
        ("renamed.xlsx", b"these are the wages of November, honestly\n" * 40),
        ("no-wages.csv", b"Worker code,Name,Phone\nA-1,Sok Dara,012345678\n"),
        ("half.xlsx", b"PK\x03\x04 and then the line broke"),
    ],
)
async def test_what_is_no_payroll_is_refused_with_a_remedy_and_leaves_nothing(hr: Hr, name: str, content: bytes) -> None:
    answer = await hr.upload(name, content)
    if answer.status_code != 201:
        assert answer.status_code in {413, 422}
        assert answer.json()["detail"]
    else:
        file = await hr.settled(answer)
        assert file["state"] == "refused"
        problems = (await hr.http.get(f"/payroll-files/{file['id']}/problems")).json()["items"]
        stopping = [problem for problem in problems if problem["severity"] == "stops_file"]
        assert stopping
        assert stopping[0]["message"]
        assert stopping[0]["remedy"]
        assert stopping[0]["remedy_km"]
    assert set((await hr.left_behind()).values()) == {0}


async def test_sixty_mebibytes_are_refused_before_they_are_kept(hr: Hr) -> None:
    answer = await hr.upload("everything.xlsx", bytes(60 * 1024 * 1024))
    assert answer.status_code == 413
    assert answer.json()["detail"]
    assert (await hr.http.get("/payroll-files")).json()["items"] == []


async def test_after_a_refusal_the_corrected_file_is_taken(hr: Hr) -> None:
    refused = await hr.settled(await hr.upload("november.csv", b"Worker code,Name\nA-1,Sok Dara\n"))
    assert refused["state"] == "refused"
    assert (await hr.settled(await hr.upload("november.csv", WORKING)))["state"] == "read"
