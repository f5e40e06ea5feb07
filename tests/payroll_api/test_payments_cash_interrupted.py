"""A worker dies while it writes the envelopes list. No provider can be asked about cash, yet nobody's envelope is forgotten."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from payroll_api.jobs.names import Job
from payroll_api.payments.cash import confirm_cash
from payroll_api.payments.intent import claim
from payroll_api.payments.look_up import due
from payroll_api.payments.models import Payment
from payroll_api.payments.submit import ask_look_up
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import released
from tests.payroll_api.payday_story import Story, story

SHEET = """\
Worker code,Name (Khmer),Name (Latin),Join date,Basic wage ($),Net pay ($),Pay method,Account no.
C-001,សុខ ដារ៉ា,Sok Dara,2020-01-06,210.00,205.10,cash,
C-002,ចាន់ ធីតា,Chan Thida,2020-01-06,210.00,205.10,cash,
"""


async def _states(told: Story) -> Counter[str]:
    async with told.services.database.factory(told.factory.id) as session:
        return Counter(await session.scalars(select(Payment.state)))


async def test_a_list_that_was_interrupted_is_signed_and_paid_like_any_other(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    clock.now = datetime.now(UTC)
    async with story(services, factory, tmp_path, accounts=None) as told:
        run_id = await released(told, SHEET.encode())
        await told.work(only=[Job.PREPARE_RUN])
        async with told.services.database.factory(factory.id) as session:
            payment = (await session.scalars(select(Payment))).first()
            assert payment is not None
            intent = await claim(
                session,
                await told.services.keys.vault(session),
                run_id=run_id,
                provider_account_id=payment.provider_account_id,
                unit="USD",
                limit=5,
                period="2026-11",
                at=clock(),
                look_up_after=timedelta(seconds=1),
            )
        assert intent is not None  # and then nothing, as if the process had been killed
        await told.work()
        assert await _states(told) == Counter({"submitting": 2})

        for _ in range(3):
            clock.advance(seconds=5)
            async with told.services.database.factory(factory.id) as session:
                for dispatch in await due(session, clock()):
                    await ask_look_up(session, dispatch, timedelta(0))
            await told.work()
        assert await _states(told) == Counter({"accepted": 2})
        async with told.services.database.factory(factory.id) as session:
            assert await confirm_cash(session, told.services, factory.finance, run_id, None) == 2
        assert await _states(told) == Counter({"paid": 2})
