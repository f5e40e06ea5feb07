"""A database with a factory's years of paydays in it, for benches that ask how things go when there is much already.

Rows are made by statements over generate_series, not by the service: a million payments would take it half an hour. They have the shape
that the service gives them: references, dispatches, ledger, audit-free history.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from payroll_api.access.actor import PERMISSIONS, Actor, Role
from payroll_api.audit.signing import Signer
from payroll_api.clock import Clock
from payroll_api.db import embedded
from payroll_api.db.session import Database, driver
from payroll_api.encryption import master
from payroll_api.encryption.vault import Keys, Vault
from payroll_api.factories.create import create_factory
from payroll_api.factories.provider_accounts import add_provider_account
from payroll_api.garbage import search_seldom
from payroll_api.migrations import apply
from payroll_api.people.keys import account_key
from payroll_api.services import Services
from payroll_api.settings import Settings
from payroll_api.wiring import ConnectorPool
from reconciliation.law.book import load_cambodia

NOW = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)
BANK = {
    "base_url": "http://127.0.0.1:9",
    "credential": "whsec_" + "YQ" * 16,
    "signing_secret": "whsec_" + "YQ" * 16,
    "webhook_secrets": ["whsec_" + "YQ" * 16],
    "debtor_name": "Bench Garments",
    "debtor_account": "000100200",
    "bank_bic": "ABAAKHPP",
    "currency": "USD",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What the database holds."""

    services: Services
    factory_id: UUID
    bank: UUID
    owner: str  # address of the owner of the tables

    def actor(self, role: Role) -> Actor:
        """A person of the factory."""
        user = UUID(int=list(Role).index(role) + 1)
        return Actor(factory_id=self.factory_id, name=f"user:{user}", permissions=PERMISSIONS[role], user_id=user)


@asynccontextmanager
async def filled(*, runs: int, workers: int, clock: Clock = lambda: NOW) -> AsyncIterator[Filled]:
    """A factory of `workers` with `runs` paydays, all paid but the last, whose payments wait; the process is made like a worker's."""
    search_seldom()
    with tempfile.TemporaryDirectory(prefix="gw-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # noqa: ASYNC240 PostgreSQL runs as a user of its own when we are root, and nothing else runs yet
        with embedded.running(folder / "postgres") as at:
            await embedded.ensure_database(at)
            await apply.upgrade(at.owner)
            settings = Settings(data_dir=folder / "data", database_url=at.application)
            key = master.load(settings.master_key_file, create=True)
            keys, database = Keys(key), Database(at.application)
            pool = ConnectorPool(settings, keys)
            services = Services(
                settings=settings, database=database, keys=keys, signer=Signer(key), clock=clock, connectors=pool, law=load_cambodia()
            )
            factory_id = await create_factory(services, slug="bench", name="Bench Garments", name_km="រោងចក្រ", hotline="023 900 100")
            here = Filled(services=services, factory_id=factory_id, bank=await _bank(services, factory_id), owner=at.owner)
            await _fill(here, runs, workers)
            try:
                yield here
            finally:
                await pool.close()
                await database.close()


async def _bank(services: Services, factory_id: UUID) -> UUID:
    administrator = Actor(
        factory_id=factory_id, name=f"user:{uuid4()}", permissions=PERMISSIONS[Role.ADMINISTRATOR], user_id=uuid4(), language="en"
    )
    async with services.database.factory(factory_id) as session:
        account = await add_provider_account(
            session, services, administrator, name="Bank", kind="bank_account", connector="iso20022", config=BANK
        )
        return account.id


def account_of(number: int) -> str:
    """The account of a worker of the bench."""
    return f"{700_000_000 + number}"


def reference_of(run: int, number: int) -> str:
    """The reference of a payment of the bench, in the form of ours."""
    return f"GW1{run:03}{number:07}"


def amount_of(number: int) -> int:
    """Cents that a worker is paid."""
    return 20_000 + number % 9_000


async def _fill(here: Filled, runs: int, workers: int) -> None:
    services = here.services
    async with services.database.factory(here.factory_id) as session:
        vault = await services.keys.vault(session)
        connection: Any = await driver(session)
        await _people(connection, vault, here.factory_id, workers)
        for run in range(runs):
            await _payday(connection, here, run, workers, is_last=run == runs - 1)
    await services.database.analyze(
        "workers", "destinations", "run_items", "payments", "attempts", "dispatches", "ledger_transfers", "rail_sums"
    )


async def _people(connection: Any, vault: Vault, factory_id: UUID, workers: int) -> None:  # noqa: ANN401 asyncpg has no types
    await connection.execute(
        "create temporary table folk (n int primary key, worker uuid, destination uuid, key bytea, name bytea, account bytea, holder bytea)"
    )
    rows = []
    for number in range(workers):
        worker, destination, account = uuid4(), uuid4(), account_of(number)
        name = vault.seal(f"SOK DARA {number}", "workers", worker, "name")
        sealed = vault.seal(account, "destinations", destination, "account")
        holder = vault.seal(f"SOK DARA {number}", "destinations", destination, "holder")
        rows.append((number, worker, destination, account_key(vault, account), name, sealed, holder))
    await connection.copy_records_to_table("folk", records=rows)
    for statement in _PEOPLE:
        await connection.execute(statement, factory_id, NOW)


async def _payday(connection: Any, here: Filled, run: int, workers: int, *, is_last: bool) -> None:  # noqa: ANN401 asyncpg has no types
    """One payday by a dozen statements."""
    run_id, file_id = uuid4(), uuid4()
    month, half = divmod(run, 2)
    kind, period = ("first_half", "balance")[half], f"{2022 + month // 12}-{month % 12 + 1:02}"
    at = NOW if is_last else NOW - timedelta(days=15 * (400 - run))
    own = (here.factory_id, run_id)
    await connection.execute(_FILE, here.factory_id, file_id, period, kind, str(file_id), at, workers)
    state = "released" if is_last else "completed"
    await connection.execute(_RUN, *own, file_id, period, kind, at.date(), state, at)
    await connection.execute(_ITEMS, *own, here.bank)
    await connection.execute(_PAID)
    await connection.execute(_PAYMENTS, *own, here.bank, period, kind, is_last, at, at.date())
    await connection.execute(_SENT, workers)
    await connection.execute(_DISPATCHES, *own, here.bank, at, run)
    await connection.execute(_ATTEMPTS, here.factory_id, at, run, is_last)
    for cause, debit, credit, attempt in (
        ("approved", "wages_due", "wages_payable", 0),
        ("submitted", "wages_payable", f"in_transit:{here.bank}", 1),
        ("confirmed", f"in_transit:{here.bank}", f"bank:{here.bank}", 1),
    ):
        await connection.execute(_TRANSFERS, *own, attempt, cause, debit, credit, at, is_last)
    await connection.execute("drop table paid; drop table sent")


_PEOPLE = (
    """
    insert into workers (factory_id, id, worker_code, name, name_key, created_at, joined_on, department)
    select $1, worker, 'W-' || lpad(n::text, 6, '0'), name, key, $2, date '2020-01-06', 'Line ' || n % 20 from folk
    """,
    """
    insert into destinations (factory_id, id, worker_id, kind, account, holder, account_key, state, detail, created_by, created_at,
      is_proposal)
    select $1, destination, worker, 'bank_account', account, holder, key, 'verified', '', 'system', $2, false from folk
    """,
)
_FILE = """
insert into payroll_files (factory_id, id, file_name, period, kind, state, size, content, content_hash, uploaded_by, uploaded_at,
  rows_done, rows_total, review_frozen)
values ($1, $2, 'payroll.xlsx', $3, $4, 'reconciled', 1, ''::bytea, $5, 'user:a', $6, $7, $7, true)
"""
_RUN = """
insert into pay_runs (factory_id, id, file_id, period, kind, pay_on, state, content_hash, totals, created_by, created_at,
  submitted_by, submitted_at, approved_by, approved_at, released_by, released_at)
values ($1, $2, $3, $4, $5, $6, $7, 'x', '{}', 'user:a', $8, 'user:a', $8, 'user:b', $8, 'user:b', $8)
"""
_ITEMS = """
insert into run_items (factory_id, run_id, worker_id, worker_code, destination_id, provider_account_id, account_key, currency, amount_minor)
select $1, $2, worker, 'W-' || lpad(n::text, 6, '0'), destination, $3, key, 'USD', 20000 + n % 9000 from folk
"""
_PAID = "create temporary table paid on commit drop as select n, gen_random_uuid() as id, worker, destination, key from folk"
_PAYMENTS = """
insert into payments (factory_id, id, run_id, worker_id, worker_code, destination_id, provider_account_id, account_key, period, kind,
  currency, amount_minor, state, state_since, attempt, detail, paid_at, settled_on)
select $1, id, $2, worker, 'W-' || lpad(n::text, 6, '0'), destination, $3, key, $4, $5, 'USD', 20000 + n % 9000,
  case when $6 and n % 100 = 0 then 'accepted' else 'paid' end, $7, 1, '', $7, case when $6 then null else $8::date end from paid
"""
_SENT = """
create temporary table sent on commit drop as select k, gen_random_uuid() as id from generate_series(0, ($1::int - 1) / 500) k
"""
_DISPATCHES = """
insert into dispatches (factory_id, id, run_id, provider_account_id, reference, state, fence, count, created_at, sent_at, look_up_after,
  looked_up)
select $1, id, $2, $3, 'GB1' || lpad($5::int::text, 3, '0') || lpad(k::text, 7, '0'), 'closed', 1, 500, $4, $4, $4, 1 from sent
"""
_ATTEMPTS = """
insert into attempts (factory_id, payment_id, number, dispatch_id, reference, payload_hash, state, detail, created_at, changed_at)
select $1, p.id, 1, s.id, 'GW1' || lpad($3::int::text, 3, '0') || lpad(p.n::text, 7, '0'), ''::bytea,
  case when $4 and p.n % 100 = 0 then 'accepted' else 'paid' end, '', $2, $2 from paid p join sent s on s.k = p.n / 500
"""
_TRANSFERS = """
insert into ledger_transfers (factory_id, id, run_id, payment_id, attempt, cause, debit, credit, currency, amount_minor, posted_at,
  booked_on)
select $1, gen_random_uuid(), $2, id, $3, $4, $5, $6, 'USD', 20000 + n % 9000, $7::timestamptz, ($7::timestamptz)::date from paid
where not ($8 and n % 100 = 0 and $4 = 'confirmed')
"""
