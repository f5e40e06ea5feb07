"""One account under two workers holds both, until two people agree; under two factories it is an alarm that names nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from payroll_api.alarms.models import AlarmRow
from payroll_api.errors import NotAllowedError, ProblemError
from payroll_api.people import share
from payroll_api.people.elsewhere import look_elsewhere
from payroll_api.people.models import Destination
from payroll_api.review.models import Discrepancy
from payroll_api.review.resolve import resolve
from payroll_api.review.second_person import agree
from payroll_api.runs.build import create_run
from payroll_api.runs.decide import submit
from payroll_api.runs.find import items
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock, make_factory
from tests.payroll_api.few_workers import PEOPLE, few, payroll


async def test_husband_and_wife_are_held_both_until_two_people_have_agreed(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    shared = [PEOPLE[0], (*PEOPLE[1][:3], PEOPLE[0][3])]
    async with few(services, factory, tmp_path, clock) as told:
        file = await told.upload(payroll(shared), "payroll.csv")
        async with services.database.factory(factory.id) as session:
            for item in list(await session.scalars(select(Discrepancy).where(Discrepancy.file_id == file))):
                choice = "pay_sheet" if "pay_sheet" in item.resolutions else "pay_law"
                await resolve(
                    session, services, factory.preparer, file, discrepancy_ids=[item.id], resolution=choice, reason="husband and wife"
                )
            asked = list(await session.scalars(select(Discrepancy.id).where(Discrepancy.file_id == file, Discrepancy.asked.is_not(None))))
            await agree(session, services, factory.approver, file, discrepancy_ids=asked)
            found = list(await session.scalars(select(Destination).order_by(Destination.id)))
            for one in found:
                one.state = "confirmed"  # even where a person vouched for each name
            await session.flush()
        async with services.database.factory(factory.id) as session:
            made = await create_run(session, services, factory.preparer, file, pay_on=None)
            with pytest.raises(ProblemError, match="nothing_to_pay"):
                await submit(session, services, factory.preparer, made.id)
            first, second = (one.worker_id for one in found)
            agreed = await share.propose_sharing(session, services, factory.preparer, first, second, reason="family book seen")
            with pytest.raises(ProblemError, match="nothing_to_pay"):
                await submit(session, services, factory.preparer, made.id)
            with pytest.raises(NotAllowedError):
                await share.agree(session, services, factory.preparer, agreed.id)
            await share.agree(session, services, factory.approver, agreed.id)
            await submit(session, services, factory.preparer, made.id)
            held = [item.held_reason for item in await items(session, made.id, after="", limit=10)]
        assert held == [None, None]


async def test_another_factory_on_the_same_account_is_an_alarm_that_names_nobody(
    services: Services, factory: SampleFactory, other_factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    third = await make_factory(services)
    for whose, people in ((factory, PEOPLE), (other_factory, PEOPLE[:1]), (third, [])):
        folder = tmp_path / whose.slug
        folder.mkdir()
        if people:
            async with few(services, whose, folder, clock) as told:
                await told.upload(payroll(people), "payroll.csv")
    for whose in (factory, other_factory, third, factory):
        async with services.database.factory(whose.id) as session:
            await look_elsewhere(session, services)
    found = {}
    for whose in (factory, other_factory, third):
        async with services.database.factory(whose.id) as session:
            alarms = list(await session.scalars(select(AlarmRow).where(AlarmRow.kind == "account_elsewhere")))
            found[whose.slug] = [alarm.data for alarm in alarms]
    # Factories of other tests may pay into the accounts of, which the second factory does not have.
    assert {"worker": "R-01"} in found[factory.slug]
    assert all(data.keys() == {"worker"} for data in found[factory.slug])
    assert (found[other_factory.slug], found[third.slug]) == ([{"worker": "R-01"}], [])
