"""A whole payday, step by step, with the simulators' journals as the oracle."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from payroll_api.audit.seal import seal
from payroll_api.audit.verify import verify
from payroll_api.clock import pay_day
from payroll_api.factories.models import ProviderAccount
from payroll_api.payments.cash import confirm_cash
from payroll_api.payments.find import count_by_state
from payroll_api.payments.invariants import violations
from payroll_api.payments.models import Attempt, Payment
from payroll_api.payslips.find import count_by_state as slips_by_state
from payroll_api.payslips.find import list_slips
from payroll_api.services import Services
from payroll_api.settlement.find import breaks
from payroll_api.settlement.models import StatementFile
from payroll_api.settlement.upload import upload_statement
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.payday_story import SHEETS, Story, story

HOTLINE = "023 900 100"


async def _until_paid(told: Story, clock: SettableClock) -> None:
    """Let providers execute and call back, and work what they said."""
    for _ in range(40):
        await told.work()
        async with told.services.database.factory(told.factory.id) as session:
            moving = await session.scalar(
                select(func.count()).select_from(Payment).where(Payment.state.in_(("ready", "submitting", "unknown", "accepted")))
            )
            cash = await session.scalar(
                select(func.count()).select_from(Payment).where(Payment.state == "accepted", Payment.provider_account_id.in_(_cash_ids()))
            )
        if moving == cash:
            return
        clock.now += timedelta(seconds=2)
        await asyncio.sleep(0.05)
    raise AssertionError("the payments did not come to rest")


def _cash_ids() -> Select[UUID]:
    return select(ProviderAccount.id).where(ProviderAccount.kind == "cash")


async def test_a_payday_from_the_sheet_to_the_slip(
    services: Services, factory: SampleFactory, clock: SettableClock, tmp_path: Path
) -> None:
    clock.now = datetime.now(UTC)  # the simulated bank books by the real calendar
    async with story(services, factory, tmp_path) as told:
        here = told.services
        file_id = await told.upload((SHEETS / "payday_2026_11.xlsx").read_bytes())
        await told.decide(file_id)
        run_id = await told.approved_run(file_id)
        await _until_paid(told, clock)
        async with here.database.factory(factory.id) as session:
            counts = await count_by_state(session, run_id)
            assert counts["rejected"]["count"] == 4  # blocked between the account check and payday
            assert await violations(session) == []
            cash = await confirm_cash(session, here, factory.finance, run_id, None)
            assert cash > 0
        await told.work()
        async with here.database.factory(factory.id) as session:
            assert await violations(session) == []
            paid = await session.execute(
                select(Attempt.reference, Payment.amount_minor)
                .join(Payment, Payment.id == Attempt.payment_id)
                .where(Payment.state == "paid", Attempt.number == Payment.attempt)
            )
            ours = sorted(tuple(row) for row in paid)
        executed = told.credits()
        assert len(executed) == len(ours) - cash
        assert set(executed) <= set(ours)
        assert (await told.run(run_id)).state == "completed"
        for state, summary in await told_statements(told):
            assert state == "matched"
            assert summary["not_matched"] == {"in": {}, "out": {}}
            assert summary["kinds"] == {"matched": summary["lines"]}
        for _ in range(20):
            await told.work()
            await asyncio.sleep(0.05)
        async with here.database.factory(factory.id) as session:
            assert await slips_by_state(session, run_id) == {"delivered": len(ours)}
            slips = await list_slips(session, here, factory.preparer, run_id=run_id, after=None, limit=200)
            for slip in slips:
                assert slip["segments"] in {1, 2}
                assert str(slip["text"]).endswith(f"សួរ {HOTLINE}")
                assert "http" not in str(slip["text"])
            assert [one.kind for one in await breaks(session, state="open", after=None, limit=10)] == []
            await seal(session, here.signer, clock())
        async with here.database.factory(factory.id) as session:
            report = await verify(session, here.signer.key_id, [])
        assert report.intact, report
        assert report.events > 1000


async def told_statements(told: Story) -> list[tuple[str, Any]]:
    """Fetch each provider's statement and match it."""
    here = told.services
    async with here.database.factory(told.factory.id) as session:
        accounts = list(await session.scalars(select(ProviderAccount).where(ProviderAccount.kind.in_(("bank_account", "wallet")))))
    for account in accounts:
        async with here.database.factory(told.factory.id) as session:
            connector = await here.connectors.payout(session, account.id)
        content = await connector.fetch_statement(pay_day(datetime.now(UTC)))
        assert content is not None
        async with here.database.factory(told.factory.id) as session:
            await upload_statement(
                session, here, told.factory.finance, provider_account_id=account.id, file_name="statement", content=content
            )
    await told.work()
    async with here.database.factory(told.factory.id) as session:
        return [(one.state, one.summary) for one in await session.scalars(select(StatementFile))]
