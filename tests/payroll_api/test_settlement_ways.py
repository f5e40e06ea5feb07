"""A bank that writes tables of its own, a wage that came back, and the way out that pays it again with two people."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from connectors.signatures import signed_headers
from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.audit.models import AuditEvent
from payroll_api.clock import pay_day
from payroll_api.errors import InvalidError, NotAllowedError, ProblemError
from payroll_api.factories.provider_accounts import callback_url, get_account
from payroll_api.payments.confirm import confirm
from payroll_api.payments.models import Payment, Proposal, ProviderMessage
from payroll_api.reports.letter import bank_letter
from payroll_api.services import Services
from payroll_api.settlement.close import close_break
from payroll_api.settlement.layouts import set_layout
from payroll_api.settlement.models import SettlementBreak, StatementFile
from payroll_api.settlement.ways import WayOut
from tests.conftest import PASSWORD, SampleFactory, SettableClock
from tests.payroll_api.few_workers import few, payments_of, released, settle_down
from tests.payroll_api.payday_story import BANK_WEBHOOK, Story
from tests.payroll_api.plain_browser import PlainBrowser
from tests.payroll_api.test_settlement_month import ENTRY, FORM, Bank, dollars, open_breaks, references

HEADER = "Date;Transaction no.;Description;Debit;Credit\r\n"


async def test_a_bank_s_own_table_is_read_and_a_returned_wage_is_paid_again_by_two_people(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await settle_down(told, clock)
        paid, names, day = await payments_of(told), await references(told), f"{pay_day(clock()):%d/%m/%Y}"
        bank = Bank(told, paid[0].provider_account_id, 0)
        rows = [f"{day};N{n};Salary {names[one.id]};{dollars(one.amount_minor)};\r\n" for n, one in enumerate(paid[:3])]
        back = [
            f"{day};R{n};Return {names[one.id]};;{dollars(one.amount_minor // part)}\r\n"
            for n, (one, part) in enumerate(zip(paid[:2], (1, 2), strict=True))
        ]
        table = ("Account 000100200\r\n" + HEADER + "".join(rows + back)).encode()

        await _a_notice_calls_first(told, bank, paid[0].amount_minor, names[paid[0].id])
        refused = await bank.upload(table, "before.csv")
        assert (refused.state, "layout" in refused.detail) == ("refused", True)
        await _write_the_layout_down(told, bank.account)
        file = await bank.upload(table, "before.csv")
        assert file.id == refused.id
        assert file.summary is not None
        assert file.summary["kinds"] == {"matched": 2, "seen": 1, "missing": 1, "partial_return": 1, "returned": 1}
        assert (await bank.upload(table + b"\r\n\r\n", "again.csv")).summary["new"] == 0  # type: ignore[index]

        await _nobody_knows(told)
        await _pay_again(told, paid)


async def _a_notice_calls_first(told: Story, bank: Bank, minor: int, reference: str) -> None:
    """The bank tells a booking as it happens (camt.054): proven like any message, matched like any statement, and complete of nothing."""
    here, factory = told.services, told.factory
    async with here.database.factory(factory.id) as session:
        account = await get_account(session, bank.account)
    path = urlsplit(callback_url(here.settings, account)).path
    day = pay_day(here.clock()).isoformat()
    entry = ENTRY.format(entry="A0", sign="DBIT", amount=dollars(minor), reference=reference, family="SALA", day=day)
    notice = FORM.format(name="NOTICE", balances="", entries=entry).replace("camt.053", "camt.054")
    notice = notice.replace("BkToCstmrStmt", "BkToCstmrDbtCdtNtfctn").replace("Stmt>", "Ntfctn>")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=create_app(here)), base_url=here.settings.public_url) as provider:
        for number, body in enumerate((notice, notice, notice.replace("000100200", "000777777"))):
            proof = signed_headers(BANK_WEBHOOK, identification=f"msg_{number}", sent_at=here.clock(), body=body.encode())
            assert (await provider.post(path, content=body, headers=proof)).is_success
    await told.work()
    async with here.database.factory(factory.id) as session:
        assert sorted(await session.scalars(select(ProviderMessage.state).where(ProviderMessage.event_id.in_(("msg_0", "msg_1"))))) == [
            "handled",
            "handled",
        ]
        (taken,) = await session.scalars(select(StatementFile))
        assert taken.summary is not None
        assert taken.summary["kinds"] == {"matched": 1}
        assert await session.scalar(select(func.count()).select_from(ProviderMessage).where(ProviderMessage.state == "quarantined")) == 1
    assert await open_breaks(told) == {}


async def _write_the_layout_down(told: Story, account: UUID) -> None:
    here, factory = told.services, told.factory
    right: dict[str, str | list[str]] = {"currency": "USD", "date": "Date", "date_format": "%d/%m/%Y", "debit": "Debit", "credit": "Credit"}
    wrongs: tuple[dict[str, str | list[str]], ...] = (
        {"amount": "Sum"},
        {"currency": "EUR"},
        {"date_format": "day"},
        {"iban": "x"},
        {"debit": " "},
    )
    for wrong in wrongs:
        async with here.database.factory(factory.id) as session:
            with pytest.raises(InvalidError):
                await set_layout(session, here, factory.administrator, account, right | wrong)
    async with here.database.factory(factory.id) as session:
        with pytest.raises(NotAllowedError):
            await set_layout(session, here, factory.finance, account, right)
    async with PlainBrowser(create_app(here), here.settings.public_url) as browser:
        await browser.sign_in(factory.logins[Role.ADMINISTRATOR], PASSWORD)
        address = f"/settlement-rules/layout/{account}"
        await browser.open("/settlement-rules")
        await browser.press("Keep", within=address, file=None, **right, entry="Transaction no.", text="Description")
        form = next(one for one in browser.page.forms if one.action == address)
        assert form.fields["entry"] == ["Transaction no."]


async def _pay_again(told: Story, paid: list[Payment]) -> None:
    """Finance closes both breaks; nothing is paid before an approver confirms, and who proposed cannot."""
    here, factory = told.services, told.factory
    found = await open_breaks(told)
    for kind, way in (("returned", WayOut.REPAID), ("partial_return", WayOut.REPAID)):
        async with here.database.factory(factory.id) as session:
            closed = await close_break(session, here, factory.finance, found[kind].id, reason="the account had a typing error", way=way)
            assert closed.state == "closed"
    async with here.database.factory(factory.id) as session:
        proposals = {one.kind: one for one in await session.scalars(select(Proposal))}
        event = await session.scalar(
            select(AuditEvent).where(AuditEvent.subject == f"break:{found['returned'].id}", AuditEvent.action == "break.closed")
        )
        assert event is not None
        assert str(proposals["repay"].id) in event.body.decode()
    assert {one.kind: one.proposed_by for one in proposals.values()} == dict.fromkeys(("repay", "correction"), factory.finance.name)
    assert proposals["correction"].content["minor"] == paid[1].amount_minor // 2
    assert {one.worker_code: one.state for one in await payments_of(told)}["R-01"] == "returned"
    for proposal in proposals.values():
        async with here.database.factory(factory.id) as session:
            with pytest.raises(NotAllowedError):
                await confirm(session, here, factory.finance, proposal.id, shown=proposal.content_hash)
        async with here.database.factory(factory.id) as session:
            await confirm(session, here, factory.approver, proposal.id, shown=proposal.content_hash)
    assert {(one.worker_code, one.kind): one.state for one in await payments_of(told)}["R-02", "correction"] == "ready"
    await _look(told, found["returned"])


async def _look(told: Story, found: SettlementBreak) -> None:
    async with PlainBrowser(create_app(told.services), told.services.settings.public_url) as finance:
        await finance.sign_in(told.factory.logins[Role.FINANCE], PASSWORD)
        page = await finance.open(f"/breaks/{found.id}")
        assert "Paid again" in page.text


async def _nobody_knows(told: Story) -> None:
    """The wage that no statement shows: the provider says that it was paid, so nothing is sent again, and the bank is written to."""
    here, factory = told.services, told.factory
    missing = (await open_breaks(told))["missing"]
    async with here.database.factory(factory.id) as session:
        with pytest.raises(ProblemError, match="only what failed for sure"):
            await close_break(session, here, factory.finance, missing.id, reason="she says nothing came", way=WayOut.REPAID)
    assert (await open_breaks(told))["missing"].state == "open"
    async with PlainBrowser(create_app(here), here.settings.public_url) as finance:
        await finance.sign_in(factory.logins[Role.FINANCE], PASSWORD)
        await finance.open(f"/breaks/{missing.id}")
        await finance.press("Letter to the bank")
        assert any(form.action == f"/breaks/{missing.id}/letter.pdf" for form in finance.page.forms)
    async with here.database.factory(factory.id) as session:
        paper = await bank_letter(session, here, factory.finance, missing.id)
    assert (paper.media_type, paper.content[:5]) == ("application/pdf", b"%PDF-")
