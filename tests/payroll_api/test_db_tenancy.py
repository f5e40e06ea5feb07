"""One factory never sees, touches or points at another's rows; the catalogue itself is checked, so that no new table slips through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from payroll_api import tables
from payroll_api.db.base import new_id
from payroll_api.db.embedded import Addresses
from payroll_api.db.session import Database, driver, factory_of, require_safe
from payroll_api.db.tenancy import ALL_DIRECTORIES
from payroll_api.errors import ConfigurationError
from payroll_api.factories.models import ExchangeRate, Factory
from payroll_api.people.models import Destination, Worker
from payroll_api.people.register import Person, add
from payroll_api.services import Services
from tests.conftest import SampleFactory


@pytest.fixture
async def owner(addresses: Addresses) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(addresses.owner)
    yield connection
    await connection.close()


def person(code: str) -> Person:
    return Person(worker_code=code, name="សុខ ដារ៉ា", destination_kind="bank_account", account="000123456", holder="SOK DARA")


async def test_every_table_of_a_factory_is_guarded(owner: Any) -> None:
    rows = await owner.fetch(
        "select relname, relrowsecurity, relforcerowsecurity, (select count(*) from pg_policy p where p.polrelid = c.oid"
        " and p.polqual is not null and p.polwithcheck is not null) as policies from pg_class c"
        " where relkind = 'r' and relnamespace = 'public'::regnamespace and relname !~ '^pgqueuer' and relname <> 'alembic_version'"
    )
    found = {row["relname"]: row for row in rows}
    assert set(found) == set(tables.METADATA.tables)
    for name, row in found.items():
        guarded = row["relrowsecurity"] and row["relforcerowsecurity"] and row["policies"] == 1
        assert guarded != (name in ALL_DIRECTORIES), name


async def test_every_key_and_foreign_key_carries_the_factory(owner: Any) -> None:
    rows = await owner.fetch(
        "select conrelid::regclass::text as name, contype, conname, array(select attname::text from unnest(conkey) with ordinality k(n, o)"
        " join pg_attribute a on a.attrelid = conrelid and a.attnum = k.n order by o) as columns"
        " from pg_constraint where connamespace = 'public'::regnamespace and contype in ('p', 'f')"
    )
    checked = 0
    for row in rows:
        if row["name"] in ALL_DIRECTORIES or row["name"].startswith("pgqueuer") or row["name"] == "alembic_version":
            continue
        assert "factory_id" in row["columns"], f"{row['name']}: {row['conname']}"
        checked += 1
    assert checked > 40


async def test_the_application_owns_nothing_and_cannot_rewrite_the_books(owner: Any, database: Database) -> None:
    await require_safe(database)
    rights = {
        row["table_name"]: row["rights"]
        for row in await owner.fetch(
            "select table_name, array_agg(privilege_type::text) as rights from information_schema.role_table_grants"
            " where grantee = 'payroll_app' group by table_name"
        )
    }
    for name in ("audit_events", "audit_blocks", "ledger_transfers", "rail_sums"):
        assert sorted(rights[name]) == ["INSERT", "SELECT"]
    assert not any({"TRUNCATE", "REFERENCES", "TRIGGER"} & set(found) for found in rights.values())


async def test_the_service_refuses_to_run_as_the_owner(addresses: Addresses) -> None:
    database = Database(addresses.owner)
    with pytest.raises(ConfigurationError, match="superuser or as the owner"):
        await require_safe(database)
    await database.close()


async def test_nobody_sees_a_factory_without_saying_whose_session_it_is(services: Services, factory: SampleFactory) -> None:
    async with services.database.nobody() as session:
        assert (await session.scalars(select(Factory))).all() == []
        with pytest.raises(LookupError):
            factory_of(session)
    async with services.database.factory(factory.id) as session:
        assert len((await session.scalars(select(Factory))).all()) == 1


async def test_another_factorys_rows_can_be_neither_read_nor_written(
    services: Services, factory: SampleFactory, other_factory: SampleFactory
) -> None:
    async with services.database.factory(factory.id) as session:
        await add(session, await services.keys.vault(session), [person("A-1")], created_by="test", at=services.clock())
    async with services.database.factory(other_factory.id) as session:
        assert (await session.scalars(select(Worker))).all() == []
        assert (await session.execute(text("update workers set sex = 'F'"))).rowcount == 0  # type: ignore[attr-defined]
    rate = ExchangeRate(factory_id=factory.id, period="2026-11", purpose="tax", rate=4000, source="x", set_by="x", set_at=services.clock())
    with pytest.raises(DBAPIError, match="row-level security"):
        async with services.database.factory(other_factory.id) as session:
            session.add(rate)


async def test_a_destination_cannot_point_at_another_factorys_worker(
    services: Services, factory: SampleFactory, other_factory: SampleFactory
) -> None:
    async with services.database.factory(factory.id) as session:
        ids = await add(session, await services.keys.vault(session), [person("A-2")], created_by="test", at=services.clock())
    async with services.database.factory(other_factory.id) as session:
        vault = await services.keys.vault(session)
        destination_id = new_id()
        stolen = Destination(
            factory_id=other_factory.id,
            id=destination_id,
            worker_id=ids["A-2"][0],
            kind="cash",
            bank=None,
            account=vault.seal("cash", "destinations", destination_id, "account"),
            holder=vault.seal("x", "destinations", destination_id, "holder"),
            account_key=b"x",
            state="proposed",
            name_match=None,
            detail="",
            checked_at=None,
            decided_by=None,
            created_by="test",
            created_at=services.clock(),
            is_proposal=False,
        )
        session.add(stolen)
        with pytest.raises(DBAPIError, match="foreign key"):
            await session.flush()
        await session.rollback()


async def test_a_connection_does_not_remember_whose_it_was(services: Services, factory: SampleFactory) -> None:
    async with services.database.factory(factory.id) as session:
        assert (await session.execute(text("select current_setting('app.factory_id', true)"))).scalar_one() == str(factory.id)
    async with services.database.engine.connect() as connection:
        assert (await connection.execute(text("select coalesce(current_setting('app.factory_id', true), '')"))).scalar_one() == ""


async def test_interleaved_requests_of_two_factories_never_mix(
    services: Services, factory: SampleFactory, other_factory: SampleFactory
) -> None:
    async def ask(mine: SampleFactory) -> None:
        async with services.database.factory(mine.id) as session:
            await session.execute(text("select pg_sleep(0)"))
            seen = list(await session.scalars(select(Factory.factory_id)))
            assert seen == [mine.id]

    await asyncio.gather(*(ask(factory if number % 2 else other_factory) for number in range(200)))


async def test_the_raw_connection_is_given_only_inside_the_transaction(services: Services, factory: SampleFactory) -> None:
    async with services.database.factory(factory.id) as session:
        assert (await driver(session)).is_in_transaction()
    async with services.database.factory(uuid4()) as session:
        assert (await driver(session)).is_in_transaction()
