"""The journal outside the database: written before a byte leaves, unreadable to a finder, and a lock for a database that is older."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from payroll_api.alarms.models import AlarmRow
from payroll_api.db.session import Database
from payroll_api.encryption import master
from payroll_api.encryption.vault import Keys, SealBrokenError
from payroll_api.outside.guard import check_guard, may_send
from payroll_api.outside.journal import Journal, Sending, SentOrder
from payroll_api.outside.models import RestoreCheck
from payroll_api.payments.models import Dispatch
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import PEOPLE, few, payments_of, released, settle_down


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(master.load(tmp_path / "master.json", create=True))


def sending(factory: UUID, epoch: int, code: str = "R-01") -> Sending:
    order = SentOrder(
        reference=f"GW{epoch:018d}",
        payment_id=uuid4(),
        number=1,
        worker_code=code,
        period="2026-11",
        kind="balance",
        currency="USD",
        amount_minor=20_510,
        payload_hash=bytes(32),
    )
    at = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)
    account, dispatch = uuid4(), uuid4()
    return Sending(
        factory_id=factory,
        epoch=epoch,
        at=at,
        provider_account_id=account,
        dispatch_id=dispatch,
        dispatch=f"GB{epoch}",
        fence=1,
        orders=[order],
    )


def test_the_journal_gives_back_what_was_written_and_tells_a_finder_nothing(tmp_path: Path, keys: Keys) -> None:
    path, factory = tmp_path / "audit" / "sendings.jsonl", uuid4()
    journal = Journal(path)
    identity = journal.begin()
    written = [sending(factory, number) for number in (1, 2, 3)]
    for one in written:
        journal.append(keys, one)
    other = Journal(path)
    assert (other.begin(), other.newest(factory), other.newest(uuid4())) == (identity, 3, 0)
    assert list(other.read(keys, factory)) == written
    found = path.read_text()
    assert not any(word in found for word in ("R-01", "20510", "GW0", '2026-11"', "balance"))
    assert path.stat().st_mode & 0o077 == 0


def test_half_a_line_of_a_killed_process_neither_counts_nor_spoils_the_next(tmp_path: Path, keys: Keys) -> None:
    path, factory = tmp_path / "sendings.jsonl", uuid4()
    journal = Journal(path)
    journal.begin()
    journal.append(keys, sending(factory, 1))
    with path.open("a") as file:
        file.write('{"v":1,"factory":"' + str(factory) + '","epoch":99,"at":"2026')
    assert journal.newest(factory) == 1
    journal.append(keys, sending(factory, 2))
    assert [one.epoch for one in Journal(path).read(keys, factory)] == [1, 2]
    assert journal.newest(factory) == 2


def test_a_line_that_was_changed_does_not_open(tmp_path: Path, keys: Keys) -> None:
    path, factory = tmp_path / "sendings.jsonl", uuid4()
    journal = Journal(path)
    journal.begin()
    journal.append(keys, sending(factory, 1))
    path.write_text(path.read_text().replace('"dispatch":"GB1"', '"dispatch":"GB9"'))
    with pytest.raises(SealBrokenError):
        list(Journal(path).read(keys, factory))


async def test_every_sending_is_in_the_journal_before_the_bank_has_it(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await settle_down(told, clock)
        lines = list(Journal(services.settings.journal_file).read(services.keys, factory.id))
        async with services.database.factory(factory.id) as session:
            dispatches = set(await session.scalars(select(Dispatch.reference)))
        assert [line.epoch for line in lines] == list(range(1, len(lines) + 1))
        assert {line.dispatch for line in lines} == dispatches
        written = {order.reference: order.worker_code for line in lines for order in line.orders}
        assert sorted(written) == [reference for reference, _ in told.credits()]
        assert sorted(written.values()) == [code for code, *_ in PEOPLE]


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("update send_guards set epoch = epoch - 1", "database_older"),
        ("delete from send_guards", "database_older"),
        ("update send_guards set journal_id = gen_random_uuid()", "journal_other"),
        ("update send_guards set journaled = journaled + 5, epoch = epoch + 5", "journal_cut"),
    ],
)
async def test_a_database_that_does_not_fit_the_journal_sends_nothing(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock, what: str, reason: str
) -> None:
    async with few(services, factory, tmp_path, clock, chunk=1) as told:
        await released(told)
        await told.work(at_most=2)
        sent = len(await told.executed())
        assert 0 < sent < len(PEOPLE)
        async with services.database.factory(factory.id) as session:
            await session.execute(text(what))
        await told.work()
        assert len(await told.executed()) == sent
        assert {payment.state for payment in await payments_of(told)} >= {"ready"}
        async with services.database.factory(factory.id) as session:
            assert list(await session.scalars(select(RestoreCheck.reason))) == [reason]
            alarms = list(await session.scalars(select(AlarmRow).where(AlarmRow.cleared_at.is_(None))))
        assert [(alarm.kind, alarm.owner) for alarm in alarms] == [("sending_locked", "administrator")]
        assert not await check_guard(services, factory.id)


class Watched(type(Path())):  # type: ignore[misc]  # the path class of this system
    """A path that does something in the moment before a file is looked at."""

    before_look: ClassVar[Callable[[], None]]

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """As the file is after that."""
        if self.name == "sendings.jsonl":
            Watched.before_look()
        return super().stat(follow_symlinks=follow_symlinks)  # type: ignore[no-any-return]  # what the system says


async def test_a_worker_that_looks_while_another_sends_does_not_take_the_database_for_an_older_one(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    """Whenever this one looks into the journal, another has just counted a sending and written it down."""
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await settle_down(told, clock)
        async with services.database.factory(factory.id) as session:
            dispatch = (await session.scalars(select(Dispatch.id).limit(1))).one()

        async def send() -> None:
            other = dataclasses.replace(told.services, database=Database(services.database.url))
            assert await may_send(other, factory.id, dispatch)
            await other.database.close()

        def as_another_worker() -> None:
            sender = threading.Thread(target=lambda: asyncio.run(send()))
            sender.start()
            sender.join()

        Watched.before_look = as_another_worker
        (tmp_path / "same").symlink_to(services.settings.data_dir)
        settings = services.settings.model_copy(update={"data_dir": Watched(tmp_path / "same")})
        assert await check_guard(dataclasses.replace(told.services, settings=settings), factory.id)
