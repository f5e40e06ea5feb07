"""A payday as HR and finance do it over the API, with a simulated bank, wallet and gateway behind it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest

from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.clock import pay_day
from payroll_api.services import Services
from tests.payroll_api.callers import bearer, fresh, key_bearer
from tests.payroll_api.payday_story import Story, story
from tests.sheets.build_payroll import accounts_of, build_payroll

if TYPE_CHECKING:
    from tests.conftest import SampleFactory, SettableClock

WORKERS = 24


class Desk:
    """One person at the API."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self._client = client
        self._headers = headers

    async def get(self, path: str, **query: str) -> Any:
        response = await self._client.get(f"/api/v1/{path}", headers=self._headers, params=query)
        assert response.status_code == 200, f"{path}: {response.text}"
        return response.json()

    async def all(self, path: str, **query: str) -> list[Any]:
        """A whole list, page by page."""
        items: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(path, limit="7", **query, **cursor)
            items += page["items"]
            if page["next"] is None:
                return items
            cursor = {"cursor": page["next"]}

    async def post(self, path: str, body: object = None, status: int = 200, **more: Any) -> Any:
        sent = more or {"json": {} if body is None else body}
        response = await self._client.post(f"/api/v1/{path}", headers=self._headers | fresh(), **sent)
        assert response.status_code == status, f"{path}: {response.text}"
        return response.json()


@pytest.fixture
async def told(services: Services, factory: SampleFactory, clock: SettableClock, tmp_path: Path) -> AsyncIterator[Story]:
    """The factory with its providers; the simulated bank books by the real calendar."""
    clock.now = datetime.now(UTC)
    built = build_payroll(WORKERS, 7, tmp_path / "payroll.xlsx", faults=False)
    known = accounts_of(built["workers"])
    holders = {worker.account: worker.name_latin for worker in built["workers"]}
    for account in [*known["bank"], *known["wallet"]]:
        account["status"] = "open"  # faults of accounts are another story
    for account in known["bank"]:
        account["holder"] = holders[account["account"]]
    (tmp_path / "accounts.json").write_text(json.dumps(known), encoding="utf-8")
    async with story(services, factory, tmp_path, accounts=tmp_path / "accounts.json") as told:
        yield told


@pytest.fixture
async def desks(told: Story) -> AsyncIterator[dict[str, Desk]]:
    """Everybody at her desk, and the ERP."""
    transport = httpx.ASGITransport(app=create_app(told.services))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        found = {role.value: Desk(client, await bearer(told.services, told.factory.people[role])) for role in Role}
        found["erp"] = Desk(client, await key_bearer(told.services, told.factory))
        yield found


async def rest(told: Story, clock: SettableClock, look: Desk, run_id: str) -> dict[str, Any]:
    """Let providers execute and call back until only the cash waits."""
    for _ in range(60):
        await told.work()
        progress: dict[str, Any] = await look.get(f"pay-runs/{run_id}/progress")
        waiting = {state for state in progress["payments"] if state in {"ready", "submitting", "unknown"}}
        accepted = progress["payments"].get("accepted", {"count": 0})["count"]
        accounts = {account["id"]: account["kind"] for account in (await look.get("factories/current/provider-accounts"))["items"]}
        moving = [
            one for one in await look.all("payments", run_id=run_id, state="accepted") if accounts[one["provider_account_id"]] != "cash"
        ]
        if not waiting and not moving and (accepted or progress["state"] == "completed" or progress["payments"]):
            return progress
        clock.now += timedelta(seconds=2)
        await asyncio.sleep(0.05)
    raise AssertionError("the payments did not come to rest")


async def reviewed_run(told: Story, desks: dict[str, Desk], content: bytes) -> str:
    """The ERP uploads; a person confirms the columns and decides about each difference."""
    hr, erp = desks["preparer"], desks["erp"]
    upload = {"files": {"file": ("november.xlsx", content)}, "data": {"pay_period": "2026-11", "kind": "balance"}}
    file = await erp.post("payroll-files", status=201, **upload)
    assert (file["state"], file["uploaded_by"].partition(":")[0]) == ("received", "key")
    again = await hr.post("payroll-files", status=409, **upload)
    assert (again["code"], again["file_id"]) == ("file_already_uploaded", file["id"])
    await told.work()
    path = f"payroll-files/{file['id']}"
    read = await hr.get(path)
    assert (read["state"], read["summary"]["counts"]["accepted"]) == ("read", WORKERS)
    assert isinstance(await hr.all(f"{path}/problems"), list)
    await hr.post(f"{path}/layout", {"columns": {}})
    await told.work()
    assert (await hr.get(path))["state"] == "reconciled"
    run = await hr.post("pay-runs", {"file_id": file["id"]}, status=201)
    for difference in await hr.all(f"pay-runs/{run['id']}/discrepancies", only_open="true"):
        decision = "pay_law" if "pay_law" in difference["resolutions"] else "pay_sheet"
        body = {"discrepancy_ids": [difference["id"]], "resolution": decision, "reason": "agreed with the worker"}
        assert await hr.post(f"pay-runs/{run['id']}/discrepancies/resolve", body) == {"decided": 1}
    return str(run["id"])


async def approve(desks: dict[str, Desk], run_id: str) -> None:
    """Not by a key, not by its maker, not another content; once."""
    hr, boss, path = desks["preparer"], desks["approver"], f"pay-runs/{run_id}"
    sent = await hr.post(f"{path}/submit")
    assert len(await hr.all(f"{path}/items")) == WORKERS == sum(total["count"] for total in sent["totals"])
    approval = {"content_hash": sent["content_hash"]}
    await desks["erp"].post(f"{path}/approve", approval, status=403)
    await hr.post(f"{path}/approve", approval, status=403)
    assert (await boss.post(f"{path}/approve", {"content_hash": "0" * 64}, status=409))["code"] == "content_changed"
    assert (await boss.post(f"{path}/approve", approval))["state"] == "approved"
    assert (await boss.post(f"{path}/approve", approval, status=409))["code"] == "run_state"
    assert (await boss.post(f"{path}/release"))["state"] == "released"


async def settle(told: Story, finance: Desk, run_id: str) -> int:
    """Cash is counted when it was signed for; statements are matched. Gives how many envelopes there were."""
    counted = await finance.post(f"pay-runs/{run_id}/cash-confirmations", {"worker_codes": None}, status=201)
    await told.work()
    for account in (await finance.get("factories/current/provider-accounts"))["items"]:
        if account["kind"] not in {"bank_account", "wallet"}:
            continue
        async with told.services.database.factory(told.factory.id) as session:
            connector = await told.services.connectors.payout(session, UUID(account["id"]))
        day = await connector.fetch_statement(pay_day(datetime.now(UTC)))
        fields = {"files": {"file": ("day.xml", day)}, "data": {"provider_account": account["id"]}}
        statement = await finance.post("statements", status=201, **fields)
        await told.work()
        assert (await finance.get(f"statements/{statement['id']}"))["state"] == "matched"
    return int(counted["confirmed"])


async def look_around(desks: dict[str, Desk], run_id: str) -> None:
    """Everybody sees what she may."""
    hr, auditor = desks["preparer"], desks["auditor"]
    slips = await hr.all("slips", run_id=run_id)
    assert len(slips) == WORKERS
    assert all(slip["text"] for slip in slips)
    assert all(slip["text"] is None for slip in await auditor.all("slips", run_id=run_id))
    workers = await hr.all("workers")
    assert len(workers) == WORKERS
    masked, seen = [await desk.get(f"workers/{workers[0]['id']}") for desk in (auditor, hr)]
    assert masked["name"] != seen["name"]
    assert masked["destinations"][0]["holder"] != seen["destinations"][0]["holder"]
    actions = {event["action"] for event in await auditor.all("audit/events")}
    assert {"file.received", "run.submitted", "run.approved", "run.released"} <= actions
    progress = await hr.get(f"pay-runs/{run_id}/progress")
    assert (progress["state"], progress["payments"]["paid"]["count"]) == ("completed", WORKERS)


async def test_a_payday_over_the_api(told: Story, desks: dict[str, Desk], clock: SettableClock, tmp_path: Path) -> None:
    run_id = await reviewed_run(told, desks, (tmp_path / "payroll.xlsx").read_bytes())
    await approve(desks, run_id)
    await rest(told, clock, desks["preparer"], run_id)
    envelopes = await settle(told, desks["finance"], run_id)
    payments = await desks["preparer"].all(f"pay-runs/{run_id}/payments")
    assert {payment["state"] for payment in payments} == {"paid"}
    assert len(payments) == WORKERS
    # The simulators' journals are the oracle: as many credits as payments that were no envelopes.
    assert len(told.credits()) == WORKERS - envelopes
    one = await desks["auditor"].get(f"payments/{payments[0]['id']}")
    assert [attempt["state"] for attempt in one["attempts"]] == ["paid"]
    assert await desks["finance"].all("settlement/breaks") == []
    for _ in range(20):
        await told.work()
        await asyncio.sleep(0.02)
    await look_around(desks, run_id)
