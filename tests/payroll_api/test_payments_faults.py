"""Whatever breaks between us and the bank, every worker is paid once or we know why not. The bank's journal is the oracle."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update

from connectors.faults import FaultKind, FaultPlan, ScriptedFault
from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from payroll_api.access.actor import PERMISSIONS, Actor, Role
from payroll_api.errors import ProblemError
from payroll_api.jobs.names import Job
from payroll_api.payments.hold import cancel, hold, unhold
from payroll_api.payments.intent import Intent, batch_of, claim
from payroll_api.payments.invariants import violations
from payroll_api.payments.models import Attempt, Dispatch, Payment
from payroll_api.payments.submit import keep_answer
from payroll_api.people.models import Destination
from payroll_api.runs.build import create_run
from payroll_api.runs.decide import approve, submit
from payroll_api.runs.models import RunItem
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import payments_of, settle_down, states_of
from tests.payroll_api.payday_story import Story, story
from tests.sheets.build_payroll import build_payroll

WORKERS = 14
Paying = Callable[..., AbstractAsyncContextManager[Story]]


@pytest.fixture(scope="session")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Path]:
    """Fourteen workers, all paid by the bank, whose accounts the bank knows by their names."""
    folder = tmp_path_factory.mktemp("sheet")
    built = build_payroll(60, 7, folder / "all.xlsx", faults=False)
    chosen = [worker for worker in built["workers"] if worker.method == "bank"][:WORKERS]
    assert len(chosen) == WORKERS
    lines = ["Worker code,Name (Khmer),Name (Latin),Join date,Basic wage ($),Net pay ($),Pay method,Account no."]
    lines += [f"{w.code},{w.name},{w.name_latin},2020-01-06,210.00,205.10,bank,{w.account}" for w in chosen]
    accounts = folder / "accounts.json"
    known = [{"account": worker.account, "holder": worker.name_latin, "status": "open"} for worker in chosen]
    accounts.write_text(json.dumps({"bank": known, "wallet": []}))
    return "\n".join(lines).encode(), accounts


@pytest.fixture
def paying(services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock, sheet: tuple[bytes, Path]) -> Paying:
    """A released run of the sheet with a bank that has these faults."""
    clock.now = datetime.now(UTC)

    @asynccontextmanager
    async def begin(faults: FaultPlan | None = None, *, quiet: int = 5, chunk: int = 5) -> AsyncIterator[Story]:
        async with story(
            services, factory, tmp_path, accounts=sheet[1], bank_faults=faults, bank_quiet_seconds=quiet, chunk_size=chunk
        ) as told:
            file_id = await told.upload(sheet[0], "payroll.csv")
            await told.decide(file_id)
            await told.approved_run(file_id)
            yield told

    return begin


async def check_against_the_journal(told: Story) -> None:
    """Nobody twice, nobody else's amount, nobody lost, and every invariant holds."""
    executed = told.credits()
    assert max(Counter(reference for reference, _ in executed).values(), default=0) <= 1
    async with told.services.database.factory(told.factory.id) as session:
        rows = await session.execute(
            select(Attempt.reference, Payment.amount_minor, Payment.state, Payment.worker_id).join(
                Payment, Payment.id == Attempt.payment_id
            )
        )
        ours = {row[0]: (row[1], row[2], row[3]) for row in rows}
        assert await violations(session) == []
    for reference, minor in executed:
        assert ours[reference][:2] == (minor, "paid")
    paid = [one for one in ours.values() if one[1] == "paid"]
    assert len(paid) == len(executed)
    assert max(Counter(one[2] for one in paid).values()) == 1


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.REPLY_LOST_AFTER_ACCEPT,
        FaultKind.RESET_BEFORE_READ,
        FaultKind.HALF_REQUEST,
        FaultKind.HTML_INSTEAD,
        FaultKind.EMPTY_ANSWER,
        FaultKind.TRUNCATED_ANSWER,
        FaultKind.SERVER_ERROR,
        FaultKind.UNAVAILABLE,
        FaultKind.OTHER_AMOUNT_ECHOED,
        FaultKind.NOT_FOUND_FOR_A_WHILE,
        FaultKind.REDIRECT_ELSEWHERE,
        FaultKind.PARTIAL_BATCH,
    ],
)
async def test_an_answer_that_is_lost_pays_nobody_twice(paying: Paying, clock: SettableClock, kind: FaultKind) -> None:
    async with paying(FaultPlan(script=(ScriptedFault(point="submit", kind=kind),), seconds=0.5)) as told:
        states = await settle_down(told, clock)
        await check_against_the_journal(told)
        assert set(states) <= {"paid", "rejected"}, states
        for payment in await payments_of(told):
            assert payment.state == "paid" or payment.code in {"temporary", "not_received"}, payment.code


@pytest.mark.parametrize("kind", [FaultKind.DUPLICATE_EVENT, FaultKind.REORDER_EVENTS, FaultKind.FORGED_EVENT, FaultKind.LOST_EVENT])
async def test_the_banks_messages_may_come_twice_late_forged_or_never(paying: Paying, clock: SettableClock, kind: FaultKind) -> None:
    async with paying(FaultPlan(script=(ScriptedFault(point="event", kind=kind, times=3),), seconds=0.5)) as told:
        assert await settle_down(told, clock) == Counter({"paid": WORKERS})
        await check_against_the_journal(told)


async def test_a_sender_that_died_before_its_first_byte_is_found_out_and_the_same_message_is_sent(
    paying: Paying, clock: SettableClock
) -> None:
    async with paying() as told:
        await told.work(only=[Job.PREPARE_RUN])
        here, factory_id = told.services, told.factory.id
        payload = await _first_chunk(told)
        # The intent is committed as by a sender, and then nothing: as if the process had been killed.
        async with here.database.factory(factory_id) as session:
            intent = await claim(
                session,
                await here.keys.vault(session),
                run_id=UUID(payload["run"]),
                provider_account_id=UUID(payload["provider"]),
                unit=payload["currency"],
                limit=5,
                period="2026-11",
                at=clock(),
                look_up_after=timedelta(seconds=1),
            )
        assert intent is not None
        assert await settle_down(told, clock) == Counter({"paid": WORKERS})
        await check_against_the_journal(told)
        async with here.database.factory(factory_id) as session:
            found = await session.get_one(Dispatch, (factory_id, intent.dispatch_id))
            assert found.fence == 2
            assert set(await session.scalars(select(Attempt.number))) == {1}


async def _first_chunk(told: Story) -> dict[str, str]:
    pay = (await payments_of(told))[0]
    return {"run": str(pay.run_id), "provider": str(pay.provider_account_id), "currency": pay.currency}


async def test_a_worker_frozen_after_its_answer_cannot_write_over_the_one_that_took_over(paying: Paying, clock: SettableClock) -> None:
    async with paying() as told:
        await told.work(only=[Job.PREPARE_RUN, Job.SUBMIT_CHUNK])
        here, factory_id = told.services, told.factory.id
        async with here.database.factory(factory_id) as session:
            dispatch = (await session.scalars(select(Dispatch).limit(1))).one()
            await session.execute(update(Dispatch).where(Dispatch.id == dispatch.id).values(fence=5))
            connector = await here.connectors.payout(session, dispatch.provider_account_id)
            references = list(await session.scalars(select(Attempt.reference).where(Attempt.dispatch_id == dispatch.id)))
        lie = [PayoutOutcome(reference=one, status=PayoutStatus.REJECTED, code="other") for one in references]
        old = Intent(dispatch_id=dispatch.id, fence=1, batch=batch_of(dispatch.id, [], clock().date()))
        await keep_answer(here, factory_id, connector, old, lie)
        assert "rejected" not in await states_of(told)
        assert await settle_down(told, clock) == Counter({"paid": WORKERS})
        await check_against_the_journal(told)


async def test_two_workers_on_one_run_send_each_payment_once(paying: Paying, clock: SettableClock) -> None:
    async with paying(chunk=2) as told:
        await told.work(only=[Job.PREPARE_RUN])
        await asyncio.gather(*(told.work(only=[Job.SUBMIT_CHUNK]) for _ in range(6)))
        assert await settle_down(told, clock) == Counter({"paid": WORKERS})
        await check_against_the_journal(told)


async def test_an_account_that_changed_after_approval_is_not_paid(paying: Paying, clock: SettableClock) -> None:
    async with paying() as told:
        await told.work(only=[Job.PREPARE_RUN])
        victim = (await payments_of(told))[0]
        async with told.services.database.factory(told.factory.id) as session:
            vault = await told.services.keys.vault(session)
            item = await session.get_one(Destination, (told.factory.id, victim.destination_id))
            item.account = vault.seal("999999999", "destinations", item.id, "account")
            item.account_key = b"another account"
        states = await settle_down(told, clock)
        assert states == Counter({"paid": WORKERS - 1, "held": 1})
        assert "999999999" not in {line["account"] for line in told.bank.books.journal}


async def test_a_sealed_account_copied_from_another_worker_is_not_paid(paying: Paying, clock: SettableClock) -> None:
    async with paying() as told:
        await told.work(only=[Job.PREPARE_RUN])
        hers, his = (await payments_of(told))[:2]
        async with told.services.database.factory(told.factory.id) as session:
            source = await session.get_one(Destination, (told.factory.id, hers.destination_id))
            target = await session.get_one(Destination, (told.factory.id, his.destination_id))
            target.account = source.account
        assert await settle_down(told, clock) == Counter({"paid": WORKERS - 1, "held": 1})
        await check_against_the_journal(told)


async def test_a_run_changed_behind_the_approvers_back_pays_nobody(paying: Paying, clock: SettableClock) -> None:
    async with paying() as told:
        async with told.services.database.factory(told.factory.id) as session:
            await session.execute(update(RunItem).values(amount_minor=RunItem.amount_minor + 1))
        assert await settle_down(told, clock) == Counter()
        assert told.credits() == []


async def test_the_same_wage_in_another_file_is_not_paid_again(paying: Paying, clock: SettableClock, sheet: tuple[bytes, Path]) -> None:
    async with paying() as told:
        await settle_down(told, clock)
        again = sheet[0] + b"\nNEW-1,Somebody,NEW ONE,2020-01-06,210.00,205.10,cash,"
        file_id = await told.upload(again, "payroll corrected.csv")
        await told.decide(file_id)
        await told.approved_run(file_id)
        states = await settle_down(told, clock)
        assert states["paid"] == WORKERS
        assert sum(states.values()) == WORKERS + 1  # only the new worker has another payment
        assert len(told.credits()) == WORKERS


async def test_one_worker_is_held_while_the_others_are_paid_and_released_later(paying: Paying, clock: SettableClock) -> None:
    async with paying() as told:
        await told.work(only=[Job.PREPARE_RUN])
        one = (await payments_of(told))[0]
        async with told.services.database.factory(told.factory.id) as session:
            await hold(session, told.services, told.factory.preparer, one.id, reason="she called the hotline")
        assert await settle_down(told, clock) == Counter({"paid": WORKERS - 1, "held": 1})
        async with told.services.database.factory(told.factory.id) as session:
            await unhold(session, told.services, told.factory.approver, one.id, reason="she confirmed")
        assert await settle_down(told, clock) == Counter({"paid": WORKERS})
        await check_against_the_journal(told)


async def test_a_payment_on_its_way_cannot_be_cancelled(paying: Paying, clock: SettableClock) -> None:
    async with paying() as told:
        await settle_down(told, clock)
        one = (await payments_of(told))[0]
        async with told.services.database.factory(told.factory.id) as session:
            with pytest.raises(ProblemError, match="cannot become"):
                await cancel(session, told.services, told.factory.approver, one.id, reason="changed my mind")


async def test_the_maker_cannot_approve_and_the_approver_signs_what_was_shown(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock, sheet: tuple[bytes, Path]
) -> None:
    clock.now = datetime.now(UTC)
    async with story(services, factory, tmp_path, accounts=sheet[1]) as told:
        both = Actor(
            factory_id=factory.id,
            name=factory.preparer.name,
            user_id=factory.preparer.user_id,
            permissions=PERMISSIONS[Role.PREPARER] | PERMISSIONS[Role.APPROVER],
        )
        file_id = await told.upload(sheet[0], "payroll.csv")
        await told.decide(file_id)
        async with told.services.database.factory(factory.id) as session:
            made = await create_run(session, told.services, factory.preparer, file_id, pay_on=None)
            submitted = await submit(session, told.services, factory.preparer, made.id)
            assert submitted.content_hash is not None
            with pytest.raises(ProblemError, match="four_eyes"):
                await approve(session, told.services, both, made.id, content_hash=submitted.content_hash)
            with pytest.raises(ProblemError, match="content_changed"):
                await approve(session, told.services, factory.approver, made.id, content_hash="0" * 64)
