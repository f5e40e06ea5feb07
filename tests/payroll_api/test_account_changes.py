"""A changed account or phone: proposed, told on the old and the new number, confirmed by another, adopted after a while, never at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from importers.period import PayPeriod, RunKind
from payroll_api import periodic
from payroll_api.access.actor import Actor, Role
from payroll_api.alarms.models import AlarmRow
from payroll_api.clock import pay_day
from payroll_api.errors import InvalidError, NotAllowedError, ProblemError
from payroll_api.factories.settings import set_cooling
from payroll_api.intake.upload import upload
from payroll_api.people import changes, keys
from payroll_api.people.adopt import adopt_due
from payroll_api.people.banks import bank_key
from payroll_api.people.models import Destination, Worker, WorkerChange
from payroll_api.people.propose import Origin, propose_account, propose_phone
from payroll_api.people.typed import person_with
from payroll_api.review.models import Discrepancy
from payroll_api.review.resolve import resolve
from payroll_api.runs.build import create_run
from payroll_api.runs.decide import approve, release, submit
from payroll_api.runs.find import items
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import NEW_ACCOUNT, PEOPLE, few, payments_of, released, settle_down
from tests.payroll_api.payday_story import Story, story

OLD_PHONE, NEW_PHONE = "012345678", "012999888"
HEADER = "Worker code,Name (Khmer),Name (Latin),Join date,Basic wage ($),Net pay ($),Pay method,Account no.,Phone"
REASON = "called her on her old number"


def with_phones(phone: str, account: str = PEOPLE[0][3], *, rest: Sequence[tuple[str, str, str, str]] = PEOPLE[1:]) -> bytes:
    rows = [(*PEOPLE[0][:3], account, phone), *((*one, f"01270000{number}") for number, one in enumerate(rest))]
    lines = [f"{code},{khmer},{latin},2020-01-06,210.00,205.10,bank,{number},{tel}" for code, khmer, latin, number, tel in rows]
    return "\n".join([HEADER, *lines]).encode()


@asynccontextmanager
async def paid_once(services: Services, factory: SampleFactory, folder: Path, clock: SettableClock) -> AsyncIterator[Story]:
    """Everybody was paid for November; the accounts are known."""
    async with few(services, factory, folder, clock) as told:
        await released(told, with_phones(OLD_PHONE))
        assert await settle_down(told, clock) == Counter({"paid": 4})
        yield told


async def correction(told: Story, content: bytes, *, by: Actor | None = None) -> UUID:
    """A second file for the same month; whatever can be justified is."""
    preparer = by or told.factory.preparer
    async with told.services.database.factory(told.factory.id) as session:
        file = await upload(
            session,
            told.services,
            preparer,
            file_name="correction.csv",
            content=content,
            period=PayPeriod(2026, 11),
            kind=RunKind.CORRECTION,
        )
    await told.work()
    async with told.services.database.factory(told.factory.id) as session:
        for item in list(await session.scalars(select(Discrepancy).where(Discrepancy.file_id == file.id))):
            if "pay_sheet" in item.resolutions:
                await resolve(
                    session, told.services, preparer, file.id, discrepancy_ids=[item.id], resolution="pay_sheet", reason="she said so"
                )
    await told.work()
    return file.id


async def pay(told: Story, file_id: UUID, *, pay_on: datetime | None = None) -> UUID:
    here, factory = told.services, told.factory
    day = None if pay_on is None else pay_day(pay_on)
    async with here.database.factory(factory.id) as session:
        made = await create_run(session, here, factory.preparer, file_id, pay_on=day)
        submitted = await submit(session, here, factory.preparer, made.id)
        await approve(session, here, factory.approver, made.id, content_hash=submitted.content_hash or "")
        await release(session, here, factory.approver, made.id)
    return made.id


async def change_of(told: Story, what: str = "account") -> WorkerChange:
    async with told.services.database.factory(told.factory.id) as session:
        found = await session.scalar(select(WorkerChange).where(WorkerChange.what == what).order_by(WorkerChange.id.desc()).limit(1))
        assert found is not None
        return found


async def decided(told: Story, step: Any, actor: Actor, change_id: UUID) -> None:
    async with told.services.database.factory(told.factory.id) as session:
        await step(session, told.services, actor, change_id, reason=REASON)


def accounts_paid(told: Story) -> Counter[str]:
    return Counter(line["account"] for line in told.bank.books.journal if line["kind"] == "credit")


def sms(told: Story) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in told.sms_journal.read_text().splitlines()] if told.sms_journal.exists() else []
    return [
        (line["to"], line["text"]) for line in lines if line.get("kind", "message") in {"message", "sent", "accepted"} and "text" in line
    ]


async def test_a_new_account_is_told_confirmed_and_waited_for_and_the_old_one_is_paid_meanwhile(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with paid_once(services, factory, tmp_path, clock) as told:
        await pay(told, await correction(told, with_phones(OLD_PHONE, NEW_ACCOUNT, rest=())))
        await settle_down(told, clock)
        assert accounts_paid(told)[PEOPLE[0][3]] == 2
        assert accounts_paid(told)[NEW_ACCOUNT] == 0
        change = await change_of(told)
        texts = [text for to, text in sms(told) if to.endswith("12345678") and "ប្តូរ" in text]
        assert len(texts) == 1
        assert "http" not in texts[0]
        assert NEW_ACCOUNT not in texts[0]
        async with services.database.factory(factory.id) as session:
            waiting = list(await session.scalars(select(AlarmRow.kind).where(AlarmRow.cleared_at.is_(None))))
        assert waiting == ["change_unconfirmed"]
        with pytest.raises(NotAllowedError):
            await decided(told, changes.confirm, factory.preparer, change.id)
        await decided(told, changes.confirm, factory.approver, change.id)
        clock.advance(hours=25)
        async with services.database.factory(factory.id) as session:
            assert await adopt_due(session, services) == 0  # confirmed and cooled off, but days away from payday nobody approved it
        await decided(told, changes.approve_early, factory.finance, change.id)
        await periodic.look_up(told.services, factory.id)
        assert (await change_of(told)).state == "adopted"
        async with services.database.factory(factory.id) as session:
            states = Counter(await session.scalars(select(Destination.state).where(Destination.worker_id == change.worker_id)))
            assert states == Counter({"verified": 1, "retired": 1})


HOURS = (72, 48, 25, 24, 23, 12, 11, 1, 0)
CELLS = tuple((f"T-{hours:02d}-{who}", hours, who) for hours in HOURS for who in ("nobody", "one", "two"))


def everybody(folder: Path) -> tuple[Path, bytes]:
    """A worker for each moment and each number of people who decide: the bank's book with two accounts of each, and their sheet."""
    known: list[dict[str, str]] = []
    lines = [HEADER]
    for number, (code, _, _) in enumerate(CELLS):
        holder = f"WORKER NAMED{number:02d}"
        known += [{"account": f"{start}{number:05d}", "holder": holder, "status": "open"} for start in ("0001", "0009")]
        phone = f"012345{number:03d}"
        lines.append(f"{code},កម្មករ {number},{holder},2020-01-06,210.00,205.10,bank,0001{number:05d},{phone}")
    accounts = folder / "everybody.json"
    accounts.write_text(json.dumps({"bank": known, "wallet": []}))
    return accounts, "\n".join(lines).encode()


async def test_no_change_before_payday_is_paid_before_its_time_or_without_two_more_people(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    """Bar: changes from 72 hours before a run to the last moment, on a set clock, with nobody, one and two people deciding."""
    accounts, sheet = everybody(tmp_path)
    clock.now = datetime.now(UTC)
    async with story(services, factory, tmp_path, accounts=accounts, bank_quiet_seconds=5) as told:
        await released(told, sheet)
        assert await settle_down(told, clock) == Counter({"paid": len(CELLS)})
        clock.now = datetime.now(UTC)
        payday = clock.now + timedelta(hours=72)
        async with services.database.factory(factory.id) as session:
            ids = {code: worker for worker, code in await session.execute(select(Worker.id, Worker.worker_code))}
        for hours in HOURS:
            clock.now = payday - timedelta(hours=hours)
            for number, (code, when, _) in enumerate(CELLS):
                if when == hours:
                    async with services.database.factory(factory.id) as session:
                        person = await person_with(
                            session, services, factory.preparer, ids[code], kind="bank_account", bank=None, account=f"0009{number:05d}"
                        )
                        await propose_account(session, services, ids[code], person, Origin(source="page", by=factory.preparer.name))
            await told.work()
            async with services.database.factory(factory.id) as session:
                for change in list(await session.scalars(select(WorkerChange).where(WorkerChange.proposed_at == clock.now))):
                    who = next(who for code, _, who in CELLS if ids[code] == change.worker_id)
                    if who != "nobody":
                        await changes.confirm(session, services, factory.approver, change.id, reason=REASON)
                    if who == "two":
                        await changes.approve_early(session, services, factory.finance, change.id, reason=REASON)
        clock.now = payday
        await pay(told, await correction(told, sheet))
        assert (await settle_down(told, clock))["paid"] == 2 * len(CELLS)
        paid = accounts_paid(told)
        for number, (code, hours, who) in enumerate(CELLS):
            may = hours >= 24 and who == "two"
            assert (paid[f"0001{number:05d}"], paid[f"0009{number:05d}"]) == ((1, 1) if may else (2, 0)), code
        warned = Counter(to[-8:] for to, text in sms(told) if "គណនី" in text)
        assert warned == Counter({f"12345{number:03d}": 1 for number in range(len(CELLS))})


async def test_a_sheet_that_brings_another_account_and_phone_is_told_to_both_numbers(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    """Who diverts a wage changes the phone with the account, so that the warning would reach only him."""
    async with paid_once(services, factory, tmp_path, clock) as told:
        await correction(told, with_phones(NEW_PHONE, NEW_ACCOUNT, rest=()))
        assert {to[-8:] for to, text in sms(told) if "គណនី" in text} == {OLD_PHONE[-8:], NEW_PHONE[-8:]}


async def test_an_old_account_that_hr_calls_wrong_is_held_until_the_new_one_counts(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with paid_once(services, factory, tmp_path, clock) as told:
        file = await correction(told, with_phones(OLD_PHONE, NEW_ACCOUNT))
        change = await change_of(told)
        await decided(told, changes.old_is_wrong, factory.preparer, change.id)
        run_id = await pay(told, file)
        async with services.database.factory(factory.id) as session:
            held = {item.worker_code: item.held_reason for item in await items(session, run_id, after="", limit=10)}
        assert held == {"R-01": "destination_refused", "R-02": None, "R-03": None, "R-04": None}
        await settle_down(told, clock)
        assert accounts_paid(told)[PEOPLE[0][3]] == 1


async def test_a_run_that_was_frozen_with_the_old_account_pays_it_although_the_change_has_come_of_age(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with paid_once(services, factory, tmp_path, clock) as told:
        file = await correction(told, with_phones(OLD_PHONE, NEW_ACCOUNT, rest=()))
        change = await change_of(told)
        await decided(told, changes.confirm, factory.approver, change.id)
        await decided(told, changes.approve_early, factory.finance, change.id)
        await pay(told, file, pay_on=clock.now + timedelta(days=2))
        clock.advance(days=2)
        await periodic.look_up(told.services, factory.id)
        assert (await change_of(told)).state == "proposed"
        await settle_down(told, clock)
        await periodic.look_up(told.services, factory.id)
        assert accounts_paid(told)[PEOPLE[0][3]] == 2
        assert (await change_of(told)).state == "adopted"


async def test_a_refused_change_leaves_her_what_she_has_and_the_same_sheet_does_not_ask_for_the_phone_again(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with paid_once(services, factory, tmp_path, clock) as told:
        await correction(told, with_phones(NEW_PHONE, rest=()))
        change = await change_of(told, "phone")
        numbers = sorted(to[-8:] for to, text in sms(told) if "ទូរស័ព្ទ" in text)
        assert numbers == sorted([OLD_PHONE[-8:], NEW_PHONE[-8:]])
        await decided(told, changes.refuse, factory.preparer, change.id)
        with pytest.raises(ProblemError, match="change_state"):
            await decided(told, changes.confirm, factory.approver, change.id)
        async with services.database.factory(factory.id) as session:
            worker = await session.get_one(Worker, (factory.id, change.worker_id))
            vault = await services.keys.vault(session)
            assert worker.phone_key == keys.phone_key(vault, "+85512345678")
            assert await adopt_due(session, services) == 0


async def test_a_new_phone_is_adopted_with_the_same_care(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with paid_once(services, factory, tmp_path, clock) as told:
        await correction(told, with_phones(NEW_PHONE, rest=()))
        change = await change_of(told, "phone")
        await decided(told, changes.confirm, factory.approver, change.id)
        await decided(told, changes.approve_early, factory.finance, change.id)
        clock.advance(hours=23)
        async with services.database.factory(factory.id) as session:
            assert await adopt_due(session, services) == 0
        clock.advance(hours=2)
        async with services.database.factory(factory.id) as session:
            assert await adopt_due(session, services) == 1
            worker = await session.get_one(Worker, (factory.id, change.worker_id))
            vault = await services.keys.vault(session)
            assert worker.phone is not None
            assert vault.open(worker.phone, "workers", worker.id, "phone") == "+85512999888"


async def test_the_second_approver_is_a_third_person_and_the_wait_has_a_floor(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with paid_once(services, factory, tmp_path, clock) as told:
        await correction(told, with_phones(OLD_PHONE, NEW_ACCOUNT, rest=()))
        change = await change_of(told)
        with pytest.raises(ProblemError, match="change_state"):
            await decided(told, changes.approve_early, factory.finance, change.id)
        await decided(told, changes.confirm, factory.approver, change.id)
        with pytest.raises(NotAllowedError):
            await decided(told, changes.approve_early, factory.approver, change.id)
        async with services.database.factory(factory.id) as session:
            with pytest.raises(InvalidError):
                await set_cooling(session, services, factory.administrator, 11)
            assert (await set_cooling(session, services, factory.administrator, 12)).cooling_hours == 12
        assert (await change_of(told)).effective_at == change.effective_at


async def test_the_same_number_at_two_banks_is_two_accounts_however_the_bank_is_written(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    assert {bank_key(name) for name in ("ABA", "aba bank", "Advanced Bank of Asia", "ABA Bank (Cambodia) Plc.")} == {"aba"}
    assert bank_key("ACLEDA Bank Plc") == "acleda"
    assert bank_key(None) is None
    async with paid_once(services, factory, tmp_path, clock) as told:
        async with services.database.factory(factory.id) as session:
            worker = await session.scalar(select(Worker).where(Worker.worker_code == "R-01"))
            assert worker is not None
            for row in await session.scalars(select(Destination).where(Destination.worker_id == worker.id)):
                row.bank, row.bank_key = "ABA", "aba"
            await session.flush()
            origin = Origin(source="page", by=factory.preparer.name)
            same = await person_with(
                session, services, factory.preparer, worker.id, kind="bank_account", bank="Advanced Bank of Asia", account=PEOPLE[0][3]
            )
            with pytest.raises(ProblemError, match="account_unchanged"):
                await propose_account(session, services, worker.id, same, origin)
            other = await person_with(
                session, services, factory.preparer, worker.id, kind="bank_account", bank="ACLEDA", account=PEOPLE[0][3]
            )
            await propose_account(session, services, worker.id, other, origin)
        assert (await change_of(told)).state == "proposed"
        assert len(await payments_of(told)) == 4


async def test_a_worker_without_a_phone_is_told_by_a_person_and_her_change_still_waits(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await settle_down(told, clock)
        clock.now = datetime.now(UTC)
        async with services.database.factory(factory.id) as session:
            worker = await session.scalar(select(Worker).where(Worker.worker_code == "R-01"))
            assert worker is not None
            await propose_phone(session, services, worker.id, "+85512999888", Origin(source="page", by=factory.preparer.name))
            change = await session.scalar(select(WorkerChange))
            assert change is not None
            await changes.confirm(session, services, factory.people[Role.APPROVER], change.id, reason=REASON)
            await adopt_due(session, services)
        assert (await change_of(told, "phone")).state == "proposed"
