"""Tampering shows: with an event, with a block, with the end of the chain, with all of it, by the owner of the tables too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from payroll_api.audit import chain
from payroll_api.audit.journal import Event, record
from payroll_api.audit.seal import seal
from payroll_api.audit.signing import Checkpoint, append, remembered
from payroll_api.audit.verify import ChainReport, verify
from payroll_api.db.embedded import Addresses
from payroll_api.services import Services
from tests.conftest import SampleFactory

ALL_ENDED = "select max(xid) < (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint from audit_events"


async def write(services: Services, factory: SampleFactory, count: int = 5) -> None:
    async with services.database.factory(factory.id) as session:
        await record(
            session, services.clock(), *(Event(actor="system", action="test.happened", subject=f"test:{number}") for number in range(count))
        )


async def sealed_at_once(services: Services, factory: SampleFactory) -> Checkpoint | None:
    async with services.database.factory(factory.id) as session:
        return await seal(session, services.signer, services.clock())


async def sealed(services: Services, factory: SampleFactory) -> Checkpoint | None:
    """Seal all that is written, in one block. Transactions of other tests hold the horizon back for a moment: that is waited for."""
    for _ in range(400):
        async with services.database.factory(factory.id) as session:
            if (await session.execute(text(ALL_ENDED))).scalar_one():
                return await seal(session, services.signer, services.clock())
        await asyncio.sleep(0.02)
    raise AssertionError("some test's transaction does not end")


async def checked(services: Services, factory: SampleFactory, outside: list[Checkpoint] | None = None) -> ChainReport:
    async with services.database.factory(factory.id) as session:
        return await verify(session, services.signer.key_id, outside or [])


@pytest.fixture
async def as_owner(addresses: Addresses) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """What somebody with the owner's password can do: triggers off, anything changed, triggers on."""
    connection = await asyncpg.connect(addresses.owner)

    async def run(sql: str, *args: object) -> None:
        await connection.execute("set session_replication_role = replica")
        await connection.execute(sql, *args)
        await connection.execute("set session_replication_role = origin")

    yield run
    await connection.close()


async def test_an_honest_chain_verifies(services: Services, factory: SampleFactory) -> None:
    await write(services, factory)
    await sealed(services, factory)
    await write(services, factory, 3)
    report = await checked(services, factory)
    assert report.intact
    assert report.unsealed == 3
    await sealed(services, factory)
    assert (await checked(services, factory)).unsealed == 0
    assert await sealed(services, factory) is None


TAMPERING = {
    "a byte of an event": "update audit_events set body = convert_to(replace(convert_from(body, 'UTF8'), 'test:2', 'test:9'), 'UTF8')"
    " where factory_id = $1 and subject = 'test:2'",
    "an event with its leaf": "update audit_events set body = 'x', leaf = sha256('\\x0078'::bytea)"
    " where factory_id = $1 and subject = 'test:2'",
    "an event in the middle gone": "delete from audit_events where factory_id = $1 and subject = 'test:2'",
    "the first event gone": "delete from audit_events where factory_id = $1 and subject = 'test:0'",
    "an event added": "insert into audit_events (factory_id, xid, subject, action, body, leaf)"
    " select factory_id, xid, subject, action, body, leaf from audit_events where factory_id = $1 and subject = 'test:2'",
    "two events swapped": "update audit_events a set body = b.body, leaf = b.leaf from audit_events b where a.factory_id = $1"
    " and b.factory_id = $1 and (a.subject, b.subject) in (('test:1', 'test:2'), ('test:2', 'test:1'))",
    "a block gone": "delete from audit_blocks where factory_id = $1 and number = 1",
    "a block's count": "update audit_blocks set count = count + 1 where factory_id = $1 and number = 1",
    "a block's head": "update audit_blocks set head = sha256('x') where factory_id = $1 and number = 2",
    "a block's signature": "update audit_blocks set signature = convert_to('AAAA', 'UTF8') where factory_id = $1 and number = 1",
    "a block's key": "update audit_blocks set key_id = 'other' where factory_id = $1 and number = 1",
}


@pytest.mark.parametrize("name", TAMPERING)
async def test_tampering_is_found(services: Services, factory: SampleFactory, as_owner: Callable[..., Awaitable[Any]], name: str) -> None:
    await write(services, factory)
    await sealed(services, factory)
    await write(services, factory, 2)
    await sealed(services, factory)
    await as_owner(TAMPERING[name], factory.id)
    report = await checked(services, factory)
    assert not report.intact
    if name == "a byte of an event":
        assert report.event is not None


async def test_a_chain_whose_end_was_cut_off_is_missed_outside(
    services: Services, factory: SampleFactory, as_owner: Callable[..., Awaitable[Any]]
) -> None:
    await write(services, factory)
    await sealed(services, factory)
    await write(services, factory)
    last = await sealed(services, factory)
    assert last is not None
    await as_owner("delete from audit_events e using audit_blocks b where b.factory_id = $1 and e.factory_id = $1 and b.number = 2"
                   " and e.xid >= b.from_xid and e.xid < b.to_xid", factory.id)  # fmt: skip
    await as_owner("delete from audit_blocks where factory_id = $1 and number = 2", factory.id)
    assert (await checked(services, factory)).intact  # inside, nothing is missing
    report = await checked(services, factory, [last])
    assert report.broken is not None
    assert "cut off" in report.broken


async def test_a_chain_rewritten_even_with_the_key_is_not_the_one_remembered(services: Services, factory: SampleFactory) -> None:
    await write(services, factory)
    first = await sealed(services, factory)
    assert first is not None
    other = services.signer.sign(factory=first.factory, number=1, size=first.size, head=b"\x01" * 32)
    report = await checked(services, factory, [other])
    assert report.broken is not None
    assert "rewritten" in report.broken


async def test_the_application_cannot_change_an_event(services: Services, factory: SampleFactory) -> None:
    await write(services, factory)
    for statement in ("update audit_events set body = 'x'", "delete from audit_events", "truncate audit_events"):
        async with services.database.factory(factory.id) as session:
            with pytest.raises(Exception, match="permission denied"):
                await session.execute(text(statement))
            await session.rollback()


async def test_the_owner_is_stopped_from_mistakes(services: Services, factory: SampleFactory, addresses: Addresses) -> None:
    await write(services, factory)
    connection = await asyncpg.connect(addresses.owner)
    try:
        for statement in ("update audit_events set body = 'x'", "delete from audit_events", "truncate audit_events"):
            with pytest.raises(asyncpg.RaiseError, match="append-only"):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_events_of_transactions_that_end_late_are_not_skipped(services: Services, factory: SampleFactory) -> None:
    """Sequence order is not commit order: a slow transaction's events must wait for it, not be left out for ever."""
    may_end, has_begun = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with services.database.factory(factory.id) as session:
            await record(session, services.clock(), Event(actor="system", action="test.slow", subject="slow:1"))
            has_begun.set()
            await may_end.wait()

    slowly = asyncio.create_task(slow())
    await has_begun.wait()
    for _ in range(5):
        await write(services, factory, 2)
        await sealed_at_once(services, factory)
    may_end.set()
    await slowly
    await sealed(services, factory)
    report = await checked(services, factory)
    assert report.intact
    assert report.unsealed == 0
    async with services.database.factory(factory.id) as session:
        total = (await session.execute(text("select count(*) from audit_events"))).scalar_one()
    assert report.events == total


async def test_two_sealers_at_once_make_one_chain(services: Services, factory: SampleFactory) -> None:
    await write(services, factory, 50)
    await asyncio.gather(*(sealed_at_once(services, factory) for _ in range(8)))
    assert (await checked(services, factory)).intact


def test_checkpoints_are_remembered_outside(services: Services, tmp_path: Any) -> None:
    file = tmp_path / "checkpoints.jsonl"
    checkpoint = services.signer.sign(factory=str(uuid4()), number=1, size=1, head=b"\x00" * 32)
    append(file, checkpoint)
    append(file, checkpoint)
    file.write_text(file.read_text() + "spoiled\n")
    assert remembered(file) == [checkpoint, checkpoint]


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=40), st.data())
def test_every_event_can_be_proven_alone(contents: list[bytes], data: st.DataObject) -> None:
    leaves = [chain.leaf(content) for content in contents]
    index = data.draw(st.integers(min_value=0, max_value=len(contents) - 1))
    path = chain.proof(leaves, index)
    assert chain.climb(contents[index], path) == chain.root(leaves)
    assert chain.climb(contents[index] + b"x", path) != chain.root(leaves)


def test_the_tree_is_that_of_rfc_9162() -> None:
    """The roots of the RFC's own example inputs, as its reference implementation gives them."""
    leaves = [b"", b"\x00", b"\x10", b"\x20\x21"]
    assert chain.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert chain.root([chain.leaf(leaves[0])]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert chain.root([chain.leaf(one) for one in leaves[:2]]).hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"


def test_a_head_depends_on_every_field() -> None:
    fields: dict[str, Any] = {
        "factory_id": UUID(int=1),
        "number": 1,
        "previous": chain.GENESIS,
        "merkle_root": chain.EMPTY_ROOT,
        "count": 1,
        "size": 1,
        "from_xid": 0,
        "to_xid": 9,
    }
    heads = {chain.head(**fields)}
    for name, value in (("factory_id", UUID(int=2)), ("number", 2), ("count", 2), ("size", 2), ("from_xid", 1), ("to_xid", 10)):
        heads.add(chain.head(**{**fields, name: value}))
    assert len(heads) == 7
