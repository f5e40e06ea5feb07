"""The pages about the law: a value is added and signed off, a choice is changed, and a question about next year is answered."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.services import Services
from tests.conftest import PASSWORD, SampleFactory, SettableClock
from tests.payroll_api.few_workers import few, payroll
from tests.payroll_api.plain_browser import PlainBrowser

VALUE: dict[str, Any] = {
    "name": "minimum_wage_regular",
    "value": "205",
    "since": "2027-01-01",
    "title": "Prakas of September 2026",
    "signed_off_by": "Sok Sophea, legal adviser",
}


@contextlib.asynccontextmanager
async def person(services: Services, factory: SampleFactory, role: Role) -> AsyncIterator[PlainBrowser]:
    async with PlainBrowser(create_app(services)) as browser:
        await browser.sign_in(factory.logins[role], PASSWORD)
        yield browser


async def test_a_lower_wage_is_entered_by_one_and_signed_off_by_another(services: Services, factory: SampleFactory) -> None:
    async with person(services, factory, Role.ADMINISTRATOR) as browser:
        page = await browser.open("/factory/law?on=2027-02-01")
        assert "Minimum wage, regular worker (minimum_wage_regular, USD a month) is not known for 2027-02" in page.text
        page = await browser.press("Add a value", **{**VALUE, "value": "two hundred"})
        assert browser.answer.status_code == 422
        assert "is not a number" in page.text
        kept = next(form.fields for form in page.forms if "signed_off_by" in form.fields)
        assert (kept["value"], kept["signed_off_by"], kept["since"]) == (["two hundred"], [VALUE["signed_off_by"]], ["2027-01-01"])
        page = await browser.press("Add a value", **VALUE)
        assert "A second person must agree before it holds" in page.text
        assert "I have read the text" not in page.text
    async with person(services, factory, Role.APPROVER) as browser:
        page = await browser.open("/factory/law")
        assert VALUE["signed_off_by"] in page.text
        page = await browser.press("I have read the text: it holds")
        assert "The value holds from now on" in page.text
        page = await browser.open("/factory/law?on=2027-02-01")
        assert "is not known for 2027-02" in page.text  # the wage on probation is still missing
        assert "minimum_wage_regular, USD" not in page.text
        page = await browser.press("Take it back", reason="It was 215 after all")
        assert "Taken back" in page.text


async def test_holidays_are_typed_a_line_a_day(services: Services, factory: SampleFactory) -> None:
    async with person(services, factory, Role.ADMINISTRATOR) as browser:
        await browser.open("/factory/law")
        days = "2027-01-01 International New Year\n\n2027-01-07, Victory over Genocide\n"
        page = await browser.press("Add a value", **{**VALUE, "name": "public_holidays", "value": days})
        assert "The value holds from now on" in page.text
        assert "7 January 2027: Victory over Genocide" in page.text


async def test_a_choice_is_changed_with_a_reason_from_a_month_on(services: Services, factory: SampleFactory) -> None:
    async with person(services, factory, Role.ADMINISTRATOR) as browser:
        page = await browser.open("/factory/policies")
        assert "By how many days is a monthly wage divided?" in page.text
        page = await browser.press("Keep this choice", within="monthly_days", value="12", reason="Agreed with the shop stewards")
        assert browser.answer.status_code == 422
        assert "days of a month lie between 20 and 31" in page.text or "cannot be taken" in page.text
        page = await browser.press("Keep this choice", within="monthly_days", value="24", reason="Agreed with the shop stewards")
        assert "The choice is kept" in page.text
        assert "Agreed with the shop stewards" in page.text
        page = await browser.press("Keep this choice", within="pension_before_tax", value="no", reason="As our adviser reads it")
        assert "As our adviser reads it" in page.text
    async with person(services, factory, Role.PREPARER) as browser:
        page = await browser.open("/factory/policies")
        assert not [form for form in page.forms if "reason" in form.fields]


@pytest.mark.parametrize("language", ["en", "km"])
@pytest.mark.parametrize("path", ["/factory", "/factory/law", "/factory/policies", "/factory/what-if"])
async def test_the_pages_are_for_everybody_in_both_languages(services: Services, factory: SampleFactory, path: str, language: str) -> None:
    async with person(services, factory, Role.ADMINISTRATOR) as browser:
        page = await browser.open(f"{path}?lang={language}")
        assert browser.answer.status_code == 200
        assert page.language == language
        assert page.complaints == []


async def test_january_s_payroll_is_seen_in_november(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await told.upload(payroll(), "payroll.csv")
        async with person(told.services, factory, Role.PREPARER) as browser:
            await browser.open("/factory/what-if")
            names = ["minimum_wage_regular", "minimum_wage_probation", ""]
            page = await browser.press("Compute", name=names, value=["215", "", ""], month="2027-01")
            assert browser.answer.status_code == 422
            assert "minimum_wage_probation" in page.text
            page = await browser.press("Compute", name=names, value=["215", "213", ""], month="2027-01")
            # four workers at the minimum wage get five dollars more each
            assert "$20.00" in page.text
            assert "4 workers" in page.text
            page = await browser.press("Compute", name=["overtime_meal", "", ""], value=["3000", "", ""], month="")
            assert "$0.00" in page.text
