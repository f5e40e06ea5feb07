"""A database that was in use is brought forward with what stands in it, by an owner for whom row-level security holds as well."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import asyncpg

from payroll_api.db.embedded import Addresses
from payroll_api.migrations.apply import upgrade

# What belongs to the factory's tables, given to another role: the one that migrates need not be the server's superuser.
_GIVE = """
select format('alter %s %s owner to %I', case c.relkind when 'S' then 'sequence' when 'v' then 'view' else 'table' end,
  c.oid::regclass, $1::text)
from pg_class c where c.relnamespace = 'public'::regnamespace and (c.relkind in ('r', 'p', 'v') or c.relkind = 'S' and not exists (
  select from pg_depend d where d.objid = c.oid and d.deptype in ('a', 'i')))
union all
select format('alter routine %s owner to %I', p.oid::regprocedure, $1::text) from pg_proc p where p.pronamespace = 'public'::regnamespace
  and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
"""


async def _put(connection: Any, table: str, **known: object) -> None:
    """A row with these values, and something in every other column that must have something."""
    rows = await connection.fetch(
        "select column_name, data_type from information_schema.columns where table_schema = 'public' and table_name = $1"
        " and is_nullable = 'NO' and column_default is null",
        table,
    )
    filler = {"uuid": "gen_random_uuid()", "text": "''", "bytea": "'\\x00'", "bigint": "1", "integer": "1", "boolean": "false"}
    filler |= {"timestamp with time zone": "now()", "date": "current_date", "jsonb": "'{}'"}
    left = {row[0]: filler[row[1]] for row in rows if row[0] not in known}
    places = ", ".join(f"${place}" for place in range(1, len(known) + 1))
    names, values = ", ".join([*known, *left]), ", ".join([places, *left.values()])
    await connection.execute(f"insert into {table} ({names}) values ({values})", *known.values())  # noqa: S608 our own names


async def test_a_database_in_use_is_brought_forward_with_what_stands_in_it(empty_addresses: Addresses) -> None:
    at, mover = empty_addresses.owner, f"mover_{uuid4().hex[:8]}"
    owner = await asyncpg.connect(at)
    await owner.execute("drop schema public cascade; create schema public")
    await upgrade(at, to="0005")
    try:
        factory, account, payment = uuid4(), uuid4(), uuid4()
        await owner.execute("set session_replication_role = replica")
        for number in range(3):
            # The provider sent one event three times, each time with another content; and a wage was uncertain three times.
            message = {"event_id": "E-1", "body_hash": bytes([number]), "state": "handled"}
            await _put(owner, "provider_messages", factory_id=factory, provider_account_id=account, **message)
            booked = {"cause": "uncertain", "debit": "in_transit:1", "credit": "suspense", "currency": "USD"}
            await _put(owner, "ledger_transfers", factory_id=factory, payment_id=payment, attempt=1, **booked)
        await owner.execute(f"create role {mover}; alter schema public owner to {mover}; grant {mover} to current_user")
        for (statement,) in await owner.fetch(_GIVE, mover):
            await owner.execute(statement)
        name = await owner.fetchval("select current_database()")
        await owner.execute(f'alter database "{name}" set role = {mover}')
    finally:
        await owner.close()
    await upgrade(at)
    owner = await asyncpg.connect(at)
    try:
        await owner.execute("set role none")
        states = await owner.fetch("select state, count(*) from provider_messages group by 1 order by 1")
        assert [tuple(row) for row in states] == [("handled", 1), ("quarantined", 2)]
        assert [row[0] for row in await owner.fetch("select turn from ledger_transfers order by 1")] == [0, 1, 2]
        open_ = await owner.fetch(
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'factory_id'"
            " where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relrowsecurity and not c.relforcerowsecurity"
        )
        assert open_ == [], "a change of rows that are there must force the rules again afterwards"
    finally:
        await owner.execute(f'alter database "{name}" reset role')
        await owner.execute(f"reassign owned by {mover} to current_user; drop owned by {mover}; drop role {mover}")
        await owner.close()
