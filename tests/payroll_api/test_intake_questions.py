"""What a file asks before it is checked: HR's own totals, workers who stand in another file too, several sheets."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
from openpyxl import Workbook
from sqlalchemy import select

from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.audit.models import AuditEvent
from payroll_api.factories.settings import set_rate
from payroll_api.jobs.names import Job
from payroll_api.review.find import deciders
from payroll_api.services import Services
from tests.conftest import PASSWORD
from tests.payroll_api.callers import bearer, fresh
from tests.payroll_api.payday_story import PERIOD, Story
from tests.payroll_api.plain_browser import PlainBrowser

if TYPE_CHECKING:
    from tests.conftest import SampleFactory

HEAD = ("Worker code", "Name", "Basic wage (USD)", "Net pay (USD)", "Pay method")
LINES = [(f"W{n:03}", f"Sok Dara {chr(64 + n)}", 210, 200 + n, "cash") for n in range(1, 11)]


def csv(*rows: Any) -> bytes:
    return "\n".join(",".join(map(str, row)) for row in (HEAD, *rows)).encode()


def book(**sheets: Any) -> bytes:
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        page = made.create_sheet(name)
        for row in rows:
            page.append(list(row))
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


@dataclass(kw_only=True)
class Hr:
    """HR at the API, and the factory's queue worked by hand."""

    client: httpx.AsyncClient
    headers: dict[str, str]
    story: Story

    async def post(self, path: str, status: int = 200, **body: Any) -> Any:
        response = await self.client.post(f"/api/v1/payroll-files/{path}", headers=self.headers, json=body)
        assert response.status_code == status, response.text
        return response.json()

    async def get(self, path: str) -> Any:
        response = await self.client.get(f"/api/v1/payroll-files/{path}", headers=self.headers)
        assert response.status_code == 200, response.text
        return response.json()

    async def send(self, content: bytes, name: str, status: int = 201, control: dict[str, str] | None = None) -> Any:
        response = await self.client.post(
            "/api/v1/payroll-files",
            headers=self.headers | fresh(),
            files={"file": (name, content)},
            data={"pay_period": str(PERIOD), **(control or {})},
        )
        assert response.status_code == status, response.text
        return response.json()

    async def read(self, content: bytes, name: str, **control: str) -> Any:
        """Upload, read, and confirm the columns where that is asked."""
        file = await self.send(content, name, control=control)
        await self.work()
        found = await self.get(file["id"])
        if "columns" in found["questions"]:
            await self.post(f"{file['id']}/layout", columns={})
            await self.work()
        return await self.get(file["id"])

    async def work(self) -> list[Job]:
        return await self.story.work(only=[Job.READ_FILE, Job.RECONCILE_FILE])

    async def events(self, action: str) -> list[dict[str, Any]]:
        async with self.story.services.database.factory(self.story.factory.id) as session:
            found = await session.scalars(select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id))
            return [json.loads(event.body) for event in found]


@pytest.fixture
async def hr(services: Services, factory: SampleFactory) -> AsyncIterator[Hr]:
    async with services.database.factory(factory.id) as session:
        for purpose in ("tax", "nssf"):
            await set_rate(session, services, factory.administrator, PERIOD, purpose, Decimal(4000), "a test's rate")
    story = Story(services=services, factory=factory, bank=None, wallet=None, sms_journal=Path(), bank_url="")  # nobody is paid here
    transport = httpx.ASGITransport(app=create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield Hr(client=client, headers=await bearer(services, factory.preparer), story=story)


async def test_totals_that_agree_let_the_file_go_on(hr: Hr) -> None:
    file = await hr.read(csv(*LINES), "november.csv", workers="10", net_usd="$ 2,055.00")
    assert (file["state"], file["questions"]) == ("reconciled", [])
    assert file["summary"]["control"]["differences"] == []
    assert file["summary"]["control"]["typed"] == {"workers": 10, "net": {"USD": "2055.00"}}


async def test_totals_that_differ_stop_the_file_until_they_are_typed_again_or_explained(hr: Hr) -> None:
    file = await hr.read(csv(*LINES), "november.csv", workers="11", net_usd="២០៥៥")
    assert (file["state"], file["questions"]) == ("read", ["control"])
    (difference,) = file["summary"]["control"]["differences"]
    assert (difference["typed"], difference["found"], difference["accepted"]) == (11, 10, 10)
    assert await hr.work() == []  # no check goes on by itself
    refused = await hr.post(f"{file['id']}/control", status=422)  # neither figures nor a reason
    assert refused["fields"][0]["field"] == "reason"
    wrong = await hr.post(f"{file['id']}/control", workers=12)
    assert wrong["questions"] == ["control"]
    explained = await hr.post(f"{file['id']}/control", reason="Two of my list left before the month began.")
    assert explained["questions"] == []
    await hr.work()
    checked = await hr.get(file["id"])
    assert checked["state"] == "reconciled"
    assert checked["summary"]["control"]["answer"]["reason"] == "Two of my list left before the month began."
    (event,) = await hr.events("control.explained")
    assert event["data"] == {"differences": 1}
    closed = await hr.post(f"{file['id']}/control", status=409, workers=10)
    assert closed["code"] == "control_closed"


async def test_an_explanation_holds_for_the_figures_that_were_seen_and_for_no_others(hr: Hr) -> None:
    file = await hr.send(csv(*LINES), "november.csv", control={"net_usd": "2000"})
    await hr.work()
    await hr.post(f"{file['id']}/control", reason="The list is of last week.")
    # the columns are confirmed in another way: other amounts are the net now
    await hr.post(f"{file['id']}/layout", columns={"C": "net", "D": "ignored"})
    await hr.work()
    again = await hr.get(file["id"])
    assert again["summary"]["totals"]["accepted"] == {"USD": "2100.00"}
    assert again["questions"] == ["control"]


@pytest.mark.parametrize("control", [{"workers": "0"}, {"net_usd": "much"}, {"net_khr": "10.5"}, {"net_usd": "-3"}])
async def test_what_is_no_figure_is_refused_before_the_file_is_taken(hr: Hr, control: dict[str, str]) -> None:
    refused = await hr.send(csv(*LINES), "november.csv", status=422, control=control)
    assert refused["fields"]
    assert (await hr.client.get("/api/v1/payroll-files", headers=hr.headers)).json()["items"] == []


async def test_a_corrected_file_waits_until_it_is_said_to_replace_the_first(hr: Hr, services: Services, factory: SampleFactory) -> None:
    first = await hr.read(csv(*LINES), "november.csv")
    assert first["state"] == "reconciled"
    corrected = [*LINES[:9], ("W010", "Sok Dara J", 210, 215, "cash"), ("W011", "Sok Dara K", 210, 211, "cash")]
    second = await hr.read(csv(*corrected), "november corrected.csv")
    assert (second["state"], second["questions"]) == ("read", ["overlap"])
    overlap = second["summary"]["overlap"]
    assert (overlap["workers"], overlap["same"], overlap["different"], overlap["new"], overlap["share"]) == (10, 9, 1, 1, 100)
    assert [other["file_name"] for other in overlap["files"]] == ["november.csv"]
    listed = (await hr.get(f"{second['id']}/overlap?limit=4"))["items"]
    assert [worker["worker_code"] for worker in listed] == ["W001", "W002", "W003", "W004"]
    (last,) = [worker for worker in (await hr.get(f"{second['id']}/overlap"))["items"] if not worker["same"]]
    assert (last["worker_code"], last["net"]["amount"], last["elsewhere"][0]["net"]["amount"]) == ("W010", "215.00", "210.00")
    assert await hr.work() == []

    assert (await hr.post(f"{second['id']}/overlap", status=422, answer="replace", reason="no"))["code"] == "invalid"
    await hr.post(f"{second['id']}/overlap", answer="replace", reason="One net was wrong in the first file.")
    await hr.work()
    assert (await hr.get(second["id"]))["state"] == "reconciled"
    gone = await hr.get(first["id"])
    assert (gone["state"], gone["summary"]["refusal"]["code"]) == ("refused", "gave_way")
    run = await hr.client.post("/api/v1/pay-runs", headers=hr.headers | fresh(), json={"file_id": first["id"]})
    assert run.json()["code"] == "file_not_ready"
    (event,) = await hr.events("overlap.answered")
    assert event["data"] == {"answer": "replace", "workers": 10, "share": 100, "files": [first["id"]]}
    assert len(await hr.events("file.gave_way")) == 1
    approver = await services_deciders(services, factory, UUID(second["id"]))
    assert factory.preparer.name in approver, "who decided about the overlap cannot approve the run"


async def services_deciders(services: Services, factory: SampleFactory, file_id: UUID) -> set[str]:
    async with services.database.factory(factory.id) as session:
        return await deciders(session, file_id)


async def test_a_file_with_a_run_does_not_give_way(hr: Hr) -> None:
    first = await hr.read(csv(*LINES), "november.csv")
    run = await hr.client.post("/api/v1/pay-runs", headers=hr.headers | fresh(), json={"file_id": first["id"]})
    assert run.status_code == 201
    second = await hr.read(csv(*LINES[:9], ("W010", "Sok Dara J", 210, 215, "cash")), "again.csv")
    refused = await hr.post(f"{second['id']}/overlap", status=409, answer="replace", reason="The second is right.")
    assert (refused["code"], refused["run_id"]) == ("file_in_run", run.json()["id"])
    assert (await hr.get(first["id"]))["state"] == "reconciled"
    aside = await hr.post(f"{second['id']}/overlap", answer="set_aside", reason="The first was right after all.")
    assert (aside["state"], aside["summary"]["refusal"]["file_id"]) == ("refused", first["id"])
    nothing = await hr.post(f"{second['id']}/overlap", status=409, answer="keep_both", reason="both are meant")
    assert nothing["code"] == "no_overlap"


async def test_a_few_common_workers_are_shown_and_stop_nothing(hr: Hr) -> None:
    await hr.read(csv(*LINES), "november.csv")
    others = [(f"X{n:03}", f"Chan Thida {chr(64 + n)}", 210, 200 + n, "cash") for n in range(1, 9)]
    second = await hr.read(csv(*LINES[:2], *others), "second line.csv")
    assert (second["state"], second["questions"]) == ("reconciled", [])
    assert (second["summary"]["overlap"]["workers"], second["summary"]["overlap"]["share"]) == (2, 20)
    third = await hr.read(csv(LINES[0], *[(f"Y{n:03}", "Kim Ly", 210, 200 + n, "cash") for n in range(1, 3)]), "third.csv")
    assert third["questions"] == ["overlap"]  # 33 percent of a small file


DEPARTMENTS = {"Sewing": [HEAD, *LINES[:4]], "Cutting": [("Cutting department",), HEAD, *LINES[4:]], "Notes": [("Ask Dara",)]}


async def test_one_sheet_for_each_department_is_read_as_one_payroll_and_so_next_month(hr: Hr) -> None:
    file = await hr.send(book(**DEPARTMENTS), "november.xlsx")
    await hr.work()
    asked = await hr.get(file["id"])
    assert (asked["state"], asked["questions"]) == ("refused", ["sheets"])
    assert [(choice["name"], choice["rows"], choice["kind"]) for choice in asked["summary"]["choices"]] == [
        ("Sewing", 4, 0),
        ("Cutting", 6, 0),
    ]
    wrong = await hr.post(f"{file['id']}/sheets", status=422, sheets=["Packing"])
    assert "Sewing, Cutting" in wrong["detail"]
    await hr.post(f"{file['id']}/sheets", sheets=["Sewing", "Cutting"])
    await hr.work()
    await hr.post(f"{file['id']}/layout", columns={})
    await hr.work()
    read = await hr.get(file["id"])
    assert (read["state"], read["summary"]["counts"]["accepted"]) == ("reconciled", 10)
    assert read["summary"]["totals"]["accepted"] == {"USD": "2055.00"}

    changed = {**DEPARTMENTS, "Cutting": [HEAD, *LINES[4:9], ("W099", "New One", 210, 205, "cash")]}
    other = await hr.client.post(
        "/api/v1/payroll-files",
        headers=hr.headers | fresh(),
        files={"file": ("december.xlsx", book(**changed))},
        data={"pay_period": "2026-10"},
    )
    await hr.work()
    next_month = await hr.get(other.json()["id"])
    assert (next_month["summary"]["counts"]["accepted"], next_month["questions"]) == (10, [])


async def test_sheets_with_other_columns_are_not_read_together_and_it_says_why(hr: Hr) -> None:
    other = (HEAD[1], HEAD[0], *HEAD[2:])
    file = await hr.send(book(Sewing=[HEAD, *LINES[:4]], Cutting=[other, *((b, a, *rest) for a, b, *rest in LINES[4:])]), "n.xlsx")
    await hr.work()
    await hr.post(f"{file['id']}/sheets", sheets=["Sewing", "Cutting"])
    await hr.work()
    refused = await hr.get(file["id"])
    assert refused["summary"]["refusal"]["code"] == "sheets_differ"
    assert "order" in refused["summary"]["refusal"]["message"]
    await hr.post(f"{file['id']}/sheets", sheets=["Cutting"])  # one of them can still be chosen
    await hr.work()
    assert (await hr.get(file["id"]))["summary"]["counts"]["accepted"] == 6


async def test_hr_answers_all_of_it_on_the_pages(hr: Hr, services: Services, factory: SampleFactory) -> None:
    await hr.read(csv(*LINES[:9]), "first.csv")
    async with PlainBrowser(create_app(services), services.settings.public_url) as browser:
        await browser.sign_in(factory.logins[Role.PREPARER], PASSWORD)
        await browser.press("Upload", within="/files", file=("november.xlsx", book(**DEPARTMENTS)), period="2026-11", workers="ten")
        assert "A control total is no figure" in browser.page.text
        await browser.press("Upload", within="/files", file=("november.xlsx", book(**DEPARTMENTS)), period="2026-11", workers="12")
        file = browser.path
        await hr.work()
        await browser.open("/")
        await browser.follow("Choose the sheet of november.xlsx")
        await browser.press("Read these sheets", sheet=["Sewing", "Cutting"])
        await hr.work()
        await browser.open(file)
        assert "Number of workers 12 10 10 Differs" in browser.page.text
        assert "9 workers of this file stand in another file" in browser.page.text
        await browser.press("Explain and go on", reason="Two are paid in the office.")
        await browser.open(f"{file}/overlap")
        assert "W009" in browser.page.text
        assert browser.page.complaints == []
        await browser.open(file)
        assert browser.page.complaints == []
        await browser.press("Decide", within="overlap", answer="replace", reason="Now with the departments.")
        await hr.work()
        await browser.open(file)
        assert "This file takes the place of the earlier one" in browser.page.text
        assert "Send for approval" in browser.page.text or "Decide first what blocks" in browser.page.text
        for lang in ("km", "en"):
            await browser.open(f"{file}?lang={lang}")
            assert browser.page.complaints == []
