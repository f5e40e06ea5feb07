"""The simulated wallet provider: it forgets nothing, pays nothing twice, and can be run by itself."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from datetime import date
from pathlib import Path

import httpx

from connectors.faults import FaultKind, FaultPlan
from connectors.faulty_server import serving
from connectors.payouts.contract import Connector, Destination, DestinationKind, PayoutBatch, PayoutOrder, PayoutStatus
from connectors.payouts.gsma_mobile_money.connector import build
from connectors.payouts.gsma_mobile_money.simulator import create_app
from importers.money import USD, Money

KEY, SECRET = "a-long-api-key", "a-long-callback-secret"


def wallet(url: str) -> Connector:
    return build(
        {"base_url": url, "client_id": "factory", "api_key": KEY, "callback_secret": SECRET, "debit_party_value": "2000", "read_seconds": 5}
    )


def payday(size: int, reference: str = "GWBATCH01") -> PayoutBatch:
    orders = [
        PayoutOrder(
            reference=f"{reference}N{number:05d}",
            amount=Money(20_000 + number, USD),
            destination=Destination(kind=DestinationKind.WALLET, account=f"+85512{number:06d}", holder="Sok Dara"),
            purpose="Wages 2026-11",
        )
        for number in range(size)
    ]
    return PayoutBatch(reference=reference, orders=orders, execute_on=date(2026, 11, 30))


async def settle(connector: Connector, batch: PayoutBatch) -> set[PayoutStatus]:
    references = [order.reference for order in batch.orders]
    for _ in range(200):
        outcomes = {outcome.status for outcome in await connector.look_up(batch.reference, references)}
        if PayoutStatus.ACCEPTED not in outcomes:
            break
        await asyncio.sleep(0.01)
    return outcomes


async def test_a_restarted_provider_goes_on_where_it_stopped(tmp_path: Path) -> None:
    journal = tmp_path / "wallet.jsonl"
    first, second = payday(3), payday(2, "GWBATCH02")
    async with serving(create_app(api_key=KEY, callback_secret=SECRET, journal=journal)) as url:
        connector = wallet(url)
        await connector.submit(first)
        assert await settle(connector, first) == {PayoutStatus.PAID}
        await connector.aclose()
    async with serving(create_app(api_key=KEY, callback_secret=SECRET, journal=journal, delay_ms=60_000)) as url:
        connector = wallet(url)
        await connector.submit(second)
        assert await settle(connector, first) == {PayoutStatus.PAID}
        await connector.aclose()
    assert len(journal.read_text().splitlines()) == 3
    with journal.open("ab") as torn:
        torn.write(b'{"kind":"credit","refer')
    async with serving(create_app(api_key=KEY, callback_secret=SECRET, journal=journal)) as url:
        connector = wallet(url)
        assert await settle(connector, second) == {PayoutStatus.PAID}
        assert {outcome.status for outcome in await connector.submit(first)} == {PayoutStatus.ACCEPTED}
        assert await settle(connector, first) == {PayoutStatus.PAID}
        await connector.aclose()
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert sorted(line["reference"] for line in lines) == sorted(order.reference for order in [*first.orders, *second.orders])
    assert set(lines[0]) == {"at", "kind", "reference", "batch", "account", "amount_minor", "currency", "provider_reference"}


async def test_a_refusal_outlives_a_restart(tmp_path: Path) -> None:
    journal, batch = tmp_path / "wallet.jsonl", payday(2)
    app = create_app(api_key=KEY, callback_secret=SECRET, journal=journal, faults=FaultPlan.at("submit", FaultKind.OUT_OF_FUNDS))
    async with serving(app) as url:
        connector = wallet(url)
        await connector.submit(batch)
        assert await settle(connector, batch) == {PayoutStatus.PAID, PayoutStatus.REJECTED}
        await connector.aclose()
    async with serving(create_app(api_key=KEY, callback_secret=SECRET, journal=journal)) as url:
        connector = wallet(url)
        assert await settle(connector, batch) == {PayoutStatus.PAID, PayoutStatus.REJECTED}
        await connector.aclose()
    assert len(journal.read_text().splitlines()) == 1


async def test_it_is_as_strict_as_the_api_is_written() -> None:
    async with serving(create_app(api_key=KEY, callback_secret=SECRET)) as url, httpx.AsyncClient(base_url=url) as client:
        headers = {"x-api-key": KEY, "x-client-id": "factory", "x-correlationid": "6f1a3c1e-0000-4000-8000-000000000001"}
        order = {
            "amount": "15.2",
            "currency": "USD",
            "type": "disbursement",
            "debitParty": [{"key": "accountid", "value": "2000"}],
            "creditParty": [{"key": "msisdn", "value": "+85512345678"}],
        }

        async def answer(change: dict[str, object], **other: str) -> tuple[int, str]:
            response = await client.post("/batchtransactions", json={"transactions": [order | change]}, headers=headers | other)
            return response.status_code, response.json().get("errorCode", "")

        assert await answer({}, **{"x-api-key": "wrong"}) == (401, "clientAuthorisationError")
        assert await answer({}, **{"x-correlationid": "no uuid"}) == (400, "formatError")
        assert await answer({}, **{"x-content-hash": "0" * 64}) == (400, "formatError")
        for amount in ("15.20", "-1", "1e3", "015", "0.001", ""):
            assert (await answer({"amount": amount}))[0] == 400, amount
        assert await answer({"amount": 15.2}) == (400, "mandatoryValueNotSupplied")
        assert await answer({"type": "transfer"}) == (400, "transactionTypeError")
        assert await answer({"creditParty": []}) == (400, "mandatoryValueNotSupplied")
        assert (await client.post("/batchtransactions", content=b"{", headers=headers)).status_code == 400
        assert await answer({}) == (202, "")
        assert (await client.get("/heartbeat", headers=headers)).json() == {"serviceStatus": "available"}


async def test_it_runs_as_a_program_and_shows_its_journal(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    accounts = tmp_path / "accounts.json"
    accounts.write_text(json.dumps({"wallet": [{"account": "+85512000000", "holder": "Sok Dara", "status": "open"}]}))
    command = ["-m", "connectors.payouts.gsma_mobile_money.simulator", "--port", str(port), "--journal", str(tmp_path / "j.jsonl")]
    command += ["--accounts", str(accounts), "--api-key", KEY, "--callback-secret", SECRET, "--delay-ms", "1"]
    program = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=Path(__file__).parents[2])
    try:
        connector = wallet(f"http://127.0.0.1:{port}")
        for _ in range(200):
            if (await connector.check_destination(payday(1).orders[0].destination)).exists:
                break
            await asyncio.sleep(0.05)
        await connector.submit(payday(2))
        assert await settle(connector, payday(2)) == {PayoutStatus.PAID, PayoutStatus.REJECTED}
        await connector.aclose()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            assert [line["kind"] for line in (await client.get("/simulator/journal")).json()] == ["credit"]
            assert (await client.post("/simulator/faults", content="{")).status_code == 400
            assert (await client.post("/simulator/faults", content='{"seed": 1}')).status_code == 204
            assert (await client.post("/simulator/returns", json={"reference": "GWBATCH01N00000"})).status_code == 204
            assert (await client.post("/simulator/returns", json={"reference": "GWBATCH01N00000"})).status_code == 404
            assert [line["kind"] for line in (await client.get("/simulator/journal")).json()] == ["credit", "return"]
    finally:
        program.terminate()
        await program.wait()
