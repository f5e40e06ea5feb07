"""Statements as banks really send them: a week in one file, the same day in two forms, bookings after midnight, surprises."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from payroll_api.clock import PHNOM_PENH, pay_day
from payroll_api.jobs.names import Job
from payroll_api.payments.models import Attempt, Dispatch, Payment
from payroll_api.services import Services
from payroll_api.settlement.models import SettlementBreak, StatementFile
from payroll_api.settlement.upload import upload_statement
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import few, hear, payments_of, released, settle_down
from tests.payroll_api.payday_story import Story

_FORM = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><GrpHdr><MsgId>{name}</MsgId>
<CreDtTm>2026-11-30T20:00:00</CreDtTm></GrpHdr>{statements}</BkToCstmrStmt></Document>"""
_STATEMENT = """<Stmt><Id>{name}-{day}</Id><CreDtTm>2026-11-30T20:00:00</CreDtTm><Acct><Id><Othr><Id>000100200</Id></Othr></Id>
<Ccy>USD</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">{opening}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">{closing}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>
{entries}</Stmt>"""
_ENTRY = """<Ntry><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>{day}</Dt></BookgDt>
<ValDt><Dt>{day}</Dt></ValDt><AcctSvcrRef>{entry}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>SALA</SubFmlyCd>
</Fmly></Domn></BkTxCd><NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>"""

Line = tuple[str, Payment, str]  # entry, payment, reference


def _statement(name: str, days: dict[date, list[Line]]) -> bytes:
    """A camt.053 with one statement for each day."""
    parts = []
    for day, lines in days.items():
        out = sum(payment.amount_minor for _, payment, _ in lines)
        entries = "".join(
            _ENTRY.format(
                amount=f"{payment.amount_minor // 100}.{payment.amount_minor % 100:02d}", day=day, entry=entry, reference=reference
            )
            for entry, payment, reference in lines
        )
        closing = f"{(1_000_000 - out) // 100}.{(1_000_000 - out) % 100:02d}"
        parts.append(_STATEMENT.format(name=name, day=day, opening="10000.00", closing=closing, entries=entries))
    return _FORM.format(name=name, statements="".join(parts)).encode()


async def _lines(told: Story) -> list[Line]:
    paid = {payment.id: payment for payment in await payments_of(told)}
    async with told.services.database.factory(told.factory.id) as session:
        attempts = await session.scalars(select(Attempt).order_by(Attempt.reference))
        return [(f"E{number}", paid[attempt.payment_id], attempt.reference) for number, attempt in enumerate(attempts, start=1)]


async def _upload(told: Story, content: bytes) -> StatementFile:
    bank = (await payments_of(told))[0].provider_account_id
    here = told.services
    async with here.database.factory(told.factory.id) as session:
        made = await upload_statement(
            session, here, told.factory.finance, provider_account_id=bank, file_name="statement.xml", content=content
        )
    await told.work()
    async with here.database.factory(told.factory.id) as session:
        return await session.get_one(StatementFile, (told.factory.id, made.id))


async def _breaks(told: Story) -> Counter[tuple[str, str]]:
    async with told.services.database.factory(told.factory.id) as session:
        return Counter((one.kind, one.state) for one in await session.scalars(select(SettlementBreak)))


async def test_a_week_in_one_file_has_no_false_breaks_and_hides_no_second_booking(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await settle_down(told, clock)
        lines, today = await _lines(told), pay_day(clock())
        again = ("E1-AGAIN", lines[0][1], lines[0][2])  # the bank pays her a second time the next day
        week: dict[date, list[Line]] = {today: lines, today + timedelta(days=1): [again], today + timedelta(days=2): []}
        file = await _upload(told, _statement("WEEK", week))
        assert file.state == "matched", file.detail
        assert await _breaks(told) == Counter({("twice", "open"): 1})
        summary: Any = file.summary
        assert (summary["lines"], summary["new"]) == (5, 5)


async def test_the_same_booking_in_another_form_stops_no_later_statement(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    """The bank corrects a booking day and sends the day again; the next day's statement is matched like any other."""
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await settle_down(told, clock)
        lines, today = await _lines(told), pay_day(clock())
        for number, day in enumerate((today, today + timedelta(days=1), today + timedelta(days=2))):
            file = await _upload(told, _statement(f"S{number}", {day: lines}))
            assert file.state == "matched", file.detail
        assert await _breaks(told) == Counter()


async def test_a_booking_that_comes_again_in_the_same_words_is_one_line(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await settle_down(told, clock)
        content = _statement("DAY", {pay_day(clock()): await _lines(told)})
        news = []
        for copy in (content, content + b"<!-- the bank sent its file once more -->"):
            summary: Any = (await _upload(told, copy)).summary
            news.append(summary["new"])
        assert news == [4, 0]
        assert await _breaks(told) == Counter()


async def test_a_booking_before_midnight_that_we_hear_of_after_it_is_not_early(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        clock.now = datetime.now(PHNOM_PENH).replace(hour=23, minute=50)
        evening = pay_day(clock())
        await released(told)
        await told.work(only=[Job.PREPARE_RUN, Job.SUBMIT_CHUNK])
        clock.advance(minutes=30)
        assert await settle_down(told, clock) == Counter({"paid": 4})
        assert pay_day(clock()) == evening + timedelta(days=1)
        file = await _upload(told, _statement("EVENING", {evening: await _lines(told)}))
        assert file.state == "matched", file.detail
        assert await _breaks(told) == Counter()


async def test_money_that_left_for_a_refused_payment_is_not_called_a_strangers(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    """The bank refused an order and booked it all the same: whoever looks at the break must see whose wage it was."""
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await told.work(at_most=2)
        here = told.services
        async with here.database.factory(factory.id) as session:
            dispatch = (await session.scalars(select(Dispatch).limit(1).with_for_update())).one()
            attempt = (await session.scalars(select(Attempt).where(Attempt.dispatch_id == dispatch.id).limit(1))).one()
            refused = [PayoutOutcome(reference=attempt.reference, status=PayoutStatus.REJECTED, code="account_closed")]
            await hear(told, session, dispatch, refused)
        await settle_down(told, clock)
        await _upload(told, _statement("ALL", {pay_day(clock()): await _lines(told)}))
        async with here.database.factory(factory.id) as session:
            found = list(await session.scalars(select(SettlementBreak)))
        assert [(one.kind, one.payment_id) for one in found] == [("foreign", attempt.payment_id)]
        assert attempt.reference in found[0].reason
        assert "rejected" in found[0].reason
