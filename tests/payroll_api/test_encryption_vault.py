"""Personal values open where they were sealed and nowhere else."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from payroll_api.db.embedded import Addresses
from payroll_api.encryption import master
from payroll_api.encryption.vault import SealBrokenError, Vault
from payroll_api.errors import ConfigurationError
from payroll_api.people.models import Destination, Worker
from payroll_api.people.register import Person, add
from payroll_api.services import Services
from tests.conftest import SampleFactory

FACTORY = uuid4()
VAULT = Vault(FACTORY, {1: b"k" * 32}, b"i" * 32)
OTHER = Vault(uuid4(), {1: b"k" * 32}, b"j" * 32)


@given(st.text(), st.text(min_size=1, max_size=40))
def test_what_was_sealed_comes_back(value: str, row: str) -> None:
    assert VAULT.open(VAULT.seal(value, "workers", row, "name"), "workers", row, "name") == value


@pytest.mark.parametrize(
    ("vault", "table", "row", "column"),
    [
        (VAULT, "workers", "2", "account"),
        (VAULT, "destinations", "1", "account"),
        (VAULT, "workers", "1", "phone"),
        (OTHER, "workers", "1", "account"),
    ],
)
def test_an_account_moved_to_another_place_does_not_open(vault: Vault, table: str, row: str, column: str) -> None:
    sealed = VAULT.seal("000123456", "workers", "1", "account")
    with pytest.raises(SealBrokenError):
        vault.open(sealed, table, row, column)


@given(st.integers(min_value=0, max_value=8 * 43 - 1))
def test_one_flipped_bit_is_noticed(bit: int) -> None:
    sealed = bytearray(VAULT.seal("000123456 x", "workers", "1", "account"))
    sealed[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(SealBrokenError):
        VAULT.open_bytes(bytes(sealed), "workers", "1", "account")


def test_equal_values_are_found_within_a_purpose_and_a_factory_only() -> None:
    assert VAULT.index("phone", "+85512345678") == VAULT.index("phone", "+85512345678")
    assert VAULT.index("phone", "+85512345678") != VAULT.index("account", "+85512345678")
    assert VAULT.index("phone", "+85512345678") != OTHER.index("phone", "+85512345678")


def test_the_broken_seal_does_not_tell_the_value() -> None:
    with pytest.raises(SealBrokenError) as caught:
        VAULT.open(VAULT.seal("SECRET-NUMBER", "a", "1", "b"), "a", "2", "b")
    assert "SECRET" not in str(caught.value)


def test_a_master_key_that_is_another_one_says_so(tmp_path: Path) -> None:
    first = master.load(tmp_path / "one.json", create=True)
    second = master.load(tmp_path / "two.json", create=True)
    assert first.unwrap(first.wrap(b"x" * 32, b"c"), b"c") == b"x" * 32
    with pytest.raises(ConfigurationError, match="does not open"):
        second.unwrap(first.wrap(b"x" * 32, b"c"), b"c")
    assert (tmp_path / "one.json").stat().st_mode & 0o077 == 0
    assert "secret" not in repr(first)


def test_a_missing_or_spoiled_key_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no master key"):
        master.load(tmp_path / "none.json", create=False)
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="not a master key file"):
        master.load(tmp_path / "bad.json", create=True)


async def test_no_personal_value_stands_in_the_database_in_the_clear(
    services: Services, factory: SampleFactory, addresses: Addresses
) -> None:
    canary = Person(
        worker_code="C-1",
        name="CANARYNAME",
        name_latin="CANARYLATIN",
        phone="+85512777123",
        national_id="CANARYID99",
        destination_kind="bank_account",
        account="CANARYACCOUNT",
        holder="CANARYHOLDER",
    )
    async with services.database.factory(factory.id) as session:
        await add(session, await services.keys.vault(session), [canary], created_by="test", at=services.clock())
    connection = await asyncpg.connect(addresses.owner)
    try:
        for name in [row[0] for row in await connection.fetch("select tablename::text from pg_tables where schemaname = 'public'")]:
            found = await connection.fetchval(
                f"select count(*) from {name} t where t::text like '%CANARY%' or t::text like '%12777123%'"  # noqa: S608 a table's name
                f" or position(convert_to('CANARY', 'UTF8') in convert_to(t::text, 'UTF8')) > 0"
            )
            assert found == 0, name
    finally:
        await connection.close()


async def test_an_account_copied_to_another_workers_row_is_not_payable(services: Services, factory: SampleFactory) -> None:
    people = [
        Person(worker_code=code, name=code, destination_kind="bank_account", account=f"00012345{code}", holder=code) for code in ("1", "2")
    ]
    async with services.database.factory(factory.id) as session:
        vault = await services.keys.vault(session)
        ids = await add(session, vault, people, created_by="test", at=services.clock())
        hers, his = [await session.get_one(Destination, (factory.id, ids[code][1])) for code in ("1", "2")]
        his.account = hers.account
        await session.flush()
        with pytest.raises(SealBrokenError):
            vault.open(his.account, "destinations", his.id, "account")
        await session.rollback()


async def test_plain_text_cannot_be_stored_in_a_sealed_column(services: Services, factory: SampleFactory) -> None:
    async with services.database.factory(factory.id) as session:
        vault = await services.keys.vault(session)
        await add(
            session,
            vault,
            [Person(worker_code="P", name="P", destination_kind="cash", account="cash", holder="P")],
            created_by="test",
            at=services.clock(),
        )
        worker = (await session.scalars(select(Worker))).one()
        worker.name = b"plain"  # type: ignore[assignment]  # what mypy refuses, the column refuses too
        with pytest.raises(StatementError, match=r"Vault\.seal"):
            await session.flush()
        await session.rollback()
