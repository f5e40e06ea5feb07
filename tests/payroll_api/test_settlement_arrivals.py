"""Statements that come by themselves: a drop folder where senders write slowly, and a bank that is asked each morning."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from importers.statements.contract import StatementError
from importers.statements.read import read_statements
from payroll_api.clock import pay_day
from payroll_api.errors import InvalidError, ProblemError
from payroll_api.payments.models import Payment
from payroll_api.services import Services
from payroll_api.settlement.folder import scan, set_folder
from payroll_api.settlement.models import StatementArrival, StatementFile
from payroll_api.settlement.own_account import refuse_of_others
from payroll_api.settlement.poll import poll
from payroll_api.settlement.upload import upload_statement
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import few, payments_of, released, settle_down
from tests.payroll_api.payday_story import Story

NOTHING = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><GrpHdr><MsgId>{name}</MsgId>
<CreDtTm>2026-11-30T20:00:00</CreDtTm></GrpHdr><Stmt><Id>{name}</Id><CreDtTm>2026-11-30T20:00:00</CreDtTm><Acct><Id><Othr><Id>000100200</Id>
</Othr></Id><Ccy>USD</Ccy></Acct></Stmt></BkToCstmrStmt></Document>"""


async def _statements(told: Story) -> list[tuple[str, str]]:
    async with told.services.database.factory(told.factory.id) as session:
        found = await session.scalars(select(StatementFile).order_by(StatementFile.id))
        return [(one.file_name, one.state) for one in found]


def _names(folder: Path) -> list[str]:
    return sorted(path.name.partition("Z-")[2] or path.name for path in folder.iterdir() if not path.is_dir())


async def test_a_drop_folder_takes_whole_files_once_and_says_why_it_refuses(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as plain:
        await released(plain)
        bank = (await payments_of_or_wait(plain))[0].provider_account_id
        drop = tmp_path / "drop"
        told = dataclasses.replace(
            plain,
            services=dataclasses.replace(plain.services, settings=plain.services.settings.model_copy(update={"statement_folder": drop})),
        )
        here = told.services
        async with here.database.factory(factory.id) as session:
            await set_folder(session, here, factory.administrator, bank, "bank-usd")
        for wrong in ("../other", "Bank", "", "a/b", "."):
            async with here.database.factory(factory.id) as session:
                with pytest.raises(InvalidError):
                    await set_folder(session, here, factory.administrator, bank, wrong)
        await scan(here, factory.id)
        folder = drop / factory.slug / "bank-usd"
        await _write_slowly(told, clock, folder)
        assert await _statements(told) == [("day.xml", "received")]
        await told.work()
        (folder / "note.xml").write_text("<html>no statement</html>")
        (folder / "renamed.xml").write_text(NOTHING.format(name="ONE"))
        (folder / "link.xml").symlink_to(tmp_path / "elsewhere.xml")
        for _ in range(3):
            clock.advance(seconds=11)
            await scan(here, factory.id)
            await told.work()
        assert await _statements(told) == [("day.xml", "matched"), ("note.xml", "refused")]
        assert _names(folder) == ["link.xml", "next.xml.part"]
        assert _names(folder / "done") == ["day.xml", "renamed.xml", "renamed.xml.reason.txt"]
        assert _names(folder / "refused") == ["note.xml", "note.xml.reason.txt"]
        (reason,) = (folder / "refused").glob("*.reason.txt")
        assert "camt.053" in reason.read_text()


async def payments_of_or_wait(told: Story) -> list[Payment]:
    await told.work()
    return list(await payments_of(told))


async def _write_slowly(told: Story, clock: SettableClock, folder: Path) -> None:
    """A sender writes for a while: whoever looks between sees an unfinished file, and leaves it."""
    whole = NOTHING.format(name="ONE")
    (folder / "next.xml.part").write_text("half")
    for end in (100, 200, len(whole)):
        (folder / "day.xml").write_text(whole[:end])
        clock.advance(seconds=11)
        await scan(told.services, told.factory.id)
        assert await _statements(told) == []
    clock.advance(seconds=5)
    await scan(told.services, told.factory.id)
    assert await _statements(told) == []
    clock.advance(seconds=6)
    await scan(told.services, told.factory.id)


async def test_the_bank_is_asked_for_each_past_day_until_it_answers_and_never_again(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await settle_down(told, clock)
        here, payday = told.services, pay_day(clock())
        await poll(here, factory.id)
        assert await _statements(told) == []  # the day is not over
        clock.advance(days=1)
        await poll(here, factory.id)
        await told.work()
        assert await _statements(told) == [(f"{payday}.statement", "matched")]
        paid = await payments_of(told)
        assert {one.settled_on for one in paid} == {payday}
        clock.now += timedelta(hours=7)
        await poll(here, factory.id)
        await told.work()
        assert len(await _statements(told)) == 1
        query = select(StatementArrival).where(StatementArrival.provider_account_id == paid[0].provider_account_id)
        async with here.database.factory(factory.id) as session:
            states = {one.source: one.state for one in await session.scalars(query)}
        assert states[f"day:{payday}"] == "taken"


async def test_where_no_folder_is_opened_nobody_can_name_one(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        bank = (await payments_of_or_wait(told))[0]
        async with told.services.database.factory(factory.id) as session:
            with pytest.raises(ProblemError, match="PAYROLL_STATEMENT_FOLDER"):
                await set_folder(session, told.services, factory.administrator, bank.provider_account_id, "bank")


OTHERS = "999888777"
MT940 = ":20:DAY\n:25:ABAAKHPP/{account}\n:28C:1/1\n:60F:C261130USD100,00\n:62F:C261130USD100,00\n"


@pytest.mark.parametrize("form", [NOTHING.replace("000100200", "{account}"), MT940], ids=["camt.053", "MT940"])
async def test_a_statement_of_another_companys_account_is_refused_without_telling_either_number(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock, form: str
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        bank = (await payments_of_or_wait(told))[0].provider_account_id
        for name, account in (("theirs.txt", OTHERS), ("ours.txt", "000-100 200")):
            async with told.services.database.factory(factory.id) as session:
                await upload_statement(
                    session,
                    told.services,
                    factory.finance,
                    provider_account_id=bank,
                    file_name=name,
                    content=form.format(account=account, name="ONE").encode(),
                )
        await told.work()
        assert await _statements(told) == [("theirs.txt", "refused"), ("ours.txt", "matched")]
        async with told.services.database.factory(factory.id) as session:
            (said,) = await session.scalars(select(StatementFile.detail).where(StatementFile.state == "refused"))
        assert "ending in 777" in said
        assert "ending in 200" in said
        assert OTHERS not in said
        assert "000100200" not in said


def test_an_account_that_nobody_wrote_down_is_not_compared_and_a_short_number_is_not_told() -> None:
    account = UUID("00000000-0000-7000-8000-000000000001")
    (statement,) = read_statements(MT940.format(account="98765").encode(), file_name="day.txt")
    for own in (None, "98765", "ABAAKHPP/98765"):
        refuse_of_others([statement], own, account)
    with pytest.raises(StatementError, match="of another number") as caught:
        refuse_of_others([statement], "12345", account)
    assert "765" not in str(caught.value)
    assert "345" not in str(caught.value)
    refuse_of_others([dataclasses.replace(statement, account="")], "12345", account)
    refuse_of_others([dataclasses.replace(statement, account=str(account))], "12345", account)
