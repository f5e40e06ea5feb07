"""The page of decisions: one person stops or proposes, another confirms, and the proposer is offered no yes of her own."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.jobs.names import Job
from payroll_api.payments.models import Attempt, Dispatch
from payroll_api.services import Services
from tests.conftest import PASSWORD, SampleFactory, SettableClock
from tests.payroll_api.few_workers import few, hear, released, states_of
from tests.payroll_api.plain_browser import PlainBrowser


async def test_a_stop_and_a_finding_go_through_two_people_on_the_page(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock, chunk=4) as told:
        await released(told)
        await told.work(only=[Job.PREPARE_RUN, Job.SUBMIT_CHUNK])
        async with told.services.database.factory(factory.id) as session:
            dispatch = (await session.scalars(select(Dispatch).with_for_update())).one()
            attempt = (await session.scalars(select(Attempt).limit(1))).one()
            doubt = PayoutOutcome(reference=attempt.reference, status=PayoutStatus.REJECTED, code="not_received")
            await hear(told, session, dispatch, [doubt])
        app = create_app(told.services)
        async with PlainBrowser(app) as finance, PlainBrowser(app) as approver:
            await finance.sign_in(factory.logins[Role.FINANCE], PASSWORD)
            await approver.sign_in(factory.logins[Role.APPROVER], PASSWORD)
            await finance.open(f"/payments/{attempt.payment_id}")
            await finance.press(
                "Propose to another person", result="no_money_moved", evidence_reference="letter 12", reason="the bank's letter"
            )
            own = await finance.open("/decisions")
            assert "No money moved" in own.text
            assert "Yes, that is what happened" not in own.text
            await approver.open("/decisions")
            await approver.press("Yes, that is what happened")
            assert (await states_of(told))["rejected"] == 1
            await finance.open("/decisions")
            stopped = await finance.press("Stop now", reason="the bank called us")
            assert "Sending is stopped for the whole factory" in stopped.text
