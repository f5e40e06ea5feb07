"""A payday through the pages alone, by people with browsers without JavaScript."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import select

from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.audit.seal import seal
from payroll_api.clock import pay_day
from payroll_api.factories.models import ProviderAccount
from payroll_api.services import Services
from tests.conftest import PASSWORD, SampleFactory, SettableClock
from tests.payroll_api.payday_story import Story, story
from tests.payroll_api.plain_browser import PlainBrowser
from tests.sheets.build_payroll import accounts_of, build_payroll

WORKERS = 24


@contextlib.asynccontextmanager
async def _person(told: Story, role: Role) -> AsyncIterator[PlainBrowser]:
    async with PlainBrowser(create_app(told.services), told.services.settings.public_url) as browser:
        await browser.sign_in(told.factory.logins[role], PASSWORD)
        yield browser


def _sheet(folder: Path, *, faults: bool) -> bytes:
    """A sheet, and beside it what the bank and the wallet know: most accounts, some of which close before payday."""
    path = folder / "november.xlsx"
    built = build_payroll(WORKERS, 7, path, faults=faults)
    _known(folder).write_text(json.dumps(accounts_of(built["workers"])), encoding="utf-8")
    return path.read_bytes()


def _known(folder: Path) -> Path:
    return folder / "accounts.json"


async def _at_rest(told: Story, browser: PlainBrowser, path: str, wanted: str) -> None:
    """Work until the page at `path` says `wanted`."""
    for _ in range(80):
        await told.work()
        if wanted in (await browser.open(path)).text:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{path} never said {wanted!r}: {browser.page.text[:2000]}")


async def test_a_clean_file_takes_four_clicks_to_be_sent_and_two_to_be_approved(
    services: Services, factory: SampleFactory, clock: SettableClock, tmp_path: Path
) -> None:
    clock.now = datetime.now(UTC)  # the simulated bank books by the real calendar
    sheet = _sheet(tmp_path, faults=False)
    async with (
        story(services, factory, tmp_path, accounts=_known(tmp_path)) as told,
        _person(told, Role.PREPARER) as hr,
        _person(told, Role.APPROVER) as finance,
    ):
        await hr.press("Upload", within="/files", file=("november.xlsx", sheet), period="2026-11")
        await told.work()
        file = hr.path
        await hr.open(file)  # the page brings itself up to date
        assert f"{WORKERS} Taken {WORKERS} Not taken 0" in hr.page.text
        await hr.press("Confirm the columns")
        await told.work()
        await hr.open(file)
        await hr.press("Send for approval")
        assert hr.path.startswith("/runs/"), hr.page.text
        assert hr.clicks == 4

        await finance.open("/")
        await finance.follow("Approve the pay run of November 2026")
        # Accounts that turned out to be somebody else's are held back; what is approved is what the table adds up to.
        approved = re.search(r"You approve (\d+) workers, (\$[0-9,.]+\d),", finance.page.text)
        assert approved is not None
        assert f"Total {approved[1]} {approved[2]}" in finance.page.text
        await finance.press("Approve and pay")
        assert finance.clicks == 2
        assert "The run is approved and released" in finance.page.text
        await _at_rest(told, finance, finance.path, "Paid")


async def test_a_payday_with_faults_from_the_sheet_to_the_audit(
    services: Services, factory: SampleFactory, clock: SettableClock, tmp_path: Path
) -> None:
    clock.now = datetime.now(UTC)
    sheet = _sheet(tmp_path, faults=True)
    async with story(services, factory, tmp_path, accounts=_known(tmp_path)) as told, _person(told, Role.PREPARER) as hr:
        run = await _until_sent(told, hr, sheet)
        assert "Waiting for a second person to approve" in hr.page.text
        async with _person(told, Role.APPROVER) as approver:
            await approver.open(run)
            await approver.press("Send it back", within="reject", reason="One column looks odd to me.")
            assert "One column looks odd to me." in approver.page.text
            await hr.open("/")
            await hr.open(hr.page.links["November 2026"])
            await hr.open(re.sub(r"^.*?(/files/[0-9a-f-]+).*$", r"\1", hr.answer.text.replace("\n", " ")))
            await hr.press("Send for approval")
            run = hr.path
            await approver.open(run)
            await approver.press("Approve", within=_hash_in(approver))
        async with _person(told, Role.FINANCE) as finance:
            await finance.open(run)
            await finance.press("Release and pay")
            await _paid_in_cash(told, finance, run)
            await _matched(told, finance, run)
        await _told(told, hr, run)
        await _audited(told, run)


async def _until_sent(told: Story, hr: PlainBrowser, sheet: bytes) -> str:
    await hr.press("Upload", within="/files", file=("november.xlsx", sheet), period="2026-11")
    file = hr.path
    assert "The file is here and is being read" in hr.page.text
    assert '<noscript><meta http-equiv="refresh"' in hr.answer.text
    await told.work()
    await hr.open(file)
    assert "Problems in the file" in hr.page.text
    marked = await hr.download(f"{file}/annotated.xlsx")
    assert marked.content.startswith(b"PK")
    await hr.press("Confirm the columns")
    await told.work()
    await hr.open(f"{file}/differences?open=1")
    assert "By law" in hr.page.text
    while hr.path.endswith("/differences"):
        form = next(form for form in hr.page.forms if "difference" in form.fields)
        choice = next(found for found in ("pay_law", "hold_worker", "pay_sheet") if found in form.choices["resolution"])
        await hr.press("Keep this decision", within=form.fields["difference"][0], resolution=choice, reason="Checked with the line leader.")
    await hr.press("Send for approval")
    assert hr.path.startswith("/runs/"), hr.page.text
    return hr.path


def _hash_in(browser: PlainBrowser) -> str:
    return next(form.fields["content_hash"][0] for form in browser.page.forms if "content_hash" in form.fields)


async def _paid_in_cash(told: Story, finance: PlainBrowser, run: str) -> None:
    for _ in range(80):
        await told.work()
        if any("Everybody on this list" in text for form in (await finance.open(f"{run}/cash")).forms for text, *_ in form.buttons):
            break
        await asyncio.sleep(0.05)
    await finance.press("Everybody on this list")
    assert "The cash payments are confirmed" in finance.page.text
    await _at_rest(told, finance, run, "Everybody in this run has been dealt with")


async def _matched(told: Story, finance: PlainBrowser, run: str) -> None:
    async with told.services.database.factory(told.factory.id) as session:
        accounts = list(await session.scalars(select(ProviderAccount).where(ProviderAccount.kind.in_(("bank_account", "wallet")))))
    last: tuple[str, bytes] | None = None
    for account in accounts:
        async with told.services.database.factory(told.factory.id) as session:
            connector = await told.services.connectors.payout(session, account.id)
        content = await connector.fetch_statement(pay_day(datetime.now(UTC)))
        if content is None:  # nothing was paid there today
            continue
        last = (str(account.id), content)
        await finance.open("/statements")
        await finance.press("Upload", within="/statements", file=("day.txt", content), account=str(account.id))
        assert "The statement is here" in finance.page.text
    await told.work()
    await finance.open("/statements")
    assert "Everything fits" in finance.page.text
    # The same bytes again: refused with a way out, the chosen account still chosen.
    assert last is not None
    await finance.press("Upload", within="/statements", file=("day.txt", last[1]), account=last[0])
    assert finance.answer.status_code == 409
    assert "This very statement was uploaded before" in finance.page.text
    assert next(form for form in finance.page.forms if form.action == "/statements").fields["account"] == [last[0]]
    await finance.open(run)
    assert re.search(r"(\d+) of \1 payments are found in a statement", finance.page.text)


async def _told(told: Story, hr: PlainBrowser, run: str) -> None:
    for _ in range(80):
        await told.work()
        if "Delivered" in (await hr.open(f"{run}/slips")).text:
            break
        await asyncio.sleep(0.05)
    await hr.open(f"{run}/payments?state=paid")
    await hr.follow("GW-")
    await hr.follow("Worker GW-")
    for part in ("What the law owes her in November 2026", "Prakas", "Delivered"):
        assert part in hr.page.text
    # Whichever worker came first: her account was verified, or she chose cash.
    assert "Verified by the provider" in hr.page.text or "Cash" in hr.page.text


async def _audited(told: Story, run: str) -> None:
    async with told.services.database.factory(told.factory.id) as session:
        await seal(session, told.services.signer, told.services.clock() + timedelta(seconds=1))
    async with _person(told, Role.AUDITOR) as auditor:
        await auditor.open("/audit")
        await auditor.follow("Check the whole chain now")
        assert "The chain is intact" in auditor.page.text
        await auditor.open(f"/audit?subject=run:{run.rpartition('/')[2]}")
        for deed in ("sent the pay run for approval", "approved the pay run", "released the pay run"):
            assert deed in auditor.page.text
        await auditor.open("/workers")
        await auditor.follow("GW-")
        assert "Personal data is hidden" in auditor.page.text
        assert re.search("[\u1780-\u17b3]{2}", auditor.page.text.replace("ខ្មែរ", "").partition("Department")[0]) is None
        refused = await auditor.open(f"{run}/cash")
        assert "•" in refused.text or "Nobody on this run" in refused.text


async def test_pages_are_light_and_in_both_languages(client: httpx.AsyncClient, factory: SampleFactory, services: Services) -> None:
    async with PlainBrowser(create_app(services)) as browser:
        await browser.sign_in(factory.logins[Role.PREPARER], PASSWORD)
        parts = re.findall(r'(?:href|src)="(/static/[^"]+)"', browser.answer.text)
        assert len(parts) == 2
        weight = len(browser.answer.content)
        for part in parts:
            found = await client.get(part)
            assert "immutable" in found.headers["cache-control"]
            weight += len(found.content)
        assert weight < 100_000
        for path in ("/", "/workers", "/statements", "/factory"):
            page = await browser.open(f"{path}?lang=km")
            assert page.language == "km"
            assert (await browser.open(path)).language == "km", "the choice is remembered"
            assert (await browser.open(f"{path}?lang=en")).language == "en"
