"""Rows of a file in the database: they come back as they were read, in their own place only, and all of them or none."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from importers.contract import Meaning, PayMethod, PayrollRow, WorkerStatus
from importers.money import CURRENCIES, KHR, USD, Money
from importers.period import PayPeriod, RunKind
from payroll_api.audit.models import AuditEvent
from payroll_api.db.bulk import copy_in
from payroll_api.db.embedded import Addresses
from payroll_api.encryption.vault import SealBrokenError, Vault
from payroll_api.intake import contents
from payroll_api.intake.models import FileProblem, FileRow, PayrollFile
from payroll_api.intake.read_file import read_file
from payroll_api.intake.upload import upload
from payroll_api.review.rows import rows_of
from payroll_api.services import Services

if TYPE_CHECKING:
    from tests.conftest import SampleFactory

FACTORY, FILE = uuid4(), UUID("0192f6a0-0000-7000-8000-000000000001")
VAULT = Vault(FACTORY, {1: b"k" * 32}, b"i" * 32)

_texts = st.text("aZ9 .-'\"\\\n\u1780\u17b6\u17d2\u200b\u4e2d\U0001f600", min_size=1, max_size=12)
_money = st.builds(Money, st.integers(-(10**12), 10**12), st.sampled_from(list(CURRENCIES.values())))
_rows = st.builds(
    PayrollRow,
    sheet=_texts,
    row=st.integers(1, 100_000),
    worker_code=_texts,
    name=_texts,
    net=_money,
    **{name: st.none() | _texts for name in ("name_latin", "sex", "national_id", "position", "department", "bank", "account_name")},
    account=st.none() | st.from_regex(r"[0-9A-Z]{4,20}", fullmatch=True),
    phone=st.none() | st.from_regex(r"\+855[0-9]{8,9}", fullmatch=True),
    joined_on=st.none() | st.dates(),
    left_on=st.none() | st.dates(),
    status=st.none() | st.sampled_from(WorkerStatus),
    pay_method=st.none() | st.sampled_from(PayMethod),
    spouse=st.none() | st.integers(0, 1),
    children=st.none() | st.integers(0, 20),
    amounts=st.dictionaries(st.sampled_from(Meaning), _money, max_size=4),
    alternates=st.dictionaries(st.sampled_from(Meaning), _money, max_size=4),
    time=st.dictionaries(st.sampled_from(Meaning), st.decimals(0, 400, places=2), max_size=3),
)


def as_stored(record: tuple[object, ...]) -> dict[str, object]:
    """A record as the database gives it back."""
    stored = dict(zip(contents.ROW_COLUMNS, record, strict=True))
    return {**stored, "figures": json.loads(str(stored["figures"]))}


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_rows, min_size=1, max_size=2))
def test_a_row_comes_back_as_it_was_read(rows: list[PayrollRow]) -> None:
    records = list(contents.rows_to_records(VAULT, FACTORY, FILE, rows))
    assert [contents.record_to_row(VAULT, FILE, as_stored(record)) for record in records] == rows


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_rows, min_size=2, max_size=2))
def test_the_person_of_one_row_does_not_open_in_another(rows: list[PayrollRow]) -> None:
    first, second = map(as_stored, contents.rows_to_records(VAULT, FACTORY, FILE, rows))
    with pytest.raises(SealBrokenError):
        contents.record_to_row(VAULT, FILE, {**second, "person": first["person"]})
    with pytest.raises(SealBrokenError):
        contents.record_to_row(VAULT, uuid4(), first)


def test_a_row_that_an_earlier_version_stored_is_still_read() -> None:
    person = '{"name": "សុខ ដារ៉ា", "name_latin": "SOK DARA", "phone": "+85512345678", "account": "000111001"}'
    figures = (
        '{"amounts": {"basic_wage": [21000, "USD"], "net": [20510, "USD"]}, "alternates": {"net": [840900, "KHR"]},'
        ' "time": {"days_worked": "26", "overtime_hours": "3.50"}, "sex": "F", "children": 2, "joined_on": "2020-01-06",'
        ' "status": "regular", "pay_method": "bank"}'
    )
    stored = {
        "position": 7,
        "sheet": "Payroll",
        "row": 9,
        "worker_code": "R-01",
        "net_minor": 20510,
        "currency": "USD",
        "figures": json.loads(figures),
        "person": VAULT.seal(person, "file_rows", f"{FILE}:7", "person"),
    }
    assert contents.record_to_row(VAULT, FILE, stored) == PayrollRow(
        sheet="Payroll",
        row=9,
        worker_code="R-01",
        name="សុខ ដារ៉ា",
        name_latin="SOK DARA",
        phone="+85512345678",
        account="000111001",
        net=Money(20510, USD),
        amounts={Meaning.BASIC_WAGE: Money(21000, USD), Meaning.NET: Money(20510, USD)},
        alternates={Meaning.NET: Money(840900, KHR)},
        time={Meaning.DAYS_WORKED: Decimal(26), Meaning.OVERTIME_HOURS: Decimal("3.50")},
        sex="F",
        children=2,
        joined_on=date(2020, 1, 6),
        status=WorkerStatus.REGULAR,
        pay_method=PayMethod.BANK,
    )


MANY = 2_500  # workers: more than one statement takes


async def _kept(services: Services, factory: SampleFactory) -> UUID:
    lines = [f"W{n:05},Sok Dara {n},210.00,{200 + n % 90}.10,cash" for n in range(MANY)]
    lines.append("W99999,Sok Dara,210.00,n/a,cash")  # somebody with a problem of her own
    content = "\n".join(["Worker code,Name,Basic wage (USD),Net pay (USD),Pay method", *lines]).encode()
    async with services.database.factory(factory.id) as session:
        period = PayPeriod(2026, 11)
        file = await upload(session, services, factory.preparer, file_name="p.csv", content=content, period=period, kind=RunKind.BALANCE)
        return file.id


async def _counted(services: Services, factory: SampleFactory, file_id: UUID) -> tuple[str, int, int, int]:
    """The file's state, its rows, its problems, and the events that say it was read."""
    async with services.database.factory(factory.id) as session:
        state = (await session.get_one(PayrollFile, (factory.id, file_id))).state
        rows = await session.scalar(select(func.count()).select_from(FileRow).where(FileRow.file_id == file_id))
        problems = await session.scalar(select(func.count()).select_from(FileProblem).where(FileProblem.file_id == file_id))
        told = await session.scalar(
            select(func.count()).select_from(AuditEvent).where(AuditEvent.action == "file.read", AuditEvent.subject == f"file:{file_id}")
        )
        return state, rows or 0, problems or 0, told or 0


_FULL = """
create function disk_is_full() returns trigger language plpgsql as
$$ begin if new.position = 2200 then raise exception 'no space left' using errcode = 'disk_full'; end if; return new; end $$;
create trigger disk_is_full before insert on file_rows for each row execute function disk_is_full();
"""


async def test_a_disk_that_is_full_in_the_middle_leaves_no_row_and_the_next_reading_all_of_them(
    services: Services, factory: SampleFactory, addresses: Addresses
) -> None:
    file_id = await _kept(services, factory)
    connection = await asyncpg.connect(addresses.owner)
    try:
        await connection.execute(_FULL)
        with pytest.raises(asyncpg.DiskFullError):
            await read_file(services, factory.id, {"file": str(file_id)})
        assert await _counted(services, factory, file_id) == ("reading", 0, 0, 0)
    finally:
        await connection.execute("drop function if exists disk_is_full cascade")
        await connection.close()
    await read_file(services, factory.id, {"file": str(file_id)})
    assert await _counted(services, factory, file_id) == ("read", MANY, 1, 1)


async def test_a_row_that_took_another_workers_place_stops_the_check(
    services: Services, factory: SampleFactory, addresses: Addresses
) -> None:
    file_id = await _kept(services, factory)
    await read_file(services, factory.id, {"file": str(file_id)})
    connection = await asyncpg.connect(addresses.owner)
    try:
        async with connection.transaction():
            await connection.execute("select set_config('app.factory_id', $1, true)", str(factory.id))
            swapped = await connection.execute(
                "update file_rows r set person = o.person from file_rows o"
                " where o.file_id = r.file_id and r.file_id = $1 and r.position = 3 and o.position = 4",
                file_id,
            )
    finally:
        await connection.close()
    assert swapped == "UPDATE 1"
    async with services.database.factory(factory.id) as session:
        with pytest.raises(SealBrokenError):
            await rows_of(session, await services.keys.vault(session), file_id)


async def test_rows_that_cannot_be_made_leave_none_of_those_before_them(services: Services, factory: SampleFactory) -> None:
    file_id = await _kept(services, factory)
    await read_file(services, factory.id, {"file": str(file_id)})
    async with services.database.factory(factory.id) as session:
        vault = await services.keys.vault(session)
        rows = await rows_of(session, vault, file_id)
    broken = [*rows[:2_200], replace(rows[0], phone="\ud800"), *rows[2_200:]]  # half a character: no text that can be sealed
    other = await _kept_again(services, factory)
    with pytest.raises(ValueError, match="surrogates"):
        async with services.database.factory(factory.id) as session:
            await copy_in(session, "file_rows", contents.ROW_COLUMNS, contents.rows_to_records(vault, factory.id, other, broken))
    assert (await _counted(services, factory, other))[1] == 0


async def _kept_again(services: Services, factory: SampleFactory) -> UUID:
    async with services.database.factory(factory.id) as session:
        period = PayPeriod(2026, 12)
        file = await upload(session, services, factory.preparer, file_name="q.csv", content=b"a,b", period=period, kind=RunKind.BALANCE)
        return file.id
