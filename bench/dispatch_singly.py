"""P5: payments a second where each is a call of its own, beside what the bare HTTP client reaches against the same simulator.

`python -m bench dispatch_singly --workers 5000`. A simulated wallet runs in a process of its own. The bare client posts as many orders
with the same bodies, headers and number of connections and looks at nothing but the status; then one worker process pays, with
claims, gate, journal, ledger and audit. Each goes twice, in turn, and the better of each counts. The journal is compared: everybody once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2 as httpx

from bench.dispatch import QUIET, listening, on_its_loop, payday, people, send
from bench.filled import Filled, filled
from bench.processor import Sent, seconds_of
from connectors.payouts.gsma_mobile_money import mapping
from connectors.signatures import content_hash_hex
from payroll_api.access.actor import Role
from payroll_api.clock import system_clock
from payroll_api.db.bulk import fetch
from payroll_api.factories.provider_accounts import add_provider_account
from payroll_api.payments.invariants import violations

FLOOR, AIM = 0.6, 0.85
KEY, CALLBACK = "wallet-api-key", "a callback secret of the bench"
CONNECTIONS = 32  # as many as a connector's client opens
KINDS = ("first_half", "balance")


def main() -> int:
    """Measure, print, and say whether it came out right and over the floor."""
    parser = argparse.ArgumentParser(prog="python -m bench.dispatch_singly", description=__doc__)
    parser.add_argument("--workers", type=int, default=5_000)
    parser.add_argument("--as-bare", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.as_bare:
        on_its_loop(_bare(given.as_bare, given.workers))
        return 0
    figures = asyncio.run(measure(given.workers))
    print(json.dumps(figures, indent=1))
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "dispatch_singly.json").write_text(json.dumps({"P5": figures}, indent=1) + "\n")
    return 0 if figures["everybody_once"] and not figures["broken"] and figures["of_the_bare_client"] >= FLOOR else 1


async def measure(workers: int) -> dict[str, Any]:
    """Payments a second by one worker process and requests a second by the bare client, and whether everybody was paid once."""
    async with filled(runs=0, workers=0, clock=system_clock) as here, _wallet(here) as (url, rail, journal, wallet):
        await people(here, workers, kind="wallet")
        bare, ours = [], []
        for kind in KINDS:
            bare.append(await _send_bare(url, workers, wallet))
            ours.append(await send(here, await payday(here, rail, kind), rail, workers, processes=1, provider={"wallet": wallet}))
        async with here.services.database.factory(here.factory_id) as session:
            broken = [one.invariant for one in await violations(session) if one.invariant != "state_without_audit"]
            sent = {row[0] for row in await fetch(session, "select reference from attempts where factory_id = $1", here.factory_id)}
        await asyncio.sleep(2)
        lines = [json.loads(line) for line in journal.read_text().splitlines()]
    credited = [line["reference"] for line in lines if line.get("kind") == "credit" and line["reference"] in sent]
    best, peer = max(ours, key=lambda one: one.per_second), max(bare, key=lambda one: one.per_second)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "payments": workers,
        "payments_per_second": round(best.per_second),
        "bare_client_per_second": round(peer.per_second),
        "of_the_bare_client": round(best.per_second / peer.per_second, 2),
        "processor_microseconds_per_payment": {"ours": best.microseconds_each, "bare": peer.microseconds_each},
        "cores_busy": {"ours": round(best.cores_busy, 2), "bare": round(peer.cores_busy, 2)},
        "load_of_the_machine": round(os.getloadavg()[0], 1),
        "floor": FLOOR,
        "aim": AIM,
        "everybody_once": len(credited) == len(set(credited)) == len(sent) == len(KINDS) * workers,
        "broken": broken,
    }


@asynccontextmanager
async def _wallet(here: Filled) -> AsyncIterator[tuple[str, UUID, Path, int]]:
    """A simulated wallet in a process of its own, and the factory's account with it, which is asked for one payment at a time."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    journal = here.services.settings.data_dir / "wallet.jsonl"
    arguments = ["--port", str(port), "--journal", str(journal), "--api-key", KEY, "--callback-secret", CALLBACK, *QUIET]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "connectors.payouts.gsma_mobile_money.simulator", *arguments)
    try:
        await listening(port)
        url = f"http://127.0.0.1:{port}"
        config = {"base_url": url, "client_id": "bench", "api_key": KEY, "callback_secret": CALLBACK, "debit_party_value": "9000"}
        async with here.services.database.factory(here.factory_id) as session:
            administrator = here.actor(Role.ADMINISTRATOR)
            account = await add_provider_account(
                session,
                here.services,
                administrator,
                name="Singly",
                kind="wallet",
                connector="gsma_mobile_money",
                config={**config, "bulk": False},
            )
        yield url, account.id, journal, process.pid
    finally:
        process.terminate()
        await process.wait()


async def _send_bare(url: str, count: int, wallet: int) -> Sent:
    """The bare client, in a process of its own as a worker is, posts so many orders."""
    pipe, before = asyncio.subprocess.PIPE, seconds_of([wallet])
    arguments = ["-m", "bench.dispatch_singly", "--as-bare", url, "--workers", str(count)]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=pipe)
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the bare client failed")
    told = json.loads(said)
    return Sent(payments=count, seconds=told["seconds"], used={"client": told["used"], "wallet": seconds_of([wallet]) - before})


async def _bare(url: str, count: int) -> None:
    bodies = [mapping.compact(_order(number)) for number in range(count)]
    waiting = iter(bodies)
    # httpx as it comes, with its own transport.
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    headers = {"accept": "application/json", "x-client-id": "bench", "x-api-key": KEY}
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=30, trust_env=False) as http:

        async def work() -> None:
            for body in waiting:
                own = {"content-type": "application/json", "x-correlationid": str(uuid4()), "x-content-hash": content_hash_hex(body)}
                answer = await http.post("/transactions/type/disbursement", content=body, headers=own)
                if answer.status_code >= httpx.codes.BAD_REQUEST:
                    raise RuntimeError(f"the simulator answered {answer.status_code}: {answer.text[:200]}")

        began, used = time.monotonic(), time.process_time()
        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
        print(json.dumps({"seconds": time.monotonic() - began, "used": time.process_time() - used}), flush=True)


def _order(number: int) -> dict[str, object]:
    """What `mapping.transaction` makes of an order."""
    reference = f"GW{uuid4().hex.upper()}"
    return {
        "amount": "205.1",
        "currency": "USD",
        "type": "disbursement",
        "debitParty": [{"key": "accountid", "value": "9000"}],
        "creditParty": [{"key": "msisdn", "value": f"0{700_000_000 + number}"}],
        "descriptionText": f"Wages 2026-11 {reference}",
        "requestingOrganisationTransactionReference": reference,
    }


if __name__ == "__main__":
    sys.exit(main())
