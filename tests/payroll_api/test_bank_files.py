"""A bank whose portal takes a spreadsheet: one person makes the file, another releases it, and the bank's result says who was paid."""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from connectors.faults import FaultKind, FaultPlan
from connectors.payouts.bank_file.layout import shipped
from connectors.payouts.bank_file.simulator import Portal
from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from payroll_api.access.actor import Actor, Role
from payroll_api.app import create_app
from payroll_api.errors import NotAllowedError, ProblemError
from payroll_api.factories.models import ProviderAccount
from payroll_api.factories.provider_accounts import add_provider_account, disable
from payroll_api.payments.bank_files import Part, bank_files_of, download_file, make_file, release_file, take_result
from payroll_api.payments.models import Attempt, BankFile, BankFileResult, Dispatch, Payment
from payroll_api.payments.outcomes import record_words
from payroll_api.payments.stops import press
from payroll_api.payments.verdict import Source, Word
from payroll_api.people.destinations import decide
from payroll_api.people.models import Destination
from payroll_api.services import Services
from tests.conftest import PASSWORD, SampleFactory, SettableClock
from tests.payroll_api.callers import bearer, fresh
from tests.payroll_api.few_workers import PEOPLE, payroll
from tests.payroll_api.payday_story import Story, story
from tests.payroll_api.plain_browser import PlainBrowser


@dataclass(kw_only=True)
class Portalled:
    """A released run whose payments wait for their file."""

    told: Story
    run_id: UUID
    portal: Portal

    async def make(self, by: Actor) -> BankFile:
        """Make the only file."""
        async with self.told.services.database.factory(self.told.factory.id) as session:
            (part,) = await bank_files_of(session, self.told.services, self.run_id)
            return await make_file(session, self.told.services, by, part.dispatch_id)

    async def parts(self) -> list[Part]:
        """The files of the run."""
        async with self.told.services.database.factory(self.told.factory.id) as session:
            return await bank_files_of(session, self.told.services, self.run_id)

    async def release(self, by: Actor, file: BankFile) -> None:
        """Release it."""
        async with self.told.services.database.factory(self.told.factory.id) as session:
            await release_file(session, self.told.services, by, file.id)

    async def download(self, by: Actor, file: BankFile) -> bytes:
        """Take it."""
        async with self.told.services.database.factory(self.told.factory.id) as session:
            return (await download_file(session, self.told.services, by, file.id))[1]

    async def result(self, by: Actor, file: BankFile, content: bytes) -> BankFileResult:
        """Give the bank's answer."""
        async with self.told.services.database.factory(self.told.factory.id) as session:
            return await take_result(session, self.told.services, by, file.id, file_name="result.xlsx", content=content)

    async def states(self) -> Counter[str]:
        """How many payments are in each state."""
        async with self.told.services.database.factory(self.told.factory.id) as session:
            return Counter(await session.scalars(select(Payment.state)))


@pytest.fixture
async def waiting(services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock) -> AsyncIterator[Portalled]:
    clock.now = datetime.now(UTC)
    async with story(services, factory, tmp_path, accounts=None) as told:
        async with services.database.factory(factory.id) as session:
            for account in await session.scalars(select(ProviderAccount).where(ProviderAccount.kind == "bank_account")):
                await disable(session, services, factory.administrator, account.id)
            config = {"layout": "generic", "factory_name": "Sample", "debit_account": "000100200"}
            add = {"name": "Portal", "kind": "bank_account", "connector": "bank_file", "config": config}
            await add_provider_account(session, services, factory.administrator, **add)  # type: ignore[arg-type]  # spread
        file_id = await told.upload(payroll(), "payroll.csv")
        await told.decide(file_id)
        async with services.database.factory(factory.id) as session:
            for item in list(await session.scalars(select(Destination))):
                await decide(session, services, factory.preparer, item.id, confirmed=True, reason="seen the bank book")
        run_id = await told.approved_run(file_id)
        await told.work()
        known = {account: latin for _, _, latin, account in PEOPLE[:3]}
        yield Portalled(told=told, run_id=run_id, portal=Portal(shipped("generic"), known))


async def test_a_file_is_made_once_released_by_another_and_answered_by_the_bank(waiting: Portalled, factory: SampleFactory) -> None:
    assert await waiting.states() == Counter({"accepted": 4})
    file = await waiting.make(factory.finance)
    again = await waiting.make(factory.approver)
    assert (again.id, again.content_hash, again.made_by) == (file.id, file.content_hash, factory.finance.name)
    with pytest.raises(ProblemError, match="Another person must release"):
        await waiting.download(factory.finance, file)
    with pytest.raises(NotAllowedError, match="another person must approve"):
        await waiting.release(factory.finance, file)
    await waiting.release(factory.approver, file)
    with pytest.raises(ProblemError, match="released already"):
        await waiting.release(factory.approver, file)
    content = await waiting.download(factory.finance, file)
    assert content == await waiting.download(factory.approver, file)
    assert hashlib.sha256(content).hexdigest() == file.content_hash

    assert waiting.portal.take(file.name, content)
    answer = waiting.portal.results[file.name]
    result = await waiting.result(factory.finance, file, answer)
    assert (result.named, result.problems) == (4, [])
    assert await waiting.states() == Counter({"paid": 3, "rejected": 1})
    assert sum(line["amount_minor"] for line in waiting.portal.journal) == 3 * 22_245
    with pytest.raises(ProblemError, match="was read before"):
        await waiting.result(factory.finance, file, answer)
    with pytest.raises(ProblemError, match="is this the result file of this bank"):
        await waiting.result(factory.finance, file, content)


async def test_a_file_that_a_stop_or_another_settlement_overtook_does_not_leave(waiting: Portalled, factory: SampleFactory) -> None:
    file = await waiting.make(factory.finance)
    database, here = waiting.told.services.database, waiting.told.services
    await waiting.release(factory.approver, file)
    async with database.factory(factory.id) as session:
        dispatch = await session.get_one(Dispatch, (factory.id, file.dispatch_id), with_for_update=True)
        one = (await session.scalars(select(Attempt.reference).order_by(Attempt.reference))).first()
        assert one is not None
        word = Word(outcome=PayoutOutcome(reference=one, status=PayoutStatus.REJECTED, code="other"), source=Source.PEOPLE)
        await record_words(session, dispatch, [word], None, actor="people", at=here.clock())
    with pytest.raises(ProblemError, match="3 still wait for it"):
        await waiting.download(factory.finance, file)
    async with database.factory(factory.id) as session:
        await press(session, here, factory.approver, run_id=waiting.run_id, provider_account_id=None, reason="the bank called")
    with pytest.raises(ProblemError, match="stopped here"):
        await waiting.download(factory.finance, file)


async def test_a_result_with_another_amount_pays_nobody_and_names_the_row(waiting: Portalled, factory: SampleFactory) -> None:
    file = await waiting.make(factory.finance)
    with pytest.raises(ProblemError, match="never released"):
        await waiting.result(factory.finance, file, b"code,net\n1,2\n")
    await waiting.release(factory.approver, file)
    waiting.portal.faults = FaultPlan.at("submit", FaultKind.OTHER_AMOUNT_ECHOED)
    waiting.portal.take(file.name, await waiting.download(factory.finance, file))
    result = await waiting.result(factory.finance, file, waiting.portal.results[file.name])
    assert await waiting.states() == Counter({"unknown": 4})
    assert [str(problem).partition(":")[0] for problem in result.problems] == [f"row {number}" for number in range(3, 7)]


async def test_the_same_by_api_and_page(waiting: Portalled, factory: SampleFactory, services: Services, client: httpx.AsyncClient) -> None:
    finance, approver = await bearer(services, factory.finance), await bearer(services, factory.approver)
    listed = (await client.get(f"/api/v1/pay-runs/{waiting.run_id}/bank-files", headers=finance)).json()["items"]
    assert [(item["count"], item["file"]) for item in listed] == [(4, None)]
    body = {"dispatch_id": listed[0]["dispatch_id"]}
    made = (await client.post("/api/v1/bank-files", json=body, headers=finance | fresh())).json()
    assert (made["state"], made["count"], made["total"]) == ("made", 4, {"amount": "889.80", "currency": "USD"})
    url = f"/api/v1/bank-files/{made['id']}"
    assert (await client.get(f"{url}/content", headers=approver)).json()["code"] == "file_not_released"
    assert (await client.post(f"{url}/release", headers=finance)).json()["code"] == "four_eyes"
    assert (await client.post(f"{url}/release", headers=approver)).json()["state"] == "released"
    got = await client.get(f"{url}/content", headers=finance)
    assert hashlib.sha256(got.content).hexdigest() == made["content_hash"] == got.headers["x-content-hash"]
    waiting.portal.take(made["name"], got.content)
    upload = {"file": ("result.xlsx", waiting.portal.results[made["name"]])}
    answered = await client.post(f"{url}/results", files=upload, headers=finance | fresh())
    assert (answered.status_code, answered.json()["named"]) == (201, 4)
    assert (await client.get(f"{url}/content", headers=await bearer(services, factory.preparer))).status_code == 403


async def test_on_the_page_one_makes_the_file_another_releases_it_and_the_result_is_read(
    waiting: Portalled, factory: SampleFactory, services: Services
) -> None:
    url = f"/runs/{waiting.run_id}/files"

    async def person(role: Role) -> PlainBrowser:
        browser = await stack.enter_async_context(PlainBrowser(create_app(services)))
        await browser.sign_in(factory.logins[role], PASSWORD)
        return browser

    async with contextlib.AsyncExitStack() as stack:
        preparer, finance, approver = await person(Role.PREPARER), await person(Role.FINANCE), await person(Role.APPROVER)
        assert "Make the file" not in (await preparer.open(url)).text
        await finance.open(url)
        page = await finance.press("Make the file")
        assert "Another person must release it" in page.text
        assert not any(form.action.endswith("/release") for form in page.forms)  # the maker is not offered what she may not do
        (part,) = await waiting.parts()
        assert part.file is not None
        assert (await finance.download(f"/files/{part.file.id}/content")).status_code == 409  # not before it is released
        await approver.open(url)
        page = await approver.press("Release the file")
        got = await finance.download(f"/files/{part.file.id}/content")
        assert hashlib.sha256(got.content).hexdigest() == part.file.content_hash
        assert got.headers["content-disposition"].startswith("attachment")
        assert (await preparer.download(f"/files/{part.file.id}/content")).status_code == 403
        waiting.portal.take(part.file.name, got.content)
        await finance.open(url)
        page = await finance.press("Read the result", file=("nothing.csv", b"no,result"))
        assert finance.answer.status_code == 409
        await finance.open(url)
        page = await finance.press("Read the result", file=("result.xlsx", waiting.portal.results[part.file.name]))
        assert "result.xlsx" in page.text
        assert await waiting.states() == Counter({"paid": 3, "rejected": 1})
        page = await preparer.open(url + "?lang=km")
        assert page.language == "km"
        assert not page.complaints
