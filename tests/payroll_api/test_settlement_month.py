"""A factory's month: two paydays, a return, a partial return, a charge, a stranger's line. Every cent is explained."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from sqlalchemy import inspect, select

from importers.money import USD, Money
from importers.period import PayPeriod, RunKind
from payroll_api.access.actor import Role
from payroll_api.alarms.models import AlarmRow
from payroll_api.app import create_app
from payroll_api.clock import PHNOM_PENH, pay_day
from payroll_api.errors import InvalidError, NotAllowedError
from payroll_api.payments.invariants import violations
from payroll_api.payments.models import Attempt, Payment
from payroll_api.reports.document import written
from payroll_api.services import Services
from payroll_api.settlement.close import close_break, turn_down, wait_for
from payroll_api.settlement.day_end import DayEnd, day_end
from payroll_api.settlement.letter import draft
from payroll_api.settlement.models import SettlementBreak, StatementFile
from payroll_api.settlement.rules import set_rules
from payroll_api.settlement.upload import upload_statement
from payroll_api.settlement.watch import watch
from payroll_api.settlement.ways import WayOut
from tests.conftest import PASSWORD, SampleFactory, SettableClock
from tests.payroll_api.few_workers import few, payments_of, payroll, released, settle_down
from tests.payroll_api.payday_story import Story
from tests.payroll_api.plain_browser import PlainBrowser

Entry = tuple[str, str, int, str, str]  # id, DBIT or CRDT, cents, reference, sub-family
FORM = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><GrpHdr><MsgId>{name}</MsgId>
<CreDtTm>2026-11-30T20:00:00</CreDtTm></GrpHdr><Stmt><Id>{name}</Id><CreDtTm>2026-11-30T20:00:00</CreDtTm>
<Acct><Id><Othr><Id>000100200</Id></Othr></Id><Ccy>USD</Ccy></Acct>{balances}{entries}</Stmt></BkToCstmrStmt></Document>"""
BALANCE = """<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Dt><Dt>{day}</Dt></Dt></Bal>"""
ENTRY = """<Ntry><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>{day}</Dt></BookgDt>
<AcctSvcrRef>{entry}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>{family}</SubFmlyCd></Fmly></Domn></BkTxCd>
<NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>"""


def dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


class Bank:
    """The bank's own books: a balance that every entry moves, told as camt.053 day by day."""

    def __init__(self, told: Story, account: UUID, balance: int) -> None:
        self.told, self.account, self.balance = told, account, balance

    async def statement(self, day: date, entries: Sequence[Entry], *, name: str = "") -> StatementFile:
        """Upload the day's statement and have it matched."""
        opening, lines = self.balance, ""
        for entry, sign, cents, reference, family in entries:
            self.balance += cents if sign == "CRDT" else -cents
            lines += ENTRY.format(entry=entry, sign=sign, amount=dollars(cents), reference=reference, family=family, day=day)
        balances = "".join(
            BALANCE.format(code=code, amount=dollars(cents), day=day) for code, cents in (("OPBD", opening), ("CLBD", self.balance))
        )
        return await self.upload(FORM.format(name=name or f"DAY-{day}", balances=balances, entries=lines).encode())

    async def upload(self, content: bytes, file_name: str = "day.xml") -> StatementFile:
        here, factory = self.told.services, self.told.factory
        async with here.database.factory(factory.id) as session:
            made = await upload_statement(
                session, here, factory.finance, provider_account_id=self.account, file_name=file_name, content=content
            )
        await self.told.work()
        async with here.database.factory(factory.id) as session:
            return await session.get_one(StatementFile, (factory.id, made.id))

    async def end(self, first: date, last: date) -> DayEnd:
        async with self.told.services.database.factory(self.told.factory.id) as session:
            return await day_end(session, self.account, "USD", first, last)


async def references(told: Story) -> dict[UUID, str]:
    async with told.services.database.factory(told.factory.id) as session:
        return {attempt.payment_id: attempt.reference for attempt in await session.scalars(select(Attempt))}


async def open_breaks(told: Story) -> dict[str, SettlementBreak]:
    async with told.services.database.factory(told.factory.id) as session:
        found = await session.scalars(select(SettlementBreak).where(SettlementBreak.state != "closed"))
        return {one.kind: one for one in found}


async def close(told: Story, kind: str, way: WayOut, role: Role = Role.FINANCE) -> None:
    found = (await open_breaks(told))[kind]
    async with told.services.database.factory(told.factory.id) as session:
        await close_break(session, told.services, told.factory.people[role], found.id, reason="as the bank's letter says", way=way)


async def _second_payday(told: Story) -> None:
    """The balance of the month goes out as a second run; the first was its first half."""
    content = payroll(net="110.40")
    preparer = told.factory.preparer
    from payroll_api.intake.upload import upload  # noqa: PLC0415 the story's own upload pays a balance only

    async with told.services.database.factory(told.factory.id) as session:
        file = await upload(
            session, told.services, preparer, file_name="half.csv", content=content, period=PayPeriod(2026, 11), kind=RunKind.FIRST_HALF
        )
    await told.work()
    await told.decide(file.id)
    await told.approved_run(file.id)


async def test_a_month_closes_with_every_cent_explained(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        clock.now = datetime.now(PHNOM_PENH).replace(hour=9, minute=0)
        day = pay_day(clock())
        async with told.services.database.factory(factory.id) as session:
            await set_rules(
                session, told.services, factory.administrator, {"funding_words": ["TOP UP"], "two_people_over": {"USD": 50_000}}
            )
        await released(told)
        await settle_down(told, clock)
        paid = await payments_of(told)
        bank = Bank(told, paid[0].provider_account_id, 1_000_00)
        names = await references(told)
        wages: list[Entry] = [(f"A{n}", "DBIT", one.amount_minor, names[one.id], "SALA") for n, one in enumerate(paid)]
        total = sum(one.amount_minor for one in paid)

        await bank.statement(
            day, [("T1", "CRDT", 2_000_00, "TOP UP NOVEMBER", "BOOK"), *wages, ("F1", "DBIT", 2_50, "NOTPROVIDED", "CHRG")]
        )
        first = await bank.end(day, day)
        assert (first.bank.opening, first.bank.closing) == (1_000_00, 1_000_00 + 2_000_00 - total - 2_50)
        assert first.bank.moved == first.ledger.moved == {"funded": 2_000_00, "paid": -total, "fees": -2_50, "returned": 0, "other": 0}
        assert (first.difference, first.carried, list(first.named)) == (0, 0, [])
        assert first.is_explained

        # Days later one wage comes back, another in part, and somebody else's direct debit goes off the account.
        later = day + timedelta(days=3)
        clock.advance(days=3)
        half = paid[1].amount_minor // 2
        back: list[Entry] = [
            ("B1", "CRDT", paid[0].amount_minor, names[paid[0].id], "RRTN"),
            ("B2", "CRDT", half, names[paid[1].id], "RRTN"),
            ("X1", "DBIT", 77_00, "WATER-BILL", "DMCT"),
        ]
        await bank.statement(later, back)
        second = await bank.end(later, later)
        assert second.carried == 0
        assert [(one.what, one.minor) for one in second.named] == [("foreign", -77_00)]
        assert second.difference == -77_00
        assert {one.id: one.state for one in await payments_of(told)}[paid[0].id] == "returned"
        await close(told, "foreign", WayOut.FOREIGN)
        second = await bank.end(later, later)
        assert second.is_explained
        assert second.bank.moved == second.ledger.moved
        assert second.bank.moved["returned"] == paid[0].amount_minor + half

        await _second_payday(told)
        await settle_down(told, clock)
        # The rest of the half that came back follows, too.
        rest: Entry = ("B3", "CRDT", paid[1].amount_minor - half, names[paid[1].id], "RRTN")
        month = await _rest_of_the_month(told, clock, bank, day, rest)
        async with told.services.database.factory(factory.id) as session:
            assert await violations(session) == []
        await _look_at_the_pages(told, bank.account, month)


async def _rest_of_the_month(told: Story, clock: SettableClock, bank: Bank, day: date, rest: Entry) -> DayEnd:
    names, today = await references(told), pay_day(clock())
    again = [one for one in await payments_of(told) if one.kind == "first_half"]
    assert len(again) == 4
    pending = await bank.end(day, today)
    assert {one.what for one in pending.named} == {"not_on_statement"}  # our books know, the bank's paper does not yet
    assert pending.difference == sum(one.amount_minor for one in again)
    lines: list[Entry] = [(f"C{n}", "DBIT", one.amount_minor, names[one.id], "SALA") for n, one in enumerate(again)]
    await bank.statement(today + timedelta(days=1), [*lines, rest])
    clock.advance(days=1)
    month = await bank.end(day.replace(day=1), pay_day(clock()))
    assert month.bank.opening == month.ledger.opening == 1_000_00
    assert month.bank.closing == month.ledger.closing == bank.balance
    assert month.bank.moved == month.ledger.moved
    assert month.is_explained
    assert month.in_transit_count == 0
    # The last day alone says that our books had them a day before.
    last = await bank.end(today + timedelta(days=1), today + timedelta(days=1))
    assert (last.difference, last.carried) == (0, sum(one.amount_minor for one in again))
    assert {one.what for one in last.named} == {"ledger_other_day"}
    return month


async def _look_at_the_pages(told: Story, account: UUID, month: DayEnd) -> None:
    query = f"first={month.first}&last={month.last}"
    async with PlainBrowser(create_app(told.services), told.services.settings.public_url) as finance:
        await finance.sign_in(told.factory.logins[Role.FINANCE], PASSWORD)
        page = await finance.open(f"/settlement?{query}")
        assert "agrees to the cent" in page.text
        await finance.follow("Open the day's end")
        assert "Nothing: the two agree to the cent." in finance.page.text
        # One page for the accountant: the stranger's line with what was found out, and the sum is what the balance moved by.
        assert "None of wages: as the bank's letter says" in finance.page.text
        moved = Money((month.bank.closing or 0) - (month.bank.opening or 0), USD)
        assert f"Total {written(moved)}" in " ".join(finance.page.text.split())
        paper = await finance.download(f"/settlement/day-end.pdf?account={account}&currency=USD&{query}")
        assert (paper.status_code, paper.content[:5]) == (200, b"%PDF-")
        sheet = await finance.download(f"/settlement/day-end.xlsx?account={account}&currency=USD&{query}")
        values = [cell.value for row in openpyxl.load_workbook(io.BytesIO(sheet.content)).worksheets[0].iter_rows() for cell in row]
        assert [value for value in values if isinstance(value, float | int)][-2:] == [
            float(dollars(month.bank.closing or 0))
        ] * 2 or 0 in values
        for name in ("unpaid", "returned", "breaks", "charges"):
            page = await finance.open(f"/settlement/{name}?{query}")
            assert "Take as PDF, to print" in page.text
        assert "2.50" in (await finance.open(f"/settlement/charges?{query}")).text
        assert (await finance.open(f"/settlement/returned?{query}")).text.count("R-0") == 3
        run = (await payments_of(told))[0].run_id
        assert "Shown by a statement" in (await finance.open(f"/settlement/run?run={run}")).text
        assert "Not found" in (await finance.open("/settlement/secrets")).text


async def test_a_wage_booked_twice_is_loud_and_two_people_close_what_is_big(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await settle_down(told, clock)
        paid, names, day = await payments_of(told), await references(told), pay_day(clock())
        bank = Bank(told, paid[0].provider_account_id, 5_000_00)
        wages: list[Entry] = [(f"A{n}", "DBIT", one.amount_minor, names[one.id], "SALA") for n, one in enumerate(paid)]
        twice: Entry = ("A9", "DBIT", paid[2].amount_minor, names[paid[2].id], "SALA")
        file = await bank.statement(day, [*wages, twice])
        found = (await open_breaks(told))["twice"]
        here = told.services
        async with here.database.factory(factory.id) as session:
            assert [(one.kind, one.subject) for one in await session.scalars(select(AlarmRow))] == [("paid_twice", f"break:{found.id}")]
            letter = await draft(session, here, factory.finance, found.id)
        assert names[paid[2].id] in letter.english
        assert names[paid[2].id] in letter.khmer
        assert "CHAN" not in letter.english
        assert (await bank.end(day, day)).difference == -paid[2].amount_minor
        await _only_new_lines_count(told, bank, file)
        await _two_people(told, found.id)
        # The bank gives it back: the alarm is over, the break closes by itself, and the worker keeps her wage.
        clock.advance(days=1)
        await bank.statement(pay_day(clock()), [("R9", "CRDT", paid[2].amount_minor, names[paid[2].id], "RRTN")])
        assert await open_breaks(told) == {}
        async with here.database.factory(factory.id) as session:
            assert [one.cleared_at is not None for one in await session.scalars(select(AlarmRow))] == [True, True]
            assert {one.state for one in await session.scalars(select(Payment))} == {"paid"}
        assert (await bank.end(day, pay_day(clock()))).difference == 0


async def _only_new_lines_count(told: Story, bank: Bank, first: StatementFile) -> None:
    """The same day, renamed and with another header, and then inside a longer file: nothing is new."""
    before = await open_breaks(told)
    async with told.services.database.factory(told.factory.id) as session:
        vault = await told.services.keys.vault(session)
        assert "content" in inspect(first).unloaded  # who asks what became of a statement does not open megabytes
        sealed = (await session.scalars(select(StatementFile.content).where(StatementFile.id == first.id))).one()
        content = vault.open_bytes(sealed, "statement_files", first.id, "content")
    again = await bank.upload(content.replace(b"DAY-", b"COPY-"), "renamed.xml")
    summary: Any = again.summary
    assert (summary["lines"], summary["new"], summary["again"]) == (5, 0, 5)
    assert set(await open_breaks(told)) == set(before)


async def _two_people(told: Story, break_id: UUID) -> None:
    here, factory = told.services, told.factory
    async with here.database.factory(factory.id) as session:
        await set_rules(session, here, factory.administrator, {"two_people_over": {"USD": 100_00}})
        with pytest.raises(InvalidError, match="no way out"):
            await close_break(session, here, factory.finance, break_id, reason="a fee, surely", way=WayOut.FUNDING)
    async with here.database.factory(factory.id) as session:
        proposed = await close_break(session, here, factory.finance, break_id, reason="the bank promised", way=WayOut.RETURNED)
        assert proposed.state == "proposed"
    async with here.database.factory(factory.id) as session:
        with pytest.raises(NotAllowedError):
            await close_break(session, here, factory.finance, break_id, reason="and so do I", way=WayOut.RETURNED)
    async with here.database.factory(factory.id) as session:
        assert (await turn_down(session, here, factory.finance, break_id, reason="the bank took it back")).state == "open"
    async with here.database.factory(factory.id) as session:
        found = await session.get_one(SettlementBreak, (factory.id, break_id))
        overdue = datetime.combine(found.due_on + timedelta(days=1), datetime.min.time(), PHNOM_PENH)
        await watch(session, overdue)
        assert {one.kind for one in await session.scalars(select(AlarmRow).where(AlarmRow.cleared_at.is_(None)))} == {
            "paid_twice",
            "break_overdue",
        }
        await wait_for(session, here, factory.finance, break_id, days=3, reason="the bank answers on Friday")
        assert {one.kind for one in await session.scalars(select(AlarmRow).where(AlarmRow.cleared_at.is_(None)))} == {"paid_twice"}
