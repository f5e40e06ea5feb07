"""What a page shows to somebody who may not read personal data: figures that add up, and nothing about the person."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import httpx
from sqlalchemy import select

from payroll_api.access.actor import PERMISSIONS, Actor, Role
from payroll_api.app import create_app
from payroll_api.people.models import Worker
from payroll_api.review.models import Discrepancy
from payroll_api.review.private import lines_for
from payroll_api.runs.build import create_run
from payroll_api.services import Services
from tests.conftest import PASSWORD, SampleFactory, SettableClock
from tests.payroll_api.callers import bearer
from tests.payroll_api.few_workers import few
from tests.payroll_api.plain_browser import PlainBrowser

SHEET = b"""Worker code,Name (Latin),Join date,Basic wage ($),Union dues ($),Net pay ($),Pay method,Account no.
R-01,SOK DARA,2020-01-06,210.00,1.25,203.85,bank,000111001
R-02,CHAN THIDA,2020-01-06,210.00,,205.10,bank,000111002
"""


async def test_who_pays_union_dues_is_seen_by_those_alone_who_may_read_personal_data(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await told.upload(SHEET, "payroll.csv")
        async with services.database.factory(factory.id) as session:
            member = await session.scalar(select(Worker.id).where(Worker.worker_code == "R-01"))
        for role, sees in ((Role.PREPARER, True), (Role.AUDITOR, False), (Role.FINANCE, False), (Role.ADMINISTRATOR, False)):
            async with PlainBrowser(create_app(services)) as browser:
                await browser.sign_in(factory.logins[role], PASSWORD)
                text = (await browser.open(f"/workers/{member}")).text
                assert "1.25" in text, role
                assert ("Union" in text) is sees, role
                assert ("Other deduction" in text) is not sees, role


# R-01 was sick for three days and is paid for two months of it at 60 %, R-02 pays dues, R-03 lost her bonus by absence, R-04 neither
COLUMNS = (
    b"Worker code,Name (Latin),Join date,Basic wage ($),Basic pay ($),Sick days,Absent days,Attendance bonus ($),Union ($),Net pay ($)"
)
REASONS = (
    b"""%s
R-01,SOK DARA,2020-01-06,210.00,209.00,3,,10,,226.00
R-02,CHAN THIDA,2020-01-06,210.00,210.00,,,10,1.25,226.00
R-03,LY SOPHEA,2020-01-06,210.00,200.00,,1,10,,216.00
R-04,HENG CHANTHA,2020-01-06,210.00,210.00,,,10,,226.00
"""
    % COLUMNS
)
MASKED, OPEN = (Actor(factory_id=UUID(int=1), name="user:1", permissions=PERMISSIONS[role]) for role in (Role.AUDITOR, Role.PREPARER))
TELLING = ("sick", "union", "absent without pay")  # a sheet has no column for maternity


async def test_why_days_were_missed_and_who_is_a_member_is_told_nowhere_to_who_reads_masked(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        file_id = await told.upload(REASONS, "payroll.csv")
        await told.decide(file_id)
        async with services.database.factory(factory.id) as session:
            run = await create_run(session, services, factory.preparer, file_id, pay_on=None)
            ids = dict((await session.execute(select(Worker.worker_code, Worker.id))).all())
        for role, sees in ((Role.PREPARER, True), (Role.AUDITOR, False), (Role.FINANCE, False), (Role.ADMINISTRATOR, False)):
            async with PlainBrowser(create_app(services)) as browser:
                await browser.sign_in(factory.logins[role], PASSWORD)
                seen = " ".join([(await browser.open(f"/workers/{ids[code]}")).text for code in ids])
                found = (await browser.open(f"/files/{file_id}/differences")).text
            # the whole file says that dues are paid, after all rows; how many pay them is told to those who may know who
            assert ("Union dues are taken from 1 worker" in found) is sees, role
            rows = found[: found.index("Union dues are taken from")].rsplit("The whole file", 1)[:1]
            assert rows[0].count("Worker R-0") > len(ids), rows
            for part in ("entitlements", "discrepancies"):
                answer = await client.get(f"/api/v1/pay-runs/{run.id}/{part}", headers=await bearer(services, factory.people[role]))
                rows += [json.dumps(item) for item in answer.json()["items"] if item["worker_code"]]
            seen = f"{seen} {rows}".lower()
            assert [word for word in TELLING if word in seen] == (list(TELLING) if sees else []), role


async def test_a_typed_reason_about_days_away_is_not_for_who_reads_masked(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        file_id = await told.upload(REASONS, "payroll.csv")
        await told.decide(file_id)
        async with services.database.factory(factory.id) as session:
            found = (await session.scalars(select(Discrepancy).where(Discrepancy.worker_code != ""))).all()
            for item in found:
                item.resolution, item.resolved_by, item.reason = "pay_sheet", factory.preparer.name, f"typed about {item.subject}"
            run = await create_run(session, services, factory.preparer, file_id, pay_on=None)
        about = {item.subject for item in found}
        assert "basic_pay" in about
        assert about - {"basic_pay", "attendance_bonus"}, "some other difference, whose reason the audit reads"
        for role, sees in ((Role.PREPARER, True), (Role.AUDITOR, False), (Role.FINANCE, False)):
            answer = await client.get(f"/api/v1/pay-runs/{run.id}/discrepancies", headers=await bearer(services, factory.people[role]))
            reasons = {item["subject"]: item["reason"] for item in answer.json()["items"] if item["worker_code"]}
            async with PlainBrowser(create_app(services)) as browser:
                await browser.sign_in(factory.logins[role], PASSWORD)
                page = (await browser.open(f"/files/{file_id}/differences")).text
            for subject in about:
                kept = not sees and subject in {"basic_pay", "attendance_bonus"}
                assert reasons[subject] == (None if kept else f"typed about {subject}"), (role, subject)
                assert (f"typed about {subject}" in page) is not kept, (role, subject)
            assert ("kept for those who may read personal data" in page) is not sees, role


async def test_what_if_does_not_count_the_sick_or_the_members_for_who_reads_masked(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await told.upload(REASONS, "payroll.csv")
        lines: dict[Role, set[str]] = {}
        totals: dict[str, set[Decimal]] = {}
        refused: dict[Role, list[int]] = {}
        for role in (Role.PREPARER, Role.AUDITOR, Role.FINANCE):
            headers = await bearer(services, factory.people[role])
            answer = await client.post("/api/v1/factories/current/what-if", headers=headers, json={"law": {"minimum_wage_regular": "230"}})
            assert answer.status_code == 200, answer.text
            items = {item["line"]: item for item in answer.json()["items"]}
            lines[role] = set(items)
            for column in ("now", "then"):
                own = [Decimal(items[name][column]["amount"]) for name in ("basic_pay", "sick_pay") if name in items]
                totals.setdefault(column, set()).add(sum(own, Decimal(0)))
            for body in ({"policies": {"sick_pay": "unpaid"}}, {"law": {"maternity_pay": "1"}}):
                asked = await client.post("/api/v1/factories/current/what-if", headers=headers, json={"law": {}, **body})
                refused.setdefault(role, []).append(asked.status_code)
        assert lines[Role.PREPARER] - lines[Role.AUDITOR] == {"sick_pay", "union_dues"}
        assert lines[Role.AUDITOR] == lines[Role.FINANCE]
        assert {len(sums) for sums in totals.values()} == {1}, "merged, and the same in all"
        assert refused == {Role.PREPARER: [200, 200], Role.AUDITOR: [403, 403], Role.FINANCE: [403, 403]}


def test_lines_that_tell_too_much_stand_inside_others_and_the_sum_stays() -> None:
    def line(name: str, minor: int, formula: str = "as the factory states", side: str = "deduction") -> dict[str, object]:
        return {"line": name, "side": side, "minor": minor, "currency": "USD", "formula": formula}

    dues = [line("loan", 500), line("union_dues", 125), line("other_deduction", 75)]
    assert [(one["line"], one["minor"]) for one in lines_for(MASKED, dues)] == [("loan", 500), ("other_deduction", 200)]
    sick = [
        line("basic_pay", 18577, "210.00 USD minimum wage x 23 / 26 days", "earning"),
        line("sick_pay", 1454, "210.00 USD / 26 x 3 days x 60 %", "earning"),
        line("attendance_bonus", 0, "lost: 3 days sick", "earning"),
    ]
    assert [(one["line"], one["minor"], one["formula"]) for one in lines_for(MASKED, sick)] == [
        ("basic_pay", 20031, "as the factory states"),
        ("attendance_bonus", 0, "as the factory states"),
    ]
    assert lines_for(OPEN, sick) == sick
