"""What pages say when something is not right: where, what and what to do, and nothing that was typed is lost."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from importers.period import PayPeriod, RunKind
from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.intake.upload import upload
from payroll_api.services import Services
from tests.conftest import PASSWORD, SampleFactory, SettableClock
from tests.payroll_api.plain_browser import PlainBrowser

BASE = "http://127.0.0.1:8000"


@contextlib.asynccontextmanager
async def _person(services: Services, factory: SampleFactory, role: Role) -> AsyncIterator[PlainBrowser]:
    async with PlainBrowser(create_app(services)) as browser:
        await browser.sign_in(factory.logins[role], PASSWORD)
        yield browser


async def _file(services: Services, factory: SampleFactory, content: bytes = b"not a workbook") -> str:
    async with services.database.factory(factory.id) as session:
        file = await upload(
            session, services, factory.preparer, file_name="a.csv", content=content, period=PayPeriod(2026, 11), kind=RunKind.BALANCE
        )
    return str(file.id)


async def test_a_wrong_password_keeps_the_login_and_says_what_to_do(services: Services, factory: SampleFactory) -> None:
    async with PlainBrowser(create_app(services)) as browser:
        page = await browser.sign_in(factory.logins[Role.PREPARER], "not the password at all")
        assert browser.answer.status_code == 401
        assert "The login or the password is wrong" in page.text
        assert page.forms[-1].fields["login"] == [factory.logins[Role.PREPARER]]
        page = await browser.press("Sign in", password=PASSWORD)
        assert "Pay runs" in page.text


async def test_whoever_was_sent_to_sign_in_comes_back_to_the_page_she_wanted(services: Services, factory: SampleFactory) -> None:
    async with PlainBrowser(create_app(services)) as browser:
        await browser.open("/workers?code=GW-00001")
        assert browser.path == "/sign-in"
        await browser.press("Sign in", login=factory.logins[Role.PREPARER], password=PASSWORD)
        assert browser.path == "/workers"
        assert "No worker with this number" in browser.page.text


@pytest.mark.parametrize("target", ["https://evil.example/", "/\\evil.example"])
async def test_sign_in_leads_nowhere_else(services: Services, factory: SampleFactory, target: str) -> None:
    async with PlainBrowser(create_app(services)) as browser:
        await browser.open("/sign-in")
        await browser.press("Sign in", next=target, login=factory.logins[Role.PREPARER], password=PASSWORD)
        assert str(browser.answer.url) == f"{BASE}/"


async def test_a_session_that_ended_while_typing_loses_nothing(services: Services, factory: SampleFactory, clock: SettableClock) -> None:
    async with _person(services, factory, Role.PREPARER) as hr:
        await hr.open("/factory")
        clock.advance(minutes=45)
        page = await hr.press("Set the rate", rate="4012.5", source="Tax office, 15 November", period="2026-11")
        assert hr.answer.status_code == 401
        assert "what you typed is kept" in page.text
        page = await hr.press("Sign in", login=factory.logins[Role.PREPARER], password=PASSWORD)
        assert "Nothing was lost" in page.text
        page = await hr.press("Send it now")
        assert "The rate is set" in page.text
        assert "4012.5" in page.text
        assert "Tax office, 15 November" in page.text


async def test_a_mistyped_rate_stands_in_the_form_as_it_was_typed(services: Services, factory: SampleFactory) -> None:
    async with _person(services, factory, Role.PREPARER) as hr:
        await hr.open("/factory?lang=en")
        page = await hr.press("Set the rate", rate="40", source="Tax office", period="2026-11")
        assert hr.answer.status_code == 422
        assert "The rate cannot be right" in page.text
        form = next(form for form in page.forms if form.action == "/factory/rates")
        assert (form.fields["rate"], form.fields["source"]) == (["40"], ["Tax office"])


async def test_an_upload_without_a_file_or_with_a_wrong_month_keeps_the_form(services: Services, factory: SampleFactory) -> None:
    async with _person(services, factory, Role.PREPARER) as hr:
        page = await hr.press("Upload", period="November", kind="indemnity", file=("a.csv", b"a,b"))
        assert hr.answer.status_code == 422
        assert "Write it like 2026-11" in page.text
        page = await hr.press("Upload", period="2026-10")
        assert "No file was chosen" in page.text
        form = next(form for form in page.forms if form.action == "/files")
        assert (form.fields["period"], form.fields["kind"]) == (["2026-10"], ["indemnity"])


async def test_the_same_file_twice_leads_to_the_first(services: Services, factory: SampleFactory) -> None:
    first = await _file(services, factory)
    async with _person(services, factory, Role.PREPARER) as hr:
        page = await hr.press("Upload", period="2026-11", kind="balance", file=("b.csv", b"not a workbook"))
        assert hr.answer.status_code == 409
        assert page.links["Open it"] == f"/files/{first}"


async def test_a_form_sent_from_another_site_or_with_an_old_token_changes_nothing(services: Services, factory: SampleFactory) -> None:
    async with _person(services, factory, Role.PREPARER) as hr:
        page = await hr.press("Upload", csrf_token="an old one", file=("a.csv", b"a,b"))
        assert hr.answer.status_code == 403
        assert "older than your session" in page.text
        page = await hr.open("/")
        assert "There is no payday yet" in page.text


OF_AN_ID = ("files/{}", "files/{}/differences", "runs/{}", "runs/{}/payments", "runs/{}/cash", "payments/{}", "workers/{}")


async def test_what_is_not_there_and_what_is_anothers_look_the_same(
    services: Services, factory: SampleFactory, other_factory: SampleFactory
) -> None:
    foreign = await _file(services, other_factory)
    async with _person(services, factory, Role.ADMINISTRATOR) as browser:
        texts = set()
        for path in OF_AN_ID:
            for identifier in (foreign, str(uuid4()), "not-an-id"):
                page = await browser.open("/" + path.format(identifier))
                assert browser.answer.status_code == 404
                assert "There is nothing at this address" in page.text
                texts.add(page.text)
        assert len(texts) == 1


async def test_programs_get_problems_and_people_get_pages(services: Services, factory: SampleFactory, client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/nothing")).headers["content-type"] == "application/problem+json"
    assert (await client.get("/nothing", headers={"Accept": "text/html"})).headers["content-type"].startswith("text/html")
    async with _person(services, factory, Role.PREPARER) as hr:
        page = await hr.open("/audit")
        assert hr.answer.status_code == 403
        assert "Ask your administrator for the role" in page.text
        page = await hr.open("/audit?lang=km")
        assert "តួនាទីរបស់អ្នកមិនអនុញ្ញាត" in page.text


async def test_signing_out_ends_the_session_at_once(services: Services, factory: SampleFactory) -> None:
    async with _person(services, factory, Role.PREPARER) as hr:
        page = await hr.press("Sign out")
        assert "You are signed out" in page.text
        await hr.open("/workers")
        assert hr.path == "/sign-in"
