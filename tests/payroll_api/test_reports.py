"""Files for others: made from money that arrived, adding up, in the columns of a layout, and kept from those who may not see them."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import httpx
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from importers.money import KHR, USD, Money
from importers.period import RunKind
from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.audit.models import AuditEvent
from payroll_api.errors import ConfigurationError
from payroll_api.payments.models import Payment
from payroll_api.reports.authorities import layouts
from payroll_api.reports.journal import entries_of
from payroll_api.reports.layout import load_layouts
from payroll_api.reports.month import PaidLine, PaidRun
from payroll_api.reports.values import VALUES
from payroll_api.services import Services
from tests.conftest import PASSWORD, SampleFactory, SettableClock
from tests.payroll_api.callers import bearer
from tests.payroll_api.few_workers import few, released, settle_down
from tests.payroll_api.payday_story import Story
from tests.payroll_api.plain_browser import PlainBrowser

API = "/api/v1"


def paid_run(lines: list[tuple[str, str, Money]], paid: Money, kind: RunKind = RunKind.BALANCE, method: str = "bank_account") -> PaidRun:
    return PaidRun(
        run_id=UUID(int=7),
        kind=kind,
        paid=paid,
        paid_on=date(2026, 11, 30),
        method=method,
        bank="ABA",
        is_lawful=True,
        lines=[PaidLine(line=line, side=side, amount=amount) for line, side, amount in lines],
        figures={},
    )


SIDES = {
    "earning": ("basic_pay", "overtime_pay", "meal_allowance", "seniority_indemnity", "other_allowance"),
    "deduction": ("pension", "salary_tax", "first_half_paid", "advance", "union_dues", "other_deduction"),
    "employer": ("employer_risk", "employer_health", "employer_pension"),
}
LINES = st.sampled_from([(side, line) for side, lines in SIDES.items() for line in lines])
AMOUNTS = st.builds(Money, st.integers(0, 500_000), st.sampled_from([USD, KHR]))


@given(
    lines=st.lists(st.tuples(LINES, AMOUNTS), max_size=12),
    paid=st.builds(Money, st.integers(1, 500_000), st.sampled_from([USD, KHR])),
    kind=st.sampled_from(RunKind),
    method=st.sampled_from(["bank_account", "wallet", "cash"]),
)
def test_whatever_was_paid_the_journal_balances_and_leaves_no_wage_open(
    lines: list[tuple[tuple[str, str], Money]], paid: Money, kind: RunKind, method: str
) -> None:
    run = paid_run([(line, side, amount) for (side, line), amount in lines], paid, kind, method)
    sums: defaultdict[str, int] = defaultdict(int)
    open_wages: defaultdict[str, int] = defaultdict(int)
    out = 0
    for entry in entries_of(run):
        sums[entry.currency] += entry.minor
        open_wages[entry.currency] += entry.minor if entry.account == "wages_payable" else 0
        out -= entry.minor if entry.account in ("bank", "wallet", "cash") else 0
    assert not any(sums.values())
    assert not any(open_wages.values())
    assert out == paid.minor


def test_a_clerk_can_follow_one_slip_into_the_journal() -> None:
    run = paid_run(
        [
            ("basic_pay", "earning", Money(21000, USD)),
            ("overtime_pay", "earning", Money(1590, USD)),
            ("pension", "deduction", Money(452, USD)),
            ("first_half_paid", "deduction", Money(10500, USD)),
        ],
        Money(11638, USD),
    )
    told = {(entry.account, entry.minor) for entry in entries_of(run)}
    assert ("wages", 21000) in told
    assert ("overtime", 1590) in told
    assert ("nssf_payable", -452) in told
    assert ("first_half", -10500) in told
    assert ("bank", -11638) in told
    assert not any(account == "unexplained" for account, _ in told)


def test_an_operator_brings_the_ministrys_own_columns_without_a_release(tmp_path: Path) -> None:
    own = tmp_path / "payroll-ledger.toml"
    own.write_text(
        'title_en = "Ledger"\ntitle_km = "បញ្ជី"\ndue_day = 20\nsignatures = true\nverified = true\nprovenance = "LACMS template, read"\n'
        'columns = [{ value = "worker_code", en = "Card", km = "ប័ណ្ណ" },\n'
        '{ value = "net", en = "Net", km = "បើក", figure = true, sum = true }]\n'
    )
    (ledger,) = (one for one in layouts(tmp_path) if one.name == "payroll-ledger")
    assert ([field.value for field in ledger.fields], ledger.is_verified) == (["worker_code", "net"], True)
    assert {"nssf", "salary-tax"} <= {one.name for one in layouts(tmp_path)}
    own.write_text(own.read_text().replace('"net"', '"nett"'))
    with pytest.raises(ConfigurationError, match="nett"):
        load_layouts(VALUES, tmp_path)


def test_the_tax_offices_list_has_its_twenty_two_columns() -> None:
    (tax,) = (one for one in layouts(None) if one.name == "salary-tax")
    assert len(tax.fields) == 22


async def paid_story(told: Story, clock: SettableClock) -> tuple[UUID, UUID]:
    """A payday of a few workers; its run and one payment."""
    await released(told)
    states = await settle_down(told, clock)
    assert states["paid"] == 4, states
    async with told.services.database.factory(told.factory.id) as session:
        payment = (await session.scalars(select(Payment).where(Payment.worker_code == "R-01"))).one()
        return payment.run_id, payment.id


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


async def test_a_paid_month_becomes_the_ledger_the_contributions_the_tax_list_and_the_journal(
    services: Services, factory: SampleFactory, clock: SettableClock, tmp_path: Path, client: httpx.AsyncClient
) -> None:
    hr, auditor = await bearer(services, factory.preparer), await bearer(services, factory.auditor)
    early = await client.get(f"{API}/pay-periods/2026-11/reports/payroll-ledger?", headers=hr)
    assert (early.status_code, early.json()["code"]) == (404, "nobody_paid")
    async with few(services, factory, tmp_path, clock) as told:
        run_id, payment_id = await paid_story(told, clock)
    hr, auditor = await bearer(services, factory.preparer), await bearer(services, factory.auditor)
    ledger = await client.get(f"{API}/pay-periods/2026-11/reports/payroll-ledger?form=csv&language=en", headers=hr)
    assert ledger.status_code == 200, ledger.text
    rows = table(ledger.content)
    assert [row["Work card"] for row in rows] == ["R-01", "R-02", "R-03", "R-04"]
    assert {row["Net"] for row in rows} == {"222.45"}  # the law's figure, as HR decided
    book = await client.get(f"{API}/pay-periods/2026-11/reports/payroll-ledger?form=xlsx", headers=hr)
    cells = [cell.value for line in openpyxl.load_workbook(io.BytesIO(book.content)).worksheets[0].iter_rows() for cell in line]
    assert 889.8 in cells  # four times 222.45
    nssf = table((await client.get(f"{API}/pay-periods/2026-11/reports/nssf?form=csv&language=en", headers=hr)).content)
    assert all(int(row["Pension, worker (KHR)"]) == int(row["Pension, enterprise (KHR)"]) > 0 for row in nssf)
    tax = table((await client.get(f"{API}/pay-periods/2026-11/reports/salary-tax?form=csv&language=en", headers=hr)).content)
    assert (tax[0]["Family name (Latin)*"], tax[0]["Given name (Latin)*"]) == ("SOK", "DARA")
    journal = table((await client.get(f"{API}/pay-periods/2026-11/journal?language=en", headers=auditor)).content)
    for code in ("USD", "KHR"):
        own = [row for row in journal if row["Currency"] == code]
        assert sum(Decimal(row["Debit"] or 0) for row in own) == sum(Decimal(row["Credit"] or 0) for row in own) > 0
    assert (await client.get(f"{API}/pay-periods/2026-11/reports/nssf?", headers=auditor)).status_code == 403
    for address in (f"pay-runs/{run_id}/summary", f"pay-runs/{run_id}/payslips", f"payments/{payment_id}/payslip"):
        for language in ("en", "km"):
            paper = await client.get(f"{API}/{address}?language={language}", headers=hr)
            assert (paper.status_code, paper.content[:5]) == (200, b"%PDF-"), paper.text
    async with services.database.factory(factory.id) as session:
        taken = await session.scalar(select(AuditEvent.body).where(AuditEvent.action == "report.exported").limit(1))
    assert taken is not None
    assert b"SOK" not in taken


async def test_the_accountant_sets_her_own_codes_and_takes_the_files_from_a_page(
    services: Services, factory: SampleFactory, clock: SettableClock, tmp_path: Path
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        run_id, _ = await paid_story(told, clock)
    async with PlainBrowser(create_app(services)) as browser:
        await browser.sign_in(factory.logins[Role.ADMINISTRATOR], PASSWORD)
        await browser.open("/reports?lang=en")
        await browser.press("Keep", wages="6411", bank="5121")
        assert "The account codes are kept." in browser.page.text
        sent = await browser.download("/reports/journal.csv?period=2026-11&lang=en")
        assert {"6411", "5121"} <= {row["Account"] for row in table(sent.content)}
        await browser.press("Keep", wages="no; such=code")
        assert browser.answer.status_code == 422
    async with PlainBrowser(create_app(services)) as browser:
        await browser.sign_in(factory.logins[Role.PREPARER], PASSWORD)
        page = await browser.open("/reports?lang=km")
        assert "បញ្ជីបើកប្រាក់ឈ្នួល" in page.text
        for path in (f"/reports/run/{run_id}.pdf", f"/reports/slips/{run_id}.pdf", "/reports/nssf.pdf?period=2026-11"):
            assert (await browser.download(path)).content[:5] == b"%PDF-"
