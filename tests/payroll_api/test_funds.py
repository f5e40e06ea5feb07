"""The money must be there: before a run is released, and when an account runs dry on the way. The bank's journal is the oracle."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from payroll_api.access.actor import KEY_PERMISSIONS, Actor
from payroll_api.alarms.models import AlarmRow
from payroll_api.clock import pay_day
from payroll_api.errors import NotAllowedError, ProblemError
from payroll_api.factories.models import ProviderAccount
from payroll_api.payments.confirm import confirm
from payroll_api.payments.models import Payment, Stop
from payroll_api.payments.repay import Way, propose_repay
from payroll_api.payments.stops import propose_lift
from payroll_api.payments.submit import ask_forgotten
from payroll_api.runs.balances import ask_balances, state_balance
from payroll_api.runs.build import create_run
from payroll_api.runs.decide import approve, release, submit
from payroll_api.runs.models import RailBalance, RunItem
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import few, payroll, released, settle_down
from tests.payroll_api.payday_story import Story

ACCOUNT = "000100200"


async def approved(told: Story) -> UUID:
    """A run that waits for its release."""
    file_id = await told.upload(payroll(), "payroll.csv")
    await told.decide(file_id)
    services, factory = told.services, told.factory
    async with services.database.factory(factory.id) as session:
        made = await create_run(session, services, factory.preparer, file_id, pay_on=None)
        sent = await submit(session, services, factory.preparer, made.id)
        await approve(session, services, factory.approver, made.id, content_hash=sent.content_hash or "")
    return made.id


async def needed(told: Story) -> int:
    """What the four are paid together, in cents."""
    async with told.services.database.factory(told.factory.id) as session:
        return sum(await session.scalars(select(RunItem.amount_minor)))


async def let_go(told: Story, run_id: UUID, *, asked: bool = True, reason: str = "") -> str:
    """Release, as a click does; gives the refusal's code, or an empty text."""
    if asked:
        await ask_balances(told.services, told.factory.id, run_id)
    try:
        async with told.services.database.factory(told.factory.id) as session:
            await release(session, told.services, told.factory.finance, run_id, funds_reason=reason)
    except ProblemError as error:
        return error.code
    return ""


async def test_a_run_is_not_released_before_the_bank_tells_that_the_last_cent_is_there(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock, bank_tells=True) as told:
        run_id = await approved(told)
        whole = await needed(told)
        told.bank.books.funds[ACCOUNT] = whole - 1
        await ask_balances(told.services, factory.id, run_id)
        async with told.services.database.factory(factory.id) as session:
            with pytest.raises(ProblemError, match=r"USD there, 0\.01 USD missing") as refused:
                await release(session, told.services, factory.finance, run_id)
        assert refused.value.code == "funds_short"
        assert (await told.run(run_id)).state == "approved"
        told.bank.books.funds[ACCOUNT] = whole
        assert await let_go(told, run_id) == ""
        assert await settle_down(told, clock) == Counter({"paid": 4})


async def test_a_silent_bank_needs_the_releasers_reason_and_an_old_answer_is_no_answer(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock, bank_tells=True) as told:
        run_id = await approved(told)
        assert await let_go(told, run_id, asked=False) == "funds_unknown"
        await ask_balances(told.services, factory.id, run_id)
        clock.advance(minutes=11)
        assert await let_go(told, run_id, asked=False, reason=" ok ") == "funds_unknown"
        assert await let_go(told, run_id, asked=False, reason="seen on the bank's page") == ""
        async with told.services.database.factory(factory.id) as session:
            word = (await session.scalars(select(RailBalance).where(RailBalance.source == "assumed"))).one()
        assert (word.author, word.amount_minor, word.reason) == (factory.finance.name, None, "seen on the bank's page")


async def test_what_a_person_stated_counts_on_its_day_and_where_nobody_knows_releasing_is_her_word(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        run_id = await approved(told)
        key = Actor(factory_id=factory.id, name="key:1", permissions=KEY_PERMISSIONS)
        async with told.services.database.factory(factory.id) as session:
            bank = (await session.scalars(select(ProviderAccount.id).where(ProviderAccount.name == "Bank"))).one()
            day = pay_day(clock())
            whole = await needed(told)
            short, enough = f"{(whole - 1) / 100:.2f}", f"{whole / 100:.2f}"
            with pytest.raises(NotAllowedError, match="person_required"):
                await state_balance(session, told.services, key, bank, amount="9000", unit="USD", holds_on=day)
            await state_balance(session, told.services, factory.finance, bank, amount=short, unit="USD", holds_on=day)
        assert await let_go(told, run_id) == "funds_short"
        clock.advance(seconds=1)
        async with told.services.database.factory(factory.id) as session:
            # Of a later pay day: said too early to count today.
            later = day + timedelta(days=5)
            await state_balance(session, told.services, factory.finance, bank, amount="1", unit="USD", holds_on=later)
            await state_balance(session, told.services, factory.finance, bank, amount=enough, unit="USD", holds_on=day)
        assert await let_go(told, run_id) == ""


async def test_an_account_that_runs_dry_stops_its_rail_and_the_refused_are_paid_once_when_money_came(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock, chunk=1) as told:
        await released(told)
        whole = await needed(told)
        told.bank.books.funds[ACCOUNT] = whole // 2
        states = await settle_down(told, clock, rounds=12)
        assert states["paid"] == 2
        assert states["rejected"] >= 1
        async with told.services.database.factory(factory.id) as session:
            stop = (await session.scalars(select(Stop))).one()
            assert (stop.pressed_by, stop.lifted_at) == ("system", None)
            alarm = (await session.scalars(select(AlarmRow).where(AlarmRow.kind == "funds_short"))).one()
            assert alarm.subject == f"stop:{stop.id}"
            failed = list(await session.scalars(select(Payment.id).where(Payment.state == "rejected")))
        told.bank.books.funds[ACCOUNT] = whole
        async with told.services.database.factory(factory.id) as session:
            lift = await propose_lift(session, told.services, factory.finance, stop.id, reason="money was paid in")
            again = await propose_repay(session, told.services, factory.preparer, failed, way=Way.CURRENT, reason="money was paid in")
        for proposal in (lift, again):
            async with told.services.database.factory(factory.id) as session:
                await confirm(session, told.services, factory.approver, proposal.id, shown=proposal.content_hash)
        clock.advance(minutes=2)
        async with told.services.database.factory(factory.id) as session:
            await ask_forgotten(session, told.services, clock())
        assert await settle_down(told, clock) == Counter({"paid": 4})
        assert len(told.credits()) == 4
        async with told.services.database.factory(factory.id) as session:
            alarm = (await session.scalars(select(AlarmRow).where(AlarmRow.kind == "funds_short"))).one()
            assert alarm.cleared_at is not None
