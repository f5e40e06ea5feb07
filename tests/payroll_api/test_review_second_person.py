"""Over the factory's limit one person asks to keep the sheet's figure and another agrees; until then it stops payment as before."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from payroll_api.access import api_keys
from payroll_api.access.actor import KEY_PERMISSIONS, Actor, Role
from payroll_api.app import create_app
from payroll_api.audit.find import events
from payroll_api.errors import InvalidError, NotAllowedError, ProblemError
from payroll_api.factories import policies
from payroll_api.review.find import open_counts
from payroll_api.review.models import Discrepancy
from payroll_api.review.resolve import resolve
from payroll_api.review.second_person import agree
from payroll_api.runs.build import create_run
from payroll_api.runs.decide import approve, submit
from payroll_api.services import Services
from tests.conftest import PASSWORD, SampleFactory, SettableClock
from tests.payroll_api.callers import bearer
from tests.payroll_api.few_workers import few, payroll
from tests.payroll_api.payday_story import Story
from tests.payroll_api.plain_browser import PlainBrowser

WHY = "Half the wage was paid in cash on the 14th"


async def short_of_a_hundred(told: Story) -> tuple[UUID, list[Discrepancy]]:
    """A sheet in which everybody gets a hundred dollars too little, and its differences that stop payment."""
    file_id = await told.upload(payroll(net="105.10"), "payroll.csv")
    return file_id, await blocking(told, file_id)


async def blocking(told: Story, file_id: UUID) -> list[Discrepancy]:
    async with told.services.database.factory(told.factory.id) as session:
        query = select(Discrepancy).where(Discrepancy.file_id == file_id, Discrepancy.severity == "blocks").order_by(Discrepancy.position)
        return list(await session.scalars(query))


async def keep(told: Story, actor: Actor, file_id: UUID, items: Sequence[Discrepancy]) -> None:
    async with told.services.database.factory(told.factory.id) as session:
        ids = [item.id for item in items]
        await resolve(session, told.services, actor, file_id, discrepancy_ids=ids, resolution="pay_sheet", reason=WHY)


async def second(told: Story, actor: Actor, file_id: UUID, items: Sequence[Discrepancy]) -> int:
    async with told.services.database.factory(told.factory.id) as session:
        return await agree(session, told.services, actor, file_id, discrepancy_ids=[item.id for item in items])


async def test_a_hundred_dollars_take_two_people(services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        file_id, items = await short_of_a_hundred(told)
        assert {item.code for item in items} == {"net_too_low"}
        with pytest.raises(InvalidError, match="second person"):
            await second(told, factory.approver, file_id, items)
        await keep(told, factory.preparer, file_id, items)
        assert {(item.asked, item.resolution) for item in await blocking(told, file_id)} == {("pay_sheet", None)}
        async with services.database.factory(factory.id) as session:
            run = await create_run(session, told.services, factory.preparer, file_id, pay_on=None)
            assert (await open_counts(session, file_id))["blocks"] == len(items)
            with pytest.raises(ProblemError, match="discrepancies_open"):
                await submit(session, told.services, factory.preparer, run.id)
        for nobody in (factory.preparer, factory.auditor):
            with pytest.raises(NotAllowedError):
                await second(told, nobody, file_id, items)
        assert await second(told, factory.approver, file_id, items) == len(items)
        decided = (await blocking(told, file_id))[0]
        assert (decided.resolution, decided.resolved_by, decided.agreed_by) == ("pay_sheet", factory.preparer.name, factory.approver.name)
        async with services.database.factory(factory.id) as session:
            await submit(session, told.services, factory.preparer, run.id)
            trail = await events(session, subject=f"discrepancy:{decided.id}", before=None, limit=5)
        assert [event["action"] for event in trail] == ["discrepancy.agreed", "discrepancy.asked"]


async def test_the_limit_is_the_factory_s_and_below_it_one_person_is_enough(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        async with services.database.factory(factory.id) as session:
            await policies.set_policies(session, told.services, factory.administrator, {"second_person_cents": 20_000}, reason="Agreed")
        file_id, items = await short_of_a_hundred(told)
        await keep(told, factory.preparer, file_id, items)
        # The choice holds from the month in which it was made; the file's own month decides.
        month_is_now = f"{clock.now:%Y-%m}" <= "2026-11"
        assert {item.resolution for item in await blocking(told, file_id)} == {"pay_sheet" if month_is_now else None}


async def test_a_person_is_not_her_key_s_second(services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        file_id, items = await short_of_a_hundred(told)
        async with services.database.factory(factory.id) as session:
            key = (await api_keys.create(session, told.services, factory.administrator, name="ERP")).key
        robot = Actor(factory_id=factory.id, name=f"key:{key.id}", permissions=KEY_PERMISSIONS)
        await keep(told, robot, file_id, items)
        owner = Actor(
            factory_id=factory.id,
            name=factory.administrator.name,
            permissions=factory.approver.permissions,
            user_id=factory.administrator.user_id,
        )
        for same in (robot, owner):
            with pytest.raises(NotAllowedError):
                await second(told, same, file_id, items)
        assert await second(told, factory.preparer, file_id, items) == len(items)


async def test_it_is_asked_and_agreed_on_pages_and_by_the_api(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        file_id, items = await short_of_a_hundred(told)
        async with PlainBrowser(create_app(told.services)) as browser:
            await browser.sign_in(factory.logins[Role.PREPARER], PASSWORD)
            await browser.open(f"/files/{file_id}/differences?open=1")
            page = await browser.press("Keep this decision", resolution="pay_sheet", reason=WHY)
            assert "Waits for a second person" in page.text
            assert "I agree" not in page.text
        async with PlainBrowser(create_app(told.services)) as browser:
            await browser.sign_in(factory.logins[Role.APPROVER], PASSWORD)
            await browser.open(f"/files/{file_id}/differences")
            page = await browser.press("I agree")
            assert "You agreed as the second person" in page.text
        await keep(told, factory.preparer, file_id, items[1:])
        async with services.database.factory(factory.id) as session:
            run = await create_run(session, told.services, factory.preparer, file_id, pay_on=None)
        body = {"discrepancy_ids": [str(item.id) for item in items[1:]]}
        path = f"/api/v1/pay-runs/{run.id}/discrepancies/agree"
        mine = await client.post(path, headers=await bearer(told.services, factory.preparer), json=body)
        assert (mine.status_code, mine.json()["code"]) == (403, "four_eyes")
        other = await client.post(path, headers=await bearer(told.services, factory.approver), json=body)
        assert other.json() == {"decided": len(items) - 1}


async def test_who_made_a_key_does_not_approve_the_run_that_her_key_sent(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    owner = dataclasses.replace(factory.administrator, permissions=factory.approver.permissions)
    async with few(services, factory, tmp_path, clock) as told:
        file_id = await told.upload(payroll(), "payroll.csv")
        await told.decide(file_id)
        async with told.services.database.factory(factory.id) as session:
            made = await create_run(session, told.services, factory.preparer, file_id, pay_on=None)
            key = (await api_keys.create(session, told.services, factory.administrator, name="HR system")).key
        async with told.services.database.factory(factory.id) as session:
            sent = await submit(session, told.services, factory.preparer, made.id)
            sent.submitted_by = f"key:{key.id}"
        assert sent.content_hash is not None
        async with told.services.database.factory(factory.id) as session:
            with pytest.raises(NotAllowedError, match="four_eyes"):
                await approve(session, told.services, owner, made.id, content_hash=sent.content_hash)
