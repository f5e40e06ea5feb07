"""P4 and P12: payments a second through a bulk connector, from ready to answered, with attempts, ledger, audit and the journal outside.

`python -m bench dispatch --workers 20000`. A simulated bank runs in a process of its own; the payments are sent by one worker process, and
then as many again by two. The bank's journal is compared: everybody once. Whose CPU time a payment takes is told besides: where one
worker, PostgreSQL and the bank keep the cores of this machine busy between them, a second worker finds none, and its floor says nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import uvloop

from bench.filled import BANK, Filled, filled
from bench.processor import Sent, seconds_of, server_of
from payroll_api.access.actor import Role
from payroll_api.audit.signing import Signer
from payroll_api.clock import pay_day, system_clock
from payroll_api.db.bulk import fetch
from payroll_api.db.session import Database, driver
from payroll_api.encryption import master
from payroll_api.encryption.vault import Keys
from payroll_api.factories.provider_accounts import add_provider_account
from payroll_api.garbage import search_seldom
from payroll_api.payments.invariants import violations
from payroll_api.payments.submit import submit_chunk
from payroll_api.people.keys import account_key
from payroll_api.services import Services
from payroll_api.settings import Settings
from payroll_api.wiring import ConnectorPool
from reconciliation.law.book import load_cambodia

SECRET = str(BANK["credential"])
# Credits at once, and no call back: nobody listens here, and what a provider calls in vain would be counted as a payment's.
QUIET = ("--delay-ms", "0", "--faults", '{"rates": {"lost_event": 1.0}}')
AT_ONCE = 4  # jobs that one worker process does at a time
FLOOR, SECOND_WORKER = 2_500, 1.6

_READY = "select exists (select from payments where factory_id = $1 and run_id = $2 and state = 'ready')"
_FILE = """
insert into payroll_files (factory_id, id, file_name, period, kind, state, size, content, content_hash, uploaded_by, uploaded_at,
  rows_done, rows_total, review_frozen)
values ($1, $2, 'payroll.xlsx', '2026-11', $3, 'reconciled', 1, ''::bytea, $4, 'user:a', $5, 1, 1, true)
"""
_RUN = """
insert into pay_runs (factory_id, id, file_id, period, kind, pay_on, state, content_hash, totals, created_by, created_at,
  submitted_by, submitted_at, approved_by, approved_at, released_by, released_at)
values ($1, $2, $3, '2026-11', $4, $6, 'released', 'x', '{}', 'user:a', $5, 'user:a', $5, 'user:b', $5, 'user:b', $5)
"""
_ITEMS = """
insert into run_items (factory_id, run_id, worker_id, worker_code, destination_id, provider_account_id, account_key, currency, amount_minor)
select $1, $2, d.worker_id, w.worker_code, d.id, $3, d.account_key, 'USD', 20510
from destinations d join workers w on w.factory_id = d.factory_id and w.id = d.worker_id where d.factory_id = $1
"""
_PAYMENTS = """
insert into payments (factory_id, id, run_id, worker_id, worker_code, destination_id, provider_account_id, account_key, period, kind,
  currency, amount_minor, state, state_since, attempt, detail)
select factory_id, gen_random_uuid(), run_id, worker_id, worker_code, destination_id, provider_account_id, account_key, '2026-11', $3,
  currency, amount_minor, 'ready', $4, 0, '' from run_items where factory_id = $1 and run_id = $2
"""
_OWED = """
insert into ledger_transfers (factory_id, id, run_id, payment_id, attempt, cause, debit, credit, currency, amount_minor, posted_at,
  booked_on)
select factory_id, gen_random_uuid(), run_id, id, 0, 'approved', 'wages_due', 'wages_payable', currency, amount_minor, $3::timestamptz,
  ($3::timestamptz)::date from payments where factory_id = $1 and run_id = $2
"""


def main() -> int:
    """Measure, print, and say whether it came out right."""
    parser = argparse.ArgumentParser(prog="python -m bench.dispatch", description=__doc__)
    parser.add_argument("--workers", type=int, default=20_000)
    parser.add_argument("--as-worker", nargs=5, metavar=("URL", "DATA", "FACTORY", "RUN", "RAIL"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.as_worker:
        on_its_loop(_worker(*given.as_worker))
        return 0
    figures = asyncio.run(measure(given.workers))
    print(json.dumps(figures, indent=1))
    return 0 if figures["everybody_once"] and not figures["broken"] else 1


def on_its_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run on the loop that a worker process runs on."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


async def measure(workers: int) -> dict[str, Any]:
    """Payments a second by one worker process and by two, and whether everybody was paid once."""
    async with filled(runs=0, workers=0, clock=system_clock) as here, _bank(here) as (rail, journal, bank):
        await people(here, workers)
        sent = {
            processes: await send(here, await payday(here, rail, kind), rail, workers, processes=processes, provider={"bank": bank})
            for kind, processes in (("first_half", 1), ("balance", 2))
        }
        async with here.services.database.factory(here.factory_id) as session:
            broken = [one.invariant for one in await violations(session) if one.invariant != "state_without_audit"]
            given = int(
                (await fetch(session, "select count(distinct reference) from attempts where factory_id = $1", here.factory_id))[0][0]
            )
        await asyncio.sleep(2)
        credited = [json.loads(line)["reference"] for line in journal.read_text().splitlines() if '"credit"' in line]
    one, two = sent[1], sent[2]
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "payments": workers,
        "one_worker_process_per_second": round(one.per_second),
        "two_worker_processes_per_second": round(two.per_second),
        "second_worker": round(two.per_second / one.per_second, 2),
        "processor_microseconds_per_payment": {"one_worker": one.microseconds_each, "two_workers": two.microseconds_each},
        "cores": os.cpu_count(),
        "cores_busy_with_one_worker": round(one.cores_busy, 2),
        "second_worker_at_most_on_these_cores": round(one.cores_allow, 2),
        "load_of_the_machine": round(os.getloadavg()[0], 1),
        "floor_per_second": FLOOR,
        "second_worker_floor": SECOND_WORKER,
        "everybody_once": len(credited) == len(set(credited)) == given == 2 * workers,
        "broken": broken,
    }


@asynccontextmanager
async def _bank(here: Filled) -> AsyncIterator[tuple[UUID, Path, int]]:
    """A simulated bank in a process of its own, and the factory's account with it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    journal = here.services.settings.data_dir / "bank.jsonl"
    arguments = ["--port", str(port), "--journal", str(journal), "--secret", SECRET, "--webhook-secret", SECRET, *QUIET]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "connectors.payouts.iso20022.simulator", *arguments)
    try:
        await listening(port)
        config = {**BANK, "base_url": f"http://127.0.0.1:{port}"}
        async with here.services.database.factory(here.factory_id) as session:
            account = await add_provider_account(
                session,
                here.services,
                here.actor(Role.ADMINISTRATOR),
                name="Bulk",
                kind="bank_account",
                connector="iso20022",
                config=config,
            )
        yield account.id, journal, process.pid
    finally:
        process.terminate()
        await process.wait()


async def listening(port: int) -> None:
    """Wait until somebody listens there."""
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise RuntimeError("the simulator does not listen")


async def people(here: Filled, count: int, kind: str = "bank_account") -> None:
    """Workers with a verified account or wallet each."""
    async with here.services.database.factory(here.factory_id) as session:
        vault, connection, now = await here.services.keys.vault(session), await driver(session), system_clock()
        folk, places = [], []
        for number in range(count):
            worker, destination, account = uuid4(), uuid4(), f"0{700_000_000 + number}"
            key = account_key(vault, account)
            folk.append((here.factory_id, worker, f"W-{number:06}", vault.seal("SOK DARA", "workers", worker, "name"), key, now))
            sealed = (
                vault.seal(account, "destinations", destination, "account"),
                vault.seal("SOK DARA", "destinations", destination, "holder"),
            )
            places.append((here.factory_id, destination, worker, kind, *sealed, key, "verified", "", "system", now))
        await connection.executemany(
            "insert into workers (factory_id, id, worker_code, name, name_key, created_at) values ($1, $2, $3, $4, $5, $6)", folk
        )
        await connection.executemany(
            "insert into destinations (factory_id, id, worker_id, kind, account, holder, account_key, state, detail, created_by,"
            " created_at, is_proposal) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, false)",
            places,
        )


async def payday(here: Filled, rail: UUID, kind: str) -> UUID:
    """A released run of everybody, ready to be sent by one rail."""
    run_id, file_id, now = uuid4(), uuid4(), system_clock()
    async with here.services.database.factory(here.factory_id) as session:
        connection = await driver(session)
        await connection.execute(_FILE, here.factory_id, file_id, kind, str(file_id), now)
        await connection.execute(_RUN, here.factory_id, run_id, file_id, kind, now, pay_day(now))
        await connection.execute(_ITEMS, here.factory_id, run_id, rail)
        await connection.execute(_PAYMENTS, here.factory_id, run_id, kind, now)
        await connection.execute(_OWED, here.factory_id, run_id, now)
    await here.services.database.analyze("workers", "destinations", "run_items", "payments", "ledger_transfers")
    return run_id


async def send(here: Filled, run_id: UUID, rail: UUID, count: int, *, processes: int, provider: dict[str, int]) -> Sent:
    """Have `processes` workers send a run of `count` payments: from the first claim until the last answer is recorded.

    `provider` is the simulated provider's name and process id.
    """
    settings = here.services.settings
    given = [settings.database_url or "", str(settings.data_dir), str(here.factory_id), str(run_id), str(rail)]
    pipe = asyncio.subprocess.PIPE
    started = [
        await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.dispatch", "--as-worker", *given, stdin=pipe, stdout=pipe)
        for _ in range(processes)
    ]
    for process in started:
        assert process.stdout is not None
        await process.stdout.readline()
    parties = {"postgresql": server_of(settings.data_dir.parent / "postgres"), **provider}
    before, began = {party: seconds_of([pid]) for party, pid in parties.items()}, time.monotonic()
    for process in started:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
    said = [json.loads(line) for line in await asyncio.gather(*(process.stdout.readline() for process in started if process.stdout))]
    used = {"worker": sum(one["used"] for one in said)}
    used |= {party: seconds_of([pid]) - before[party] for party, pid in parties.items()}
    if any(await asyncio.gather(*(process.wait() for process in started))):
        raise RuntimeError("a worker of the bench failed")
    return Sent(payments=count, seconds=max(one["ended"] for one in said) - began, used=used)


async def _worker(url: str, data: str, factory: str, run: str, rail: str) -> None:
    settings = Settings(data_dir=Path(data), database_url=url)
    key = master.load(settings.master_key_file, create=False)
    keys, database = Keys(key), Database(url)
    pool = ConnectorPool(settings, keys)
    services = Services(
        settings=settings, database=database, keys=keys, signer=Signer(key), clock=system_clock, connectors=pool, law=load_cambodia()
    )
    payload = {"run": run, "provider": rail, "currency": "USD"}

    async def ready() -> bool:
        async with database.factory(UUID(factory)) as session:
            return bool((await fetch(session, _READY, UUID(factory), UUID(run)))[0][0])

    async def work() -> None:
        while await ready():
            await submit_chunk(services, UUID(factory), payload)

    # A worker that has run since morning: its connections are open, its connector is built, and cycles are searched seldom.
    async with database.factory(UUID(factory)) as session:
        await pool.payout(session, UUID(rail))
    await asyncio.gather(*(ready() for _ in range(AT_ONCE)))
    search_seldom()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    began = time.process_time()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    print(json.dumps({"ended": time.monotonic(), "used": time.process_time() - began}), flush=True)
    await pool.close()
    await database.close()


if __name__ == "__main__":
    sys.exit(main())
